"""Gradient: how many calls at once, learnt from how long they take."""

from __future__ import annotations

from typing import Final

from rxml.resilience.numbers import require_above, require_range

EWMA: Final = 600
"""Windows over which the long-term duration is averaged."""

WARM: Final = 10
"""Windows of which the plain mean is taken at first."""


class Gradient:
    """A limit of concurrency that falls as calls get slower than they used to be, and else rises ("Gradient2").

    Each window of `window` seconds with at least `samples` calls: `g = clamp(tolerance * long / short, 0.5, 1)`, where
    short is the mean duration in the window and long its exponential average over 600 windows; `new = limit * g + q`;
    `limit = 0.8 * limit + 0.2 * new`. It does not rise while less than half of it is used. When the long average is over
    twice the short one, it falls by 5 % a window, so that an outage is soon forgotten. (Netflix, concurrency-limits,
    Gradient2Limit.) There q is 4 throughout, with which no limit could ever fall below 8; here it is `limit / 4` below
    16, so that small pools are limited, too. And there long follows short up even while the limit itself is what makes calls
    wait, so that under an overload of an hour it would rise to `most`; here long only falls then. A callee that has
    become slower for good brings the limit down to `least`, where waiting is no longer its cause, and is learnt there.

    Give it durations that were measured inside, time in a queue included.

    Args:
        initial: calls at once, at first.
        least: calls at once that are always allowed, >= 1.
        most: calls at once that are ever allowed, >= least.
        queue: q for large limits: calls that may wait, >= 0.
        tolerance: how much slower than the long average is still well, >= 1.
        window: seconds, > 0.
        samples: calls in a window, >= 1; a window lasts until there are as many.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self,
        *,
        initial: int = 20,
        least: int = 1,
        most: int = 200,
        queue: float = 4.0,
        tolerance: float = 1.5,
        window: float = 1.0,
        samples: int = 10,
    ) -> None:
        self._least = require_range("Gradient(least)", least, 1)
        self._most = require_range("Gradient(most)", most, least)
        self._limit = float(require_range("Gradient(initial)", initial, least, most))
        self._queue = require_range("Gradient(queue)", queue, 0)
        self._tolerance = require_range("Gradient(tolerance)", tolerance, 1)
        self._window = require_above("Gradient(window)", window)
        self._samples = int(require_range("Gradient(samples)", samples, 1))
        self._long = 0.0
        self._windows = 0
        self._began: float | None = None
        self._count = 0
        self._total = 0.0
        self._busiest = 0

    @property
    def limit(self) -> int:
        """Calls that may be under way at once."""
        return int(self._limit)

    def record(self, now: float, seconds: float, in_flight: int) -> None:
        """A call has ended at `now` after so many seconds, >= 0; so many were under way, itself included."""
        if self._began is None:
            self._began = now
        self._count += 1
        self._total += seconds
        self._busiest = max(self._busiest, in_flight)
        if self._count >= self._samples and now - self._began >= self._window:
            self._update(self._total / self._count)
            self._began, self._count, self._total, self._busiest = now, 0, 0.0, 0

    def _update(self, short: float) -> None:
        long = self._average(short)
        slower = self._tolerance * long / short if short > 0 else 1.0
        new = self._limit * max(0.5, min(1.0, slower)) + min(self._queue, self._limit / 4)
        if self._busiest < self._limit / 2:
            new = min(new, self._limit)
        self._limit = max(self._least, min(self._most, 0.8 * self._limit + 0.2 * new))

    def _share(self, short: float) -> float:
        """Of this window in the long-term duration."""
        self._windows += 1
        if self._windows <= WARM:
            return 1 / self._windows
        if short <= self._long or self._busiest < self.limit:
            return 2 / (EWMA + 1)
        return 1 / WARM if self.limit <= self._least else 0.0

    def _average(self, short: float) -> float:
        """The long-term duration, which this one is a part of now; before it is corrected."""
        self._long += (short - self._long) * self._share(short)
        long = self._long
        if long > 2 * short:
            self._long *= 0.95
        return long
