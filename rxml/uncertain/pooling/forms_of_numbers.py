"""Forms of members that tell numbers, as facts, by mean and variance, or by quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.pooling.distributions import linear_pool, log_pool, product, vincent
from rxml.uncertain.pooling.estimates import inverse_variance, random_effects
from rxml.uncertain.pooling.form import Form, named
from rxml.uncertain.quantiles import Quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.rows import Rows


class Normals(Form):
    """Numbers, as facts, and distributions of numbers, by their means and variances. Infinite variance tells nothing."""

    pools: ClassVar[tuple[str, ...]] = (
        "linear_pool",
        "log_pool",
        "vincent",
        "ivw",
        "hksj",
        "product",
    )

    @override
    def read(self, column: Any) -> Floats:
        if isinstance(column, Distribution):
            mean, var = column.mean(), column.var()
        elif _is_numbers(column):
            mean, var = column.astype(np.float64), np.zeros(len(column))
        else:
            raise DistributionError(
                f"numbers or distributions of numbers are wanted: got {named(column)}"
            )
        return np.stack([np.where(np.isinf(var), np.nan, mean), var], axis=-1)

    @override
    def column(self, told: Floats) -> Normal:
        return Normal(told[:, 0], told[:, 1])

    @override
    def pool(self, told: Floats, weights: Floats, rule: str) -> Rows:
        mean, var = told[:, :, 0], told[:, :, 1]
        there = ~np.isnan(mean) & (weights > 0)
        match rule:
            case "linear_pool":
                return _mixture(mean, var, weights, there)
            case "vincent":
                sd = np.sqrt(np.where(there, var, 0.0))
                both = (
                    vincent(np.stack([each] * 2, axis=-1), weights, there) for each in (mean, sd)
                )
                center, spread = (each[:, 0] for each in both)
                return _normal(center, np.square(spread))
            case "ivw":
                pooled = inverse_variance(mean, var, there)
                return _normal(pooled.mean, pooled.var)
            case "hksj":
                pooled = random_effects(mean, var, there)
                return _normal(pooled.mean, pooled.var)
            case "log_pool":
                return _normal(*log_pool(mean, var, weights, there))
            case _:
                return _normal(*product(mean, var, None, weights, there))


class Levels(Form):
    """Quantiles at levels that all members share; other distributions by theirs at these.

    Args:
        taus: the levels, (Q,).
    """

    pools: ClassVar[tuple[str, ...]] = ("vincent",)

    def __init__(self, taus: Floats) -> None:
        self.taus: Floats = taus
        self.width: int = len(taus)

    @override
    def read(self, column: Any) -> Floats:
        if isinstance(column, Quantiles):
            if not np.array_equal(column.taus, self.taus):
                got, want = column.taus.tolist(), self.taus.tolist()
                raise DistributionError(
                    f"quantiles of members have the same levels: got {got} and {want}"
                )
            return column.values
        if isinstance(column, Distribution):
            return np.stack([column.ppf(tau) for tau in self.taus.tolist()], axis=-1)
        raise DistributionError(f"quantiles or distributions are wanted: got {named(column)}")

    @override
    def column(self, told: Floats) -> Quantiles:
        return Quantiles(self.taus, told)

    @override
    def pool(self, told: Floats, weights: Floats, rule: str) -> Quantiles:
        there = ~np.isnan(told).any(axis=-1) & (weights > 0)
        return Quantiles(self.taus, vincent(told, weights, there))

    @override
    def setting(self) -> list[Any]:
        return [*super().setting(), self.taus.tolist()]


def _mixture(mean: Floats, var: Floats, weights: Floats, there: Mask) -> Mixture:
    pool = linear_pool(mean, var, weights, there)
    some = there.any(axis=1, keepdims=True)
    # who has no weight is put where the heaviest one is, so that quantiles are not looked for elsewhere
    first = pool.weights.argmax(axis=1)[:, None]
    told = (
        np.where(pool.weights > 0, each, np.take_along_axis(each, first, axis=1))
        for each in (pool.mean, pool.var)
    )
    logw = np.where(
        pool.weights > 0, np.log(np.where(pool.weights > 0, pool.weights, 1.0)), -np.inf
    )
    return Mixture(np.where(some, logw, 0.0), *told)


def _normal(mean: Floats, var: Floats) -> Normal:
    none = np.isnan(mean)
    return Normal(np.where(none, 0.0, mean), np.where(none, np.inf, var))


def _is_numbers(column: object) -> bool:
    if not isinstance(column, np.ndarray):
        return False
    array = cast("NDArray[Any]", column)
    return array.ndim == 1 and array.dtype.kind in "biuf"
