"""Pace: how fast elements went through lately. Pure."""

from __future__ import annotations

from math import ceil, exp
from typing import Final

_SPAN: Final = 10.0
"""Seconds after which what was counts 1/e."""


class Pace:
    """An exponentially fading count of elements."""

    __slots__ = ("_at", "_weight")

    def __init__(self) -> None:
        self._weight = 0.0
        self._at = 0.0

    def record(self, count: int, now: float) -> None:
        """Count elements that went through at `now`, in seconds."""
        self._weight = self._faded(now) + count
        self._at = now

    def rate(self, now: float) -> float:
        """Elements a second, lately."""
        return self._faded(now) / _SPAN

    def wait(self, ahead: int, now: float, most: int) -> int:
        """Whole seconds, 1 to `most`, until `ahead` elements will have gone through at this pace."""
        rate = self.rate(now)
        return most if rate * most <= ahead else max(1, ceil(ahead / rate))

    def _faded(self, now: float) -> float:
        return self._weight * exp((self._at - now) / _SPAN)
