"""Once: leaves out what came before, by its id, within a span of event time."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from typing_extensions import override

from rxml.batch.column import values_of
from rxml.eventtime.keyed.ages import NEVER, Ages
from rxml.eventtime.keyed.agreeing import in_words, require_same
from rxml.eventtime.keyed.growing import lengthened, packed, unpacked
from rxml.eventtime.keyed.key_table import KeyTable
from rxml.eventtime.keyed.keyed_kernel import KeyedKernel, Where
from rxml.eventtime.keyed.newest import picked
from rxml.eventtime.reading import label_of, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.keying import Keying
    from rxml.eventtime.reading import Column

A = TypeVar("A")

_BUCKETS: Final = 64


@dataclass(frozen=True, slots=True)
class Ids:
    """What makes an element the same as another one.

    Attributes:
        column: of the id, or a function of the element.
        within: ns of event time, > 0, that they are apart at most.
        keying: whose ids they are; None: everybody's.
    """

    column: Column
    within: int
    keying: Keying | None

    @property
    def words(self) -> str:
        """All of it, for states that are saved."""
        span = f"within={self.within / 1e9:.12g}"
        return f"deduplicate({label_of(self.column)}, {span}) of {in_words(self.keying)}"

    @property
    def bounded(self) -> bool:
        """Whether a key's ids may be given up before their time."""
        keying = self.keying
        return keying is not None and (keying.ttl, keying.max_keys) != (None, None)


class Once(KeyedKernel[A, A]):
    """Remembers the times at which each id has passed, until the watermark is further than `within` behind them.

    An element is left out if its id has passed at most `within` before it or after it. The newest time of each id is in an
    array; further ones, which only an id has that comes again while elements are still out of order, are in lists.

    Args:
        where: the time of an element.
        ids: what makes elements the same.
    """

    def __init__(self, where: Where, ids: Ids) -> None:
        # Without bounds a key is a part of the id, and nothing is kept of keys but that.
        super().__init__(where if ids.bounded else Where(None, where.event_time))
        self._ids = ids
        self._table = KeyTable("id")
        self._passed = Ages(max(1, ids.within // _BUCKETS))
        self._more: dict[int, list[int]] = {}
        self._floor = NEVER  # what passed before it is of no matter any more
        self._owners: NDArray[np.int64] = np.empty(0, np.int64)
        self._owned = 0
        self._first: NDArray[np.int64] = np.empty(0, np.int64)

    @override
    def read(self, items: Sequence[A], times: NDArray[np.int64]) -> Any:
        ids, keying = read(items, self._ids.column), self._ids.keying
        if keying is None:
            return ids
        return _listed(ids) if self._ids.bounded else _pairs(keying.of(items), ids)

    @override
    def work(
        self, items: Sequence[A], times: NDArray[np.int64], given: Any, placed: Placement
    ) -> Sequence[A]:
        ids = _pairs(self._owners_of(placed), given) if self._ids.bounded else given
        codes, fresh = self._table.codes(ids), self._table.fresh
        self._passed.make_room(self._table.capacity)
        opening, known = self._known(codes, times)
        far = np.maximum(times, known) - np.minimum(times, known)
        hard = (far.view(np.uint64) > self._ids.within) | (known < self._floor)
        kept = opening
        if hard.any():
            hard = np.isin(codes, codes[hard])
            kept &= ~hard
        self._passed.raise_to(codes[kept], times[kept])
        if hard.any():
            rows = np.flatnonzero(hard)
            kept[rows] = self._one_by_one(codes[rows].tolist(), times[rows].tolist())
        void = [slot for slot in fresh if self._passed.ages[slot] == NEVER] if hard.any() else []
        self._table.release(void)
        return picked(items, kept)

    def _owners_of(self, placed: Placement) -> list[int]:
        """A number for each key's state, which no state has again: ids of a state that was given up match nothing."""
        self._owners = lengthened(self._owners, self._roster.table.capacity, 0)
        count = len(placed.fresh)
        self._owners[placed.fresh] = np.arange(self._owned, self._owned + count)
        self._owned += count
        numbers: list[int] = self._owners[placed.codes].tolist()
        return numbers

    def _known(
        self, codes: NDArray[np.intp], times: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which elements are the first of a new id, and when the id of each has passed last, or will have with its first."""
        opening, known = np.zeros(len(codes), np.bool_), self._passed.ages[codes]
        new = np.flatnonzero(known == NEVER)
        if len(new):
            self._first = lengthened(self._first, self._table.capacity, 0)
            self._first[codes[new[::-1]]] = new[::-1]  # of several of a slot the last one counts
            first = self._first[codes[new]]
            opening[first] = True
            known[new] = times[first]
        return opening, known

    def _one_by_one(self, slots: list[int], times: list[int]) -> list[bool]:
        """For ids that come again after a time, or too late: whether each element passes."""
        passed: dict[int, list[int]] = {}
        kept = [
            self._passes(passed.get(slot) or passed.setdefault(slot, self._times_of(slot)), time)
            for slot, time in zip(slots, times, strict=True)
        ]
        for slot, each in passed.items():
            self._more.pop(slot, None)
            if len(each) > 1:
                self._more[slot] = each[:-1]
        newest = [(slot, each[-1]) for slot, each in passed.items() if each]
        if newest:
            where, when = zip(*newest, strict=True)
            self._passed.raise_to(np.array(where, np.intp), np.array(when, np.int64))
        return kept

    def _times_of(self, slot: int) -> list[int]:
        newest = int(self._passed.ages[slot])
        times = [*self._more.get(slot, ()), *([] if newest == NEVER else [newest])]
        return times[bisect_left(times, self._floor) :]

    def _passes(self, passed: list[int], time: int) -> bool:
        within, at = self._ids.within, bisect_left(passed, time)
        if any(abs(time - each) <= within for each in passed[max(0, at - 1) : at + 1]):
            return False
        if time >= self._floor:
            insort(passed, time)
        return True

    @override
    def advance(self, watermark: int) -> Sequence[A]:
        self._floor = max(self._floor, watermark - self._ids.within)
        slots = self._passed.below(self._floor)
        self._passed.forget(slots)
        self._table.release(slots)
        if self._more:
            for slot in slots.tolist():
                self._more.pop(slot, None)
        return super().advance(watermark)

    @override
    def snapshot(self) -> Any:
        return [
            self._ids.words,
            self._roster.snapshot(),
            self._table.snapshot(),
            packed(self._passed.ages[: self._table.capacity]),
            [[slot, times] for slot, times in self._more.items()],
            self._floor,
            packed(self._owners[: self._roster.table.capacity]),
            self._owned,
        ]

    @override
    def restore(self, state: Any) -> None:
        require_same(state[0], self._ids.words)
        _, roster, table, passed, more, self._floor, owners, self._owned = state
        self._roster.restore(roster)
        self._table.restore(table)
        self._passed.restore(unpacked(passed), self._table.slots())
        self._more = {slot: list(times) for slot, times in more}
        self._owners = unpacked(owners)


def _listed(column: Sequence[Any] | NDArray[Any]) -> Sequence[Any]:
    return values_of(column) if isinstance(column, np.ndarray) else column


def _pairs(owners: Sequence[Any] | NDArray[Any], ids: Sequence[Any] | NDArray[Any]) -> list[Any]:
    return list(zip(_listed(owners), _listed(ids), strict=True))
