"""Values between the least and the greatest of those before them, as shares of that range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.features.numeric import NumericTransform
from rxml.features.table import Table
from rxml.features.turns import Turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class MinMaxScaler(NumericTransform):
    """(x - min) / (max - min) of what was learned; part: `scaled`. A monoid: `merge` takes the wider range.

    A value beyond the range is below 0 or above 1, unless `clip`. Where there is no range yet (nothing learned, or
    one value only) the share is 0. NaN gives NaN; neither it nor an infinity is learned.

    Args:
        column: the name of a column of numbers.
        clip: whether shares are held between 0 and 1.
        width: the length of the vectors in the column, each element scaled by itself; None is plain numbers.
        keys: how many slots to begin with.
    """

    clip: bool

    def __init__(
        self, column: str, *, clip: bool = False, width: int | None = None, keys: int = 1
    ) -> None:
        self.clip = clip
        table = Table(keys, low=np.float64(np.inf), high=np.float64(-np.inf))
        super().__init__(column, ("scaled",), {"clip": clip}, table, width=width)

    def merge(self, other: MinMaxScaler) -> None:
        """Learns what another scaler has learned, slot by slot; to the last bit what one would have learned.

        Raises:
            ValueError: it has another number of keys, or was made with other arguments.
        """
        self._require_alike(other)
        self.table["low"][:] = np.minimum(self.table["low"], other.table["low"])
        self.table["high"][:] = np.maximum(self.table["high"], other.table["high"])

    @override
    def _held(self, rows: Rows) -> Found:
        return self.table["low"][rows.slots], self.table["high"][rows.slots]

    @override
    def _advance(self, rows: Rows) -> Found:
        turns = Turns(rows.slots, np.isfinite(rows.values))
        x = rows.values + 0.0  # of -0.0 and 0.0 either could be the least
        low, _ = turns.scan(np.minimum, self.table["low"], x)
        high, _ = turns.scan(np.maximum, self.table["high"], x)
        return low, high

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        low, high = found
        known = low < high
        low, high = np.where(known, low, 0.0), np.where(known, high, 1.0)
        with np.errstate(all="ignore"):
            half = np.where(
                np.isinf(high - low), 0.5, 1.0
            )  # a range beyond float64 is taken by halves
            shares = (rows.values * half - low * half) / (high * half - low * half)
        shares = np.where(known | np.isnan(rows.values), shares, 0.0)
        return (np.clip(shares, 0.0, 1.0) if self.clip else shares,)
