"""The incomplete gamma function: the distributions of waiting times, of counts, and of chi squared."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.special.elementwise import Floats, elementwise
from rxml.uncertain.special.gammas import excess, stirling_rest
from rxml.uncertain.special.large import LARGE, gamma_tails

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_EPSILON: Final = 2.0**-51
_TINY: Final = 1e-300
_STEPS: Final = 200_000


def gammainc(a: ArrayLike, x: ArrayLike) -> Floats:
    """Pr(X <= x) of X ~ Gamma(shape a, scale 1), a > 0 and x >= 0; nan outside (Abramowitz and Stegun 6.5.29, 6.5.31).

    From a = 1e8 on, where series would not come to an end, by Temme's uniform expansion.
    """
    return elementwise(_lower, a, x)


def gammaincc(a: ArrayLike, x: ArrayLike) -> Floats:
    """Pr(X > x) of X ~ Gamma(shape a, scale 1), with its own relative accuracy above 1 + a."""
    return elementwise(_upper, a, x)


def chdtr(df: ArrayLike, x: ArrayLike) -> Floats:
    """Pr(X <= x) of chi squared with df > 0 degrees of freedom."""
    return elementwise(_lower, 0.5 * np.asarray(df), 0.5 * np.asarray(x))


def chdtrc(df: ArrayLike, x: ArrayLike) -> Floats:
    """Pr(X > x) of chi squared with df > 0 degrees of freedom: the p-value of a test."""
    return elementwise(_upper, 0.5 * np.asarray(df), 0.5 * np.asarray(x))


def _lower(a: Floats, x: Floats) -> Floats:
    lower, _ = _tails(a, x)
    return lower


def _upper(a: Floats, x: Floats) -> Floats:
    _, upper = _tails(a, x)
    return upper


def _tails(a: Floats, x: Floats) -> tuple[Floats, Floats]:
    out = np.full((2, x.size), np.nan)
    valid = (a > 0.0) & np.isfinite(a) & (x >= 0.0)
    ends = valid & ((x == 0.0) | np.isinf(x))
    out[0, ends] = np.where(x[ends] == 0.0, 0.0, 1.0)
    out[1, ends] = 1.0 - out[0, ends]
    large = valid & ~ends & (a >= LARGE)
    out[:, large] = gamma_tails(a[large], x[large])
    small = valid & ~ends & ~large
    below, above = np.flatnonzero(small & (x < a + 1.0)), np.flatnonzero(small & (x >= a + 1.0))
    lower = np.minimum(_power_terms(a[below], x[below]) * _series(a[below], x[below]), 1.0)
    upper = np.minimum(_power_terms(a[above], x[above]) * _fraction(a[above], x[above]), 1.0)
    out[:, below] = lower, 1.0 - lower
    out[:, above] = 1.0 - upper, upper
    return out[0], out[1]


def _power_terms(a: Floats, x: Floats) -> Floats:
    """x^a exp(-x) / Gamma(a + 1), as the distance from a, so that large powers do not lose digits."""
    exponent = -a * excess((x - a) / a, x / a) - stirling_rest(a)
    return np.exp(exponent) / np.sqrt(2.0 * pi * a)


def _series(a: Floats, x: Floats) -> Floats:
    """The sum 1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ..."""
    out = np.ones_like(x)
    rows = np.arange(x.size)
    term, total = np.ones_like(x), np.ones_like(x)
    for n in range(1, _STEPS):
        if not rows.size:
            break
        term = term * x / (a + n)
        total = total + term
        out[rows] = total
        going = term > _EPSILON * total
        if not going.all():
            rows, a, x, term, total = rows[going], a[going], x[going], term[going], total[going]
    return out


def _fraction(a: Floats, x: Floats) -> Floats:
    """The fraction a / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)), by the method of Lentz."""
    out = a / (x + 1.0 - a)
    rows = np.arange(x.size)
    b = x + 1.0 - a
    c, d = np.full_like(x, 1.0 / _TINY), 1.0 / b
    for n in range(1, _STEPS):
        if not rows.size:
            break
        b = b + 2.0
        step = -n * (n - a)
        d = 1.0 / _away_from_0(step * d + b)
        c = _away_from_0(b + step / c)
        out[rows] *= c * d
        going = np.abs(c * d - 1.0) > 2.0 * _EPSILON
        if not going.all():
            rows, a, b, c, d = rows[going], a[going], b[going], c[going], d[going]
    return out


def _away_from_0(x: Floats) -> Floats:
    return np.where(np.abs(x) < _TINY, _TINY, x)
