"""Pool: the states of all windows that are open, as rows of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rxml.aggregates.states import grown, plain, put, restored, taken
from rxml.errors import BufferOverflowError
from rxml.eventtime.keyed.running import running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Aggregate, State
    from rxml.eventtime.keyed.segments import Segments

_SMALLEST = 64


class Fold(NamedTuple):
    """Rows that are to be taken in.

    Attributes:
        into: takes them into slots, one for each row.
        alone: gives the state that each row has by itself, of each aggregate in turn.
    """

    into: Callable[[NDArray[np.intp]], None]
    alone: Callable[[], list[State]]


class Pool:
    """Slots, each with a state of every aggregate. A slot that is not taken has the identities.

    Args:
        aggregates: whose states they are.
        most: slots that may be taken at once.
    """

    __slots__ = ("_aggregates", "_capacity", "_fallible", "_free", "_left", "_most", "_states")

    def __init__(self, aggregates: Sequence[Aggregate], most: int) -> None:
        self._aggregates = list(aggregates)
        self._most = most
        self._fallible = any(each.fallible for each in self._aggregates)
        self._capacity = 0
        self._free: NDArray[np.intp] = np.empty(0, np.intp)  # those that are, up to `_left`
        self._left = 0
        self._states: list[State] = [each.identity(0) for each in self._aggregates]

    def __len__(self) -> int:
        """Slots that are taken."""
        return self._capacity - self._left

    @property
    def room(self) -> int:
        """Slots that may still be taken."""
        return self._most - len(self)

    def allocate(self, n: int) -> NDArray[np.intp]:
        """Take n slots, which have the identities.

        Raises:
            BufferOverflowError: there are not as many; nothing has changed.
        """
        if len(self) + n > self._most:
            raise BufferOverflowError(
                f"windows have {len(self):,} states of keys and spans open, {n:,} more are wanted, and capacity={self._most:,} "
                "allows no more: let windows end earlier (a smaller size, gap, or delay of the watermark), use fewer keys, "
                "or give window(...) more capacity"
            )
        missing = n - self._left
        if missing > 0:
            self._grow(max(self._capacity + missing, 2 * self._capacity, _SMALLEST))
        self._left -= n
        return self._free[self._left : self._left + n][::-1].copy()

    def _grow(self, capacity: int) -> None:
        self._states = [
            grown(each, state, capacity)
            for each, state in zip(self._aggregates, self._states, strict=True)
        ]
        free = np.empty(capacity, np.intp)
        more = capacity - self._capacity
        free[:more] = np.arange(capacity - 1, self._capacity - 1, -1)
        free[more : more + self._left] = self._free[: self._left]
        self._free, self._left, self._capacity = free, more + self._left, capacity

    def free(self, slots: NDArray[np.intp]) -> None:
        """Give back slots, each once."""
        self.reset(slots)
        self._free[self._left : self._left + len(slots)] = slots
        self._left += len(slots)

    def reset(self, slots: NDArray[np.intp]) -> None:
        """Let these slots have the identities again."""
        for each, state in zip(self._aggregates, self._states, strict=True):
            put(state, slots, each.identity(len(slots)))

    def folding(self, columns: Sequence[Sequence[NDArray[Any]]], times: NDArray[np.int64]) -> Fold:
        """What takes rows into slots, one behind the other; nothing has changed before it is called.

        Args:
            columns: for each aggregate its columns, of shape (n,) each.
            times: event times, shape (n,).

        Raises:
            SchemaError: values that an aggregate cannot take.
        """
        pairs = zip(self._aggregates, columns, strict=True)
        folds = [each.folding(values, times) for each, values in pairs]

        def fold(slots: NDArray[np.intp]) -> None:
            for each, state in zip(folds, self._states, strict=True):
                each(state, slots)

        def alone() -> list[State]:
            places, pairs = np.arange(len(times)), zip(self._aggregates, columns, strict=True)
            return [each.lift(values, times, places, len(places)) for each, values in pairs]

        return Fold(self._undone(fold) if self._fallible else fold, alone)

    def _undone(
        self, fold: Callable[[NDArray[np.intp]], None]
    ) -> Callable[[NDArray[np.intp]], None]:
        """The same, but where it fails, the slots are as they were."""

        def careful(slots: NDArray[np.intp]) -> None:
            touched = np.unique(slots)
            before = self.states(touched)
            try:
                fold(slots)
            except BaseException:
                self.put(touched, before)
                raise

        return careful

    def running(
        self, before: Sequence[State], rows: Sequence[State], segments: Segments
    ) -> list[State]:
        """States that are not in the pool, once each row is taken, at sorted places.

        Args:
            before: of each segment.
            rows: each by itself.
            segments: the rows, by what they are taken into.
        """
        triples = zip(self._aggregates, before, rows, strict=True)
        return [
            running(each, state, taken(row, segments.order), segments)
            for each, state, row in triples
        ]

    def combine(self, into: NDArray[np.intp], others: NDArray[np.intp]) -> None:
        """Let each slot of the first hold what it holds, followed by what that of the second does, which keeps it."""
        for each, state in zip(self._aggregates, self._states, strict=True):
            put(state, into, each.combine(taken(state, into), taken(state, others)))

    def lower(self, slots: NDArray[np.intp]) -> list[Any]:
        """The results of these slots, of each aggregate in turn."""
        return self.lowered(self.states(slots))

    def lowered(self, states: Sequence[State]) -> list[Any]:
        """The results of states that are not in the pool."""
        pairs = zip(self._aggregates, states, strict=True)
        return [column for each, state in pairs for column in each.lowered(state)]

    def states(self, slots: NDArray[np.intp]) -> list[State]:
        """Copies of the states in these slots."""
        return [taken(state, slots) for state in self._states]

    def put(self, slots: NDArray[np.intp], states: Sequence[State]) -> None:
        """Let these slots have states that `states` gave."""
        for state, kept in zip(self._states, states, strict=True):
            put(state, slots, kept)

    def identities(self, n: int) -> list[State]:
        """States of no rows, for n groups."""
        return [each.identity(n) for each in self._aggregates]

    def combined(self, left: Sequence[State], right: Sequence[State]) -> list[State]:
        """States that are not in the pool, one behind the other."""
        triples = zip(self._aggregates, left, right, strict=True)
        return [each.combine(one, other) for each, one, other in triples]

    def snapshot(self) -> Any:
        """All of it, as plain values."""
        return [
            self._capacity,
            self._free[: self._left].copy(),
            [plain(state) for state in self._states],
        ]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot of a pool of the same aggregates."""
        capacity, free, parts = state
        self._capacity = int(capacity)
        self._free = np.empty(self._capacity, np.intp)
        self._left = len(free)
        self._free[: self._left] = free
        pairs = zip(parts, self._aggregates, strict=True)
        self._states = [restored(part, each) for part, each in pairs]
