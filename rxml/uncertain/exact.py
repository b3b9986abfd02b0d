"""Functions of a normal whose mean and variance are known in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.checks import Floats
from rxml.uncertain.normal import Normal, standardised
from rxml.uncertain.rules import rule
from rxml.uncertain.special import ndtr, normal_pdf

if TYPE_CHECKING:
    from collections.abc import Callable

Moments = tuple[Floats, Floats]


def exponential(x: Normal) -> Moments:
    """Mean and variance of exp(X): those of the lognormal."""
    mean = np.exp(x.mean() + x.var() / 2)
    return mean, np.expm1(x.var()) * np.square(mean)


def absolute(x: Normal) -> Moments:
    """Mean and variance of |X|, the folded normal (Leone, Nelson and Nottingham, 1961)."""
    m, std = x.mean(), x.std()
    z = standardised(m, np.zeros(()), x.var())
    mean = np.where(
        x.var() == 0,
        np.abs(m),
        2 * std * normal_pdf(np.where(np.isfinite(z), z, 0.0)) + m * (1 - 2 * ndtr(-z)),
    )
    return mean, np.maximum(np.square(m) + x.var() - np.square(mean), 0.0)


def squared(x: Normal) -> Moments:
    """Mean and variance of X^2."""
    m, v = x.mean(), x.var()
    return np.square(m) + v, 4 * np.square(m) * v + 2 * np.square(v)


def over_zero(mean: Floats, var: Floats) -> Moments:
    """First and second moment of max(X, 0)."""
    std = np.sqrt(var)
    z = standardised(mean, np.zeros(()), var)  # +-inf for a fact
    density = np.where(np.isfinite(z), normal_pdf(np.where(np.isfinite(z), z, 0.0)), 0.0)
    first = mean * ndtr(z) + std * density
    second = (np.square(mean) + var) * ndtr(z) + mean * std * density
    return first, second


def clipped(x: Normal, lo: Floats | float, hi: Floats | float) -> Moments:
    """Mean and variance of X kept within [lo, hi]: lo + max(X - lo, 0) - max(X - hi, 0)."""
    if np.all(np.isinf(lo)) and np.all(np.isinf(hi)):
        return x.mean(), x.var()
    if np.all(np.isneginf(lo)):
        mean, var = clipped(x.affine(-1.0, 0.0), np.negative(hi), np.inf)
        return -mean, var
    first, second = over_zero(x.mean() - lo, x.var())
    if not np.all(np.isposinf(hi)):
        above, above2 = over_zero(x.mean() - hi, x.var())
        # (u - w)^2 with w > 0 only where u = w + (hi - lo), for u and w the parts over lo and over hi
        second = second - above2 - 2 * (np.asarray(hi) - lo) * above
        first = first - above
    return lo + first, np.maximum(second - np.square(first), 0.0)


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
            f"no exact form of {name} is known: give `method='unscented'`, 'delta' or 'worlds'"
        )
    return Normal(*_FORMS[f](x))


@rule("clip", Normal)
def _clip(x: Normal, lo: float, hi: float) -> Normal:
    return Normal(*clipped(x, lo, hi))


def greater(x: Normal, y: Normal, correlation: float = 0.0) -> Normal:
    """max(X, Y) of two normals, with the exact mean and variance (Clark, 1961).

    Args:
        x: finite variances.
        y: as many rows.
        correlation: of X and Y, within [-1, 1].

    Raises:
        DistributionError: the correlation is none.
    """
    if not -1 <= correlation <= 1:
        raise DistributionError(f"a correlation is within [-1, 1]; got {correlation}")
    spread = np.sqrt(np.maximum(x.var() + y.var() - 2 * correlation * x.std() * y.std(), 0.0))
    z = standardised(x.mean(), y.mean(), np.square(spread))
    density = spread * np.where(np.isfinite(z), normal_pdf(np.where(np.isfinite(z), z, 0.0)), 0.0)
    upper, lower = ndtr(z), ndtr(-z)
    first = x.mean() * upper + y.mean() * lower + density
    squares = (np.square(each.mean()) + each.var() for each in (x, y))
    second = next(squares) * upper + next(squares) * lower + (x.mean() + y.mean()) * density
    return Normal(first, np.maximum(second - np.square(first), 0.0))


def expected_probability(x: Normal) -> Floats:
    """E[Phi(X)], exactly: Phi(m / sqrt(1 + v)); the probability a probit model gives for an uncertain score."""
    return ndtr(x.mean() / np.sqrt(1 + x.var()))


def expected_expit(x: Normal) -> Floats:
    """E[1 / (1 + exp(-X))], within 4e-3 at variance 4: sigmoid(m / sqrt(1 + pi v / 8)) (MacKay, 1992)."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x.mean() / np.sqrt(1 + np.pi / 8 * x.var())))
