"""Student's t distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.special.beta_quantile import logit_of_quantile
from rxml.uncertain.special.elementwise import Floats, elementwise
from rxml.uncertain.special.gammas import log_beta
from rxml.uncertain.special.incomplete_beta import tails
from rxml.uncertain.special.normal import ndtr
from rxml.uncertain.special.normal_quantile import ndtri

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_FAR: Final = 1e18
"""The square of t, in degrees of freedom, above which the density is a power."""

_MANY: Final = 1e10


def stdtr(df: ArrayLike, t: ArrayLike) -> Floats:
    """Pr(T <= t) of Student's t with df > 0 degrees of freedom; df = inf is the normal distribution.

    From 1e10 degrees on, of which the fraction comes late to an end or not at all, by the normal distribution (Wallace 1959).
    """
    return elementwise(_stdtr, df, t)


def stdtrit(df: ArrayLike, p: ArrayLike) -> Floats:
    """The p-quantile of Student's t with df > 0 degrees of freedom; df = inf is the normal distribution."""
    return elementwise(_stdtrit, df, p)


def _stdtr(df: Floats, t: Floats) -> Floats:
    out = np.empty_like(t)
    many = df >= _MANY
    out[many] = _nearly_normal(df[many], t[many])
    df, t = df[~many], t[~many]
    ratio = (t / np.sqrt(df)) ** 2
    near = (
        0.5 * tails(0.5 * df, np.full_like(df, 0.5), 1.0 / (1.0 + ratio), ratio / (1.0 + ratio))[0]
    )
    tail = np.where(ratio > _FAR, _power_tail(df, np.abs(t)), near)
    out[~many] = np.where(t < 0.0, tail, 1.0 - tail)
    return out


def _nearly_normal(df: Floats, t: Floats) -> Floats:
    """The normal score that has the same probability is sqrt(df log(1 + t^2 / df)) (8 df + 1) / (8 df + 3), but for 1 / df^2."""
    score = np.sqrt(df * np.log1p((t / np.sqrt(df)) ** 2)) * (1.0 - 2.0 / (8.0 * df + 3.0))
    return ndtr(np.where(np.isinf(df), t, np.copysign(score, t)))


def _power_tail(df: Floats, t: Floats) -> Floats:
    """Pr(T > t) so far out that the density is a power of t, whose square may be no number any more."""
    log_x = np.log(df) - 2.0 * np.log(t)
    half = 0.5 * df
    return 0.5 * np.exp(half * log_x - np.log(half) - log_beta(half, np.full_like(half, 0.5)))


def _stdtrit(df: Floats, p: Floats) -> Floats:
    smaller = np.minimum(p, 1.0 - p)
    half = np.full_like(df, 0.5)
    u = logit_of_quantile(0.5 * df, half, 2.0 * smaller, 1.0 - 2.0 * smaller)
    size = np.where(smaller == 0.5, 0.0 * df, np.sqrt(df) * np.exp(-0.5 * u))
    size = np.where((smaller == 0.0) & (df > 0.0), np.inf, size)
    out = np.copysign(size, p - 0.5)
    return np.where(np.isinf(df) & (df > 0.0), ndtri(p), out)
