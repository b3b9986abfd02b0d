"""SlidingEngine: windows that overlap, each told once: they share slices, so that a window costs what a slice does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.eventtime.windows.engine import Engine, Rows, filled, in_order
from rxml.eventtime.windows.panes import Panes, closing
from rxml.eventtime.windows.slices import Slices
from rxml.eventtime.windows.two_stack import TwoStack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.windowing import Sliding


class SlidingEngine(Engine):
    """The queue of the two stacks holds the slices of the next window that ends, as far as they have been pushed.

    What the queue is cut into, and so how floats are rounded, follows from the windows alone: a snapshot keeps the cut.
    """

    def __init__(self, keys: Keys, pool: Pool, windowing: Sliding) -> None:
        super().__init__(keys, pool)
        self._windowing = windowing
        self._slices = Slices(keys, pool)
        self._stack = TwoStack(pool)
        self._next: int | None = (
            None  # start of the next window to end, if there is one with elements
        )
        self._cut = 0  # slices before it stand in front
        self._pushed = 0  # slices before it are in the queue
        self._stale = False  # a slice in the queue has changed

    def _last_start(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The start of the last window that begins at or before each instant."""
        windowing = self._windowing
        return times - (times - windowing.origin) % windowing.every

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        return self._last_start(times) <= self.watermark - self._windowing.size

    @override
    def outside(self, times: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        windowing = self._windowing
        if windowing.every <= windowing.size:
            return None
        return times - self._last_start(times) >= windowing.size

    @override
    def add(self, rows: Rows) -> list[Panes]:
        windowing = self._windowing
        starts = rows.times - (rows.times - windowing.origin) % windowing.slice
        rows.folding(None)(self._slices.slots(starts, rows.codes))
        earliest = int(starts.min())
        first = self._first_window(earliest)
        if self._next is None or (first < self._next and first + windowing.size > self.watermark):
            self._begin(first)
        self._stale = self._stale or earliest < self._pushed
        return []

    def _begin(self, start: int) -> None:
        """The next window to end is this one; nothing is in the queue."""
        self._next = start
        self._cut = self._pushed = start
        self._stack.clear()
        self._stale = False

    def _first_window(self, instant: int) -> int:
        """The start of the first window that an instant is in and that has not ended."""
        windowing = self._windowing
        least = max(instant, self.watermark) - windowing.size + 1
        return least + (windowing.origin - least) % windowing.every

    @override
    def close(self, watermark: int) -> list[Panes]:
        told: list[Panes] = []
        size, every = self._windowing.size, self._windowing.every
        while self._next is not None and self._next + size <= watermark:
            told.append(self._told(self._next, self._next + size))
            self._leave(self._next + every)
        return told

    def _told(self, start: int, end: int) -> Panes:
        self._push(end)
        codes, states = self._stack.whole()
        order = in_order(self.keys, codes)
        values = [each[order] for each in self.pool.lowered(states)]
        n = len(codes)
        return closing(codes[order], filled(n, start), filled(n, end), filled(n, end - 1), values)

    def _push(self, end: int) -> None:
        """Take the slices before an instant into the queue."""
        self._stack.fit(self.keys.capacity)
        if self._stale:
            self._stack.flip(self._between(self._start, self._cut))
            self._push_between(self._cut, self._pushed)
            self._stale = False
        self._push_between(self._pushed, end)
        self._pushed = end

    @property
    def _start(self) -> int:
        return self._next if self._next is not None else 0

    def _push_between(self, start: int, stop: int) -> None:
        for _, one in self._between(start, stop):
            self._stack.push(one)

    def _between(self, start: int, stop: int) -> list[tuple[int, Any]]:
        starts = [each for each in self._slices.starts() if start <= each < stop]
        return [(each, self._slices[each]) for each in starts]

    def _leave(self, following: int) -> None:
        """The window has ended: forget what is in no later one, and make ready for the next that has elements."""
        for start in self._slices.upto(following - 1):
            self._slices.drop(start)
        starts = self._slices.starts()
        if not starts:
            self._next = None
            return
        first = max(following, self._first_of(starts[0]))
        if first >= self._pushed:
            self._begin(first)
            return
        self._next = first
        self._stack.pop(first)
        if self._stack.used_up:
            self._stack.fit(self.keys.capacity)
            self._stack.flip(self._between(first, self._pushed))
            self._cut = self._pushed
            self._stale = False

    def _first_of(self, instant: int) -> int:
        """The start of the first window that an instant is in."""
        windowing = self._windowing
        least = instant - windowing.size + 1
        return least + (windowing.origin - least) % windowing.every

    @override
    def snapshot(self) -> Any:
        return [self._slices.snapshot(), self._next, self._cut, self._pushed]

    @override
    def restore(self, state: Any) -> None:
        slices, self._next, self._cut, self._pushed = state
        self._slices.restore(slices)
        self._stale = True
