"""The incomplete beta function and its inverse: the distributions of proportions, of F and of Student's t."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.special.elementwise import Bools, Floats, elementwise
from rxml.uncertain.special.gammas import excess, stirling_rest
from rxml.uncertain.special.large import LARGE, beta_tails

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_EPSILON: Final = 2.0**-51
_STEPS: Final = 100_000
_TINY: Final = 1e-290
_ROOT_2PI: Final = sqrt(2.0 * pi)


def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Floats:
    """Pr(X <= x) of X ~ Beta(a, b): the regularised incomplete beta function (DiDonato and Morris 1992, BFRAC).

    From parameters of 1e8 on, of which the fraction does not come to an end, by Temme's uniform expansion.

    Args:
        a: first parameter, > 0.
        b: second parameter, > 0.
        x: where, 0..1; nan where any of the three is outside.
    """
    return elementwise(_lower, a, b, x)


def betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Floats:
    """Pr(X > x) of X ~ Beta(a, b), with its own relative accuracy; arguments as of `betainc`.

    Where a parameter is below 0.1, so that nearly all is at an end, the rest is right to 1e-16 of the whole only.
    """
    return elementwise(_upper, a, b, x)


def log_betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Floats:
    """The logarithm of `betainc`, also where the probability itself is too small for a number."""
    return elementwise(_log_lower, a, b, x)


def log_betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Floats:
    """The logarithm of `betaincc`, also where the probability itself is too small for a number."""
    return elementwise(_log_upper, a, b, x)


def _lower(a: Floats, b: Floats, x: Floats) -> Floats:
    return tails(a, b, x, 1.0 - x)[0]


def _upper(a: Floats, b: Floats, x: Floats) -> Floats:
    return tails(a, b, x, 1.0 - x)[1]


def tails(a: Floats, b: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Pr(X <= x) and Pr(X > x) of 1-d arrays, where y = 1 - x is known better than it can be subtracted."""
    out = np.full((2, x.size), np.nan)
    valid = (a > 0.0) & (b > 0.0) & (x >= 0.0) & (y >= 0.0) & np.isfinite(a) & np.isfinite(b)
    at_ends = valid & ((x == 0.0) | (y == 0.0))
    out[0, at_ends] = np.where(x[at_ends] == 0.0, 0.0, 1.0)
    out[1, at_ends] = 1.0 - out[0, at_ends]
    large = valid & ~at_ends & (np.minimum(a, b) >= LARGE)
    out[:, large] = beta_tails(a[large], b[large], x[large], y[large])
    inside = np.flatnonzero(valid & ~at_ends & ~large)
    out[:, inside] = _inside(a[inside], b[inside], x[inside], y[inside])
    return out[0], out[1]


def _inside(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    # the fraction is quick on the near side of the mean; the other side is the mirror image
    mirrored = x > (a + 1.0) / (a + b + 2.0)
    p, q = np.where(mirrored, b, a), np.where(mirrored, a, b)
    u, v = np.where(mirrored, y, x), np.where(mirrored, x, y)
    lower = np.minimum(power_terms(p, q, u, v) * _fraction(p, q, u, v), 1.0)
    upper = 1.0 - lower
    return np.stack([np.where(mirrored, upper, lower), np.where(mirrored, lower, upper)])


def power_terms(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """x^a y^b / B(a, b), as the distance from the mean, so that large powers do not lose digits (BRCOMP)."""
    return np.sqrt(a / (a + b)) * np.sqrt(b) * np.exp(_exponent(a, b, x, y)) / _ROOT_2PI


def _exponent(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    gap = a * y - b * x
    powers = a * excess(-gap / a, x * ((a + b) / a)) + b * excess(gap / b, y * ((a + b) / b))
    return stirling_rest(a + b) - stirling_rest(a) - stirling_rest(b) - powers


def _log_tail(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    lower, upper = tails(a, b, x, y)
    out = np.where(lower > 0.5, np.log1p(-upper), np.log(lower))
    tiny = np.flatnonzero((lower < _TINY) & (x > 0.0))
    a, b, x, y = a[tiny], b[tiny], x[tiny], y[tiny]
    factor = np.sqrt(a / (a + b)) * np.sqrt(b) / _ROOT_2PI * _fraction(a, b, x, y)
    out[tiny] = np.log(factor) + _exponent(a, b, x, y)
    return out


def _log_lower(a: Floats, b: Floats, x: Floats) -> Floats:
    return _log_tail(a, b, x, 1.0 - x)


def _log_upper(a: Floats, b: Floats, x: Floats) -> Floats:
    return _log_tail(b, a, 1.0 - x, x)


def _fraction(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """The continued fraction of DiDonato and Morris, until each value stands still; those that do are put aside."""
    out = np.empty_like(x)
    rows = np.arange(x.size)
    step = _Fraction(a, b, x, y)
    for n in range(1, _STEPS):
        if not rows.size:
            return out
        done = step.advance(n)
        if done.any():
            out[rows[done]] = step.value[done]
            rows = rows[~done]
            step.keep(~done)
    out[rows] = step.value
    return out


class _Fraction:
    """Where the continued fractions of some rows stand: in the notation of BFRAC."""

    def __init__(self, a: Floats, b: Floats, x: Floats, y: Floats) -> None:
        gap = a * y - b * x
        c = 1.0 + gap
        one = np.ones_like(x)
        zero = np.zeros_like(x)
        self.value: Floats = (1.0 + 1.0 / a) / c
        # a, b, x, 1 + y, c, then p, s, and the two last numerators and denominators
        self.state: Floats = np.stack(
            [a, b, x, 1.0 + y, c, one, a + 1.0, zero, one, one, c / (1.0 + 1.0 / a)]
        )

    def keep(self, rows: Bools) -> None:
        self.state = self.state[:, rows]
        self.value = self.value[rows]

    def advance(self, n: int) -> Bools:
        """Take the n-th term; which rows have come to rest."""
        a, b, x, y1, c, p, s, above, above1, below, below1 = self.state
        c1 = 1.0 + 1.0 / a
        w = n * (b - n) * x
        e = a / s
        alpha = (p * (p + b / a) * e * e) * (w * x)
        e = (1.0 + n / a) / (c1 + 2.0 * n / a)
        beta = n + w / s + e * (c + n * y1)
        above, above1 = above1, alpha * above + beta * above1
        below, below1 = below1, alpha * below + beta * below1
        value = above1 / below1
        done = np.abs(value - self.value) <= _EPSILON * np.abs(value)
        self.value = value
        self.state[5:] = (
            1.0 + n / a,
            s + 2.0,
            above / below1,
            value,
            below / below1,
            np.ones_like(x),
        )
        resting: Bools = done | ~np.isfinite(value)
        return resting
