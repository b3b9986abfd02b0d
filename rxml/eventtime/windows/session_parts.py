"""Parts of session windows: one session, and elements that have not been taken in yet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.eventtime.windows.engine import Folding
    from rxml.eventtime.windows.firing import Firing
    from rxml.eventtime.windows.undo import Undo


class Session:
    """A window of activity of one key.

    Attributes:
        code: of the key.
        start, end: its span so far, int64 ns UTC.
        slot: of the pool, where its state is; -1 once it is forgotten.
        closed: the watermark has passed its end; it is kept for late elements.
    """

    __slots__ = ("closed", "code", "end", "slot", "start")

    def __init__(self, code: int, start: int, end: int, slot: int) -> None:
        self.code: int = code
        self.start: int = start
        self.end: int = end
        self.slot: int = slot
        self.closed: bool = False


class Waiting:
    """Rows whose session is known and that have not been taken in yet, in order; and what sessions were before them.

    Args:
        folding: takes rows in.
        undo: keeps open windows before they change.

    Attributes:
        begun: sessions that are not open yet, by slot.
        moved: sessions whose span has changed, by slot.
        opened: sessions that were begun by these rows and are open.
        gone: sessions that have become part of others.
        before: start, end and whether they were closed, of sessions that have changed.
    """

    __slots__ = (
        "_counts",
        "_folding",
        "_rows",
        "_slots",
        "_undo",
        "before",
        "begun",
        "gone",
        "moved",
        "opened",
    )

    def __init__(self, folding: Folding, undo: Undo) -> None:
        self._folding = folding
        self._undo = undo
        self.opened: list[Session] = []
        self.gone: list[Session] = []
        self.before: dict[Session, tuple[int, int, bool]] = {}
        self._rows: list[int] = []
        self._slots: list[int] = []
        self._counts: Counter[int] = Counter()
        self.begun: dict[int, Session] = {}
        self.moved: dict[int, Session] = {}

    def put(self, row: int, slot: int) -> None:
        """A row belongs to the session in that slot."""
        self._rows.append(row)
        self._slots.append(slot)
        self._counts[slot] += 1

    def waiting(self, slot: int) -> int:
        """Rows of that session."""
        return self._counts[slot]

    def is_new(self, session: Session) -> bool:
        """Whether the session is not open yet."""
        return session.slot in self.begun

    def keep(self, one: Session) -> None:
        """The session may change from now on."""
        if one not in self.before:
            self.before[one] = (one.start, one.end, one.closed)

    def keep_states(self, slots: NDArray[np.intp]) -> None:
        """What is known of these windows may change from now on."""
        self._undo.keep(slots)

    def span_back(self) -> None:
        """Let sessions have the spans again that they had."""
        for one, (start, end, closed) in self.before.items():
            one.start, one.end, one.closed = start, end, closed

    def take(self, firing: Firing) -> None:
        """Open what has begun, and take all rows in."""
        windows = firing.windows
        if self.begun:
            slots, codes, starts, ends = _columns(list(self.begun.values()))
            windows.open(slots, codes, starts, ends, starts)
            self.opened += self.begun.values()
            self.begun.clear()
        if self.moved:
            slots, _, starts, ends = _columns(list(self.moved.values()))
            self.keep_states(slots)
            windows.starts[slots], windows.ends[slots] = starts, ends
            self.moved.clear()
        if self._rows:
            rows, slots = np.array(self._rows), np.array(self._slots)
            self._rows, self._slots = [], []
            self._counts.clear()
            self.keep_states(slots)
            self._folding(rows).into(slots)
            firing.saw(slots)


def _columns(sessions: list[Session]) -> tuple[NDArray[np.int64], ...]:
    """Their slots, keys, starts and ends."""
    each = [(one.slot, one.code, one.start, one.end) for one in sessions]
    return tuple(np.array(column) for column in zip(*each, strict=True))
