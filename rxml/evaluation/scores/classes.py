"""Scores of probabilities: log loss, Brier, and that of ordered classes. Less is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.evaluation.scores.inputs import classes, probabilities, quiet

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.evaluation.scores.inputs import Floats

CLIP: Final = 1e-15


@quiet
def log_loss(obs: ArrayLike, prob: ArrayLike) -> Floats:
    """Minus the log of the probability given to what happened, in nats.

    Args:
        obs: whether it happened, (N,): 0 or 1, or between, as the share of such rows where it did.
        prob: the probability that it does, (N,) in [0, 1]; clipped to [1e-15, 1 - 1e-15].

    Raises:
        DistributionError: either is outside [0, 1].
    """
    y = probabilities("obs", obs)
    p = np.clip(probabilities("prob", prob), CLIP, 1 - CLIP)
    loss: Floats = -(y * np.log(p) + (1 - y) * np.log1p(-p))
    return loss


@quiet
def log_loss_categorical(obs: ArrayLike, prob: ArrayLike) -> Floats:
    """Minus the log of the probability given to the class that came, in nats.

    Args:
        obs: its place, (N,) in 0..K-1.
        prob: (N, K), each in [0, 1]; clipped to [1e-15, 1 - 1e-15].

    Raises:
        ValueError: the shapes do not fit.
        DistributionError: a probability is outside [0, 1], or a place is none of the K.
    """
    y, p = classes(obs, prob)
    loss: Floats = -np.log(np.clip(p[np.arange(len(y)), y], CLIP, 1 - CLIP))
    return loss


@quiet
def brier_score(obs: ArrayLike, prob: ArrayLike) -> Floats:
    """The squared difference of the probability and what happened (Brier, 1950; of one class, so in [0, 1]).

    Args:
        obs: whether it happened, (N,): 0 or 1.
        prob: the probability that it does, (N,) in [0, 1].

    Raises:
        DistributionError: either is outside [0, 1].
    """
    away: Floats = probabilities("obs", obs) - probabilities("prob", prob)
    return away * away


@quiet
def brier_categorical(obs: ArrayLike, prob: ArrayLike) -> Floats:
    """The sum of squared differences over the classes (Brier, 1950), in [0, 2]: of two classes twice `brier_score`.

    Args:
        obs: the place of the class that came, (N,) in 0..K-1.
        prob: (N, K), each in [0, 1].

    Raises:
        ValueError: the shapes do not fit.
        DistributionError: a probability is outside [0, 1], or a place is none of the K.
    """
    y, p = classes(obs, prob)
    away = p.copy()
    away[np.arange(len(y)), y] -= 1
    score: Floats = np.sum(away * away, axis=1)
    return score


@quiet
def rps_score(obs: ArrayLike, prob: ArrayLike) -> Floats:
    """The ranked probability score of ordered classes (Epstein, 1969): the CRPS of classes one apart.

    The sum over thresholds of the squared difference of the distribution functions, in [0, K - 1].

    Args:
        obs: the place of the class that came, (N,) in 0..K-1.
        prob: (N, K), each in [0, 1], in the order of the classes.

    Raises:
        ValueError: the shapes do not fit.
        DistributionError: a probability is outside [0, 1], or a place is none of the K.
    """
    y, p = classes(obs, prob)
    came = np.zeros_like(p)
    came[np.arange(len(y)), y] = 1
    away = np.cumsum(p - came, axis=1)[:, :-1]
    score: Floats = np.sum(away * away, axis=1)
    return score
