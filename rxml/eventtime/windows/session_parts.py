"""Parts of session windows: one session, and elements that have not been taken in yet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rxml.eventtime.windows.engine import Folding, Rows
    from rxml.eventtime.windows.firing import Firing


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
    """Rows whose session is known and that have not been taken in yet, in order."""

    __slots__ = ("_counts", "_folding", "_rows", "_slots", "_source")

    def __init__(self, source: Rows, folding: Folding) -> None:
        self._source = source
        self._folding = folding
        self._rows: list[int] = []
        self._slots: list[int] = []
        self._counts: Counter[int] = Counter()

    def put(self, row: int, slot: int) -> None:
        """A row belongs to the session in that slot."""
        self._rows.append(row)
        self._slots.append(slot)
        self._counts[slot] += 1

    def waiting(self, slot: int) -> int:
        """Rows of that session."""
        return self._counts[slot]

    def take(self, firing: Firing) -> None:
        """Take them in."""
        if not self._rows:
            return
        rows, slots = np.array(self._rows), np.array(self._slots)
        self._folding(rows)(slots)
        firing.saw(slots)
        np.maximum.at(firing.windows.times, slots, self._source.times[rows])
        self._rows, self._slots = [], []
        self._counts.clear()
