"""Retractions: what windows have told last, so that it can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.aggregates.states import grown, plain, put, restored, taken
from rxml.eventtime.windows.longer import longer
from rxml.eventtime.windows.panes import Panes, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Aggregate, State
    from rxml.eventtime.keyed.segments import Segments


class Retractions:
    """The last pane of each window: row i is that of the window in slot i of the pool.

    Args:
        aggregates: whose states they are.
    """

    __slots__ = ("_aggregates", "_columns", "_states")

    def __init__(self, aggregates: Sequence[Aggregate]) -> None:
        self._aggregates = list(aggregates)
        self._states: list[State] = [each.identity(0) for each in self._aggregates]
        self._columns: list[NDArray[Any]] = [np.zeros(0, np.int64) for _ in range(4)]

    @property
    def _index(self) -> NDArray[np.int64]:
        """One more than the pane's; 0: nothing has been told, or it has been taken back."""
        return self._columns[3]

    def before(self, slots: NDArray[np.intp], told: Panes, states: Sequence[State]) -> Panes:
        """Panes, each behind a row that takes back what its window has told last.

        Args:
            slots: of the windows.
            told: their next panes.
            states: of which these are made.
        """
        self._fit(int(slots.max(initial=-1)) + 1)
        rows = np.flatnonzero(self._index[slots])
        back = self._rows(slots[rows], told.codes[rows], told.timing[rows])
        self._remember(slots, told, states)
        order = np.argsort(np.r_[rows, np.arange(len(slots))], kind="stable")
        return together([back, told]).taken(order) if len(rows) else told

    def between(self, segments: Segments, told: Panes, states: Sequence[State]) -> Panes:
        """Panes in the order of their rows, each behind a row that takes back what its window has told last.

        Args:
            segments: rows by the slot of their window, each of which lets it tell.
            told: their panes, at sorted places.
            states: of which these are made.
        """
        slots, first, last = segments.codes, segments.first, segments.last
        self._fit(int(slots[-1]) + 1)
        known = np.flatnonzero(first & (self._index[slots] > 0))
        later = np.flatnonzero(~first)
        parts = [
            self._rows(slots[known], told.codes[known], told.timing[known]),
            told.taken(later - 1).taken_back(told.timing[later]),
            told,
        ]
        self._remember(slots[last], told.taken(last), [taken(state, last) for state in states])
        rows = segments.order
        order = np.argsort(np.concatenate([rows[known], rows[later], rows]), kind="stable")
        return together([part for part in parts if len(part)]).taken(order)

    def _remember(self, slots: NDArray[np.intp], told: Panes, states: Sequence[State]) -> None:
        """These windows have told this last."""
        for state, new in zip(self._states, states, strict=True):
            put(state, slots, new)
        kept = (told.starts, told.ends, told.times, told.index + 1)
        for column, now in zip(self._columns, kept, strict=True):
            column[slots] = now

    def of(self, slots: NDArray[np.intp], codes: NDArray[np.intp], timing: int) -> list[Panes]:
        """Take back what these windows have told last, if anything."""
        self._fit(int(slots.max(initial=-1)) + 1)
        rows = np.flatnonzero(self._index[slots])
        if not len(rows):
            return []
        return [self._rows(slots[rows], codes[rows], np.full(len(rows), timing, np.int8))]

    def _rows(
        self, slots: NDArray[np.intp], codes: NDArray[np.intp], timing: NDArray[np.int8]
    ) -> Panes:
        starts, ends, times, index = (column[slots] for column in self._columns)
        states = [taken(state, slots) for state in self._states]
        pairs = zip(self._aggregates, states, strict=True)
        values = [column for each, state in pairs for column in each.lowered(state)]
        yes = np.ones(len(slots), np.bool_)
        return Panes(codes, starts, ends, times, values, index - 1, timing, ~yes, yes)

    def _fit(self, length: int) -> None:
        self._columns = [longer(column, length) for column in self._columns]
        room = len(self._index)
        pairs = zip(self._aggregates, self._states, strict=True)
        self._states = [grown(each, state, room) for each, state in pairs]

    def forget(self, slots: NDArray[np.intp]) -> None:
        """These windows are no more."""
        self._fit(int(slots.max(initial=-1)) + 1)
        self._index[slots] = 0
        for each, state in zip(self._aggregates, self._states, strict=True):
            put(state, slots, each.identity(len(slots)))

    def kept(self, slots: NDArray[np.intp]) -> Any:
        """Copies of what is known of these windows, for `put`."""
        self._fit(int(slots.max(initial=-1)) + 1)
        columns = [column[slots] for column in self._columns]
        return columns, [taken(state, slots) for state in self._states]

    def put(self, slots: NDArray[np.intp], kept: Any) -> None:
        """Let that be known of these windows again."""
        columns, states = kept
        for column, values in zip(self._columns, columns, strict=True):
            column[slots] = values
        for state, values in zip(self._states, states, strict=True):
            put(state, slots, values)

    def snapshot(self) -> Any:
        """As plain values."""
        return [[column.copy() for column in self._columns], list(map(plain, self._states))]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        columns, states = state
        self._columns = [np.array(column) for column in columns]
        pairs = zip(states, self._aggregates, strict=True)
        self._states = [restored(part, each) for part, each in pairs]
