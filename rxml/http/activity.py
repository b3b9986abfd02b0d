"""Activity: how many connections have asked for something lately. Pure.

What reading costs grows with those that ask. A connection that is open and asks nothing costs nothing, and is no reason to keep
another one out.
"""

from __future__ import annotations

from typing import Final, Protocol

SPAN: Final = 0.1
"""Seconds: who has asked in this span or in the one before counts."""

NEVER: Final = -2
"""The span of one who has not asked yet."""


class Asker(Protocol):
    """A connection.

    Attributes:
        asked: the number of the span in which it has asked last; kept by `Activity`.
    """

    asked: int


class Activity:
    """Counts each of those that are open and have asked in the last one or two spans, once.

    Attributes:
        span: the number of the one that is now.
        end: when it ends, in seconds.
    """

    __slots__ = ("_before", "_here", "end", "span")

    def __init__(self) -> None:
        self._here = self._before = 0
        self.span: int = 0
        self.end: float = 0.0

    def asks(self, who: Asker, now: float) -> None:
        """A connection asks, at a moment in seconds."""
        if now >= self.end:
            self._go_on(now)
        if who.asked == self.span:
            return
        if who.asked == self.span - 1:
            self._before -= 1
        self._here += 1
        who.asked = self.span

    def leaves(self, who: Asker) -> None:
        """A connection has ended."""
        if who.asked == self.span:
            self._here -= 1
        elif who.asked == self.span - 1:
            self._before -= 1
        who.asked = NEVER

    def count(self, now: float) -> int:
        """How many there are."""
        if now >= self.end:
            self._go_on(now)
        return self._here + self._before

    def _go_on(self, now: float) -> None:
        """The next span has begun, or one after that: then nobody has asked in the one before it."""
        at_once = now < self.end + SPAN
        self.span += 1 if at_once else 2
        self._before, self._here = (self._here if at_once else 0), 0
        self.end = now + SPAN
