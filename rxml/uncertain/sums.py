"""Sums, products and ratios of two columns that are independent, or of which that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.alternatives import Alternatives
from rxml.uncertain.bounding import times
from rxml.uncertain.checks import QUIET, require
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.interval import Interval, Sort
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.quantiles import Quantiles
from rxml.uncertain.rules import rule
from rxml.uncertain.worlds import Worlds

if TYPE_CHECKING:
    from rxml.uncertain.arithmetic import Arithmetic
    from rxml.uncertain.checks import Floats, Numbers

_COMPONENTS: Final = 16
_VALUES: Final = 4096
_FAR: Final = (
    5.0  # standard deviations of a denominator from 0, below which a ratio may have no moments
)


@rule("plus", Distribution, Distribution)
@rule("plus", Normal, Normal)
def _normal_sum(x: Distribution, y: Distribution) -> Normal:
    """Means and variances add up whatever the kinds; the shape is exact for two normals only."""
    return Normal(x.mean() + y.mean(), x.var() + y.var())


@rule("plus", Mixture, Mixture)
def _mixture_sum(x: Mixture, y: Mixture) -> Mixture:
    """Each component with each, reduced to 16."""
    logw, mean, var = (
        _each_with_each(mine, theirs) for mine, theirs in zip(_ordered(x), _ordered(y), strict=True)
    )
    return Mixture(logw, mean, var).reduced(_COMPONENTS)


def _ordered(x: Mixture) -> tuple[Floats, Floats, Floats]:
    with np.errstate(divide="ignore"):
        return (np.log(x.weights), *x.components)


def _each_with_each(one: Floats, other: Floats, f: np.ufunc = np.add) -> Floats:
    both: Floats = f(one[..., :, None], other[..., None, :])
    return both.reshape(*both.shape[:-2], both.shape[-2] * both.shape[-1])


@rule("plus", Mixture, Normal)
def _mixture_normal(x: Mixture, y: Normal) -> Mixture:
    return _mixture_sum(x, as_mixture(y))


@rule("plus", Normal, Mixture)
def _normal_mixture(x: Normal, y: Mixture) -> Mixture:
    return _mixture_sum(as_mixture(x), y)


def as_mixture(x: Normal) -> Mixture:
    """A mixture of one component."""
    return Mixture(np.zeros((*x.shape, 1)), x.mean()[..., None], x.var()[..., None])


@rule("plus", Alternatives, Alternatives)
def _convolution(x: Alternatives, y: Alternatives) -> Alternatives:
    """Each value with each: there is a sum where there are both."""
    return _pairs(x, y, np.add)


@QUIET
def _pairs(x: Alternatives, y: Alternatives, f: np.ufunc) -> Alternatives:
    if x.p.shape[-1] * y.p.shape[-1] > _VALUES:
        raise DistributionError(
            f"alternatives of two columns make more than {_VALUES} together: use worlds"
        )
    return Alternatives(
        _each_with_each(x.values, y.values, f), _each_with_each(x.p, y.p, np.multiply)
    )


@rule("plus", Quantiles, Distribution)
@rule("times", Quantiles, Distribution)
def _quantiles(x: Quantiles, y: Distribution) -> Any:  # noqa: ARG001 - a rule takes both
    text = "quantiles of independent columns do not add up: make worlds of both"
    raise DistributionError(f"{text}, or use add(x, y, dependence='comonotone')")


@rule("plus", Worlds, Distribution)
@rule("plus", Distribution, Worlds)
@rule("times", Worlds, Distribution)
@rule("times", Distribution, Worlds)
@rule("over", Worlds, Distribution)
@rule("over", Distribution, Worlds)
@rule("compare", Worlds, Distribution)
@rule("compare", Distribution, Worlds)
def _not_drawn(x: Distribution, *rest: Any) -> Any:
    raise DistributionError(
        f"{type(x).__name__} and {type(rest[-1]).__name__}: draw both in the same worlds, as by "
        f"`x.to(Worlds, draws=draws, name='x', ids=ids)`"
    )


@rule("plus", Distribution, Interval)
@rule("times", Distribution, Interval)
@rule("over", Distribution, Interval)
@rule("compare", Distribution, Interval)
def _interval(x: Distribution, y: Interval, *_: Any) -> Any:  # noqa: ARG001 - a rule takes both
    raise DistributionError(
        f"{type(x).__name__} with an Interval: say what the interval is, as by `interval.to(Normal)`"
    )


@rule("times", Distribution, Distribution)
def _product(x: Distribution, y: Distribution) -> Normal:
    """A normal of the product's exact mean and variance; the shape is not that of a product."""
    mx, my, vx, vy = x.mean(), y.mean(), x.var(), y.var()
    var = times(np.square(mx), vy) + times(np.square(my), vx) + times(vx, vy)
    return Normal(mx * my, var)


@rule("times", Alternatives, Alternatives)
def _products(x: Alternatives, y: Alternatives) -> Alternatives:
    """Each value with each: there is a product where there are both."""
    return _pairs(x, y, np.multiply)


@rule("over", Alternatives, Alternatives)
def _quotients(x: Alternatives, y: Alternatives) -> Alternatives:
    zero = (y.values == 0).any(axis=-1)
    require(~zero, "alternatives to divide by are not 0", y.values)
    return _pairs(x, y, np.true_divide)


@rule("greater", Alternatives, Alternatives)
def _greater(x: Alternatives, y: Alternatives) -> Alternatives:
    return _pairs(x, y, np.maximum)


@rule("under", Distribution)
def _number_over(y: Distribution, number: Numbers) -> Any:
    return _ratio(Normal(number, 0.0), y)


@rule("under", Worlds)
@rule("under", Alternatives)
def _number_over_values(y: Worlds | Alternatives, number: Numbers) -> Any:
    """Value by value, exactly."""
    if np.ndim(number):
        raise DistributionError(
            "numbers over a column: make worlds of the numbers too, or use `map`"
        )
    zero = (np.asarray(y.values) == 0).any(axis=0 if isinstance(y, Worlds) else -1)
    require(~zero, "values to divide by are not 0; got as value and probability of it", zero)
    return y.map(lambda values: number / values)


@rule("under", Interval)
def _number_over_interval(y: Interval, number: Numbers) -> Interval:
    return y.inverse().affine(number, 0.0)


@rule("over", Distribution, Distribution)
def _ratio(x: Distribution, y: Distribution) -> Normal:
    """By the delta method, where the denominator is far from 0; nearer, a ratio may have no moments.

    Raises:
        DistributionError: naming the rows where it is not.
    """
    far = np.abs(y.mean()) > _FAR * y.std()
    require(
        far,
        f"a denominator is more than {_FAR:g} standard deviations from 0, or use worlds",
        y.mean(),
    )
    ratio = x.mean() / y.mean()
    return Normal(ratio, (x.var() + np.square(ratio) * y.var()) / np.square(y.mean()))


Dependence = Literal["independent", "comonotone", "unknown"]


def add(
    x: Arithmetic, y: Arithmetic, dependence: Dependence = "independent", level: float = 0.9
) -> Any:
    """X + Y under a declared dependence.

    Args:
        x: of some kind.
        y: as many rows.
        dependence: "independent"; "comonotone", where both grow together (quantiles add up); or "unknown", which
            gives a conformal `Interval` that holds whatever the dependence is (Bonferroni).
        level: of that interval, within (0, 1); intervals among x and y have their own.

    Raises:
        DistributionError: the kinds have no such sum.
    """
    match dependence:
        case "independent":
            return x + y
        case "comonotone":
            return _comonotone(x, y)
        case "unknown":
            each = (1 + level) / 2
            return _bounds(x, each) + _bounds(y, each)
        case _:
            raise ValueError(
                f"dependence is independent, comonotone or unknown; got {dependence!r}"
            )


def _bounds(x: Arithmetic, level: float) -> Interval:
    if isinstance(x, Interval):
        sort: Sort = "bound" if x.sort == "bound" else "conformal"
        return Interval(x.lo, x.hi, level=x.level, sort=sort)
    bounds: Interval = x.to(Interval, level=level)
    return Interval(bounds.lo, bounds.hi, level=level, sort="conformal")


def _comonotone(x: Arithmetic, y: Arithmetic) -> Any:
    if isinstance(x, Normal) and isinstance(y, Normal):
        return Normal(x.mean() + y.mean(), np.square(x.std() + y.std()))
    if isinstance(x, Quantiles) and isinstance(y, Quantiles) and np.array_equal(x.taus, y.taus):
        return Quantiles(x.taus, x.values + y.values)
    raise DistributionError("a comonotone sum is of two normals, or of quantiles at the same taus")
