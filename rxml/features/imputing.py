"""Missing numbers as what they are: not known, with the mean and the variance of those that were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.features.checks import squarable
from rxml.features.moments import advance, held, merged, moments
from rxml.features.numeric import NumericTransform
from rxml.features.turns import Turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class Imputer(NumericTransform):
    """A number, or the distribution of one that is missing; parts: `mean`, `var`, `missing`. A monoid: `merge`.

    A number that is there is a fact: mean x and variance 0. A missing one (NaN) has the mean of the n that were
    learned, and the variance that a next one has about it: s^2 (1 + 1/n), s^2 with n - 1 in the denominator. Imputing
    so raises the variance, where a mean alone would be a fact that nobody has seen. With fewer than two learned the
    variance is infinite: nothing is known of the spread. `missing` is 1.0 or 0.0. An infinity, and a number
    beyond 1e150, whose square float64 cannot hold, are facts that are not learned.

    Args:
        column: the name of a column of numbers, NaN where one is missing.
        width: the length of the vectors in the column, each element for itself; None is plain numbers.
        keys: how many slots to begin with.
    """

    def __init__(self, column: str, *, width: int | None = None, keys: int = 1) -> None:
        parts = ("mean", "var", "missing")
        super().__init__(column, parts, {}, moments(keys), width=width)

    def merge(self, other: Imputer) -> None:
        """Learns what another has learned, slot by slot (Chan, Golub, LeVeque, 1979).

        Raises:
            ValueError: it has another number of keys, or was made with other arguments.
        """
        self._require_alike(other)
        merged(self.table, other.table)

    @override
    def _held(self, rows: Rows) -> Found:
        return held(self.table, rows.slots)

    @override
    def _advance(self, rows: Rows) -> Found:
        turns = Turns(rows.slots, squarable(rows.values))
        return advance(self.table, turns, rows.values)

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[Any], ...]:
        n, mean, m2 = found
        missing = np.isnan(rows.values)
        with np.errstate(all="ignore"):
            var = m2 / np.maximum(n - 1, 1) * (1.0 + 1.0 / np.maximum(n, 1))
        var = np.where(n < 2, np.inf, var)
        values = np.where(missing, mean, rows.values)
        return values, np.where(missing, var, 0.0), missing.astype(np.float64)
