"""SessionEngine: windows of activity, which elements between two of them make one."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.eventtime.windows.emission import Update
from rxml.eventtime.windows.engine import Engine, Folding, Rows
from rxml.eventtime.windows.panes import EARLY, LATE, ON_TIME, Panes
from rxml.eventtime.windows.session_parts import Session, Waiting
from rxml.eventtime.windows.sessions import Sessions, joined
from rxml.eventtime.windows.undo import undone
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.eventtime.windows.emission import Emission
    from rxml.eventtime.windows.firing import Firing
    from rxml.eventtime.windows.keys import Keys


_AT_ONCE: Final = 64
"""Slots that are taken at once for sessions that begin."""


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
        self._sessions = Sessions(gap)
        self._ends: list[tuple[int, int, Session]] = []
        self._numbers = 0
        self._kept: list[tuple[int, int, Session]] = []
        self._spare: list[int] = []  # slots for sessions that begin in this chunk

    @property
    @override
    def reach(self) -> int:
        return self._gap + self._lateness

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Late is what would be a session of its own that had ended; not what touches a kept one."""
        late = times <= self.watermark - self._lateness - self._gap
        if not late.any():
            return late
        low, high = int(times.min()), int(times.max())
        spans = {
            code: [(each.start, each.end) for each in self._sessions.touched(code, low, high)]
            for code in set(codes[late].tolist())
        }
        for row in np.flatnonzero(np.isin(codes, list(spans))).tolist():
            alone = bool(late[row])
            late[row] = not joined(spans[int(codes[row])], int(times[row]), self._gap, alone=alone)
        return late

    @override
    def add(self, rows: Rows, folding: Folding) -> list[Panes]:
        with undone(self._firing) as undo:
            batch = Waiting(folding, undo)
            try:
                told = self._added(rows, batch)
                self._settle(batch)
            except BaseException:
                undo.back()
                self._take_back(batch)
                raise
            finally:
                self.pool.free(np.array(self._spare, np.intp))
                self._spare.clear()
        self._forget(batch.gone)
        return told

    def _take_back(self, batch: Waiting) -> None:
        """Nothing of the chunk has been taken: what it has begun is no more, and what it has changed is as before."""
        batch.span_back()
        begun = [*batch.opened, *batch.begun.values()]
        gone = set(begun)
        self._sessions.replace(gone, [one for one in batch.gone if one not in gone])
        opened = np.array([one.slot for one in batch.opened], np.intp)
        self._firing.forget(opened)
        self.keys.release(np.array([one.code for one in batch.opened], np.intp))
        self.pool.free(np.array([one.slot for one in begun], np.intp))
        for one in begun:
            one.slot = -1

    def _added(self, rows: Rows, batch: Waiting) -> list[Panes]:
        told: list[Panes] = []
        pairs = zip(rows.codes.tolist(), rows.times.tolist(), strict=True)
        for row, (code, time) in enumerate(pairs):
            session, taken_back = self._session(code, time, batch)
            told += taken_back
            batch.put(row, session.slot)
            timing = self._due(session, batch)
            if timing is not None:
                self._settle(batch)
                told.append(self._firing.fire(np.array([session.slot]), timing))
        return told

    def _settle(self, batch: Waiting) -> None:
        """Open sessions that have begun, and take in the rows that wait."""
        if batch.begun:
            self.keys.hold(np.array([each.code for each in batch.begun.values()]))
        batch.take(self._firing)

    def _due(self, session: Session, batch: Waiting) -> int | None:
        if session.closed:
            return LATE
        if self._every is None:
            return None
        known = 0 if batch.is_new(session) else int(self._firing.windows.fresh[session.slot])
        return EARLY if known + batch.waiting(session.slot) >= self._every else None

    def _session(self, code: int, time: int, batch: Waiting) -> tuple[Session, list[Panes]]:
        """The session of an element, which may begin one, lengthen one, or make one of several; what is taken back."""
        touched = self._sessions.touched(code, time, time)
        if not touched:
            return self._begun(code, time, batch), []
        one, *others = touched
        batch.keep(one)
        if others:
            self._settle(batch)
        told = [panes for other in others for panes in self._merge(one, other, batch)]
        self._stretch(one, time)
        batch.moved[one.slot] = one
        return one, told

    def _stretch(self, one: Session, time: int) -> None:
        """The session lasts until that time at least; if it had ended, it may go on."""
        one.start, one.end = min(one.start, time), max(one.end, time + self._gap)
        if one.closed and one.end > self.watermark:
            one.closed = False
            self._push(one)

    def _begun(self, code: int, time: int, batch: Waiting) -> Session:
        if not self._spare:
            self._spare = self.pool.allocate(max(1, min(_AT_ONCE, self.pool.room))).tolist()
        one = Session(code, time, time + self._gap, self._spare.pop())
        batch.begun[one.slot] = one
        self._sessions.add(one)
        if one.end <= self.watermark:
            self._keep(one)
        else:
            self._push(one)
        return one

    def _keep(self, one: Session) -> None:
        """It has ended, and is kept for late elements."""
        one.closed = True
        self._numbers += 1
        heappush(self._kept, (one.end + self._lateness, self._numbers, one))

    def _push(self, one: Session) -> None:
        self._numbers += 1
        heappush(self._ends, (one.end, self._numbers, one))

    def _merge(self, one: Session, other: Session, batch: Waiting) -> list[Panes]:
        """A session takes in one that began later; what that has told is taken back."""
        into, gone = np.array([one.slot]), np.array([other.slot])
        batch.keep_states(np.array([one.slot, other.slot]))
        told = self._firing.merge(into, gone, LATE if other.closed else EARLY)
        one.end = max(one.end, other.end)
        self._sessions.remove([other])
        batch.gone.append(other)
        return told

    def _forget(self, gone: list[Session]) -> None:
        """These are in no list any more; let what they held be free."""
        if not gone:
            return
        slots = np.array([one.slot for one in gone])
        self._firing.forget(slots)
        self.pool.free(slots)
        self.keys.release(np.array([one.code for one in gone]))
        for one in gone:
            one.slot = -1

    @override
    def close(self, watermark: int) -> list[Panes]:
        ended: list[Session] = []
        while self._ends and self._ends[0][0] <= watermark:
            _, _, one = heappop(self._ends)
            if one.slot < 0 or one.closed:
                continue
            if one.end > watermark:
                self._push(one)
            else:
                self._keep(one)
                ended.append(one)
        told = self._told(ended)
        self._expire(watermark)
        return told

    def _expire(self, watermark: int) -> None:
        """Forget sessions that no late element can come to any more."""
        over: dict[int, Session] = {}
        while self._kept and (self._kept[0][0] <= watermark or watermark >= FOREVER):
            _, _, one = heappop(self._kept)
            if one.slot < 0 or not one.closed:
                continue
            if one.end + self._lateness > watermark and watermark < FOREVER:
                self._keep(one)
            else:
                over[one.slot] = one
        self._sessions.remove(over.values())
        self._forget(list(over.values()))

    def _told(self, ended: list[Session]) -> list[Panes]:
        if not ended:
            return []
        slots = self._firing.worth(self._ordered(np.array([each.slot for each in ended])))
        final = not self._lateness or self.watermark >= FOREVER
        return [self._firing.fire(slots, ON_TIME, final=final)] if len(slots) else []

    def _ordered(self, slots: NDArray[np.intp]) -> NDArray[np.intp]:
        """By end, start and key."""
        windows = self._firing.windows
        ranks = self.keys.rank(windows.codes[slots])
        order = np.lexsort((ranks, windows.starts[slots], windows.ends[slots]))
        return slots[order]

    @override
    def tick(self) -> list[Panes]:
        slots = self._firing.windows.renewed()
        return [self._firing.fire(self._ordered(slots), EARLY)] if len(slots) else []

    @override
    def snapshot(self) -> Any:
        sessions = [
            [each.code, each.start, each.end, each.slot, each.closed] for each in self._sessions
        ]
        return [sessions, self._firing.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        sessions, firing = state
        self._sessions, self._ends, self._kept = Sessions(self._gap), [], []
        self._firing.restore(firing)
        for code, start, end, slot, closed in sessions:
            one = Session(code, start, end, slot)
            self._sessions.add(one)
            if closed:
                self._keep(one)
            else:
                self._push(one)
