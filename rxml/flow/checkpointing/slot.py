"""Slot: what one stage keeps for the checkpoint that is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rxml.errors import CheckpointError, CheckpointVersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.flow.checkpointing.store import Store

T = TypeVar("T")


class Slot:
    """The place of one stage in checkpoints.

    Args:
        name: of the stage.
        store: encodes what is kept, at once, since the state goes on to change.
        before: what the last checkpoint has of it, decoded; or None.

    Attributes:
        ended: the stage has ended.
    """

    __slots__ = ("_barrier", "_before", "_kept", "_store", "ended", "name")

    def __init__(self, name: str, store: Store, before: dict[str, Any] | None) -> None:
        self.name: str = name
        self._store = store
        self._before = before
        self.ended: bool = self.was_ended
        self._barrier = 0
        self._kept = b""

    @property
    def was_ended(self) -> bool:
        """Whether it had ended by the last checkpoint."""
        return self._before is not None and bool(self._before["ended"])

    def named(self, work: Callable[[], T]) -> T:
        """What the work on the stage's state gives.

        Raises:
            CheckpointError: what it raised, which names the stage.
        """
        try:
            return work()
        except CheckpointError as error:
            if str(error).startswith(self.name):
                raise
            raise type(error)(f"{self.name}: {error}") from error

    def keep(self, barrier: int, version: int, state: Any, *, ended: bool = False) -> None:
        """Keep what stands before the barrier.

        Raises:
            CheckpointError: the state is not made of values that the store can take.
        """
        try:
            self._kept = self._encoded(version, state, ended=ended)
        except (TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(
                f"{self.name}: its state cannot be stored, since not all of it is plain values: {error}"
            ) from error
        self._barrier = barrier

    def _encoded(self, version: int, state: Any, *, ended: bool) -> bytes:
        part = {"name": self.name, "version": version, "ended": ended, "state": state}
        return self._store.encode(part)

    def leave(self) -> None:
        """The stage has ended; what it kept for a barrier before that still counts."""
        self.ended = True

    def part(self, barrier: int) -> bytes:
        """What goes into the checkpoint.

        Raises:
            CheckpointError: the barrier came to the end of the pipeline, but not to this stage.
        """
        if self._barrier == barrier:
            return self._kept
        if self.ended:
            return self._encoded(0, None, ended=True)
        raise CheckpointError(f"{self.name} did not see barrier {barrier}; nothing was stored")

    def state(self, version: int) -> tuple[Any] | None:
        """The state to go on from, in a tuple; None if there is none.

        Raises:
            CheckpointVersionError: another version of the stage has kept it.
        """
        before = self._before
        if before is None or before["ended"]:
            return None
        require_version(before, version)
        return (before["state"],)


def require_version(part: Mapping[str, Any], version: int) -> None:
    """Raises a CheckpointVersionError if another version of a stage has kept that part."""
    if not part["ended"] and part["version"] != version:
        raise CheckpointVersionError(
            f"{part['name']}: the checkpoint has version {part['version']} of its state, this program has version "
            f"{version}; run the version that was saved, or forget the checkpoint: await store.forget(name). "
            "Nothing was changed"
        )
