"""Slices: spans of time, each with the slots of the keys that have elements in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.eventtime.windows.longer import longer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool


_DENSE: Final = 8
"""Where one of so many keys is in a slice, an array says which slot each has: 64 bytes for a key, at most."""

_SPARSE: Final = 32
"""Where fewer than one of so many is, a dict says so again."""


_HANDFUL: Final = 24
"""So many keys are told apart one by one faster than by an array."""


class Slice:
    """A span of time: which keys have elements in it, and in which slot of the pool their state is.

    What it costs follows from the keys in it, and not from how many there are beside these.
    """

    __slots__ = ("_codes", "_dense", "_few", "_slots", "size")

    def __init__(self) -> None:
        self.size: int = 0
        self._few: dict[int, int] = {}
        self._dense: NDArray[np.intp] | None = None  # if there, and not `_few`, slots by key, or -1
        self._codes: NDArray[np.intp] = np.empty(4, np.intp)
        self._slots: NDArray[np.intp] = np.empty(4, np.intp)

    @property
    def codes(self) -> NDArray[np.intp]:
        """The keys, in the order in which they came."""
        return self._codes[: self.size]

    @property
    def slots(self) -> NDArray[np.intp]:
        """The slots of these keys."""
        return self._slots[: self.size]

    def found(self, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """The slots of keys; -1 for a key that has none here. There is room for these keys."""
        if self._dense is None:
            listed = map(self._few.get, codes.tolist(), repeat(-1))
            return np.fromiter(listed, np.intp, len(codes))
        slots: NDArray[np.intp] = self._dense[codes]
        return slots

    def fit(self, n: int, capacity: int) -> None:
        """Have room for n keys of so many."""
        if self._dense is None:
            if capacity <= _DENSE * max(n, _DENSE):
                self._dense = self._by_code(capacity)
                self._few = {}
        elif capacity > _SPARSE * max(n, _DENSE):
            self._dense = None
            self._few = dict(zip(self.codes.tolist(), self.slots.tolist(), strict=True))
        elif capacity > len(self._dense):
            self._dense = self._by_code(capacity)

    def _by_code(self, capacity: int) -> NDArray[np.intp]:
        slots = np.full(capacity, -1, np.intp)
        slots[self.codes] = self.slots
        return slots

    def distinct(self, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Keys that have none here, each once, in the order in which they came first."""
        if self._dense is None or len(codes) <= _HANDFUL:
            return np.array(list(dict.fromkeys(codes.tolist())), np.intp)
        at = np.arange(len(codes))
        self._dense[codes[::-1]] = at[::-1]  # of several rows of a key the first is written last
        first: NDArray[np.intp] = codes[self._dense[codes] == at]
        self._dense[codes] = -1
        return first

    def add(self, codes: NDArray[np.intp], slots: NDArray[np.intp]) -> None:
        """Give slots to keys that have none here."""
        size = self.size + len(codes)
        if size > len(self._codes):
            self._codes, self._slots = longer(self._codes, size), longer(self._slots, size)
        self._codes[self.size : size] = codes
        self._slots[self.size : size] = slots
        self.size = size
        if self._dense is None:
            self._few.update(zip(codes.tolist(), slots.tolist(), strict=True))
        else:
            self._dense[codes] = slots

    def cut(self, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Forget all keys but the first so many; those that are gone, and their slots."""
        codes, slots = self.codes[size:], self.slots[size:]
        self.size = size
        if self._dense is None:
            for code in codes.tolist():
                del self._few[code]
        else:
            self._dense[codes] = -1
        return codes, slots


class Slices:
    """The slices that have elements, by their start. `with` them, a chunk is taken as a whole, or leaves nothing.

    Args:
        keys: of the elements.
        pool: holds the states.
    """

    __slots__ = ("_keys", "_order", "_pool", "_slices", "_tried")

    def __init__(self, keys: Keys, pool: Pool) -> None:
        self._keys = keys
        self._pool = pool
        self._slices: dict[int, Slice] = {}
        self._order: list[int] = []
        self._tried: list[tuple[int, int]] | None = (
            None  # slices that have grown in a trial, and from what size
        )

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
            one = self._begun(start, len(codes))
        else:
            one.fit(max(one.size, len(codes)), self._keys.capacity)
        slots = one.found(codes)
        missing = (slots < 0).nonzero()[0]
        if len(missing):
            absent = codes[missing]
            self._add(start, one, one.distinct(absent))
            slots[missing] = one.found(absent)
        one.fit(one.size, self._keys.capacity)
        return slots

    def _add(self, start: int, one: Slice, codes: NDArray[np.intp]) -> None:
        slots = self._pool.allocate(len(codes))
        if self._tried is not None:
            self._tried.append((start, one.size))
        one.add(codes, slots)
        self._keys.hold(codes)

    def _begun(self, start: int, n: int) -> Slice:
        if self._tried is not None:
            self._tried.append((start, 0))
        one = self._slices[start] = Slice()
        one.fit(n, self._keys.capacity)
        insort(self._order, start)
        return one

    def __enter__(self) -> None:
        """What fails within this leaves none of the slots that it has asked for."""
        self._tried = []

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """See `__enter__`."""
        tried, self._tried = self._tried or [], None
        if kind is not None:
            for start, size in reversed(tried):
                self._cut(start, size)

    def _cut(self, start: int, size: int) -> None:
        if start not in self._slices:
            return
        if not size:
            self.drop(start)
        else:
            codes, slots = self._slices[start].cut(size)
            self._pool.free(slots)
            self._keys.release(codes)

    def find(self, start: int, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """The slots of keys in a slice; -1 for a key that has none there."""
        one = self._slices.get(start)
        if one is None:
            return np.full(len(codes), -1, np.intp)
        one.fit(one.size, self._keys.capacity)
        return one.found(codes)

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
            one = self._begun(start, len(codes))
            one.add(np.asarray(codes, np.intp), np.asarray(slots, np.intp))
