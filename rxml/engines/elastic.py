"""Elastic: when there should be one worker more, and when one less. Pure."""

from __future__ import annotations

from typing import Final

_PATIENCE: Final = 3
"""Targets for which rows must have waited too long in a row: one burst starts no process."""


class Elastic:
    """Grows while rows wait longer than a target, and shrinks after there was too little to do for long.

    Args:
        least: workers.
        most: workers.
        target: seconds that a row may wait.
        shrink_after: seconds without pressure after which one worker leaves; each further one so many seconds later.
    """

    __slots__ = ("_last", "_least", "_most", "_since", "_target", "shrink_after")

    def __init__(self, least: int, most: int, target: float, shrink_after: float) -> None:
        self._least, self._most, self._target = least, most, target
        self.shrink_after: float = shrink_after
        self._since: float | None = None
        self._last = 0.0

    def grows(self, oldest: float, count: int, now: float) -> bool:
        """Told that a row has waited `oldest` seconds while all are busy: whether to start one more.

        Args:
            oldest: seconds.
            count: workers there are, those included that are being started.
            now: in seconds.
        """
        if oldest <= self._target:
            self._since = None
            return False
        self._last = now
        if self._since is None:
            self._since = now
        if count >= self._most or now - self._since < _PATIENCE * self._target:
            return False
        self._since = now
        return True

    def shrinks(self, count: int, idle: int, now: float) -> bool:
        """Whether one may leave: there are more than must be, one has nothing to do, and none was missed for long."""
        if count <= self._least or not idle or now - self._last < self.shrink_after:
            return False
        self._last = now
        return True
