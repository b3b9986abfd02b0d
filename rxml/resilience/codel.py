"""CoDel: what waits too long in a queue that never empties is dropped."""

from __future__ import annotations

from math import inf, sqrt
from typing import Final

from rxml.resilience.numbers import require_above, require_range

TARGET: Final = 0.005
INTERVAL: Final = 0.1
AGAIN: Final = 16
"""Intervals for which the rate at which was dropped is remembered."""


class CoDel:
    """Drops, at a rate that rises, elements of a queue whose waits have been above a target for an interval (RFC 8289).

    Asked once for each element that is taken from the queue, in that order. For streams of work whose senders slow down
    when something is dropped; for those that do not, see `QueueDelay`.

    Args:
        target: seconds that an element may wait for ever, > 0.
        interval: seconds for which all must have waited longer before one is dropped, >= target.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_above", "_count", "_dropping", "_interval", "_last", "_next", "_target")

    def __init__(self, target: float = TARGET, interval: float = INTERVAL) -> None:
        self._target = require_above("CoDel(target)", target)
        self._interval = require_range("CoDel(interval)", interval, target)
        self._above: float | None = None
        self._dropping = False
        self._next = -inf
        self._count = self._last = 0

    @property
    def overloaded(self) -> bool:
        """True while it drops: then the newest first serves more who still wait, where order does not matter."""
        return self._dropping

    def drops(self, now: float, waited: float, *, left: int) -> bool:
        """Whether the element that was just taken is to be dropped.

        Args:
            now: seconds of a clock that does not go back.
            waited: seconds that it was in the queue.
            left: elements that are still there; the last one is never dropped.
        """
        if not self._stands(now, waited, left):
            self._dropping = False
            return False
        if not self._dropping:
            return self._begin(now)
        if now < self._next:
            return False
        self._count += 1
        self._next += self._interval / sqrt(self._count)
        return True

    def _stands(self, now: float, waited: float, left: int) -> bool:
        """Whether waits have been above the target for an interval."""
        if waited < self._target or left == 0:
            self._above = None
            return False
        if self._above is None:
            self._above = now + self._interval
        return now >= self._above

    def _begin(self, now: float) -> bool:
        """Drop one, and go on soon after at the rate that was right a short while ago."""
        since = self._count - self._last
        recent = since > 1 and now - self._next < AGAIN * self._interval
        self._dropping = True
        self._count = self._last = since if recent else 1
        self._next = now + self._interval / sqrt(self._count)
        return True


class QueueDelay:
    """How long an element may wait: long as a rule, briefly in a queue that has not been empty for an interval.

    Bursts may wait for `interval` and are served; a queue that does not empty holds only what came within `target`, so
    that those who are served at all are served in time ("Fail at Scale", Maurer, ACM Queue, 2015).

    Args:
        target: seconds, > 0.
        interval: seconds, >= target.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_empty", "_interval", "_target")

    def __init__(self, target: float = TARGET, interval: float = INTERVAL) -> None:
        self._target = require_above("QueueDelay(target)", target)
        self._interval = require_range("QueueDelay(interval)", interval, target)
        self._empty: float | None = None

    def emptied(self, now: float) -> None:
        """The queue is empty at `now`."""
        self._empty = now

    def overloaded(self, now: float) -> bool:
        """Whether it has not been empty for an interval: then the newest first serves more who still wait."""
        if self._empty is None:
            self._empty = now
        return now - self._empty > self._interval

    def limit(self, now: float) -> float:
        """Seconds that an element that is taken now may have waited."""
        return self._target if self.overloaded(now) else self._interval
