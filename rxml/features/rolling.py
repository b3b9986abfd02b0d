"""Statistics of the last values of a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from typing_extensions import override

from rxml.features.history import HistoryTransform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows

_STATISTICS: Final = ("count", "sum", "mean", "std", "min", "max")


class RollingStatistics(HistoryTransform):
    """Statistics of the last `window` values of the row's key; parts: those asked for.

    They are computed anew of the values for each row, so that nothing drifts, as it does where the oldest value is
    subtracted. Of no values, `count` and `sum` are 0 and the others NaN; `std` has the number of values in the
    denominator. NaN and infinities are passed over. Sums beyond float64 are infinite.

    Args:
        column: the name of a column of numbers.
        window: how many values, at least 1; cost and memory are in proportion.
        statistics: which ones of `count`, `sum`, `mean`, `std`, `min`, `max`.
        keys: how many slots to begin with.

    Raises:
        ValueError: the window is no whole number above 0, or a statistic is unknown or comes twice.
    """

    def __init__(
        self,
        column: str,
        window: int,
        statistics: Sequence[str] = ("mean", "std", "min", "max", "sum"),
        *,
        keys: int = 1,
    ) -> None:
        known = set(statistics) <= set(_STATISTICS)
        if not statistics or not known or len(set(statistics)) != len(statistics):
            text = f"statistics must be distinct ones of {', '.join(_STATISTICS)}"
            raise ValueError(f"{text}, got {statistics!r}")
        super().__init__(column, statistics, {"parts": list(statistics)}, window=window, keys=keys)

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        return self.by_block(rows, found, lambda windows, _: self._statistics(windows))

    def _statistics(self, windows: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        there = ~np.isnan(windows)
        count = there.sum(axis=1)
        made = {"count": count.astype(np.float64)}
        with np.errstate(all="ignore"):
            made["sum"] = np.where(there, windows, 0.0).sum(axis=1)
            if {"mean", "std"} & set(self.parts):
                made["mean"] = made["sum"] / np.where(count, count, np.nan)
            if "std" in self.parts:
                made["std"] = _std(windows, there, made["mean"], count)
        for name, extreme, empty in (("min", np.min, np.inf), ("max", np.max, -np.inf)):
            if name in self.parts:
                found = extreme(np.where(there, windows + 0.0, empty), axis=1)
                made[name] = np.where(count, found, np.nan)
        return tuple(made[part] for part in self.parts)


def _std(
    windows: NDArray[np.float64],
    there: NDArray[np.bool_],
    mean: NDArray[np.float64],
    count: NDArray[np.intp],
) -> NDArray[np.float64]:
    """In two passes, with the correction for a rounded mean (Chan, Golub, LeVeque, 1983, formula 1.7)."""
    away = np.where(there, windows - mean[:, None], 0.0)
    rows = np.where(count, count, np.nan)
    rest = away.sum(axis=1) / rows
    squares = (away * away).sum(axis=1) / rows - rest * rest
    std: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0.0))
    return std
