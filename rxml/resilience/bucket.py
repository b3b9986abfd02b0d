"""TokenBucket: how much may pass, and when."""

from __future__ import annotations

from math import inf
from typing import Final

ROUNDING: Final = 1e-9
"""Share of a bucket that may be missing for no other reason than that times are rounded."""


class TokenBucket:
    """Tokens come in at a steady rate, up to a bound; what takes more than there is must wait.

    The state is one number, the moment at which the bucket is full again (the generic cell rate algorithm, ITU-T I.371).

    Args:
        seconds: for one token to come in, > 0.
        burst: tokens that the bucket holds, > 0; it is full at first.
    """

    __slots__ = ("_burst", "_full", "_seconds")

    def __init__(self, seconds: float, burst: float) -> None:
        self._seconds = seconds
        self._burst = burst
        self._full = -inf

    def available(self, now: float) -> float:
        """Tokens in the bucket at `now` (seconds); negative after something took more than it holds."""
        return self._burst - max(0.0, self._full - now) / self._seconds

    def take(self, cost: float, now: float) -> float:
        """Take tokens, whether or not they are there; returns the moment by which they have come in, >= now."""
        self._full = max(self._full, now) + cost * self._seconds
        return max(now, self._full - self._burst * self._seconds)

    def admit(self, cost: float, now: float) -> bool:
        """Take tokens if they are there; whether they were."""
        if self.wait(cost, now) > 0:
            return False
        self.take(cost, now)
        return True

    def wait(self, cost: float, now: float) -> float:
        """Seconds until that many tokens are there; infinity if the bucket never holds as many."""
        missing = cost - self.available(now)
        if missing <= ROUNDING * self._burst:
            return 0.0
        return missing * self._seconds if cost <= self._burst else inf
