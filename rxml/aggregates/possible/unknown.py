"""What can be said of counts and sums of rows that may hang together in any way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.checks import Floats


def at_least_bounds(low: Floats, high: Floats, k: int) -> tuple[float, float]:
    """The least and the greatest that P(COUNT >= k) can be.

    The greatest is the least over r < k of the sum of all probabilities but the r highest, divided by k - r (Rueger, "Das maximale
    Signifikanzniveau des Tests", Metrika 25, 1978); the least follows, as COUNT >= k unless n - k + 1 or more are absent.

    Args:
        low: what each row's probability is at least, (n,).
        high: what it is at most, (n,).
        k: at least 1.
    """
    n = len(low)
    if k > n:
        return 0.0, 0.0
    return max(0.0, 1.0 - _most(1.0 - low, n - k + 1)), _most(high, k)


def _most(p: Floats, k: int) -> float:
    """The greatest that P(k or more) can be."""
    rest = np.cumsum(np.sort(p))[::-1][:k]  # all of them, all but the highest, ...
    with np.errstate(under="ignore"):
        return float(min(1.0, (rest / np.arange(k, 0, -1)).min()))


def count_interval(low: Floats, high: Floats, level: float) -> tuple[float, float]:
    """What holds the count with this probability or more: at most half of the rest is on either side.

    Args:
        low: what each row's probability is at least, (n,).
        high: what it is at most, (n,).
        level: within (0, 1).
    """
    tail, n = (1.0 - level) / 2, len(low)
    first = _last(n, lambda k: at_least_bounds(low, high, k)[0] >= 1.0 - tail)
    last = _last(n, lambda k: at_least_bounds(low, high, k)[1] > tail)
    return float(first), float(last)


def _last(n: int, holds: Callable[[int], bool]) -> int:
    """The last k of 1 ... n for which it holds, which it does up to there; 0 where there is none."""
    below, above = 0, n + 1
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if holds(middle) else (below, middle)
    return below


def sum_interval(mean: Floats, spread: Floats, level: float) -> tuple[float, float]:
    """What holds the sum with this probability or more: Chebyshev's inequality, with standard deviations added up.

    Args:
        mean: of what each row adds, (n,).
        spread: its standard deviation, (n,).
        level: within (0, 1).
    """
    centre, wide = float(np.sum(mean)), float(np.sum(spread)) / (1.0 - level) ** 0.5
    return centre - wide, centre + wide
