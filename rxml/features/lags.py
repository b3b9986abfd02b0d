"""Lags: what a key's value was some rows ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from rxml.features.checks import whole
from rxml.features.history import HistoryTransform

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class Lags(HistoryTransform):
    """The value that a key had so many rows before; parts: `lag_1`, `lag_2` ... as asked for.

    NaN where the key had no such row. A missing value (NaN) is a row too: its lags are NaN. The memory is the
    greatest lag times 8 bytes for each key.

    Args:
        column: the name of a column of numbers.
        lags: which ones, distinct, from 1 (the row before) on.
        keys: how many slots to begin with.

    Raises:
        ValueError: there are no lags, one comes twice or is below 1.
    """

    lags: tuple[int, ...]

    def __init__(self, column: str, lags: Sequence[int], *, keys: int = 1) -> None:
        self.lags = tuple(whole("a lag", lag) for lag in lags)
        if not self.lags or len(set(self.lags)) != len(self.lags):
            raise ValueError(f"lags must be distinct and at least one, got {lags!r}")
        parts = [f"lag_{lag}" for lag in self.lags]
        options = {"lags": list(self.lags)}
        super().__init__(column, parts, options, window=max(self.lags), gaps=True, keys=keys)

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        line, starts = found
        return tuple(line[starts + (self.window - lag)] for lag in self.lags)
