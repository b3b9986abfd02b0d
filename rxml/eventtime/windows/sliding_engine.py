"""SlidingEngine: windows that overlap, each told once: they share slices, so that a window costs what a slice does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.aggregates.states import taken
from rxml.eventtime.windows.engine import Engine, Folding, Rows, filled, in_order
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
    """Each window is what its slices before its cut come to, followed by those behind it.

    Where it is cut follows from the window alone (see `Sliding.cut`), so that floats are rounded in the same way however
    elements were chunked, in whatever order they came, and behind a snapshot.
    """

    def __init__(self, keys: Keys, pool: Pool, windowing: Sliding) -> None:
        super().__init__(keys, pool)
        self._windowing = windowing
        self._slices = Slices(keys, pool)
        self._stack = TwoStack(pool)
        self._next: int | None = None  # start of the next window with elements to end
        self._cut: int | None = None  # of the windows for which the stacks are made
        self._pushed = 0  # slices before it are in the stacks

    @property
    @override
    def reach(self) -> int:
        return self._windowing.size + self._windowing.every

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        return self._windowing.last_start(times) <= self.watermark - self._windowing.size

    @override
    def outside(self, times: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        windowing = self._windowing
        if windowing.every <= windowing.size:
            return None
        return times - windowing.last_start(times) >= windowing.size

    @override
    def add(self, rows: Rows, folding: Folding) -> list[Panes]:
        starts = self._windowing.slice_starts(rows.times)
        with self._slices:
            folding(None).into(self._slices.slots(starts, rows.codes))
        first = self._first_window(max(rows.low, self.watermark))
        self._next = first if self._next is None else min(first, self._next)
        if starts.min() < self._pushed:  # in a slice that is in the stacks already
            self._cut = None
        return []

    def _first_window(self, instant: int) -> int:
        """The start of the first window that ends behind an instant."""
        windowing = self._windowing
        least = instant - windowing.size + 1
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
        self._push(start, end)
        codes, states = self._stack.whole()
        n = len(codes)
        order = in_order(self.keys, codes)
        values = self.pool.lowered([taken(state, order) for state in states])
        return closing(codes[order], filled(n, start), filled(n, end), filled(n, end - 1), values)

    def _push(self, start: int, end: int) -> None:
        """Let the stacks hold the slices of a window."""
        stack, slices, cut = self._stack, self._slices, self._windowing.cut(start)
        stack.fit(self.keys.capacity)
        if cut != self._cut:
            stack.flip([(each, slices[each]) for each in slices.between(start, cut)])
            self._cut = self._pushed = cut
        stack.pop(start)
        for each in slices.between(self._pushed, end):
            stack.push(slices[each])
        self._pushed = end

    def _leave(self, following: int) -> None:
        """The window has ended: forget what is in no later one; the next is the first that has elements."""
        for start in self._slices.upto(following - 1):
            self._slices.drop(start)
        starts = self._slices.starts()
        self._next = max(following, self._first_window(starts[0])) if starts else None

    @override
    def snapshot(self) -> Any:
        return [self._slices.snapshot(), self._next]

    @override
    def restore(self, state: Any) -> None:
        slices, self._next = state
        self._slices.restore(slices)
        self._cut = None
