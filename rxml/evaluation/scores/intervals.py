"""Scores of intervals: whether they held, how wide they are, and both in one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxml.evaluation.scores.inputs import floats, quiet, refuse
from rxml.evaluation.scores.points import absolute_error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.evaluation.scores.inputs import Floats


@quiet
def covered(obs: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Floats:
    """1 where lower <= obs <= upper, 0 where not, NaN where one of the three is; all (N,)."""
    y, lo, hi = floats(obs), floats(lower), floats(upper)
    inside = ((lo <= y) & (y <= hi)).astype(np.float64)
    held: Floats = np.where(np.isnan(y) | np.isnan(lo) | np.isnan(hi), np.nan, inside)
    return held


@quiet
def width(lower: ArrayLike, upper: ArrayLike) -> Floats:
    """How wide the interval is, (N,): 0 for an empty one (upper < lower), infinity for an unbounded one."""
    with np.errstate(invalid="ignore"):  # from infinity to infinity: NaN, as it should be
        return np.maximum(floats(upper) - floats(lower), 0.0)


@quiet
def interval_score(obs: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: ArrayLike) -> Floats:
    """The interval score (Winkler, 1972): the width, and 2 / (1 - level) times how far it was missed by.

    Also 2 / alpha times the pinball losses of both ends, alpha = 1 - level. Less is better; in the unit of `obs`.

    Args:
        obs: (N,).
        lower: (N,).
        upper: (N,).
        level: the share of rows that the interval is to hold for, in [0, 1], one or (N,). At 1 a miss costs infinity.

    Raises:
        DistributionError: a level is outside [0, 1].
    """
    share = floats(level)
    refuse("level is within [0, 1]", (share < 0) | (share > 1), share)
    y, lo, hi = floats(obs), floats(lower), floats(upper)
    missed = np.maximum(lo - y, 0.0) + np.maximum(y - hi, 0.0)
    missed, alpha = np.broadcast_arrays(missed, 1 - share)
    # a hard bound that held costs its width; one that did not has no price
    bound = np.where(missed > 0, np.inf, missed)
    penalty = np.divide(2 * missed, alpha, out=bound, where=alpha > 0)
    score: Floats = (hi - lo) + penalty
    return score


@quiet
def weighted_interval_score(
    obs: ArrayLike, median: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: ArrayLike
) -> Floats:
    """The weighted interval score (Bracher, Ray, Gneiting and Reich, 2021), which nears the CRPS with many levels.

    (|obs - median| / 2 + sum over k of alpha_k / 2 * interval score) / (K + 1/2), alpha = 1 - level.

    Args:
        obs: (N,).
        median: (N,).
        lower: (N, K).
        upper: (N, K).
        level: of each interval, in [0, 1): (K,) or (N, K).

    Raises:
        DistributionError: a level is outside [0, 1).
    """
    share = floats(level)
    refuse("level is within [0, 1)", (share < 0) | (share >= 1), share)
    each = interval_score(floats(obs)[..., None], lower, upper, share)
    total = absolute_error(obs, median) / 2 + np.sum((1 - share) / 2 * each, axis=-1)
    score: Floats = total / (each.shape[-1] + 0.5)
    return score
