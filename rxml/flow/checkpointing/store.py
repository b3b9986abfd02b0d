"""Store: what checkpoints are kept in, and what sinks share with it. Implementations live in `rxml.stores`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT: Final = 1
"""The version of what a checkpoint consists of."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One checkpoint.

    Attributes:
        number: of its barrier, >= 1; each checkpoint of a pipeline has the next.
        names: the stages of the pipeline, sources first: by these it is known again.
        parts: what each stage has kept, by its place among the names, as the store has encoded it.
        complete: the run has come to its end.
        format: version of all this.
    """

    number: int
    names: tuple[str, ...]
    parts: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    complete: bool = False
    format: int = FORMAT


Admit: TypeAlias = "Callable[[Saved, Mapping[int, Any]], None]"
"""Raises a CheckpointError if a run cannot go on from a checkpoint, given also what each of its stages has kept."""


def anything(saved: Saved, states: Mapping[int, Any]) -> None:
    """Admits every checkpoint."""
    del saved, states


@dataclass(frozen=True, slots=True)
class Stored:
    """A trait: each element is in a store, once, as soon as the checkpoint behind it is committed there."""

    store: Store


class Session(Protocol):
    """One run's hold on the checkpoints of one pipeline: who begins a later one takes it over.

    Attributes:
        saved: the newest checkpoint when the session began, or None.
        states: its parts, decoded.
    """

    saved: Saved | None
    states: Mapping[int, Any]

    async def commit(self, saved: Saved) -> None:
        """Store a checkpoint, and all that joined sinks have written before its barrier, wholly or not at all.

        Raises:
            CheckpointError: it cannot be stored, or another run has taken over. The one before is as it was.
        """
        ...

    async def close(self) -> None:
        """Give the hold back; nothing that is not committed stays. Idempotent."""
        ...


@runtime_checkable
class Store(Protocol):
    """Keeps checkpoints of pipelines, by name. Nothing in it blocks the event loop."""

    def encode(self, value: Any) -> bytes:
        """Plain values as bytes, of which `Session.states` has them again; called before the value can change."""
        ...

    async def begin(self, pipeline: str, admit: Admit = anything) -> Session:
        """Take hold of a pipeline's checkpoints.

        Args:
            pipeline: its name.
            admit: is called with the newest checkpoint, not in the event loop's thread; what it raises comes out, and
                then nothing has been changed: a run of the pipeline that goes on meanwhile does so.

        Raises:
            CheckpointError: the store cannot be read or written, or is from a newer version.
        """
        ...


@runtime_checkable
class TransactionalSink(Protocol):
    """A running stage whose output becomes visible with the checkpoint behind it, and not before.

    By the time that it lets a barrier pass, what came before that must be in the store, as a part of that checkpoint.
    """

    def join(self, session: Session, number: int) -> None:
        """A run with checkpoints begins.

        Args:
            session: the run's hold on its pipeline.
            number: of the last checkpoint that was committed; 0 if there is none.

        Raises:
            CheckpointError: the sink writes to another store.
        """
        ...
