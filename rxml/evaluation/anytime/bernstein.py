"""BernsteinMean: a confidence sequence in closed form, with a handful of numbers a key."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.evaluation.anytime.bounded import BoundedMean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows

    Floats: TypeAlias = NDArray[np.float64]

_MOST: Final = 0.5


class BernsteinMean(BoundedMean):
    """The empirical Bernstein confidence sequence with predictable plug-in, of values in [low, high], by key.

    Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024, theorem 2.
    With probability `level` the mean is within all intervals at once, whatever the distribution; where values
    vary little the intervals are narrow. `BettingMean` is narrower for the first few hundred rows, by a half where values
    vary little, and keeps a grid a key.

    For a test of "the mean is above t", ask whether the lower bound is above t: then only 1 - (1 - level) / 2
    is at stake, since the upper bound has the other half.

    Args:
        low: the least value there can be.
        high: the largest.
        level: probability that all intervals hold, in (0, 1).
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    def __init__(
        self, low: float = 0.0, high: float = 1.0, level: float = 0.95, *, keys: int = 1
    ) -> None:
        super().__init__(low, high, level, {"bets": 0.0, "won": 0.0, "paid": 0.0}, keys)
        self._error = (1.0 - self.level) / 2.0

    @override
    def _step(self, at: Rows, x: Floats) -> None:
        bet = np.minimum(self._bet(at, self._error), _MOST)
        away = (x - self._mean_before(at)) ** 2
        self._table["bets"][at] += bet
        self._table["won"][at] += bet * x
        # psi_E(bet) = (-log(1 - bet) - bet) / 4, and 4 times the square
        self._table["paid"][at] += away * (-np.log1p(-bet) - bet)
        self._count(at, x)

    @override
    def _unit_interval(self, at: Rows) -> tuple[Floats, Floats]:
        bets = self._table["bets"][at]
        some = np.maximum(bets, np.finfo(np.float64).tiny)
        middle = self._table["won"][at] / some
        half = (self._table["paid"][at] - log(self._error)) / np.maximum(some, 1e-9)
        known = bets > 0.0
        lower = np.where(known, np.clip(middle - half, 0.0, 1.0), 0.0)
        return lower, np.where(known, np.clip(middle + half, 0.0, 1.0), 1.0)
