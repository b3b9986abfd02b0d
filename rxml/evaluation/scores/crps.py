"""The continuous ranked probability score: the integral over x of (F(x) - [obs <= x])^2, in the unit of `obs`.

Less is better; of a single number it is the absolute error. As in scoringrules, one function for each form of F.
"""

from __future__ import annotations

from math import log, pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.evaluation.scores.inputs import floats, quiet, refuse, spreads
from rxml.evaluation.scores.points import pinball
from rxml.uncertain.special import erf, normal_pdf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.evaluation.scores.inputs import Floats

_ROOT_PI: Final = sqrt(pi)
_ROOT_2: Final = sqrt(2)
_HALF_LOG_2PI: Final = log(2 * pi) / 2


def standardised(away: Floats, std: Floats) -> Floats:
    """How many standard deviations away: infinite where there is no deviation, 0 where it is infinite."""
    away, std = np.broadcast_arrays(away, std)
    with np.errstate(over="ignore", under="ignore"):
        exact = np.where(away == 0, away, np.copysign(np.inf, away))
        return np.divide(away, std, out=exact, where=std > 0)


@quiet
def crps_normal(obs: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Floats:
    """Of a normal distribution: s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)), z = (obs - mean) / s.

    Args:
        obs: (N,).
        mean: (N,).
        std: the standard deviation, (N,) of at least 0; at 0 the score is the absolute error, at infinity infinite.

    Raises:
        DistributionError: a standard deviation is negative.

    References:
        Gneiting, Raftery, Westveld and Goldman (2005).
    """
    away, s = floats(obs) - floats(mean), spreads("std", std)
    z = standardised(away, s)
    # away, and not z times s: z may be beyond float64 where the score is not
    score: Floats = away * erf(z / _ROOT_2) + s * (2 * normal_pdf(z) - 1 / _ROOT_PI)
    return score


@quiet
def logs_normal(obs: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Floats:
    """The logarithmic score: minus the log density of a normal distribution, in nats.

    Args:
        obs: (N,).
        mean: (N,).
        std: the standard deviation, (N,) above 0.

    Raises:
        DistributionError: a standard deviation is not above 0: there is no density.
    """
    s = floats(std)
    refuse("std is above 0", s <= 0, s)
    z = standardised(floats(obs) - floats(mean), s)
    with np.errstate(over="ignore", under="ignore"):
        score: Floats = 0.5 * z * z + np.log(s) + _HALF_LOG_2PI
    return score


@quiet
def crps_mixture(obs: ArrayLike, weight: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Floats:
    """Of a mixture of K normals: the sum of w_k A(y - m_k, s_k) less half that of w_j w_k A(m_j - m_k, |s_j, s_k|).

    A(m, s) is the mean of |x| for a normal x. O(K^2) for a row, in memory O(K).

    Args:
        obs: (N,).
        weight: (N, K) or (K,), at least 0, with the sum 1.
        mean: (N, K).
        std: (N, K) of at least 0; where one that has weight is infinite, so is the score.

    Raises:
        DistributionError: a standard deviation or a weight is negative.

    References:
        Grimit, Gneiting, Berrocal and Johnson (2006), eq. 5.
    """
    m, s, w = floats(mean), spreads("std", std), spreads("weight", weight)
    w = np.broadcast_to(w, m.shape)
    # a deviation without end costs without end: its terms would be an infinity less another
    endless = np.any(np.isinf(s) & (w > 0), axis=-1)
    s = np.where(np.isinf(s), 0.0, s)
    score = np.sum(w * _mean_distance(floats(obs)[..., None] - m, s), axis=-1)
    for k in range(m.shape[-1]):
        apart = _mean_distance(m - m[..., k : k + 1], np.hypot(s, s[..., k : k + 1]))
        score = score - 0.5 * w[..., k] * np.sum(w * apart, axis=-1)
    return np.where(endless, np.inf, np.maximum(score, 0.0))


def _mean_distance(mean: Floats, std: Floats) -> Floats:
    z = standardised(mean, std)
    distance: Floats = mean * erf(z / _ROOT_2) + 2 * std * normal_pdf(z)
    return distance


@quiet
def crps_quantile(obs: ArrayLike, values: ArrayLike, taus: ArrayLike) -> Floats:
    """Of quantiles: twice the mean pinball loss over them (for taus that are evenly spread, as (k - 1/2) / Q).

    Args:
        obs: (N,).
        values: the quantiles, (N, Q).
        taus: their levels in [0, 1], (Q,).

    Raises:
        DistributionError: a level is outside [0, 1].
    """
    score: Floats = 2 * np.mean(pinball(floats(obs)[..., None], values, taus), axis=-1)
    return score


@quiet
def crps_ensemble(
    obs: ArrayLike, worlds: ArrayLike, *, weights: ArrayLike | None = None, fair: bool = False
) -> Floats:
    """Of an ensemble: that of the step function of its W values, in O(W log W) for a row.

    Summed over the gaps between sorted values, in which every term is positive: nothing cancels.

    Args:
        obs: (N,).
        worlds: finite values, (W, N): the worlds first.
        weights: of the worlds, (W,) or (W, N), at least 0; they need not have the sum 1. All alike if not given.
        fair: whether to tell what an ensemble of infinitely many such values would have, without bias (Ferro,
            2014): the mean distance of two values is divided by 1 - sum of w^2. May be negative; NaN where one has all weight.

    Raises:
        ValueError: there is no world, or only one to be fair to.
        DistributionError: a weight is negative.
    """
    x, y = floats(worlds), floats(obs)
    least = 2 if fair else 1
    if len(x) < least:
        raise ValueError(f"worlds wants at least {least} values for each row, got {len(x)}")
    order = np.argsort(x, axis=0)
    x = np.take_along_axis(x, order, axis=0)
    share = _shares(weights, x.shape, order)
    below = np.cumsum(share, axis=0)[:-1]
    score: Floats = _of_gaps(y, x, below) + np.maximum(x[0] - y, 0.0) + np.maximum(y - x[-1], 0.0)
    if not fair:
        return score
    distance = np.sum(np.diff(x, axis=0) * below * (1 - below), axis=0)
    alike = np.sum(share * share, axis=0)
    # of one value with all weight nothing fair can be told
    odds = np.divide(alike, 1 - alike, out=np.full_like(alike, np.nan), where=alike < 1)
    fairly: Floats = score - distance * odds
    return fairly


def _of_gaps(y: Floats, x: Floats, below: Floats) -> Floats:
    """F^2 where the gap lies below the observation, (1 - F)^2 where above."""
    lower = np.diff(np.minimum(x, y), axis=0)
    upper = np.diff(np.maximum(x, y), axis=0)
    gaps: Floats = np.sum(lower * below**2 + upper * (1 - below) ** 2, axis=0)
    return gaps


def _shares(weights: ArrayLike | None, shape: tuple[int, ...], order: NDArray[np.intp]) -> Floats:
    if weights is None:
        return np.full(shape, 1 / shape[0])
    w = spreads("weights", weights)
    w = w.reshape(w.shape + (1,) * (len(shape) - w.ndim))
    w = np.take_along_axis(np.broadcast_to(w, shape), order, axis=0)
    shares: Floats = w / np.sum(w, axis=0)
    return shares
