"""Intensity: how often something may be restarted before its failure is that of the whole."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rxml.resilience.numbers import require_above, require_range
from rxml.resilience.retrying import Backoff

if TYPE_CHECKING:
    from random import Random


class Intensity:
    """At most so many restarts in so many seconds, each after a longer wait; one more is to be escalated (as in OTP).

    Args:
        restarts: in any `seconds`, >= 0.
        seconds: > 0.
        backoff: the waits before the first restart of a row, the second, …; a row ends when `seconds` pass without one.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_backoff", "_moments", "_restarts", "_seconds")

    def __init__(
        self, restarts: int = 5, seconds: float = 30.0, *, backoff: Backoff | None = None
    ) -> None:
        self._restarts = int(require_range("Intensity(restarts)", restarts, 0))
        self._seconds = require_above("Intensity(seconds)", seconds)
        self._backoff = Backoff(0.1, 2.0, 10.0) if backoff is None else backoff
        self._moments: deque[float] = deque()

    def failed(self, now: float, random: Random | None = None) -> float | None:
        """It has failed at `now` (seconds): the seconds to wait before it is restarted; None: escalate.

        Args:
            now: of a clock that does not go back.
            random: for jitter; None: without.
        """
        while self._moments and self._moments[0] <= now - self._seconds:
            self._moments.popleft()
        if len(self._moments) >= self._restarts:
            return None
        before = len(self._moments)
        self._moments.append(now)
        return self._backoff.wait(before, random)
