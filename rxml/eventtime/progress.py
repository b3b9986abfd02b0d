"""Progress: the watermark of a stream, element by element, over the partitions that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rxml.eventtime.watermarks import LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray


class Progress:
    """The least watermark of the partitions that are not idle; it never goes back.

    Attributes:
        watermark: int64 ns UTC; `LONG_AGO` before the first.
    """

    __slots__ = ("_idle", "_marks", "watermark")

    def __init__(self) -> None:
        self.watermark: int = LONG_AGO
        self._marks: dict[Hashable, int] = {}
        self._idle: set[Hashable] = set()

    def of_one(self, marks: NDArray[np.int64]) -> NDArray[np.int64]:
        """The watermark after each element, of a stream that is one partition.

        Args:
            marks: what each element tells, shape (n,).
        """
        rising = np.maximum.accumulate(np.maximum(marks, self.watermark))
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
        before = self._marks.get(partition, LONG_AGO)
        woken = partition in self._idle
        if mark <= before and not woken and partition in self._marks:
            return
        self._idle.discard(partition)
        self._marks[partition] = max(mark, before)
        if before <= self.watermark or woken:  # it may have held the others back
            self._rise()

    def rest(self, partitions: Sequence[Hashable]) -> None:
        """These partitions are idle until they give another element; the others need not wait for them."""
        self._idle.update(partitions)
        self._rise()

    def _rise(self) -> None:
        counting = [mark for each, mark in self._marks.items() if each not in self._idle]
        if counting:
            self.watermark = max(self.watermark, min(counting))

    def snapshot(self) -> list[Any]:
        """As plain values; which partitions are idle is a matter of the clock and not kept."""
        return [self.watermark, [[each, mark] for each, mark in self._marks.items()]]

    def restore(self, state: list[Any]) -> None:
        """Go on from a snapshot."""
        self.watermark, marks = state
        self._marks = {_hashable(each): mark for each, mark in marks}


def _hashable(partition: Any) -> Hashable:
    """The partition; msgpack gives tuples as lists."""
    if not isinstance(partition, list):
        return cast("Hashable", partition)
    return tuple(map(_hashable, cast("list[Any]", partition)))
