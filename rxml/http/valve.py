"""Valve: how many connections may be open while the loop keeps up. Pure.

With more requests than can even be read, a server that reads them all answers nobody in time: each turn of its loop becomes as
long as its clients wait. So it takes fewer connections as its turns get longer; what does not get in waits in the kernel, costs
nothing, and is refused there when that is full.
"""

from __future__ import annotations

from typing import Final

TURN: Final = 0.02
"""Seconds that a turn of the loop may take before there are fewer connections: an answer takes two or three turns."""

WINDOW: Final = 0.1
"""Seconds between two decisions."""

_LEAST: Final = 32
_LESS: Final = 0.7
_MORE: Final = 1.1


class Valve:
    """Additive and a little multiplicative increase, multiplicative decrease, by the longest turn of each window.

    Args:
        most: connections when nothing is the matter.

    Attributes:
        limit: connections that may be open.
    """

    __slots__ = ("_end", "_longest", "_most", "limit")

    def __init__(self, most: int) -> None:
        self.limit: int = most
        self._most = most
        self._longest = 0.0
        self._end = 0.0

    @property
    def narrowed(self) -> bool:
        """Whether fewer may be open than could be."""
        return self.limit < self._most

    def turned(self, seconds: float, now: float, open_: int) -> bool:
        """A turn of the loop took so long; whether the limit has changed.

        Args:
            seconds: that it took.
            now: in seconds.
            open_: connections.
        """
        self._longest = max(self._longest, seconds)
        if now < self._end:
            return False
        before, longest = self.limit, self._longest
        self._end, self._longest = now + WINDOW, 0.0
        if longest > TURN:
            self.limit = max(min(_LEAST, self._most), int(_LESS * min(self.limit, open_)))
        else:
            self.limit = min(self._most, int(_MORE * self.limit) + 8)
        return self.limit != before

    def rested(self, now: float) -> None:
        """Nothing has been done for a window: as many may come as ever."""
        self._end, self._longest = now + WINDOW, 0.0
        self.limit = min(self._most, 2 * self.limit)
