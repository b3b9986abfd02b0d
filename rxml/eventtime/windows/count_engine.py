"""CountEngine: windows of so many elements of a key, in the order in which they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.eventtime.windows.engine import Engine, Folding, Rows
from rxml.eventtime.windows.panes import Panes, closing
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.windowing import Count

_LONG: int = 1 << 32  # windows of one key, at most, in the numbers of windows of all keys


class CountEngine(Engine):
    """A slot for each key and window that is not full. Keys are kept for good: one counter each.

    The last two states of the pool are the first and the last event time of a window.
    """

    def __init__(self, keys: Keys, pool: Pool, windowing: Count) -> None:
        super().__init__(keys, pool)
        self._n = windowing.n
        self._step = windowing.step
        self._seen: NDArray[np.int64] = np.zeros(0, np.int64)
        self._slots: dict[int, int] = {}

    @property
    @override
    def reach(self) -> int:
        return 1

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        return np.zeros(len(times), np.bool_)

    @override
    def add(self, rows: Rows, folding: Folding) -> list[Panes]:
        ordinals, seen = self._ordinals(rows.codes)
        at, numbers, full = self._assigned(rows.codes, ordinals)
        told = self._taken(at, numbers, full, folding) if len(at) else []
        codes, more = seen
        self.keys.hold(codes[self._seen[codes] == 0])
        self._seen[codes] += more
        return told

    def _taken(
        self,
        at: NDArray[np.intp],
        numbers: NDArray[np.int64],
        full: NDArray[np.bool_],
        folding: Folding,
    ) -> list[Panes]:
        """Take rows into windows; what those that are full come to."""
        new = [each for each in dict.fromkeys(numbers.tolist()) if each not in self._slots]
        self._slots.update(zip(new, self.pool.allocate(len(new)).tolist(), strict=True))
        slots = self._slots_of(numbers)
        touched = np.unique(slots)
        before = self.pool.states(touched)
        try:
            folding(at).into(slots)
            panes = self._panes(numbers[full], slots[full])
        except BaseException:
            self.pool.put(touched, before)
            self._forget(np.array(new, np.int64))
            raise
        self._forget(numbers[full])
        return [panes] if len(panes) else []

    def _assigned(
        self, codes: NDArray[np.intp], ordinals: NDArray[np.int64]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.bool_]]:
        """Rows, the number of a window that they are in, and whether they fill it: a triple for each window of a row."""
        last = ordinals // self._step
        triples: list[tuple[Any, Any, Any]] = []
        for back in range(-(-self._n // self._step)):
            window = last - back
            place = ordinals - window * self._step
            inside = np.flatnonzero((place < self._n) & (window >= 0))
            number = codes[inside] * _LONG + window[inside]
            triples.append((inside, number, place[inside] == self._n - 1))
        at, numbers, full = map(np.concatenate, zip(*triples[::-1], strict=True))
        order = np.argsort(at, kind="stable")
        return at[order], numbers[order], full[order]

    def _ordinals(
        self, codes: NDArray[np.intp]
    ) -> tuple[NDArray[np.int64], tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """For each row, how many elements of its key came before it; and the keys, and how many elements each has here."""
        if len(self._seen) < self.keys.capacity:
            more = np.zeros(self.keys.capacity - len(self._seen), np.int64)
            self._seen = np.concatenate([self._seen, more])
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        lengths = np.diff(np.r_[first, len(codes)])
        ordinals = np.empty(len(codes), np.int64)
        ordinals[order] = np.arange(len(codes)) - np.repeat(first, lengths) + self._seen[ordered]
        return ordinals, (ordered[first], lengths)

    def _slots_of(self, numbers: NDArray[np.int64]) -> NDArray[np.intp]:
        listed = numbers.tolist()
        return np.fromiter(map(self._slots.__getitem__, listed), np.intp, len(listed))

    def _panes(self, numbers: NDArray[np.int64], slots: NDArray[np.intp]) -> Panes:
        *values, first, last = self.pool.lower(slots)
        return closing((numbers // _LONG).astype(np.intp), first, last + 1, last, values)

    def _forget(self, numbers: NDArray[np.int64]) -> None:
        self.pool.free(self._slots_of(numbers))
        for number in numbers.tolist():
            del self._slots[number]

    @override
    def close(self, watermark: int) -> list[Panes]:
        if watermark < FOREVER or not self._slots:
            return []
        numbers = np.fromiter(self._slots, np.int64, len(self._slots))
        codes = numbers // _LONG
        numbers = numbers[np.lexsort((numbers % _LONG, self.keys.rank(codes.astype(np.intp))))]
        panes = self._panes(numbers, self._slots_of(numbers))
        self._forget(numbers)
        return [panes]

    @override
    def snapshot(self) -> Any:
        numbers = np.fromiter(self._slots, np.int64, len(self._slots))
        slots = np.fromiter(self._slots.values(), np.int64, len(self._slots))
        return [self._seen.copy(), numbers, slots]

    @override
    def restore(self, state: Any) -> None:
        seen, numbers, slots = state
        self._seen = np.array(seen, np.int64)
        self._slots = dict(zip(numbers.tolist(), slots.tolist(), strict=True))
