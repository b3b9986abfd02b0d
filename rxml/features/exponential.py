"""Standard scores under exponentially weighted moments: they follow a mean and a spread that drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.features.checks import positive, squarable
from rxml.features.numeric import NumericTransform
from rxml.features.standard import scores
from rxml.features.table import Table
from rxml.features.turns import Turns, toward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class ExponentialScaler(NumericTransform):
    """(x - mean) / std with weights that fall by 1 - alpha at each value; part: `scaled`.

    mean <- mean + alpha d and var <- (1 - alpha)(var + alpha d^2), d = x - mean, from mean = the first value and
    var = 0: Finch, "Incremental Calculation of Weighted Mean and Variance" (2009), section 9. What has no spread
    yet, and what is not learned, is as in `StandardScaler`. Not a monoid: what came later weighs more.

    Args:
        column: the name of a column of numbers.
        alpha: the weight of the latest value, above 0 and at most 1; its memory is about 1 / alpha values.
        width: the length of the vectors in the column, each element scaled by itself; None is plain numbers.
        keys: how many slots to begin with.

    Raises:
        ValueError: alpha is out of its bounds.
    """

    alpha: float

    def __init__(
        self, column: str, *, alpha: float = 0.05, width: int | None = None, keys: int = 1
    ) -> None:
        self.alpha = positive("alpha", alpha, 1.0)
        table = Table(keys, n=np.int64(0), mean=np.float64(0), var=np.float64(0))
        super().__init__(column, ("scaled",), {"alpha": self.alpha}, table, width=width)

    @override
    def _held(self, rows: Rows) -> Found:
        return self.table["mean"][rows.slots], self.table["var"][rows.slots]

    @override
    def _advance(self, rows: Rows) -> Found:
        x, table = rows.values, self.table
        turns = Turns(rows.slots, squarable(x))
        fresh, values = turns.first(x, table["n"][turns.slots] == 0)
        table["mean"][fresh] = values
        with np.errstate(all="ignore"):
            part = np.full(len(x), self.alpha)
            mean, _ = turns.scan(toward, table["mean"], x, part)
            away = x - mean
            var, _ = turns.scan(_spread, table["var"], away * away, part)
        table["n"][turns.slots] += turns.lengths
        return mean, var

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        mean, var = found
        return (scores(rows.values, mean, var),)


def _spread(var: Any, square: Any, alpha: Any) -> Any:
    return (1.0 - alpha) * (var + alpha * square)
