"""EveryEngine: windows that tell each time that event time has gone on by a period inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.eventtime.windows.engine import Engine, Folding, Rows, in_order
from rxml.eventtime.windows.panes import EARLY, ON_TIME, Panes
from rxml.eventtime.windows.slices import Slices
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.eventtime.windows.firing import Firing
    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.slices import Slice
    from rxml.eventtime.windows.windowing import Sliding


class EveryEngine(Engine):
    """Elements go to slices of a period; a slice whose time has passed is added to its window, which then tells.

    So a pane holds what happened until its instant, in whatever order that came.

    Args:
        keys: of the elements.
        windowing: tumbling; None: one window of all time, with periods from 1970 on.
        firing: makes the panes.
        period: ns, counted from the start of a window.
    """

    def __init__(self, keys: Keys, windowing: Sliding | None, firing: Firing, period: int) -> None:
        super().__init__(keys, firing.pool)
        self._windowing = windowing
        self._firing = firing
        self._period = period
        self._slices = Slices(keys, firing.pool)
        self._windows = Slices(keys, firing.pool)

    @property
    @override
    def reach(self) -> int:
        return self._period + (0 if self._windowing is None else self._windowing.size)

    def _starts(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._windowing is None:
            return np.full(len(times), -FOREVER, np.int64)
        return self._windowing.last_start(times)

    def _end(self, start: int) -> int:
        return FOREVER if self._windowing is None else start + self._windowing.size

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        if self._windowing is None:
            return np.zeros(len(times), np.bool_)
        return self._starts(times) <= self.watermark - self._windowing.size

    @override
    def add(self, rows: Rows, folding: Folding) -> list[Panes]:
        starts = self._starts(rows.times)
        base = 0 if self._windowing is None else starts
        slices = rows.times - (rows.times - base) % self._period
        with self._slices:
            folding(None).into(self._slices.slots(slices, rows.codes))
        return []

    @override
    def close(self, watermark: int) -> list[Panes]:
        told: list[Panes] = []
        for start in self._slices.starts():
            window = int(self._starts(np.array([start]))[0])
            stop = min(start + self._period, self._end(window))
            if stop > watermark and watermark < FOREVER:
                break
            if self._windowing is not None:  # windows that ended before this one tell first
                told += self._finished(window)
            told += self._merged(start, window, stop)
        return told + self._finished(watermark)

    def _merged(self, start: int, window: int, stop: int) -> list[Panes]:
        """Add a slice to its window, which tells of the keys in it, unless it ends here."""
        one = self._slices[start]
        slots = self._held(one, window)
        self.pool.combine(slots, one.slots)
        firing = self._firing
        np.add.at(firing.windows.fresh, slots, 1)
        firing.windows.times[slots] = stop - 1 if stop < FOREVER else start
        told: list[Panes] = []
        if stop < self._end(window):
            told = [firing.fire(slots[in_order(self.keys, one.codes)], EARLY)]
        self._slices.drop(start)
        return told

    def _held(self, one: Slice, window: int) -> NDArray[np.intp]:
        codes = one.codes.copy()
        known = self._windows.find(window, codes) if window in self._windows else None
        slots = self._windows.slots(np.full(len(codes), window), codes)
        new = slots if known is None else slots[known < 0]
        names = codes if known is None else codes[known < 0]
        self._firing.windows.open(new, names, window, self._end(window), window)
        return slots

    def _finished(self, watermark: int) -> list[Panes]:
        told: list[Panes] = []
        for start in self._windows.starts():
            if self._end(start) > watermark:
                break
            one = self._windows[start]
            slots = self._firing.worth(one.slots[in_order(self.keys, one.codes)])
            if len(slots):
                told.append(self._firing.fire(slots, ON_TIME, final=True))
            self._firing.forget(one.slots)
            self._windows.drop(start)
        return told

    @override
    def snapshot(self) -> Any:
        return [self._slices.snapshot(), self._windows.snapshot(), self._firing.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        slices, windows, firing = state
        self._slices.restore(slices)
        self._windows.restore(windows)
        self._firing.restore(firing)
