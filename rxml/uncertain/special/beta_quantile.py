"""The inverse of the incomplete beta function: Newton's steps in the logit of x."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.special.elementwise import Floats, elementwise
from rxml.uncertain.special.gammas import log_beta
from rxml.uncertain.special.incomplete_beta import power_terms, tails
from rxml.uncertain.special.normal_quantile import ndtri

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_MOST: Final = 700.0
"""Beyond this logit x, or 1 - x, has not all digits of a number."""
_POWER: Final = 40.0
_STEPS: Final = 100


def betaincinv(a: ArrayLike, b: ArrayLike, p: ArrayLike) -> Floats:
    """The p-quantile of Beta(a, b): the x at which `betainc` is p.

    Args:
        a: first parameter, > 0.
        b: second parameter, > 0.
        p: probability, 0..1; nan where any of the three is outside.
    """
    return elementwise(_quantile, a, b, p)


def _quantile(a: Floats, b: Floats, p: Floats) -> Floats:
    u = logit_of_quantile(a, b, p, 1.0 - p)
    small = np.exp(-np.abs(u))
    x = np.where(u < 0.0, small, 1.0) / (1.0 + small)
    return np.where(p == 0.0, 0.0 * a * b, np.where(p == 1.0, 1.0 + 0.0 * a * b, x))


def logit_of_quantile(a: Floats, b: Floats, p: Floats, q: Floats) -> Floats:
    """log(x / (1 - x)) where `betainc` is p and `betaincc` is q = 1 - p, of 1-d arrays.

    The tail that is smaller is solved for. In the logit its logarithm is concave and near to a line, so
    Newton's steps come from one side; a bracket is kept for the first of them.
    """
    out = np.full_like(p, np.nan)
    rows = np.flatnonzero(np.isfinite(a * b) & (a > 0.0) & (b > 0.0) & (p > 0.0) & (q > 0.0))
    a, b, p, q = a[rows], b[rows], p[rows], q[rows]
    upper = q < p
    u = _solve(np.where(upper, b, a), np.where(upper, a, b), np.minimum(p, q))
    out[rows] = np.where(upper, -u, u)
    return out


def _solve(a: Floats, b: Floats, p: Floats) -> Floats:
    wanted = np.log(p)
    scale = np.sqrt(1.0 / a + 1.0 / b)
    by_normal = np.log(a / b) + ndtri(p) * scale
    by_power = (wanted + np.log(a) + log_beta(a, b)) / a
    # so near to 0 the density is a power, and x need not be a number for its logit to be one
    power = by_power < -_POWER - np.log1p(b)
    start = np.clip(np.where(a < 1.0, by_power, by_normal), -_MOST, _MOST)
    u = np.where(power, by_power, start)
    going = np.flatnonzero(~power)
    u[going] = _newton(a[going], b[going], wanted[going], u[going], np.minimum(scale[going], 1.0))
    return u


def _newton(a: Floats, b: Floats, wanted: Floats, u: Floats, scale: Floats) -> Floats:
    low, high = np.full_like(u, -_MOST), np.full_like(u, _MOST)
    going = np.arange(u.size)
    for _ in range(_STEPS):
        if not going.size:
            break
        now = u[going]
        error, slope = _log_tail(a[going], b[going], now, wanted[going])
        low[going] = np.where(error < 0.0, now, low[going])
        high[going] = np.where(error < 0.0, high[going], now)
        there = now - error / slope
        inside = (there >= low[going]) & (there <= high[going])
        u[going] = np.where(inside, there, 0.5 * (low[going] + high[going]))
        # the error after a step is of the square of the step, in units of the scale
        going = going[np.abs(u[going] - now) > 1e-8 * scale[going]]
    return u


def _log_tail(a: Floats, b: Floats, u: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """How far the logarithm of the lower tail is above what is wanted, and its slope."""
    small = np.exp(-np.abs(u))
    near, far = small / (1.0 + small), 1.0 / (1.0 + small)
    x, y = np.where(u < 0.0, near, far), np.where(u < 0.0, far, near)
    lower, _ = tails(a, b, x, y)
    return np.log(lower) - wanted, power_terms(a, b, x, y) / lower
