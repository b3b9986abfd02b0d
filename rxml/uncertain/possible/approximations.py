"""The Poisson binomial distribution of very many rows, approximated with a bound on the error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.uncertain.checks import Floats
from rxml.uncertain.possible.convolution import stacked
from rxml.uncertain.special import ndtr, normal_pdf

if TYPE_CHECKING:
    from rxml.uncertain.possible.convolution import Part

Approximation: TypeAlias = tuple[NDArray[np.int64], Floats, Floats]
"""Starts (G,), probabilities (G, S), and bounds (G,) on the error of any cumulative probability."""

_SPREAD: Final = 10.0  # standard deviations on each side; beyond is less than 1e-22
_LEAST: Final = 10.0  # the standard deviation from which on the bound of Mikhailov holds
_FAR: Final = 40.0  # standard deviations beyond which the normal density is 0


def closest(p: Floats) -> Approximation:
    """For each window the one of the two below whose bound is smaller."""
    normal, rare = _normal_bound(p), _poisson_bound(p)
    parts = [
        _normal_part(row) if skewed else _poisson_part(row)
        for row, skewed in zip(p, normal <= rare, strict=True)
    ]
    return *stacked(parts), np.minimum(normal, rare)


def refined_normal(p: Floats) -> Approximation:
    """The normal distribution corrected for skewness: F(k) = Phi(x) + g (1 - x^2) phi(x) / 6, x = (k + 1/2 - m) / s.

    Volkova, "A refinement of the central limit theorem for sums of independent random indicators" (1995), as in Hong,
    "On computing the distribution function for the Poisson binomial distribution", CSDA 59 (2013); R's `poibin` and `backbone`
    have the same formula. The bound (s + 3) / (4 s^3) for s >= 10 is of Mikhailov (1994), as told by Neammanee, "A refinement
    of normal approximation to Poisson binomial", IJMMS (2005). The text of neither could be looked up, so it was checked: the
    next term of Edgeworth's expansion, which is nearly all of the error then, is at most 0.035 / s^2 for any probabilities, a
    seventh of the bound. For a smaller s it is 1, which says nothing.

    Args:
        p: presence, (G, n), within [0, 1].
    """
    return *stacked([_normal_part(row) for row in p]), _normal_bound(p)


def poisson(p: Floats) -> Approximation:
    """The Poisson distribution of the same mean.

    The bound min(1, 1/m) sum p^2 on the total variation is of Barbour and Hall, "On the rate of Poisson convergence"
    (1984); that of Le Cam is the sum alone. Looked up: surveys of Le Cam's theorem have both, for the sum of absolute
    differences, which is twice the total variation.

    Args:
        p: presence, (G, n), within [0, 1].
    """
    return *stacked([_poisson_part(row) for row in p]), _poisson_bound(p)


@np.errstate(under="ignore")
def _normal_bound(p: Floats) -> Floats:
    s = np.sqrt((p * (1.0 - p)).sum(axis=1))
    large = np.maximum(s, _LEAST)
    return np.where(s >= _LEAST, (large + 3.0) / (4.0 * large**3), 1.0)


@np.errstate(under="ignore")
def _poisson_bound(p: Floats) -> Floats:
    mean = p.sum(axis=1)
    return np.asarray(np.minimum((p * p).sum(axis=1) / np.maximum(mean, 1.0), 1.0))


@np.errstate(under="ignore")
def _normal_part(p: Floats) -> Part:
    mean, var = float(p.sum()), float((p * (1.0 - p)).sum())
    if var == 0.0:
        return round(mean), np.ones(1)
    s = var**0.5
    skew = float((p * (1.0 - p) * (1.0 - 2.0 * p)).sum()) / var / s  # s^3 may be too small
    low = max(0, int(mean - _SPREAD * s) - 1)
    high = min(len(p), int(mean + _SPREAD * s) + 1)
    x = np.clip((np.arange(low, high) + 0.5 - mean) / s, -_FAR, _FAR)
    inner = np.clip(ndtr(x) + skew * (1.0 - x * x) * normal_pdf(x) / 6.0, 0.0, 1.0)
    below = np.concatenate([[0.0], np.maximum.accumulate(inner), [1.0]])
    return low, np.diff(below)


@np.errstate(under="ignore")
def _poisson_part(p: Floats) -> Part:
    mean = float(p.sum())
    if mean == 0.0:
        return 0, np.ones(1)
    high = min(len(p), int(mean + _SPREAD * (mean**0.5 + 4.0)) + 1)
    k = np.arange(high + 1)
    logs = np.concatenate([[0.0], np.log(k[1:])]).cumsum()
    f = np.exp(k * np.log(mean) - mean - logs)
    return 0, f / f.sum()
