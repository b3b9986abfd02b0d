"""TumblingEngine: windows that follow one another, each told once: a slot for each key and window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.eventtime.windows.engine import Engine, Folding, Rows, filled, in_order
from rxml.eventtime.windows.panes import Panes, closing
from rxml.eventtime.windows.slices import Slices

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.windowing import Sliding


class TumblingEngine(Engine):
    """A slice is a window."""

    def __init__(self, keys: Keys, pool: Pool, windowing: Sliding) -> None:
        super().__init__(keys, pool)
        self._windowing = windowing
        self._size = windowing.size
        self._slices = Slices(keys, pool)

    @property
    @override
    def reach(self) -> int:
        return self._windowing.size

    def _starts(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._windowing.last_start(times)

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        return self._starts(times) <= self.watermark - self._size

    @override
    def add(self, rows: Rows, folding: Folding) -> list[Panes]:
        fold = folding(None).into
        first, last = (self._windowing.start_of(each) for each in (rows.low, rows.high))
        with self._slices:
            if first == last:
                fold(self._slices.slots_in(first, rows.codes))
            else:
                fold(self._slices.slots(self._starts(rows.times), rows.codes))
        return []

    @override
    def close(self, watermark: int) -> list[Panes]:
        return [self._told(start) for start in self._slices.upto(watermark - self._size)]

    def _told(self, start: int) -> Panes:
        one = self._slices[start]
        order = in_order(self.keys, one.codes)
        codes, values = one.codes[order], self.pool.lower(one.slots[order])
        n, end = len(codes), start + self._size
        panes = closing(codes, filled(n, start), filled(n, end), filled(n, end - 1), values)
        self._slices.drop(start)
        return panes

    @override
    def snapshot(self) -> Any:
        return self._slices.snapshot()

    @override
    def restore(self, state: Any) -> None:
        self._slices.restore(state)
