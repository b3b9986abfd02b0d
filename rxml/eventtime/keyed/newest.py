"""Newest: lets through what is not older than the newest known of its key."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.eventtime.keyed.ages import NEVER
from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.keyed.growing import lengthened, packed, unpacked
from rxml.eventtime.keyed.keyed_kernel import KeyedKernel
from rxml.eventtime.keyed.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement

A = TypeVar("A")


class Newest(KeyedKernel[A, A]):
    """Remembers one time for each key.

    Args:
        where: the key and the time of an element.
    """

    def __init__(self, where: Where) -> None:
        super().__init__(where)
        self._newest: NDArray[np.int64] = np.empty(0, np.int64)

    @override
    def work(
        self, items: Sequence[A], times: NDArray[np.int64], given: Any, placed: Placement
    ) -> Sequence[A]:
        newest = self._newest = lengthened(self._newest, self._roster.table.capacity, NEVER)
        newest[placed.fresh] = NEVER
        known = newest[placed.codes]
        if bool((times[1:] >= times[:-1]).all()) and times[0] >= known.max():
            newest[placed.codes] = (
                times  # of several of a slot the last one counts, which is the newest
            )
            return items
        segments = Segments(placed.codes)
        before = segments.highest_before(times, known)
        kept = np.empty(len(times), np.bool_)
        kept[segments.order] = times[segments.order] >= before
        np.maximum.at(newest, placed.codes, times)
        return picked(items, kept)

    @override
    def snapshot(self) -> Any:
        rows = self._roster.table.capacity
        return [self._where.words, self._roster.snapshot(), packed(self._newest[:rows])]

    @override
    def restore(self, state: Any) -> None:
        require_same(state[0], self._where.words)
        _, roster, newest = state
        self._roster.restore(roster)
        self._newest = unpacked(newest)


def picked(items: Sequence[A], kept: NDArray[np.bool_]) -> Sequence[A]:
    """The elements that are kept; a batch stays one."""
    if kept.all():
        return items
    if isinstance(items, Batch):
        return cast("Sequence[A]", items.take(kept))
    return list(compress(items, kept.tolist()))
