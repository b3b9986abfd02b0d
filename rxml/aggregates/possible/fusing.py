"""Fusion: one estimate of what several sensors have measured, from the rows of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.possible.collected import Collected
from rxml.aggregates.possible.results import known
from rxml.errors import SchemaError
from rxml.uncertain import Interval
from rxml.uncertain.pooling import covariance_intersection, inverse_variance, random_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.possible.readers import Amounts, Presence
    from rxml.uncertain.pooling import Pooled

Fusion: TypeAlias = Literal["hksj", "ivw", "intersection"]


class Fuse(Collected):
    """The interval of the pooled estimate, and beside it mean, variance, variance between sensors, and their number."""

    beside: tuple[str, ...] = ("mean", "var", "tau2", "k")

    method: Fusion
    level: float

    def __init__(
        self, presence: Presence, column: Amounts, method: Fusion, level: float, most: int
    ) -> None:
        super().__init__(presence, column, most=most)
        self.method = method
        self.level = level

    @override
    def nothing(self) -> Any:
        return 0.0, np.inf, -np.inf, np.inf, 0.0, 0.0

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        there, amounts = known(columns[0]), columns[1]
        if amounts.shape[2] > 1:
            raise SchemaError(f"fuse wants one estimate a row: {self.columns[1]!r} has several")
        # a row that is there with p tells of the quantity as one of the precision p / var
        with np.errstate(divide="ignore", over="ignore"):
            wide = np.where(there > 0, amounts[..., 0, 2] / np.where(there > 0, there, 1.0), np.inf)
        found = self._pooled(amounts[..., 0, 1], wide)
        none = found.k == 0
        fields = (found.mean, found.var, found.lo, found.hi, found.tau2, found.k)
        empty = self.nothing()
        filled = [np.where(none, e, each) for e, each in zip(empty, fields, strict=True)]
        return list(zip(*filled, strict=True))

    def _pooled(self, y: NDArray[Any], v: NDArray[Any]) -> Pooled:
        if self.method == "hksj":
            return random_effects(y, v, level=self.level)
        if self.method == "ivw":
            return inverse_variance(y, v, level=self.level)
        return covariance_intersection(y, v, level=self.level)

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        table = np.array(results, np.float64).reshape(len(results), 6)
        mean, var, lo, hi, tau2, k = table.T
        return [Interval(lo, hi, level=self.level), mean, var, tau2, k.astype(np.int64)]
