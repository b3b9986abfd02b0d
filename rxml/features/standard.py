"""Standard scores: how many standard deviations a value is above the mean of those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.features.checks import squarable
from rxml.features.moments import advance, held, merged, moments
from rxml.features.numeric import NumericTransform
from rxml.features.turns import Turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class StandardScaler(NumericTransform):
    """(x - mean) / std of what was learned; part: `scaled`. A monoid: `merge` adds what another has learned.

    The standard deviation is that of the values (n in the denominator), as in River and scikit-learn. Where there is
    none yet, or it is 0 (or so small that its square is: below 1e-162), the score is 0. NaN gives NaN and is not
    learned, nor is an infinity or a number beyond 1e150, whose square float64 cannot hold.

    Args:
        column: the name of a column of numbers.
        width: the length of the vectors in the column, each element scaled by itself; None is plain numbers.
        keys: how many slots to begin with.
    """

    def __init__(self, column: str, *, width: int | None = None, keys: int = 1) -> None:
        super().__init__(column, ("scaled",), {}, moments(keys), width=width)

    def merge(self, other: StandardScaler) -> None:
        """Learns what another scaler has learned, slot by slot (Chan, Golub, LeVeque, 1979).

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
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        n, mean, m2 = found
        with np.errstate(all="ignore"):
            var = m2 / np.maximum(n, 1)
        return (scores(rows.values, mean, var),)


def scores(
    x: NDArray[np.float64], mean: NDArray[np.float64], var: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(x - mean) / sqrt(var), and 0 where the variance is 0 or infinite; NaN stays NaN."""
    known = (var > 0) & (var < np.inf)
    std = np.sqrt(np.where(known, var, 1.0))
    with np.errstate(all="ignore"):
        scaled = (x - mean) / std
    return np.where(known | np.isnan(x), scaled, 0.0)
