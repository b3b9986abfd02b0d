"""Scores that outliers do not move: distances from the median, in interquartile ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.features.history import HistoryTransform, quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class RobustScaler(HistoryTransform):
    """(x - median) / (third quartile - first quartile) of the key's last `window` values; part: `scaled`.

    The quartiles are exact ones of the window, not an estimate of those of all time: they follow drift, and memory is
    bounded. Where the range is 0, or there are no values yet, the score is 0. NaN gives NaN; neither it nor an
    infinity is remembered.

    Args:
        column: the name of a column of numbers.
        window: how many values, at least 1; cost and memory are in proportion.
        keys: how many slots to begin with.

    Raises:
        ValueError: the window is no whole number above 0.
    """

    def __init__(self, column: str, window: int = 100, *, keys: int = 1) -> None:
        super().__init__(column, ("scaled",), {}, window=window, keys=keys)

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        return self.by_block(rows, found, _scores)


def _scores(
    windows: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64]]:
    ordered = np.sort(windows, axis=1)  # NaN last
    low, middle, high = (quantile(ordered, q) for q in (0.25, 0.5, 0.75))
    with np.errstate(all="ignore"):
        far = np.isinf(high - low) | np.isinf(values - middle)
        half = np.where(far, 0.5, 1.0)  # differences beyond float64 are taken by halves
        spread = high * half - low * half
        known = spread > 0
        scores = (values * half - middle * half) / np.where(known, spread, 1.0)
    return (np.where(known | np.isnan(values), scores, 0.0),)
