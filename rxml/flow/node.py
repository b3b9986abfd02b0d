"""Node and Spec: the description of a stage; building one runs nothing."""

from __future__ import annotations

import sys
from abc import ABC
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from rxml.flow.clock import Clock
    from rxml.flow.kernel import Kernel
    from rxml.flow.statistics import Counted, Meter
    from rxml.flow.subscription import Subscription
    from rxml.flow.supervision import Supervisor


class Env(Protocol):
    """What a stage may use of the run that it is part of."""

    @property
    def clock(self) -> Clock:
        """The only source of time."""
        ...

    @property
    def supervisor(self) -> Supervisor:
        """Decides what an error in this stage does."""
        ...

    @property
    def owner(self) -> Meter | None:
        """In a flow that was made while the run goes on, what counts its drops and failures; else None."""
        ...

    def open(self, node: Node) -> Subscription[Any]:
        """Open another flow as an input of the stage. It does nothing before its first request."""
        ...

    def reopen(self, node: Node) -> tuple[Subscription[Any], Callable[[], None]]:
        """`open` for an input that is opened again and again; returns also what is to be called once it is closed."""
        ...

    def inner(self, *, on_its_way: bool = True) -> Env:
        """For flows that are made while the run goes on: their drops and failures are counted as those of this stage.

        Args:
            on_its_way: the flow belongs to an element that is on its way, as in `flat_map`; False: it stands for the
                source, as in `using`, and is finished like one when the run is drained.
        """
        ...

    def meter(self, node: Node) -> Meter:
        """The counters of the stage, if that is what this was made for, else those of a part of it."""
        ...

    def follow(self, node: Node) -> Callable[[], None]:
        """Show what is counted for the stages that feed a shared one, which run apart; returns what ends that."""
        ...

    def where(self, node: Node) -> str:
        """The stage, its path, and where it was built: the note on errors."""
        ...

    def report(self, error: BaseException) -> None:
        """Keep the error of a finalizer for the end of the run, so that it masks nothing."""
        ...

    def enlist(self, finish: Callable[[], None], *, endless: bool = False) -> Callable[[], None]:
        """Have `finish` called when the run is drained; returns what takes it back.

        For sources, and whatever else would not end by itself. In the flow of an element that is on its way, only what
        is `endless` is finished.
        """
        ...

    def prepare(self, ready: Callable[[], bool] | None = None) -> Callable[[], None]:
        """Say that the stage is not ready to work yet, as with a model that is being loaded; returns what takes it back.

        With `ready` it is whenever that says so.
        """
        ...

    def at_end(self, ending: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Have `ending` awaited when the run is closed, once its stages are; returns what takes it back.

        For what may outlive the stage that began it, such as groups that are read when no further group is wanted. It
        must not raise.
        """
        ...


class Shared(Protocol):
    """A stage of which all readers, in whatever run, are fed by one run of what stands before it."""

    @property
    def kept(self) -> int:
        """Elements that it holds once for all readers."""
        ...

    def counted(self) -> Counted:
        """What feeds it on the running event loop, in all its runs."""
        ...


class Cardinality(Enum):
    """Results for each element: what a pipeline of requests and responses must know."""

    ONE = "1:1"
    AT_MOST_ONE = "1:0..1"
    MANY = "1:n"
    FEWER = "n:1"
    SOURCE = "0:n"


class Checkpointing(Enum):
    """What a stage is where a run is saved (see `rxml.flow.checkpointing`)."""

    PASSES = "passes"
    """All that it holds when a barrier leaves it came behind that: it has nothing to save."""

    SAVED = "saved"
    """Its `snapshot`, or its `position` if it is a source, says all that is to be known of what came before a barrier."""

    STORES = "stores"
    """SAVED, and what it stores has each element once, even if that comes again after a restart."""

    REFUSED = "refused"
    """It cannot be saved."""


def built_at() -> str:
    """File and line of the nearest caller outside rxml."""
    frame = sys._getframe(1)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the way to a caller's line
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("rxml."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spec(ABC):
    """What one stage is, apart from any run.

    Attributes:
        name: the operator's name, with its arguments where they help a reader.
        cardinality: results for each element.
        capacity: elements that the stage may hold, beyond the chunk that passes through it.
        max_bytes: bytes that it may hold, or None where only elements are bounded.
        rate: its result depends on time.
        columns: its result may depend on how elements were chunked.
        traits: what holds for the elements behind the stage (see `rxml.flow.traits`).
        passes: what comes out are elements that came in by its first input.
        merges: what comes out are elements that came in by any of its inputs.
        reads: types of traits upstream that it goes by.
        built: file and line where the user built it.
    """

    name: str
    cardinality: Cardinality = Cardinality.MANY
    capacity: int = 0
    max_bytes: int | None = None
    rate: bool = False
    columns: bool = False
    traits: tuple[object, ...] = ()
    passes: bool = False
    merges: bool = False
    reads: tuple[type[object], ...] = ()
    built: str = field(default_factory=built_at)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KernelSpec(Spec):
    """A synchronous stage; neighbours are fused.

    Attributes:
        kernel: makes the state of one run.
        holds: its flush may emit more than one element, so that no stage is fused behind it.
        aligned: result i belongs to element i, so that contexts pass as they are.
        opaque: it moves, keeps or drops elements without looking at them, in order, and holds the newest `capacity` at
            most, so that its results keep their contexts.
    """

    kernel: Callable[[], Kernel[Any, Any]]
    holds: bool = False
    aligned: bool = False
    opaque: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StageSpec(Spec):
    """A stage with a subscription of its own: a source, a boundary, or a combination.

    Attributes:
        open: gives the running stage.
        shared: what feeds it runs once for all who read it; its capacity is that for each of them. None: once for each.
        checkpointing: what it is where a run is saved.
    """

    open: Callable[[Env, Node], Subscription[Any]]
    shared: Shared | None = None
    checkpointing: Checkpointing = Checkpointing.REFUSED


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MarkSpec(Spec):
    """No stage of its own: says something about the stages upstream of it, or by its traits about the elements."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SuperviseSpec(MarkSpec):
    """Gives the stages upstream of it a supervisor."""

    supervisor: Supervisor


class Node:
    """A stage and what it is fed by."""

    __slots__ = ("sources", "spec")

    def __init__(self, spec: Spec, sources: tuple[Node, ...] = ()) -> None:
        self.spec: Spec = spec
        self.sources: tuple[Node, ...] = sources

    @property
    def shared(self) -> Shared | None:
        """See `StageSpec`."""
        return self.spec.shared if isinstance(self.spec, StageSpec) else None

    def walk(self) -> Iterator[Node]:
        """All nodes, sources first, each once; takes constant stack."""
        seen: set[int] = set()
        stack: list[tuple[Node, bool]] = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                yield node
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((source, False) for source in reversed(node.sources))
