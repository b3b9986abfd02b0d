"""What both confidence sequences of a bounded mean share: running moments, the size of a bet, checks, and saving."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.evaluation.anytime.keyed import KeyedTable
from rxml.evaluation.anytime.rows import require_share
from rxml.uncertain.calibration.table import (
    checked_numbers,
    checked_slots,
    refuse,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.calibration.table import Rows

    Floats: TypeAlias = NDArray[np.float64]

MOMENTS: Final[Mapping[str, ArrayLike]] = {"rows": np.int64(0), "total": 0.0, "squares": 0.0}
"""Columns of a table: rows, their sum, and squares of their distances to the running means; all on [0, 1]."""


class BoundedMean(KeyedTable):
    """A confidence sequence of the means of values in [low, high], of each key; the base of those that do it.

    The mean is that of each row given all before it, so that rows need not be independent.

    Args:
        low: the least value there can be.
        high: the largest.
        level: probability that all intervals hold, in (0, 1).
        blank: columns of the table besides `MOMENTS`.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    low: float
    high: float
    level: float

    def __init__(
        self, low: float, high: float, level: float, blank: Mapping[str, ArrayLike], keys: int
    ) -> None:
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(
                f"low and high are {low!r} and {high!r}: give finite bounds, low < high"
            )
        self.low = float(low)
        self.high = float(high)
        self.level = require_share("level", level)
        super().__init__(keys, {**MOMENTS, **blank})

    def update(self, slots: ArrayLike, values: ArrayLike) -> None:
        """Take rows in.

        Args:
            slots: of each row (n,); one may occur several times: then they are taken in order.
            values: numbers within [low, high] (n,).

        Raises:
            DistributionError: values are NaN, or outside; nothing is taken in then.
        """
        places = checked_slots(slots, self.keys)
        given = checked_numbers("values", values, places.shape)
        refuse(
            "values", (given < self.low) | (given > self.high), f"outside [{self.low}, {self.high}]"
        )
        unit = (given - self.low) / (self.high - self.low)
        for at, rows in turns(places, self.keys):
            self._step(at, unit[rows])

    def estimate(self, slots: ArrayLike) -> Floats:
        """The means of these keys so far; NaN of one that has no rows."""
        at = checked_slots(slots, self.keys)
        rows = self._table["rows"][at]
        mean = self._table["total"][at] / np.maximum(rows, 1)
        return np.where(rows > 0, self._back(mean), np.nan)

    def interval(self, slots: ArrayLike) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the means of these keys; `low` and `high` where nothing is known."""
        lower, upper = self._unit_interval(checked_slots(slots, self.keys))
        return self._back(lower), self._back(upper)

    def _back(self, unit: Floats) -> Floats:
        return np.clip(self.low + unit * (self.high - self.low), self.low, self.high)

    def _step(self, at: Rows, x: Floats) -> None:
        """Take one row of each of these slots, on [0, 1]."""
        raise NotImplementedError

    def _unit_interval(self, at: Rows) -> tuple[Floats, Floats]:
        """The bounds of these slots, on [0, 1]."""
        raise NotImplementedError

    def _bet(self, at: Rows, error: float) -> Floats:
        """The predictable size of the next bet: sqrt(2 log(1 / error) / (variance t log(1 + t)))."""
        t = self._table["rows"][at] + 1.0
        variance = (0.25 + self._table["squares"][at]) / t
        size: Floats = np.sqrt(-2.0 * log(error) / (variance * t * np.log1p(t)))
        return size

    def _mean_before(self, at: Rows) -> Floats:
        mean: Floats = (0.5 + self._table["total"][at]) / (self._table["rows"][at] + 1.0)
        return mean

    def _count(self, at: Rows, x: Floats) -> None:
        table = self._table
        table["rows"][at] += 1
        table["total"][at] += x
        table["squares"][at] += (x - self._mean_before(at)) ** 2
