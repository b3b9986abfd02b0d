"""Where a value stands among the last ones of its key: as a share, as a normal score, or as a bin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.features.checks import whole
from rxml.features.history import HistoryTransform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class QuantileTransform(HistoryTransform):
    """The share of the key's last `window` values that are below the row's, ties counted half; part: `rank`.

    Uniform between 0 and 1 while the distribution lasts, whatever its shape, and back to that after a drift as the
    window fills: (below + equal / 2 + 1/2) / (n + 1), Hazen's plotting position, so never 0 or 1; with nothing
    seen yet it is 1/2. With `bins` the part is `bin`, a whole number from 0 to bins - 1: bins of equal mass.
    NaN gives NaN; neither it nor an infinity is remembered.

    Args:
        column: the name of a column of numbers.
        window: how many values, at least 1; cost and memory are in proportion.
        bins: how many bins of equal mass, at least 2; None is the share itself.
        keys: how many slots to begin with.

    Raises:
        ValueError: the window or the bins are out of their bounds.
    """

    bins: int | None

    def __init__(
        self, column: str, window: int = 100, *, bins: int | None = None, keys: int = 1
    ) -> None:
        self.bins = None if bins is None else whole("bins", bins, 2)
        part = "rank" if bins is None else "bin"
        super().__init__(column, (part,), {"bins": bins}, window=window, keys=keys)

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        return self.by_block(rows, found, self._ranks)

    def _ranks(
        self, windows: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64]]:
        x = values[:, None]
        count = (~np.isnan(windows)).sum(axis=1)
        below, equal = (windows < x).sum(axis=1), (windows == x).sum(axis=1)
        shares = (below + (equal + 1) * 0.5) / (count + 1)
        if self.bins is not None:
            shares = np.floor(shares * self.bins)
        return (np.where(np.isnan(values), np.nan, shares),)
