"""CountEngine: windows of so many elements of a key, in the order in which they come."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.eventtime.windows.engine import Engine, Folding, Rows
from rxml.eventtime.windows.panes import Panes, closing
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.windowing import Count

LONG: Final = 1 << 32  # windows of one key, at most, in the numbers of windows of all keys


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
        ordinals, (codes, more) = self._ordinals(rows.codes)
        told = self.take(rows.codes, ordinals, folding)
        self.keys.hold(codes[self._seen[codes] == 0])
        self._seen[codes] += more
        return told

    def take(
        self, codes: NDArray[np.intp], ordinals: NDArray[np.int64], folding: Folding
    ) -> list[Panes]:
        """Take rows into windows; what those that are full come to.

        Args:
            codes: the key of each row.
            ordinals: how many elements of the key came before it.
            folding: takes rows in.
        """
        windows = ordinals // self._step
        place = ordinals - windows * self._step
        at = np.flatnonzero(place < self._n)
        if not len(at):
            return []
        numbers = codes[at] * LONG + windows[at]
        full = numbers[place[at] == self._n - 1]
        with self.trial(numbers):
            folding(at).into(self.slots_of(numbers))
            panes = self._panes(full, self.slots_of(full))
        self.forget(full)
        return [panes] if len(panes) else []

    @contextmanager
    def trial(self, numbers: NDArray[np.int64]) -> Generator[None]:
        """Have slots for these; what fails within this leaves all of them as they were."""
        named = np.unique(numbers)
        known = np.fromiter((each in self._slots for each in named.tolist()), np.bool_, len(named))
        new, old = named[~known], self.slots_of(named[known])
        self._slots.update(zip(new.tolist(), self.pool.allocate(len(new)).tolist(), strict=True))
        before = self.pool.states(old)
        try:
            yield
        except BaseException:
            self.pool.put(old, before)
            self.forget(new)
            raise

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

    def numbers(self) -> NDArray[np.int64]:
        """Of all that has a slot."""
        return np.fromiter(self._slots, np.int64, len(self._slots))

    def seen_of(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many elements of each key there were."""
        return self._seen[codes]

    def slots_of(self, numbers: NDArray[np.int64]) -> NDArray[np.intp]:
        """The slots of what has one, by number."""
        listed = numbers.tolist()
        return np.fromiter(map(self._slots.__getitem__, listed), np.intp, len(listed))

    def _panes(self, numbers: NDArray[np.int64], slots: NDArray[np.intp]) -> Panes:
        *values, first, last = self.pool.lower(slots)
        return closing((numbers // LONG).astype(np.intp), first, last + 1, last, values)

    def forget(self, numbers: NDArray[np.int64]) -> None:
        """These, each named once, have no slots any more."""
        self.pool.free(self.slots_of(numbers))
        for number in numbers.tolist():
            del self._slots[number]

    @override
    def close(self, watermark: int) -> list[Panes]:
        if watermark < FOREVER or not self._slots:
            return []
        numbers = self.numbers()
        codes = numbers // LONG
        numbers = numbers[np.lexsort((numbers % LONG, self.keys.rank(codes.astype(np.intp))))]
        panes = self._panes(numbers, self.slots_of(numbers))
        self.forget(numbers)
        return [panes]

    @override
    def snapshot(self) -> Any:
        numbers = self.numbers()
        slots = np.fromiter(self._slots.values(), np.int64, len(self._slots))
        return [self._seen.copy(), numbers, slots]

    @override
    def restore(self, state: Any) -> None:
        seen, numbers, slots = state
        self._seen = np.array(seen, np.int64)
        self._slots = dict(zip(numbers.tolist(), slots.tolist(), strict=True))
