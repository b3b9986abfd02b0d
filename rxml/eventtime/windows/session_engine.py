"""SessionEngine: windows of activity, which elements between two of them make one."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.eventtime.windows.emission import Update
from rxml.eventtime.windows.engine import Engine, Rows
from rxml.eventtime.windows.panes import EARLY, LATE, ON_TIME, Panes
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.eventtime.windows.emission import Emission
    from rxml.eventtime.windows.firing import Firing
    from rxml.eventtime.windows.keys import Keys


class Session:
    """A window of activity of one key."""

    __slots__ = ("closed", "code", "end", "slot", "start")

    def __init__(self, code: int, start: int, end: int, slot: int) -> None:
        self.code = code
        self.start = start
        self.end = end
        self.slot = slot
        self.closed = False


class SessionEngine(Engine):
    """Sessions of each key, and the ends of all in a heap; an end in it that has moved on is put back when it comes up.

    Args:
        keys: of the elements.
        gap: ns.
        firing: makes the panes.
        emission: when they come, beside the window's end.
        lateness: for how long behind a session's end its state is kept, ns.
    """

    def __init__(
        self, keys: Keys, gap: int, firing: Firing, emission: Emission, lateness: int
    ) -> None:
        super().__init__(keys, firing.pool)
        self._gap = gap
        self._firing = firing
        self._every = emission.n if isinstance(emission, Update) else None
        self._lateness = lateness
        self._of: dict[int, list[Session]] = {}
        self._ends: list[tuple[int, int, Session]] = []
        self._numbers = 0
        self._kept: list[tuple[int, int, Session]] = []

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Late is what would be a session of its own that had ended; what keeps touches of a kept one is not."""
        late = times <= self.watermark - self._lateness - self._gap
        for row in np.flatnonzero(late).tolist():
            late[row] = not self._touched(int(codes[row]), int(times[row]))
        return late

    def _touched(self, code: int, time: int) -> list[Session]:
        gap = self._gap
        return [each for each in self._of.get(code, ()) if each.start - gap < time < each.end]

    @override
    def add(self, rows: Rows) -> list[Panes]:
        batch = _Batch(rows)
        told: list[Panes] = []
        pairs = zip(rows.codes.tolist(), rows.times.tolist(), strict=True)
        for row, (code, time) in enumerate(pairs):
            session = self._session(code, time, batch)
            batch.put(row, session.slot)
            timing = self._due(session, batch)
            if timing is not None:
                batch.take(self._firing)
                told.append(self._firing.fire(np.array([session.slot]), timing))
        batch.take(self._firing)
        return told

    def _due(self, session: Session, batch: _Batch) -> int | None:
        if session.closed:
            return LATE
        if self._every is None:
            return None
        fresh = int(self._firing.windows.fresh[session.slot]) + batch.waiting(session.slot)
        return EARLY if fresh >= self._every else None

    def _session(self, code: int, time: int, batch: _Batch) -> Session:
        """The session of an element, which may begin one, lengthen one, or make one of several."""
        touched = self._touched(code, time)
        if not touched:
            return self._begun(code, time)
        one = touched[0]
        for other in touched[1:]:
            batch.take(self._firing)
            self._merge(one, other)
        self._stretch(one, time)
        return one

    def _stretch(self, one: Session, time: int) -> None:
        """The session lasts until that time at least; if it had ended, it may go on."""
        one.start, one.end = min(one.start, time), max(one.end, time + self._gap)
        if one.closed and one.end > self.watermark:
            one.closed = False
            self._push(one)
        windows = self._firing.windows
        windows.starts[one.slot], windows.ends[one.slot] = one.start, one.end

    def _begun(self, code: int, time: int) -> Session:
        slot = int(self.pool.allocate(1)[0])
        one = Session(code, time, time + self._gap, slot)
        self.keys.hold(np.array([code]))
        self._of.setdefault(code, []).append(one)
        self._firing.windows.open(np.array([slot]), code, time, one.end, time)
        self._push(one)
        return one

    def _push(self, one: Session) -> None:
        self._numbers += 1
        heappush(self._ends, (one.end, self._numbers, one))

    def _merge(self, one: Session, other: Session) -> None:
        """The earlier one takes the other in."""
        into, gone = np.array([one.slot]), np.array([other.slot])
        windows = self._firing.windows
        first, then = (into, gone) if one.start <= other.start else (gone, into)
        self.pool.combine(first, then)
        windows.fresh[first] += windows.fresh[then]
        windows.fires[first] = np.maximum(windows.fires[first], windows.fires[then])
        one.slot, other.slot = int(first[0]), int(then[0])
        one.start, one.end = min(one.start, other.start), max(one.end, other.end)
        if one.closed and not other.closed:
            one.closed = False
            self._push(one)
        self._forget(other)

    def _forget(self, one: Session) -> None:
        sessions = self._of[one.code]
        sessions.remove(one)
        if not sessions:
            del self._of[one.code]
        slot = np.array([one.slot])
        windows = self._firing.windows
        windows.fresh[slot] = windows.fires[slot] = 0
        self.pool.free(slot)
        self.keys.release(np.array([one.code]))
        one.slot = -1

    @override
    def close(self, watermark: int) -> list[Panes]:
        ended: list[Session] = []
        while self._ends and self._ends[0][0] <= watermark:
            _, _, one = heappop(self._ends)
            if one.slot >= 0 and one.end > watermark:
                self._push(one)
            elif one.slot >= 0 and not one.closed:
                one.closed = True
                ended.append(one)
                heappush(self._kept, (one.end + self._lateness, self._next(), one))
        told = self._told(ended)
        while self._kept and (self._kept[0][0] <= watermark or watermark >= FOREVER):
            _, number, one = heappop(self._kept)
            if one.slot >= 0 and one.closed and one.end + self._lateness > watermark < FOREVER:
                heappush(self._kept, (one.end + self._lateness, number, one))
            elif one.slot >= 0 and one.closed:
                self._forget(one)
        return told

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _told(self, ended: list[Session]) -> list[Panes]:
        if not ended:
            return []
        slots = np.array([each.slot for each in ended])[self._order(ended)]
        slots = self._firing.worth(slots)
        final = not self._lateness or self.watermark >= FOREVER
        return [self._firing.fire(slots, ON_TIME, final=final)] if len(slots) else []

    def _order(self, sessions: list[Session]) -> NDArray[np.intp]:
        """By end, start and key."""
        rank = self.keys.rank(np.array([each.code for each in sessions]))
        starts = np.array([each.start for each in sessions])
        ends = np.array([each.end for each in sessions])
        return np.lexsort(np.stack([rank, starts, ends]))

    @override
    def tick(self) -> list[Panes]:
        fresh = self._firing.windows.fresh
        due = [each for every in self._of.values() for each in every if fresh[each.slot] > 0]
        if not due:
            return []
        order = self._order(due)
        return [self._firing.fire(np.array([each.slot for each in due])[order], EARLY)]

    @override
    def snapshot(self) -> Any:
        sessions = [
            [each.code, each.start, each.end, each.slot, each.closed]
            for every in self._of.values()
            for each in every
        ]
        return [sessions, self._firing.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        sessions, firing = state
        self._of, self._ends, self._kept = {}, [], []
        self._firing.restore(firing)
        for code, start, end, slot, closed in sessions:
            one = Session(code, start, end, slot)
            one.closed = closed
            self._of.setdefault(code, []).append(one)
            if closed:
                heappush(self._kept, (end + self._lateness, self._next(), one))
            else:
                self._push(one)


class _Batch:
    """Rows whose session is known and that have not been taken in yet, in order."""

    __slots__ = ("_rows", "_slots", "_source")

    def __init__(self, source: Rows) -> None:
        self._source = source
        self._rows: list[int] = []
        self._slots: list[int] = []

    def put(self, row: int, slot: int) -> None:
        """A row belongs to the session in that slot."""
        self._rows.append(row)
        self._slots.append(slot)

    def waiting(self, slot: int) -> int:
        """Rows of that session."""
        return self._slots.count(slot)

    def take(self, firing: Firing) -> None:
        """Take them in."""
        if not self._rows:
            return
        rows, slots = np.array(self._rows), np.array(self._slots)
        fold: Callable[[NDArray[np.intp]], None] = self._source.folding(rows)
        fold(slots)
        firing.saw(slots)
        np.maximum.at(firing.windows.times, slots, self._source.times[rows])
        self._rows, self._slots = [], []
