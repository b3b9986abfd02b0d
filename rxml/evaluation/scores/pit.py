"""The probability integral transform, F(obs): uniform on [0, 1] where the distribution is the right one (Dawid, 1984)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxml.evaluation.scores.crps import standardised
from rxml.evaluation.scores.inputs import floats, quiet, spreads
from rxml.uncertain.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.evaluation.scores.inputs import Floats


@quiet
def pit_normal(obs: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Floats:
    """Of a normal distribution.

    Args:
        obs: (N,).
        mean: (N,).
        std: the standard deviation, (N,) of at least 0; at 0 it is 0, 1, or 1/2 where the mean was met.

    Raises:
        DistributionError: a standard deviation is negative.
    """
    return ndtr(standardised(floats(obs) - floats(mean), spreads("std", std)))


@quiet
def pit_mixture(obs: ArrayLike, weight: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Floats:
    """Of a mixture of K normals.

    Args:
        obs: (N,).
        weight: (N, K) or (K,), with the sum 1.
        mean: (N, K).
        std: (N, K) of at least 0.

    Raises:
        DistributionError: a standard deviation is negative.
    """
    each = pit_normal(floats(obs)[..., None], mean, std)
    place: Floats = np.clip(np.sum(floats(weight) * each, axis=-1), 0.0, 1.0)
    return place


@quiet
def pit_ensemble(obs: ArrayLike, worlds: ArrayLike, *, u: ArrayLike = 0.5) -> Floats:
    """The place of the observation among the W values and itself: (below + u (ties + 1)) / (W + 1).

    Exactly uniform where `u` is, and the observation is one of W + 1 exchangeable values (Czado, Gneiting and Held, 2009).

    Args:
        obs: (N,).
        worlds: (W, N): the worlds first.
        u: numbers in [0, 1], drawn for each row (N,), or the middle.
    """
    x, y = floats(worlds), floats(obs)
    below, ties = np.sum(x < y, axis=0), np.sum(x == y, axis=0)
    place: Floats = (below + floats(u) * (ties + 1)) / (len(x) + 1)
    return np.where(np.isnan(y), np.nan, place)


@quiet
def pit_quantile(obs: ArrayLike, values: ArrayLike, taus: ArrayLike) -> Floats:
    """Of quantiles: between them by straight lines, outside them the outermost level, which is only a bound.

    Args:
        obs: (N,).
        values: the quantiles, sorted in each row, (N, Q).
        taus: their levels, ascending, (Q,).
    """
    y, x, level = floats(obs), floats(values), floats(taus)
    above = np.sum(x <= y[..., None], axis=-1)
    left, right = np.clip(above - 1, 0, None), np.clip(above, None, len(level) - 1)
    low = np.take_along_axis(x, left[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(x, right[..., None], axis=-1)[..., 0]
    gap = high - low
    part = np.divide(y - low, gap, out=np.zeros_like(gap), where=gap > 0)
    place: Floats = level[left] + part * (level[right] - level[left])
    return np.where(np.isnan(y), np.nan, place)
