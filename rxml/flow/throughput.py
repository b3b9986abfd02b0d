"""Throughput: how fast elements come out while there is work, and so how long a queue takes. Pure."""

from __future__ import annotations

from typing import Final

_SPAN: Final = 0.05
"""Seconds that a measurement spans at least: shorter ones would follow single batches."""

_WEIGHT: Final = 0.3
"""Of the latest measurement."""


class Throughput:
    """Elements a second while some waited, smoothed; times without work do not count."""

    __slots__ = ("_count", "_rate", "_since")

    def __init__(self) -> None:
        self._rate = 0.0
        self._count = 0
        self._since: float | None = None

    def record(self, count: int, now: float, *, idle: bool) -> None:
        """Some came out.

        Args:
            count: how many.
            now: in seconds.
            idle: nothing is left behind them: a measurement ends here.
        """
        if self._since is None:
            self._since = None if idle else now
            return
        self._count += count
        span = now - self._since
        if span >= _SPAN:
            rate = self._count / span
            self._rate = rate if not self._rate else self._rate + _WEIGHT * (rate - self._rate)
            self._since, self._count = now, 0
        if idle:
            self._since, self._count = None, 0

    def seconds(self, ahead: int) -> float:
        """How long it will take until so many have come out; 0 while nothing is known."""
        return ahead / self._rate if self._rate else 0.0
