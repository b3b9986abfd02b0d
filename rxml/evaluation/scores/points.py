"""Scores of single numbers and of moments: errors, the pinball loss, NIS and Dawid-Sebastiani."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxml.evaluation.scores.inputs import floats, quiet, refuse, spreads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.evaluation.scores.inputs import Floats


@quiet
def absolute_error(obs: ArrayLike, prediction: ArrayLike) -> Floats:
    """How far the prediction (N,) is from what was observed (N,), in their unit."""
    return np.abs(floats(obs) - floats(prediction))


@quiet
def squared_error(obs: ArrayLike, prediction: ArrayLike) -> Floats:
    """The square of how far the prediction (N,) is from what was observed (N,)."""
    away: Floats = floats(obs) - floats(prediction)
    return away * away


@quiet
def pinball(obs: ArrayLike, prediction: ArrayLike, tau: ArrayLike) -> Floats:
    """The loss whose mean is least at the quantile (Koenker and Bassett, 1978): tau above it, 1 - tau below.

    Args:
        obs: (N,).
        prediction: the quantile that is predicted, (N,) or anything that broadcasts with `obs`.
        tau: its level in [0, 1], one or (N,).

    Raises:
        DistributionError: a level is outside [0, 1].
    """
    level = floats(tau)
    refuse("tau is within [0, 1]", (level < 0) | (level > 1), level)
    away = floats(obs) - floats(prediction)
    factor = np.where(away >= 0, level, 1 - level)
    # the quantiles at 0 and 1 may be infinite, and cost nothing on the side where the truth is
    size = np.where((factor == 0) & np.isinf(away), 0.0, np.abs(away))
    loss: Floats = size * factor
    return loss


@quiet
def nis(obs: ArrayLike, mean: ArrayLike, var: ArrayLike) -> Floats:
    """The normalised innovation squared, (obs - mean)^2 / var: chi-squared of one degree where the normal holds.

    Args:
        obs: (N,).
        mean: (N,).
        var: (N,) of at least 0. A variance of 0 gives 0 where the mean was met, and infinity elsewhere; an infinite one 0.

    Raises:
        DistributionError: a variance is negative.
    """
    v = spreads("var", var)
    away: Floats = floats(obs) - floats(mean)
    square, v = np.broadcast_arrays(away * away, v)
    exact = np.where(square > 0, np.inf, square)
    with np.errstate(over="ignore"):
        scaled: Floats = np.divide(square, v, out=exact, where=v > 0)
        return scaled


@quiet
def dawid_sebastiani(obs: ArrayLike, mean: ArrayLike, var: ArrayLike) -> Floats:
    """The score of Dawid and Sebastiani (1999), (obs - mean)^2 / var + log var: proper for the first two moments.

    Args:
        obs: (N,).
        mean: (N,).
        var: (N,) above 0.

    Raises:
        DistributionError: a variance is not above 0: the score would tell any error by infinity.
    """
    v = floats(var)
    refuse("var is above 0", v <= 0, v)
    score: Floats = nis(obs, mean, v) + np.log(v)
    return score
