"""Functions of a normal whose mean and variance are known in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.bounding import times
from rxml.uncertain.checks import QUIET, Floats, require
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.interval import Interval
from rxml.uncertain.normal import Normal, standardised
from rxml.uncertain.rules import rule
from rxml.uncertain.special import expit, ndtr, normal_pdf
from rxml.uncertain.worlds import Worlds

if TYPE_CHECKING:
    from collections.abc import Callable

Moments = tuple[Floats, Floats]


@QUIET
def exponential(x: Normal) -> Moments:
    """Mean and variance of exp(X): those of the lognormal."""
    mean = np.exp(x.mean() + x.var() / 2)
    return mean, np.where(x.var() == 0, 0.0, np.expm1(x.var()) * np.square(mean))


@QUIET
def absolute(x: Normal) -> Moments:
    """Mean and variance of |X|, the folded normal (Leone, Nelson and Nottingham, 1961)."""
    z = standardised(x.mean(), np.zeros(()), x.var())  # +-inf for a fact
    upper, lower, density = ndtr(z), ndtr(-z), normal_pdf(z)
    mean = x.mean() * (upper - lower) + times(x.std(), 2 * density)
    ratio = 1 + 4 * times(z * z, upper * lower) - 4 * density * (density + times(z, upper - lower))
    return mean, times(x.var(), np.maximum(ratio, 0.0))


@QUIET
def squared(x: Normal) -> Moments:
    """Mean and variance of X^2."""
    m, v = x.mean(), x.var()
    return np.square(m) + v, 2 * v * (2 * np.square(m) + v)


@QUIET
def clipped(x: Normal, lo: Floats | float, hi: Floats | float) -> Moments:
    """Mean and variance of X kept within [lo, hi].

    In standard deviations, and from the point c of [a, b] that is nearest to the mean, lest the variance be the
    difference of large squares: P(X < lo) (a - c)^k + P(X > hi) (b - c)^k + the moment of what lies between.
    """
    std = x.std()
    a, b = (standardised(end, x.mean(), x.var()) for end in (lo, hi))
    c = np.clip(0.0, a, b)
    c = np.where(np.isfinite(c), c, 0.0)
    below, above, inside = ndtr(a), ndtr(-b), x.prob(lo, hi)
    at_a, at_b = normal_pdf(a), normal_pdf(b)
    slope = at_a - at_b
    first = times(a - c, below) + times(b - c, above) + slope - c * inside
    between = (1 + c * c) * inside + times(a, at_a) - times(b, at_b) - 2 * c * slope
    second = (
        times(np.square(a - c), below) + times(np.square(b - c), above) + np.maximum(between, 0.0)
    )
    var = times(x.var(), np.maximum(second - np.square(first), 0.0))
    kept = np.clip(x.mean(), lo, hi)
    certain, vacuous = x.var() == 0, np.isinf(x.var())
    far = (np.asarray(lo) / 2 + np.asarray(hi) / 2, np.square((np.asarray(hi) - lo) / 2))
    mean = np.where(certain, kept, np.clip(kept + std * first, lo, hi))
    found = np.where(vacuous, far[0], mean), np.where(vacuous, far[1], var)
    whole = np.isneginf(lo) & np.isposinf(hi)
    return np.where(whole, x.mean(), found[0]), np.where(whole, x.var(), found[1])


_FORMS: Final[dict[Any, Callable[[Normal], Moments]]] = {
    np.exp: exponential,
    np.absolute: absolute,
    np.square: squared,
}


def has_form(f: object) -> bool:
    """Whether an exact form of f is registered."""
    return f in _FORMS


def exact(x: Normal, f: Any) -> Normal:
    """f(X) as a normal of the exact mean and variance.

    Raises:
        DistributionError: no form of f is known.
    """
    if f not in _FORMS:
        name = getattr(f, "__name__", f)
        raise DistributionError(
            f"no exact form of {name} is known: use `x.map(f, method=...)`, with 'unscented', 'delta' or 'worlds'"
        )
    return Normal(*_FORMS[f](x))


@rule("clip", Normal)
def _clip(x: Normal, lo: float, hi: float) -> Normal:
    return Normal(*clipped(x, lo, hi))


@rule("greater", Normal, Normal)
@QUIET
def greater(x: Normal, y: Normal, correlation: float = 0.0) -> Normal:
    """max(X, Y) of two normals, with the exact mean and variance (Clark, 1961).

    Args:
        x: finite variances.
        y: as many rows.
        correlation: of X and Y, within [-1, 1].

    Raises:
        DistributionError: the correlation is none, or naming the rows with an infinite variance.
    """
    if not -1 <= correlation <= 1:
        raise DistributionError(f"a correlation is within [-1, 1]; got {correlation}")
    for each in (x, y):
        require(np.isfinite(each.var()), "the greater of two has finite variances", each.var())
    spread = np.sqrt(np.maximum(x.var() + y.var() - 2 * correlation * x.std() * y.std(), 0.0))
    z = standardised(x.mean(), y.mean(), np.square(spread))
    upper, lower, density = ndtr(z), ndtr(-z), spread * normal_pdf(z)
    base = np.maximum(x.mean(), y.mean())  # the variance is not the difference of large squares
    m1, m2 = x.mean() - base, y.mean() - base
    first = m1 * upper + m2 * lower + density
    second = (m1 * m1 + x.var()) * upper + (m2 * m2 + y.var()) * lower + (m1 + m2) * density
    return Normal(base + first, np.maximum(second - np.square(first), 0.0))


@rule("greater", Worlds, Worlds)
def _greater_worlds(x: Worlds, y: Worlds) -> Worlds:
    return x.jointly(np.maximum, y)


@rule("greater", Interval, Interval)
def _greater_interval(x: Interval, y: Interval) -> Interval:
    return x.of_ends(np.maximum(x.lo, y.lo), np.maximum(x.hi, y.hi), y)


@rule("greater", Distribution, Distribution)
def _no_greater(x: Distribution, y: Distribution) -> NoReturn:
    names = f"{type(x).__name__} and {type(y).__name__}"
    raise DistributionError(f"the greater of {names}: make normals or worlds of both")


@QUIET
def expected_probability(x: Normal) -> Floats:
    """E[Phi(X)], exactly: Phi(m / sqrt(1 + v)); the probability a probit model gives for an uncertain score."""
    return ndtr(x.mean() / np.sqrt(1 + x.var()))


@QUIET
def expected_expit(x: Normal) -> Floats:
    """E[1 / (1 + exp(-X))], nearly: sigmoid(m / sqrt(1 + pi v / 8)) (MacKay, 1992).

    Off by at most .005 up to variance 1, .011 up to 4, .018 at any (over all means, by quadrature).
    """
    return expit(x.mean() / np.sqrt(1 + np.pi / 8 * x.var()))
