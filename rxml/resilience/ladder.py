"""Ladder: which of several ways to answer is used, the better ones when they are fast enough."""

from __future__ import annotations

from typing import Final

from rxml.resilience.numbers import require_above, require_range
from rxml.resilience.quantile import RecentQuantile

SIZE: Final = 128
"""Durations on the rung that its p95 is of."""

LEAST: Final = 20
"""Durations that must be known before there is a p95."""


class Ladder:
    """Rung 0 answers best, the last one fastest; it goes down when answers come late, and up again when there is room.

    Hysteresis on the 95th percentile: one rung down after it was above `high * slo` for `down_after` seconds, one rung up
    after it was below `low * slo` for `up_after` seconds. What was measured on one rung says nothing about the next.

    Args:
        rungs: how many there are, >= 1.
        slo: seconds within which answers are to come, > 0.
        high: share of it above which is too slow.
        low: share of it below which there is room, <= high.
        down_after: seconds, >= 0.
        up_after: seconds, >= 0.

    Attributes:
        rungs: how many there are.
        rung: the one that is used.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self,
        rungs: int,
        slo: float,
        *,
        high: float = 0.9,
        low: float = 0.6,
        down_after: float = 3.0,
        up_after: float = 30.0,
    ) -> None:
        self.rungs: int = int(require_range("Ladder(rungs)", rungs, 1))
        slo = require_above("Ladder(slo)", slo)
        self._high = slo * require_above("Ladder(high)", high)
        self._low = slo * require_range("Ladder(low)", low, 0, high)
        self._down_after = require_range("Ladder(down_after)", down_after, 0)
        self._up_after = require_range("Ladder(up_after)", up_after, 0)
        self._durations = RecentQuantile(SIZE)
        self._since: tuple[int, float] | None = None
        self.rung: int = 0

    def record(self, now: float, seconds: float, rung: int) -> None:
        """An answer of that rung took so many seconds; those of other rungs than the present one do not count."""
        if rung != self.rung:
            return
        self._durations.add(seconds)
        p95 = self._durations.quantile(0.95)
        if p95 is not None and len(self._durations) >= LEAST:
            self.observe(now, p95)

    def observe(self, now: float, p95: float) -> int:
        """The 95th percentile at `now`, in seconds; returns the rung from here on."""
        way = self._way(p95)
        if way == 0:
            self._since = None
            return self.rung
        if self._since is None or self._since[0] != way:
            self._since = way, now
        if now - self._since[1] >= (self._down_after if way > 0 else self._up_after):
            self._move(way)
        return self.rung

    def _way(self, p95: float) -> int:
        if p95 > self._high:
            return 1 if self.rung < self.rungs - 1 else 0
        return -1 if p95 < self._low and self.rung > 0 else 0

    def _move(self, way: int) -> None:
        self.rung += way
        self._since = None
        self._durations.clear()
