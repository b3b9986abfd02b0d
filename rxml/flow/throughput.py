"""Throughput: how fast elements come out while there is work, and so how long a queue takes. Pure."""

from __future__ import annotations

from math import inf
from typing import Final

_SPAN: Final = 0.05
"""Seconds that a measurement spans at least: shorter ones would follow single batches."""

_WEIGHT: Final = 0.3
"""Of the latest measurement."""

_PAUSE: Final = 0.01
"""Seconds that one step counts at most, unless a quarter of that was to be expected: a pause is not what work costs."""

_OUTLIER: Final = 4.0
"""Times the expected, that one step counts at most where that is longer."""


class Throughput:
    """Elements a second while some waited, smoothed; times without work do not count.

    While no more wait than came out together last, more could perhaps come out than did: such times only raise the rate.
    A low one that has been learnt in a bad moment would otherwise stay: few are let in by it, so that few ever wait.
    """

    __slots__ = ("_counts", "_full", "_rate", "_since", "_spans")

    def __init__(self) -> None:
        self._rate = 0.0
        self._counts = [0, 0]  # while few waited, and while more did
        self._spans = [0.0, 0.0]
        self._full = False
        self._since: float | None = None

    def record(self, count: int, now: float, behind: int) -> None:
        """Some came out.

        Args:
            count: how many.
            now: in seconds.
            behind: how many wait behind them.
        """
        if self._since is not None:
            self._measure(count, now - self._since)
        self._since = now if behind else None
        self._full = behind > count

    def _measure(self, count: int, seconds: float) -> None:
        """Spans are added up, or only those would count in which something took long."""
        full = self._full
        self._counts[full] += count
        self._spans[full] += min(seconds, self._longest(count))
        if self._spans[full] < _SPAN:
            return
        rate = self._counts[full] / self._spans[full]
        self._counts[full], self._spans[full] = 0, 0.0
        if full and not self._rate:
            self._rate = rate
        elif full or 0 < self._rate < rate:
            self._rate += _WEIGHT * (rate - self._rate)

    def _longest(self, count: int) -> float:
        return max(_PAUSE, _OUTLIER * count / self._rate) if self._rate else inf

    def seconds(self, ahead: int) -> float:
        """How long it will take until so many have come out; 0 while nothing is known."""
        return ahead / self._rate if self._rate else 0.0
