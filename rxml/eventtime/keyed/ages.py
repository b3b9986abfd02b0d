"""Ages: which slots are the oldest, without a look at all of them.

Slots lie in buckets of a granule of age each, in which they are not sorted. A slot whose age rises is put into a further
bucket, and its old entry is passed over once it is met. The bucket in which a search ends is sorted, but not anew at each
search: what has come since is sorted by itself, and runs of like length are merged, so that an entry takes part in
log2(n) sorts at most.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.eventtime.keyed.bucket import Bucket
from rxml.eventtime.keyed.growing import lengthened

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER: Final = -(1 << 63)
"""The age of a slot that nobody has, or has not been seen yet."""

_SLACK: Final = 4096

_FEW: Final = 4
"""Of more than so many times the slots that are looked for, not all are put in order."""


class Ages:
    """Slots by age: an int64 that only rises, while a slot belongs to the same key.

    Args:
        granule: how much age a bucket spans, > 0; a search looks at one bucket more than it must.

    Attributes:
        ages: of each slot, int64; to be read only. There may be more rows than slots.
    """

    __slots__ = ("_buckets", "_entries", "_granule", "_heap", "_of", "ages")

    def __init__(self, granule: int) -> None:
        self._granule = granule
        self.ages: NDArray[np.int64] = np.empty(0, np.int64)
        self._of: NDArray[np.int64] = np.empty(0, np.int64)  # the bucket of a slot, or NEVER
        self._buckets: dict[int, Bucket] = {}
        self._heap: list[int] = []
        self._entries = 0

    def __len__(self) -> int:
        """Entries that are kept, those of no more use included."""
        return self._entries

    def make_room(self, slots: int) -> None:
        """Have a row for each of so many slots."""
        self.ages = lengthened(self.ages, slots, NEVER)
        self._of = lengthened(self._of, slots, NEVER)

    def raise_to(self, slots: NDArray[np.intp], ages: NDArray[np.int64]) -> None:
        """Slots have these ages now, if they are higher; a slot may be named several times.

        Args:
            slots: shape (n,), with rows (`make_room`).
            ages: shape (n,), int64.
        """
        np.maximum.at(self.ages, slots, ages)
        self.register(slots)

    def register(self, slots: NDArray[np.intp]) -> None:
        """Put slots where their ages call for, after these were written."""
        buckets = self.ages[slots] // self._granule
        moved = buckets != self._of[slots]
        if not moved.any():
            return
        slots, buckets = slots[moved], buckets[moved]
        self._of[slots] = buckets
        self._put(slots, buckets)
        if self._entries > 2 * len(self.ages) + _SLACK:
            self._tidy()

    def _put(self, slots: NDArray[np.intp], buckets: NDArray[np.int64]) -> None:
        self._entries += len(slots)
        if buckets[0] == buckets[-1] and buckets.min() == buckets.max():
            self._append(int(buckets[0]), slots)
            return
        order = np.argsort(buckets, kind="stable")
        buckets = buckets[order]
        ends = np.flatnonzero(buckets[1:] != buckets[:-1]) + 1
        for part, bucket in zip(
            np.split(slots[order], ends), buckets[np.append(0, ends)].tolist(), strict=True
        ):
            self._append(bucket, part)

    def _append(self, number: int, slots: NDArray[np.intp]) -> None:
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = Bucket()
            heappush(self._heap, number)
        bucket.parts.append(slots)

    def _tidy(self) -> None:
        """Leave out the entries that are of no use any more."""
        slots = np.flatnonzero(self._of != NEVER)
        self._buckets, self._heap, self._entries = {}, [], 0
        if len(slots):
            self._put(slots, self._of[slots])

    def below(self, age: int) -> NDArray[np.intp]:
        """The slots whose age is lower than `age`, in no order; the caller must `forget` them."""
        found: list[NDArray[np.intp]] = []
        last = age // self._granule
        while self._heap and self._heap[0] < last:
            number = heappop(self._heap)
            slots = self._buckets.pop(number).slots()
            self._entries -= len(slots)
            found.append(self._living(slots, number))
        if self._heap and self._heap[0] == last:
            found.append(self._cut(last, age))
        return self._once(np.concatenate(found)) if found else np.empty(0, np.intp)

    def _cut(self, number: int, age: int) -> NDArray[np.intp]:
        """The slots of a bucket whose age is lower, which leave it; those whose age was, but has risen, are put in anew."""
        bucket = self._buckets[number]
        bucket.sort(self.ages)
        slots = bucket.cut(age)
        self._entries -= len(slots)
        slots = self._living(slots, number)
        risen = self.ages[slots] >= age
        if risen.any():
            again = self._once(slots[risen])
            bucket.parts.append(again)
            self._entries += len(again)
        return slots[~risen]

    def _living(self, slots: NDArray[np.intp], number: int) -> NDArray[np.intp]:
        living: NDArray[np.intp] = slots[self._of[slots] == number]
        return living

    def _once(self, slots: NDArray[np.intp]) -> NDArray[np.intp]:
        """Each of the slots once, without sorting them."""
        places = np.arange(len(slots))
        last = np.empty(len(self.ages), np.intp)
        last[slots] = places
        once: NDArray[np.intp] = slots[last[slots] == places]
        return once

    def lowest(self, count: int, ties: NDArray[np.int64]) -> NDArray[np.intp]:
        """The `count` slots of the lowest ages (fewer if there are no more), the lowest first.

        Args:
            count: how many.
            ties: by which slots of one age are ordered, a row for each slot.
        """
        opened: list[int] = []
        found: list[NDArray[np.intp]] = []
        while self._heap and sum(map(len, found)) < count:
            opened.append(heappop(self._heap))
            found.append(self._opened(opened[-1]))
        for number, slots in zip(opened, found, strict=True):
            if len(slots):
                heappush(self._heap, number)
            else:
                del self._buckets[number]
        if not found:
            return np.empty(0, np.intp)
        slots = np.concatenate(found)
        if len(slots) > _FEW * count:
            ages = self.ages[slots]
            slots = slots[ages <= np.partition(ages, count - 1)[count - 1]]
        return slots[np.lexsort((ties[slots], self.ages[slots]))[:count]]

    def _opened(self, number: int) -> NDArray[np.intp]:
        """The slots in a bucket, each once; it keeps just these."""
        bucket = self._buckets[number]
        before = bucket.slots()
        slots = self._once(self._living(before, number))
        self._entries += len(slots) - len(before)
        bucket.keep(slots)
        return slots

    def forget(self, slots: NDArray[np.intp] | list[int]) -> None:
        """The slots, each named once, belong to nobody any more."""
        self.ages[slots] = NEVER
        self._of[slots] = NEVER

    def restore(self, ages: NDArray[np.int64], slots: NDArray[np.intp]) -> None:
        """Begin anew with these slots in use, and the ages of all."""
        self._buckets, self._heap, self._entries = {}, [], 0
        self.ages = np.array(ages, np.int64)
        self._of = np.full(len(ages), NEVER, np.int64)
        self.register(slots)
        heapify(self._heap)
