"""How much rows come to: sums as distributions over a support or as normal ones, and averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.aggregates.possible.collected import Collected
from rxml.aggregates.possible.early import Seen, foretold_sum
from rxml.aggregates.possible.results import (
    Known,
    alternatives,
    of_pmf,
    of_skewed,
    rows_of,
    sure,
)
from rxml.aggregates.possible.unknown import sum_interval
from rxml.uncertain import Interval, Normal
from rxml.uncertain.possible.averages import average as averaged
from rxml.uncertain.possible.pmf import Pmf
from rxml.uncertain.possible.shapes import added
from rxml.uncertain.possible.skewed import bound
from rxml.uncertain.possible.sums import central_moments, sum_moments, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.aggregates.possible.readers import Amounts, Presence
    from rxml.aggregates.reader import Reader
    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.rows import UncertainRows

Method: TypeAlias = Literal["auto", "exact", "normal"]

_NOISE: Final = 1e-14  # what inverting by an FFT leaves in the tails
_GRID: Final = 1024
"""Values of a sum that has no lattice."""


class Sum(Collected):
    """The distribution of the sum, over a support."""

    beside: tuple[str, ...] = ("error",)

    method: Method
    step: float

    def __init__(
        self, readers: tuple[Presence, Amounts], method: Method, step: float, most: int
    ) -> None:
        super().__init__(*readers, most=most)
        self.method = method
        self.step = step

    @override
    def nothing(self) -> Any:
        return sure(0.0)

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        """Window by window, for which way is cheapest must not depend on the others."""
        bounds, amounts = columns
        windows = range(len(bounds))
        return [self._one(rows_of(bounds[at : at + 1], amounts[at : at + 1])) for at in windows]

    def _one(self, rows: UncertainRows) -> Known:
        if bool(rows.certain[0]) and not (rows.s is not None and np.any(rows.s)):
            return sure(float(sum_moments(rows).mean[0]))
        way: Literal["auto", "exact"] = "exact" if self.method == "exact" else "auto"
        found = total(rows, method=way, step=self.step, cells=_GRID)
        if not isinstance(found, Pmf):
            return of_skewed(found)
        if not np.any(found.shift):
            return of_pmf(found[0])
        return _moved(found[0], rows)

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        return alternatives(results)


def _moved(found: Pmf, rows: UncertainRows) -> Known:
    """A grid whose values are moved so that mean and variance are those of the sum; its error bounds what the moves can do."""
    grid = of_pmf(found, 0.0)
    moments = sum_moments(rows)
    can = np.minimum(np.cumsum(grid.p), np.cumsum(grid.p[::-1])[::-1]) > _NOISE
    values, p = grid.values[can], grid.p[can] / grid.p[can].sum()
    with np.errstate(under="ignore"):
        mean = float(np.sum(p * values))
        spread = float(np.sqrt(np.sum(p * (values - mean) ** 2)))
    scale = float(np.sqrt(moments.var[0])) / spread if spread > 0 else 1.0
    error = max(float(p.max()), float(found.bound(abs(1.0 - scale) * spread)))
    return Known(float(moments.mean[0]) + (values - mean) * scale, p, error)


class NormalSum(Aggregate):
    """The normal distribution of the sum's mean and variance.

    State: four sums, (4,): of the means, of the second and the third central moments, and of what bounds the third absolute ones.
    """

    beside: tuple[str, ...] = ("error",)

    early: bool

    def __init__(self, *readers: Reader, early: bool = False) -> None:
        super().__init__(*readers)
        self.early = early

    @property
    def seen(self) -> Seen:
        """What rows have come."""
        return Seen(*self.columns)

    def foretold(self, columns: Sequence[Any], seen: Floats, share: Floats) -> list[Any]:
        """With what is still to come; see `Foretelling`."""
        return foretold_sum(columns, seen, share)

    @override
    def identity(self, groups: int) -> State:
        return (np.zeros((groups, 4)),)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        bounds, amounts = values
        rows = rows_of(bounds[:, np.newaxis], amounts[:, np.newaxis])
        sums = [added(codes, each[:, 0], groups) for each in central_moments(rows)]
        return (np.stack(sums, axis=-1),)

    @override
    def combine(self, left: State, right: State) -> State:
        return (left[0] + right[0],)

    @override
    def lower(self, state: State) -> Any:
        return self.lowered(state)[0]

    @override
    def lowered(self, state: State) -> list[Any]:
        mean, var, third, absolute = state[0].T
        var = np.maximum(var, 0.0)
        cubed = np.where(var > 0, var, 1.0) ** 1.5
        some = var > 0
        with np.errstate(under="ignore"):
            skew, lyapunov = (np.where(some, each / cubed, 0.0) for each in (third, absolute))
            error = np.where(some, bound(np.zeros_like(skew), lyapunov), 0.0)
        return [Normal(mean, var), error]


class SumBounds(Collected):
    """What holds the sum, however the rows hang together."""

    level: float

    def __init__(self, readers: tuple[Presence, Amounts], level: float, most: int) -> None:
        super().__init__(*readers, most=most)
        self.level = level

    @override
    def nothing(self) -> Any:
        return 0.0, 0.0

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        mean, square, _, _ = central_moments(rows_of(*columns))
        spread = np.sqrt(square)
        return [sum_interval(m, s, self.level) for m, s in zip(mean, spread, strict=True)]

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        ends = np.array(results, np.float64).reshape(len(results), 2)
        return [Interval(ends[:, 0], ends[:, 1], level=self.level)]


class Average(Collected):
    """Mean and variance of the average, given that some row is there."""

    beside: tuple[str, ...] = ("error", "exists")

    @override
    def nothing(self) -> Any:
        return 0.0, np.inf, 0.0, 0.0

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        found = averaged(rows_of(*columns))
        none = found.exists == 0
        mean, var = np.where(none, 0.0, found.mean), np.where(none, np.inf, found.var)
        error = np.where(none, 0.0, found.error)
        return list(zip(mean, var, error, found.exists, strict=True))

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        table = np.array(results, np.float64).reshape(len(results), 4)
        mean, var, error, exists = table.T
        return [Normal(mean, var), error, exists]


def require_level(level: float) -> None:
    """Refuse what is no level of an interval.

    Raises:
        ValueError: it is not within (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: give a probability within (0, 1)")
