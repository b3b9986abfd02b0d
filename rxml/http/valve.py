"""Valve: how many connections may be open while the loop keeps up. Pure.

With more requests than can even be read, a server that reads them all answers nobody in time: each turn of its loop becomes as
long as its clients wait. So it keeps fewer connections when reading what has come takes long; what does not get in waits in the
kernel, costs nothing, and is refused there when that is full.
"""

from __future__ import annotations

from typing import Final

READING: Final = 0.003
"""Seconds of the processor that reading what has come, once from each, may take: with that of some 270 connections. An answer
takes about three times as long."""

WINDOW: Final = 0.1
"""Seconds between two decisions."""

_LEAST: Final = 32
_STANDING: Final = 3
"""Windows in a row that were too long until there are fewer: before that it may be pauses of something else."""

_AGAIN: Final = 2
"""As many where there are fewer already: one alone may still be a pause."""

_BINDS: Final = 0.75
"""Of the connections that may be open, how many are if that keeps others out. Where it does not, short turns say nothing about
what would be if there were more."""

_CALM: Final = 10
"""Windows in a row that were short until there may be more though nobody is kept out."""

_LASTS: Final = 16.0
"""Times as long as reading took, what was read is worked on at most; after that there is nothing to do: four times as a rule,
and others may have the processor meanwhile."""

_AIM: Final = 0.55
"""Of READING, what is aimed at, so that more do not come in at once and have to leave again. Where not all may stay, few are
best: what 140 need fits into the caches, and each answer costs a tenth less than among 270."""

_SHORT: Final = 0.25
"""Of READING, below what there may be more: well below the aim, or there would be more and fewer in turns."""

_MOST_AT_ONCE: Final = 0.25
"""Of the connections, what stays in any case: one decision may be wrong."""

_MOST_MORE: Final = 2.0
"""Times as many, at most, in one decision."""


class Valve:
    """Decides by how long reading took, as a mean over the time that passed until the next reading.

    So a turn that was long counts for as long as it lasted, and idle times count, too: what has gathered in a pause is worked
    off in a few long turns, with none after them, which is no reason to take fewer. Under load that stands there are no
    others.

    Since that mean is proportional to the connections, it says how many there may be. While it is less than a quarter of
    what it may be though others are kept out, or for long, there may be more; between that and all of it nothing changes, since
    each connection that ends costs another one.

    Args:
        most: connections when nothing is the matter, >= 1.

    Attributes:
        limit: connections that may be open.
        most: as given.
    """

    __slots__ = (
        "_at",
        "_calm",
        "_end",
        "_last",
        "_passed",
        "_weighted",
        "_windows",
        "limit",
        "most",
    )

    def __init__(self, most: int) -> None:
        self.limit: int = most
        self.most: int = most
        self._at = self._last = 0.0
        self._passed = self._weighted = 0.0
        self._end = 0.0
        self._windows = 0
        self._calm = 0

    @property
    def narrowed(self) -> bool:
        """Whether fewer may be open than could be."""
        return self.limit < self.most

    def read(self, seconds: float, now: float, open_: int) -> bool:
        """Reading what had come took so long; whether the limit has changed.

        Args:
            seconds: that it took, >= 0.
            now: in seconds.
            open_: connections.
        """
        lasted = now - self._at
        self._passed += lasted
        self._weighted += self._last * min(lasted, _LASTS * self._last)
        self._at, self._last = now, seconds
        if now < self._end:
            return False
        before, usual = self.limit, self._weighted / self._passed if self._passed else 0.0
        self._begin(now)
        self._decide(usual, open_)
        return self.limit != before

    def _decide(self, usual: float, open_: int) -> None:
        self._windows = self._windows + 1 if usual > READING else 0
        self._calm = self._calm + 1 if usual < _SHORT * READING else 0
        if self._windows >= (_AGAIN if self.narrowed else _STANDING):
            share = max(_MOST_AT_ONCE, _AIM * READING / usual)
            self.limit = max(min(_LEAST, self.most), int(share * min(self.limit, open_)))
            self._windows = 0  # what was read before says nothing of it
        elif self._calm > _CALM or (self._calm and open_ >= _BINDS * self.limit):
            more = min(_MOST_MORE, _AIM * READING / usual) if usual else _MOST_MORE
            self.limit = min(self.most, int(more * self.limit))

    def rested(self, now: float) -> None:
        """Nothing has been done for a window: as many may come as ever."""
        self._begin(now)
        self._at, self._last = now, 0.0
        self._windows = self._calm = 0
        self.limit = min(self.most, 2 * self.limit)

    def _begin(self, now: float) -> None:
        self._end = now + WINDOW
        self._passed = self._weighted = 0.0
