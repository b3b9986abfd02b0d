"""Throttle: a client that asks less of a server the more it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.resilience.numbers import require_range
from rxml.resilience.window import WindowedCounts

if TYPE_CHECKING:
    from random import Random


class Throttle:
    """Refuses calls locally with probability `max(0, (requests - k * accepts) / (requests + 1))`.

    Requests are counted when they are made, refused ones too; accepts when the answer is there ("Handling Overload", Site
    Reliability Engineering, Google, 2016, chapter 21). So the window must be longer than calls take.

    Args:
        k: requests that are made for each accepted one before any is refused, >= 1.
        window: seconds that are remembered, > 0.
        slices: parts of the window, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_counts", "_k")

    def __init__(self, k: float = 2.0, *, window: float = 120.0, slices: int = 60) -> None:
        self._k = require_range("Throttle(k)", k, 1)
        self._counts = WindowedCounts(window, slices, 2)

    def refusal(self, now: float) -> float:
        """The probability, in [0, 1), with which a call is refused at `now` (seconds)."""
        requests, accepts = self._counts.totals(now)
        return max(0.0, (requests - self._k * accepts) / (requests + 1))

    def admit(self, now: float, random: Random) -> bool:
        """Whether to make a call now; counts it either way."""
        refused = random.random() < self.refusal(now)
        self._counts.add(now, 1, 0)
        return not refused

    def accepted(self, now: float) -> None:
        """The server took a call on: it answered, with whatever but a refusal."""
        self._counts.add(now, 0, 1)
