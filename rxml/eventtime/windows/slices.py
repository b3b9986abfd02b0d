"""Slices: spans of time, each with the slots of the keys that have elements in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool


class Slice:
    """A span of time: which keys have elements in it, and in which slot of the pool their state is."""

    __slots__ = ("_by_code", "_codes", "_slots", "size")

    def __init__(self, capacity: int) -> None:
        self.size: int = 0
        self._by_code: NDArray[np.intp] = np.full(capacity, -1, np.intp)
        self._codes: NDArray[np.intp] = np.empty(16, np.intp)
        self._slots: NDArray[np.intp] = np.empty(16, np.intp)

    @property
    def codes(self) -> NDArray[np.intp]:
        """The keys, in the order in which they came."""
        return self._codes[: self.size]

    @property
    def slots(self) -> NDArray[np.intp]:
        """The slots of these keys."""
        return self._slots[: self.size]

    def found(self, codes: NDArray[np.intp], capacity: int) -> NDArray[np.intp]:
        """The slots of keys; -1 for a key that has none here."""
        if len(self._by_code) < capacity:
            more = np.full(capacity - len(self._by_code), -1, np.intp)
            self._by_code = np.concatenate([self._by_code, more])
        slots: NDArray[np.intp] = self._by_code[codes]
        return slots

    def distinct(self, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Keys that have none here, each once, in the order in which they came first."""
        at = np.arange(len(codes))
        self._by_code[codes[::-1]] = at[::-1]  # of several rows of a key the first is written last
        first: NDArray[np.intp] = codes[self._by_code[codes] == at]
        self._by_code[codes] = -1
        return first

    def add(self, codes: NDArray[np.intp], slots: NDArray[np.intp]) -> None:
        """Give slots to keys that have none here."""
        size = self.size + len(codes)
        if size > len(self._codes):
            self._codes = np.resize(self._codes, 2 * size)
            self._slots = np.resize(self._slots, 2 * size)
        self._codes[self.size : size] = codes
        self._slots[self.size : size] = slots
        self._by_code[codes] = slots
        self.size = size


class Slices:
    """The slices that have elements, by their start.

    Args:
        keys: of the elements.
        pool: holds the states.
    """

    __slots__ = ("_keys", "_order", "_pool", "_slices")

    def __init__(self, keys: Keys, pool: Pool) -> None:
        self._keys = keys
        self._pool = pool
        self._slices: dict[int, Slice] = {}
        self._order: list[int] = []

    def __len__(self) -> int:
        return len(self._slices)

    def __contains__(self, start: int) -> bool:
        return start in self._slices

    def __getitem__(self, start: int) -> Slice:
        return self._slices[start]

    def starts(self) -> list[int]:
        """The starts of all slices, in order of time."""
        return self._order.copy()

    def between(self, start: int, stop: int) -> list[int]:
        """The starts from an instant up to another, exclusive, in order of time."""
        order = self._order
        return order[bisect_left(order, start) : bisect_left(order, stop)]

    def upto(self, most: int) -> list[int]:
        """The starts that are not behind an instant, in order of time."""
        return self._order[: bisect_right(self._order, most)]

    def slots(self, starts: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """The slot of each row, by the start of its slice and its key; what has none gets one.

        Args:
            starts: shape (n,), int64 ns UTC.
            codes: shape (n,).
        """
        if not len(starts):
            return np.empty(0, np.intp)
        if (starts == starts[0]).all():
            return self.slots_in(int(starts[0]), codes)
        order = np.argsort(starts, kind="stable")
        ordered = starts[order]
        firsts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
        slots = np.empty(len(codes), np.intp)
        for rows in np.split(order, firsts):
            slots[rows] = self.slots_in(int(starts[rows[0]]), codes[rows])
        return slots

    def slots_in(self, start: int, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """The slot of each row, all of which are in one slice; a key that has none gets one."""
        one = self._slices.get(start)
        if one is None:
            one = self._begun(start)
        slots = one.found(codes, self._keys.capacity)
        if slots.min() < 0:
            new = one.distinct(codes[slots < 0])
            one.add(new, self._pool.allocate(len(new)))
            self._keys.hold(new)
            slots = one.found(codes, self._keys.capacity)
        return slots

    def _begun(self, start: int) -> Slice:
        one = self._slices[start] = Slice(self._keys.capacity)
        insort(self._order, start)
        return one

    def find(self, start: int, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """The slots of keys in a slice; -1 for a key that has none there."""
        one = self._slices.get(start)
        if one is None:
            return np.full(len(codes), -1, np.intp)
        return one.found(codes, self._keys.capacity)

    def drop(self, start: int) -> None:
        """Forget a slice: its slots and its hold on keys."""
        one = self._slices.pop(start)
        del self._order[bisect_left(self._order, start)]
        self._pool.free(one.slots)
        self._keys.release(one.codes)

    def snapshot(self) -> Any:
        """All of it, as plain values; keys and pool are saved by those who own them."""
        each = self._slices.items()
        return [[start, one.codes.copy(), one.slots.copy()] for start, one in each]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot, behind keys and pool."""
        self._slices, self._order = {}, []
        for start, codes, slots in state:
            one = self._begun(start)
            one.add(np.asarray(codes, np.intp), np.asarray(slots, np.intp))
