"""Arrivals: when requests are due, whatever the server does."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEED = 17


def poisson(phases: Sequence[tuple[float, float]]) -> list[float]:
    """Seconds from the beginning at which requests are due: independent of one another, always the same.

    Args:
        phases: seconds and requests a second, one after the other.
    """
    made = random.Random(_SEED)
    due: list[float] = []
    begin = 0.0
    for seconds, rate in phases:
        gaps = (made.expovariate(rate) for _ in range(int(2 * seconds * rate) + 100))
        due.extend(at for gap in accumulate(gaps) if (at := begin + gap) < begin + seconds)
        begin += seconds
    return due
