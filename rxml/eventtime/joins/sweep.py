"""Sweep: the engine of interval joins, which goes through both inputs in the order of event time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final

from rxml.eventtime.joins.plain import hashable, plain
from rxml.eventtime.joins.results import Joined
from rxml.eventtime.watermarks import LONG_AGO
from rxml.flow.chunk import FOREVER
from rxml.flow.context_joining import Tally, joined

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from rxml.flow.context import Context

LEFT: Final = 0
RIGHT: Final = 1
UNMATCHED: Final = 2
"""At one time the left elements come first, then the right ones, then what is known to have no match."""

_SPARE: Final = 64
_FEW: Final = 32
"""Elements of each input that are forgotten for one that is passed: more than come, so that none pile up."""


class Entry:
    """An element that is held.

    Attributes:
        time: int64 ns UTC.
        number: its place among the elements of its input.
        key: elements of one key are joined.
        item: itself.
        tally: tells its context when all that came of it has ended; None if it has none.
        matched: it stands in a result.
    """

    __slots__ = ("item", "key", "matched", "number", "tally", "time")

    def __init__(
        self, time: int, number: int, key: Hashable, item: Any, context: Context | None = None
    ) -> None:
        self.time: int = time
        self.number: int = number
        self.key: Hashable = key
        self.item: Any = item
        self.tally: Tally | None = None if context is None else Tally(context)
        self.matched: bool = False

    def copy(self) -> list[Context]:
        """The context for one more result; empty if it has none."""
        return [] if self.tally is None else self.tally.copies(1)

    def close(self) -> None:
        """Nothing more comes of it."""
        if self.tally is not None:
            self.tally.close()


class Lane:
    """The elements of one key of one input that have been passed, in the order of time."""

    __slots__ = ("entries", "start", "times")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.times: list[int] = []
        self.start: int = 0

    def append(self, entry: Entry) -> None:
        """Add one that is not before any other."""
        self.entries.append(entry)
        self.times.append(entry.time)

    def between(self, first: int, last: int) -> range:
        """The places of those from `first` up to `last`, inclusive."""
        start = bisect_left(self.times, first, self.start)
        return range(start, bisect_right(self.times, last, start))

    def popleft(self) -> bool:
        """Forget the oldest; whether it was the last."""
        self.start += 1
        if self.start >= _SPARE and 2 * self.start >= len(self.times):
            del self.entries[: self.start], self.times[: self.start]
            self.start = 0
        return self.start == len(self.times)


class Sweep:
    """Joins elements a of the left and b of the right with a.time + lo <= b.time <= a.time + hi.

    It passes elements in the order of (time, left before right, arrival), and only those from before the watermark, so
    that results neither depend on how the inputs were mixed nor how they were cut.

    Args:
        lo: nanoseconds.
        hi: nanoseconds, >= lo.
        outer: a left element without a match comes out alone.

    Attributes:
        last: the latest time at which something may come of what was taken in, if nothing follows.
    """

    def __init__(self, lo: int, hi: int, *, outer: bool) -> None:
        self._reach = lo, hi
        self._outer = outer
        self._heap: list[tuple[int, int, int, Entry]] = []
        self._lanes: tuple[dict[Hashable, Lane], dict[Hashable, Lane]] = ({}, {})
        self._passed: tuple[deque[Entry], deque[Entry]] = (deque(), deque())
        self._numbers = [0, 0]
        self._waiting = [0, 0]
        self.last: int = LONG_AGO

    def held(self, rank: int) -> int:
        """Elements of one input that are held."""
        return self._waiting[rank] + len(self._passed[rank])

    def add(self, rank: int, time: int, key: Hashable, item: Any, context: Context | None) -> None:
        """Take an element in; it is passed when the watermark is behind it."""
        number = self._numbers[rank]
        self._numbers[rank] = number + 1
        self._wait(rank, Entry(time, number, key, item, context))

    def _wait(self, rank: int, entry: Entry) -> None:
        self._waiting[rank] += 1
        heappush(self._heap, (entry.time, rank, entry.number, entry))
        alone = rank == LEFT and self._outer
        self.last = max(self.last, self._expiry(entry)[0] if alone else entry.time)

    def due(self, watermark: int) -> bool:
        """Whether there is something to pass before that time."""
        return bool(self._heap) and self._heap[0][0] < watermark

    def step(self) -> Iterator[tuple[Joined[Any, Any], Context | None]]:
        """Pass one, and give what comes of it; nothing else may be called before all of that is taken."""
        time, rank, _, entry = heappop(self._heap)
        self.forget(time, _FEW)
        if rank == UNMATCHED:
            return self._alone(time, entry)
        self._waiting[rank] -= 1
        lane = self._lanes[1 - rank].get(entry.key)
        found = range(0)
        if lane is not None:
            found = lane.between(*self._wanted(rank, time))
        self._keep(rank, entry)
        return self._pairs(time, rank, entry, [] if lane is None else lane.entries, found)

    def _wanted(self, rank: int, time: int) -> tuple[int, int]:
        lo, hi = self._reach
        return (time + lo, min(time + hi, time)) if rank == LEFT else (time - hi, time - lo)

    def _keep(self, rank: int, entry: Entry) -> None:
        self._passed[rank].append(entry)
        lanes = self._lanes[rank]
        lane = lanes.get(entry.key)
        if lane is None:
            lane = lanes[entry.key] = Lane()
        lane.append(entry)
        if rank == LEFT and self._outer:
            expiry = self._expiry(entry)
            heappush(self._heap, expiry)
            self.last = max(self.last, expiry[0])

    def _expiry(self, entry: Entry) -> tuple[int, int, int, Entry]:
        last = max(entry.time, entry.time + self._reach[1])
        return min(last, FOREVER), UNMATCHED, entry.number, entry

    def _pairs(
        self, time: int, rank: int, entry: Entry, others: list[Entry], found: range
    ) -> Iterator[tuple[Joined[Any, Any], Context | None]]:
        for place in found:
            other = others[place]
            entry.matched = other.matched = True
            left, right = (entry, other) if rank == LEFT else (other, entry)
            contexts = left.copy() + right.copy()
            pair = Joined(left.item, right.item, time)
            yield pair, joined(contexts) if contexts else None

    def _alone(self, time: int, entry: Entry) -> Iterator[tuple[Joined[Any, Any], Context | None]]:
        if not entry.matched:
            entry.matched = True
            contexts = entry.copy()
            yield Joined(entry.item, None, time), contexts[0] if contexts else None

    def forget(self, time: int, most: int) -> bool:
        """Give up what no element from that time on can be joined to.

        Args:
            time: int64 ns UTC.
            most: elements of each input that are given up at once.

        Returns:
            whether there may be more of them.
        """
        lo, hi = self._reach
        alone = time - max(hi, 0)  # not before it may have come out alone
        lefts, rights = self._forget(LEFT, alone, most), self._forget(RIGHT, time + lo, most)
        return lefts or rights

    def _forget(self, rank: int, before: int, most: int) -> bool:
        passed, lanes = self._passed[rank], self._lanes[rank]
        for _ in range(most):
            if not passed or passed[0].time >= before:
                return False
            entry = passed.popleft()
            if lanes[entry.key].popleft():
                del lanes[entry.key]
            entry.close()
        return True

    def clear(self) -> int:
        """Give everything up: it ends as dropped. Returns how many elements had not been passed, to be counted."""
        waiting = [entry for _, rank, _, entry in self._heap if rank != UNMATCHED]
        self._heap, self._waiting = [], [0, 0]
        held = [*waiting, *self._passed[LEFT], *self._passed[RIGHT]]
        self._passed, self._lanes = (deque(), deque()), ({}, {})
        for entry in held:
            entry.close()
        return len(waiting)

    def snapshot(self) -> list[Any]:
        """All that is held, as plain values, without contexts."""
        waiting = [
            _kept(entry, rank) for _, rank, _, entry in sorted(self._heap) if rank < UNMATCHED
        ]
        passed = [[_kept(entry, rank) for entry in self._passed[rank]] for rank in (LEFT, RIGHT)]
        return [list(self._numbers), waiting, passed]

    def restore(self, state: list[Any]) -> None:
        """Go on from a snapshot."""
        self._numbers, waiting, passed = state
        for rank in (LEFT, RIGHT):
            for kept in passed[rank]:
                self._keep(rank, _entry(kept))
        for kept in waiting:
            self._wait(kept[0], _entry(kept))


def _kept(entry: Entry, rank: int) -> list[Any]:
    return [rank, entry.time, entry.number, entry.key, plain(entry.item), entry.matched]


def _entry(kept: list[Any]) -> Entry:
    _, time, number, key, item, matched = kept
    entry = Entry(time, number, hashable(key), item)
    entry.matched = matched
    return entry
