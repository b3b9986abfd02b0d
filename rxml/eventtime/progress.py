"""Progress: the watermark of a stream, element by element, over the partitions that it is made of."""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.eventtime.keyed.plain_keys import from_plain, to_plain
from rxml.eventtime.watermarks import LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray


class Progress:
    """The least watermark of the partitions that are not idle; it never goes back.

    Attributes:
        watermark: int64 ns UTC; `LONG_AGO` before the first.
    """

    __slots__ = ("_heap", "_heaped", "_idle", "_marks", "_number", "watermark")

    def __init__(self) -> None:
        self.watermark: int = LONG_AGO
        self._marks: dict[Hashable, int] = {}
        self._idle: set[Hashable] = set()
        self._heap: list[tuple[int, int, Hashable]] = []
        self._heaped: set[Hashable] = set()
        self._number = 0

    def of_one(self, marks: NDArray[np.int64]) -> NDArray[np.int64]:
        """The watermark after each element, of a stream that is one partition.

        Args:
            marks: what each element tells, shape (n,).
        """
        rising = np.maximum.accumulate(marks)
        np.maximum(rising, self.watermark, out=rising)
        self.watermark = int(rising[-1])
        return rising

    def of_partitions(
        self, marks: NDArray[np.int64], partitions: Sequence[Any]
    ) -> NDArray[np.int64]:
        """The watermark after each element, when each belongs to a partition."""
        rising = np.empty(len(marks), np.int64)
        for position, (mark, partition) in enumerate(zip(marks.tolist(), partitions, strict=True)):
            self._tell(partition, mark)
            rising[position] = self.watermark
        return rising

    def _tell(self, partition: Hashable, mark: int) -> None:
        before = self._marks.get(partition)
        if before is None or mark > before:
            self._marks[partition] = mark
        if before is None or partition in self._idle:
            self._idle.discard(partition)
            self._enter(partition)
            self._rise()
        elif self._heap[0][2] == partition:  # it may have held the others back
            self._rise()

    def _enter(self, partition: Hashable) -> None:
        if partition not in self._heaped:
            self._heaped.add(partition)
            self._number += 1
            heappush(self._heap, (self._marks[partition], self._number, partition))

    def rest(self, partitions: Sequence[Hashable]) -> None:
        """These partitions are idle until they give another element; the others need not wait for them."""
        self._idle.update(partitions)
        self._rise()
        if not self._heap and self._marks:  # nobody is waited for: who was ahead tells the time
            self.watermark = max(self.watermark, *self._marks.values())

    def _rise(self) -> None:
        """The mark in the heap may be one that the partition has left behind; it is renewed when it comes up."""
        heap = self._heap
        while heap:
            mark, number, partition = heap[0]
            if partition in self._idle:
                heappop(heap)
                self._heaped.discard(partition)
                continue
            if mark == self._marks[partition]:
                self.watermark = max(self.watermark, mark)
                return
            heapreplace(heap, (self._marks[partition], number, partition))

    @property
    def partitions(self) -> list[Hashable]:
        """All that have given an element."""
        return list(self._marks)

    def snapshot(self) -> list[Any]:
        """As plain values; which partitions are idle is a matter of the clock and not kept."""
        return [self.watermark, to_plain(list(self._marks)), list(self._marks.values())]

    def restore(self, state: list[Any]) -> None:
        """Go on from a snapshot."""
        self.watermark, partitions, marks = state
        self._marks = dict(zip(from_plain(partitions), marks, strict=True))
        for partition in self._marks:
            self._enter(partition)
