"""The largest, the smallest, and quantiles of rows that may be there."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.possible.collected import Collected
from rxml.aggregates.possible.results import Known, alternatives, of_order, rows_of
from rxml.uncertain.possible.extremes import largest, smallest
from rxml.uncertain.possible.ranks import quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.possible.readers import Amounts, Presence
    from rxml.uncertain.possible.orders import OrderStatistic
    from rxml.uncertain.possible.rows import UncertainRows


class Order(Collected):
    """A value that rows determine by their order, over a support; what is missing is that there is no row."""

    beside: tuple[str, ...] = ("error",)

    def __init__(self, *readers: Presence | Amounts, most: int) -> None:
        super().__init__(*readers, most=most)

    @abstractmethod
    def statistic(self, rows: UncertainRows) -> OrderStatistic:
        """Its distribution in each of the windows."""

    @override
    def nothing(self) -> Any:
        return Known(np.zeros(1), np.zeros(1), 0.0)

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        bounds, amounts = columns
        noisy = (amounts[..., 2] > 0).any(axis=(1, 2))
        results: list[Any] = [None] * len(bounds)
        for some in (np.flatnonzero(~noisy), np.flatnonzero(noisy)):
            found = of_order(self.statistic(rows_of(bounds[some], amounts[some])))
            for at, each in zip(some.tolist(), found, strict=True):
                results[at] = each
        return results

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        return alternatives(results)


class Max(Order):
    """The largest."""

    @override
    def statistic(self, rows: UncertainRows) -> OrderStatistic:
        return largest(rows)


class Min(Order):
    """The smallest."""

    @override
    def statistic(self, rows: UncertainRows) -> OrderStatistic:
        return smallest(rows)


class Quantile(Order):
    """The value of the rank ceil(q N)."""

    q: float

    def __init__(self, *readers: Presence | Amounts, q: float, most: int) -> None:
        super().__init__(*readers, most=most)
        quantile(rows_of(np.ones((1, 1, 2)), np.ones((1, 1, 1, 3))), q)  # refuses what is none
        self.q = q

    @override
    def statistic(self, rows: UncertainRows) -> OrderStatistic:
        return quantile(rows, self.q)
