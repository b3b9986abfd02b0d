"""Stacking: weights that follow the gradient of the loss of the pool itself, and what these gradients are."""

from __future__ import annotations

from math import inf, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.members import matched, numbers
from rxml.uncertain.pooling.weights import ExponentialWeights
from rxml.uncertain.special import logsumexp, ndtr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.pooling.slots import State


class ExponentiatedGradient(ExponentialWeights):
    """Exponentiated gradient on the simplex: log w <- log w - rate g (Kivinen and Warmuth 1997).

    What is given as losses is the gradient g of the pool's loss by its weights, at the weights that were in use:
    `squared_gradient`, `log_gradient` and `crps_gradient` have it. The average loss of the pool comes near that of the
    best convex weights, not just of the best model. Where the size of gradients is not known, give them to `AdaHedge`.

    Args:
        models: how many there are, >= 1.
        rate: > 0, about sqrt(8 ln K / T) over the range of gradients, for T rows.
        keys: slots at first.

    Attributes:
        rate: as given.

    Raises:
        ValueError: a number is out of its bounds.
    """

    def __init__(self, models: int, *, rate: float = 0.05, keys: int = 0) -> None:
        if not 0 < rate < inf:
            raise ValueError(
                f"ExponentiatedGradient(rate) wants a number > 0 and finite, got {rate!r}"
            )
        super().__init__(models, keys)
        self.rate: float = float(rate)

    @override
    def _check(self, losses: Floats, awake: Mask) -> None:
        require((~awake | np.isfinite(losses)).all(axis=1), "a gradient is finite", losses)

    @override
    def _learned(self, state: State, losses: Floats, awake: Mask, used: Floats) -> State:
        return {"log": self._moved(state["log"], -self.rate * losses, awake, used)}


def squared_gradient(outputs: ArrayLike, weights: ArrayLike, y: ArrayLike) -> Floats:
    """Gradient of (sum w_i f_i - y)^2 by w.

    Args:
        outputs: (n, K) of the models; NaN is asleep, and has NaN.
        weights: (n, K) convex weights in use.
        y: (n,) what came.
    """
    f = numbers("outputs", outputs, 2)
    away = _mean(f, matched("weights", weights, f.shape)) - matched("y", y, f.shape[:1])
    return 2.0 * away[:, None] * f


def log_gradient(logp: ArrayLike, weights: ArrayLike) -> Floats:
    """Gradient of the log loss of the linear pool, -log sum w_i p_i(y), by w: -p_i / sum w p.

    Args:
        logp: (n, K) log densities or probabilities that the models gave to what came; NaN is asleep, and has NaN.
        weights: (n, K) convex weights in use.
    """
    given = numbers("logp", logp, 2)
    w = matched("weights", weights, given.shape)
    heard = (w > 0) & ~np.isnan(given)
    logs = np.where(heard, given + np.log(np.where(heard, w, 1.0)), -np.inf)
    with np.errstate(under="ignore", over="ignore"):
        return -np.exp(given - logsumexp(logs, axis=1)[:, None])


def crps_gradient(mean: ArrayLike, var: ArrayLike, weights: ArrayLike, y: ArrayLike) -> Floats:
    """Gradient of the CRPS of a linear pool of normals, by w: E|X_i - y| - sum_j w_j E|X_i - X_j|.

    Grimit, Gneiting, Berrocal and Johnson (2006): the CRPS of a mixture is quadratic in its weights.

    Args:
        mean: (n, K) of the models; NaN is asleep, and has NaN.
        var: (n, K) variances, >= 0 and finite.
        weights: (n, K) convex weights in use.
        y: (n,) what came.
    """
    m = numbers("mean", mean, 2)
    v, w = matched("var", var, m.shape), matched("weights", weights, m.shape)
    target = matched("y", y, m.shape[:1])
    there = ~np.isnan(m)
    means, variances = np.where(there, m, 0.0), np.where(there, v, 0.0)
    require((variances >= 0).all(axis=1), "a variance is >= 0", v)
    pairs = _distance(
        means[:, :, None] - means[:, None, :], variances[:, :, None] + variances[:, None, :]
    )
    trust = np.where(there, w, 0.0)
    with np.errstate(under="ignore"):
        apart = (trust[:, None, :] * pairs).sum(axis=2)
    return np.where(there, _distance(means - target[:, None], variances) - apart, np.nan)


def _distance(mean: Floats, var: Floats) -> Floats:
    """E|X| of a normal."""
    sd = np.sqrt(var)
    with np.errstate(under="ignore", over="ignore"):
        z = np.where(sd > 0, mean / np.where(sd > 0, sd, 1.0), 0.0)
        density = np.exp(-0.5 * z * z) * sqrt(2.0 / pi)
        spread = sd * density + mean * (ndtr(z) - ndtr(-z))
    return np.where(sd > 0, spread, np.abs(mean))


def _mean(outputs: Floats, weights: Floats) -> Floats:
    heard = (weights > 0) & ~np.isnan(outputs)
    mean: Floats = (np.where(heard, weights, 0.0) * np.where(heard, outputs, 0.0)).sum(axis=1)
    return mean
