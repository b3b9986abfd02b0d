"""Firing: what each open window has told so far, and its next pane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.aggregates.states import taken
from rxml.eventtime.keyed.segments import Segments, inverse
from rxml.eventtime.windows.longer import longer
from rxml.eventtime.windows.panes import Panes
from rxml.eventtime.windows.retractions import Retractions
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Aggregate, State
    from rxml.eventtime.windows.emission import Accumulation
    from rxml.eventtime.windows.pool import Pool


class Windows:
    """Open windows: row i is the window whose state is in slot i of the pool.

    Attributes:
        codes: the keys.
        starts, ends: their spans.
        times: the event time of the last element, for windows without an end.
        fires: panes that they have told.
        fresh: elements that have come since.
    """

    __slots__ = ("codes", "ends", "fires", "fresh", "starts", "times")

    def __init__(self) -> None:
        self.codes: NDArray[np.intp] = np.zeros(0, np.intp)
        self.starts: NDArray[np.int64] = np.zeros(0, np.int64)
        self.ends: NDArray[np.int64] = np.zeros(0, np.int64)
        self.times: NDArray[np.int64] = np.zeros(0, np.int64)
        self.fires: NDArray[np.int64] = np.zeros(0, np.int64)
        self.fresh: NDArray[np.int64] = np.zeros(0, np.int64)

    def open(self, slots: NDArray[np.intp], codes: Any, starts: Any, ends: Any, times: Any) -> None:
        """Windows in these slots have told nothing yet."""
        for name in self.__slots__:
            setattr(self, name, longer(getattr(self, name), int(slots.max(initial=-1)) + 1))
        self.codes[slots], self.starts[slots], self.ends[slots] = codes, starts, ends
        self.times[slots], self.fires[slots], self.fresh[slots] = times, 0, 0

    def instants(self, slots: NDArray[np.intp]) -> NDArray[np.int64]:
        """The event times of results of these windows."""
        ends = self.ends[slots]
        return np.where(ends == FOREVER, self.times[slots], ends - 1)

    def kept(self, slots: NDArray[np.intp]) -> list[NDArray[Any]]:
        """Copies of what is known of these windows, for `put`."""
        return [getattr(self, name)[slots] for name in self.__slots__]

    def put(self, slots: NDArray[np.intp], kept: list[NDArray[Any]]) -> None:
        """Let that be known of these windows again."""
        for name, values in zip(self.__slots__, kept, strict=True):
            getattr(self, name)[slots] = values

    def renewed(self) -> NDArray[np.intp]:
        """Those to which elements have come since they have told last; one look at an array, whatever is open."""
        return np.flatnonzero(self.fresh)

    def snapshot(self) -> Any:
        """As plain values."""
        return [getattr(self, name).copy() for name in self.__slots__]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        for name, array in zip(self.__slots__, state, strict=True):
            setattr(self, name, np.array(array))


class Firing:
    """Makes the panes of windows that may tell several times.

    Args:
        pool: holds the states.
        aggregates: whose states they are.
        accumulation: what a further pane holds.

    Attributes:
        pool: holds the states.
        windows: what is known of those that are open.
    """

    __slots__ = ("_accumulation", "_retractions", "pool", "windows")

    def __init__(
        self, pool: Pool, aggregates: Sequence[Aggregate], accumulation: Accumulation
    ) -> None:
        self.pool: Pool = pool
        self._accumulation: Accumulation = accumulation
        self._retractions = Retractions(aggregates) if accumulation == "retracting" else None
        self.windows: Windows = Windows()

    def saw(self, slots: NDArray[np.intp]) -> None:
        """An element has come to each of these windows; one may be named several times."""
        np.add.at(self.windows.fresh, slots, 1)

    def worth(self, slots: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of these windows that have something to tell at their end."""
        if self._accumulation != "discarding":
            return slots
        new = (self.windows.fresh[slots] > 0) | (self.windows.fires[slots] == 0)
        worth: NDArray[np.intp] = slots[new]
        return worth

    def fire(self, slots: NDArray[np.intp], timing: int, *, final: bool = False) -> Panes:
        """The next pane of each of these windows, each named once; in their order."""
        windows, told = self.windows, self._panes(slots, timing, final=final)
        if self._retractions is not None:
            told = self._retractions.before(slots, told, self.pool.states(slots))
        if self._accumulation == "discarding":
            self.pool.reset(slots)
        windows.fires[slots] += 1
        windows.fresh[slots] = 0
        return told

    def each(
        self,
        slots: NDArray[np.intp],
        rows: Sequence[State],
        times: NDArray[np.int64],
        timing: NDArray[np.int64],
    ) -> Panes:
        """Take rows in, each of which lets its window tell, and that has told with all it had; the panes, row by row.

        Args:
            slots: of the windows.
            rows: the state of each row by itself, of each aggregate.
            times: event times of the rows.
            timing: of their panes.
        """
        windows, segments = self.windows, Segments(slots)
        names, last = segments.codes[segments.first], segments.last
        discards = self._accumulation == "discarding"
        states = (
            [taken(state, segments.order) for state in rows]
            if discards
            else self.pool.running(self.pool.states(names), rows, segments)
        )
        newest = segments.highest_before(times, windows.times[slots])
        newest = np.maximum(newest, times[segments.order])
        told = self._panes_of(segments, states, newest, timing[segments.order])
        if not discards:
            self.pool.put(names, [taken(state, last) for state in states])
        windows.fires[names], windows.fresh[names] = told.index[last] + 1, 0
        windows.times[names] = newest[last]
        if self._retractions is None:
            return told.taken(inverse(segments.order))
        return self._retractions.between(segments, told, states)

    def _panes_of(
        self,
        segments: Segments,
        states: Sequence[State],
        times: NDArray[np.int64],
        timing: NDArray[np.int64],
    ) -> Panes:
        """A pane of each row; all of it at sorted places, times of the newest row until then."""
        windows, slots, n = self.windows, segments.codes, len(segments.codes)
        ends = windows.ends[slots]
        return Panes(
            windows.codes[slots],
            windows.starts[slots],
            ends,
            np.where(ends == FOREVER, times, ends - 1),
            self.pool.lowered(states),
            windows.fires[slots] + segments.nth,
            timing.astype(np.int8),
            np.zeros(n, np.bool_),
            np.zeros(n, np.bool_),
        )

    def _panes(self, slots: NDArray[np.intp], timing: int, *, final: bool) -> Panes:
        windows, n = self.windows, len(slots)
        return Panes(
            windows.codes[slots],
            windows.starts[slots],
            windows.ends[slots],
            windows.instants(slots),
            self.pool.lower(slots),
            windows.fires[slots],
            np.full(n, timing, np.int8),
            np.full(n, final, np.bool_),
            np.zeros(n, np.bool_),
        )

    def merge(self, into: NDArray[np.intp], gone: NDArray[np.intp], timing: int) -> list[Panes]:
        """Let one window hold what it holds, followed by what another does; what that has told is taken back.

        Args:
            into: the slot of the one, shape (1,).
            gone: that of the other, which is to be forgotten.
            timing: of what is taken back.
        """
        windows = self.windows
        self.pool.combine(into, gone)
        windows.fresh[into] += windows.fresh[gone]
        windows.fires[into] = np.maximum(windows.fires[into], windows.fires[gone])
        if self._retractions is None:
            return []
        return self._retractions.of(gone, windows.codes[gone], timing)

    def forget(self, slots: NDArray[np.intp]) -> None:
        """These windows are no more."""
        self.windows.fresh[slots] = self.windows.fires[slots] = 0
        if self._retractions is not None:
            self._retractions.forget(slots)

    def kept(self, slots: NDArray[np.intp]) -> Any:
        """Copies of all that is known of these windows, for `put`."""
        told = None if self._retractions is None else self._retractions.kept(slots)
        return self.windows.kept(slots), self.pool.states(slots), told

    def put(self, slots: NDArray[np.intp], kept: Any) -> None:
        """Let that be known of these windows again; each is named once."""
        windows, states, told = kept
        self.windows.put(slots, windows)
        self.pool.put(slots, states)
        if self._retractions is not None:
            self._retractions.put(slots, told)

    def snapshot(self) -> Any:
        """As plain values."""
        kept = self._retractions
        return [self.windows.snapshot(), None if kept is None else kept.snapshot()]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        windows, kept = state
        self.windows.restore(windows)
        if self._retractions is not None:
            self._retractions.restore(kept)
