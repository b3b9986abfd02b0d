"""COUNT DISTINCT over rows that may not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.possible.counts import count
from rxml.uncertain.possible.rows import presence
from rxml.uncertain.possible.shapes import windowed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.pmf import Pmf


def count_distinct(p: ArrayLike, values: NDArray[Any], *, mask: ArrayLike | None = None) -> Pmf:
    """How many different values there are: a Poisson binomial distribution over them.

    Args:
        p: presence of independent rows, (n,) or (G, n).
        values: what they hold, of the same shape, of any type that can be sorted; NaN is one value.
        mask: which cells are rows; None for all.

    Raises:
        DistributionError: probabilities outside [0, 1], or shapes that differ.
    """
    there = presence(p, mask)
    if values.shape != there.shape:
        raise DistributionError(f"values have shape {values.shape} beside presence {there.shape}")
    if there.size == 0:
        return count(there)
    windows, cells = windowed(there), windowed(values)
    each = [seen(*window)[1] for window in zip(windows, cells, strict=True)]
    table = np.zeros((len(each), max(map(len, each))))
    for row, chances in zip(table, each, strict=True):
        row[: len(chances)] = chances
    return count(table.reshape(*there.shape[:-1], table.shape[1]))


def seen(p: Floats, values: NDArray[Any]) -> tuple[NDArray[Any], Floats]:
    """The different values of one window, in rising order, and the probability that each is there: 1 - prod (1 - p).

    Args:
        p: presence of independent rows, (n,), within [0, 1].
        values: (n,).
    """
    different, code = np.unique(values, return_inverse=True)
    with np.errstate(divide="ignore", under="ignore"):
        logs = np.log1p(-p)
        none = np.zeros(len(different))
        np.add.at(none, code, logs)
    return different, -np.expm1(none)
