"""What metrics of probabilities are told: two labels and a probability of the second, or more and one of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.evaluation.scores import (
    brier_categorical,
    brier_score,
    log_loss,
    log_loss_categorical,
)
from rxml.evaluation.scores.inputs import classes, probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.evaluation.metrics.labels import Labels
    from rxml.uncertain.checks import Floats


def judged(labels: Labels, truth: NDArray[Any], prob: NDArray[Any]) -> tuple[Floats, Floats]:
    """A probability of each row, and 1 where what it is of came: the positive label, or the likeliest of all.

    Raises:
        ValueError: there are not as many probabilities as labels.
        DistributionError: a label is not declared, or a probability outside [0, 1].
    """
    places = labels.places("truth", truth)
    if fits(labels, prob):
        return probabilities("probability", prob), places.astype(np.float64)
    places, p = classes(places, prob)
    return p.max(axis=1, initial=0.0), (p.argmax(axis=1) == places).astype(np.float64)


def fits(labels: Labels, prob: NDArray[Any]) -> bool:
    """Whether there is one probability for each row, and not one for each label.

    Raises:
        ValueError: neither is so.
    """
    if (prob.ndim == 1 and len(labels) == 2) or (prob.ndim == 2 and prob.shape[1] == len(labels)):
        return prob.ndim == 1
    raise ValueError(
        f"probability wants one of each of {len(labels)} labels, or that of the second of two, got {prob.shape[1:]}"
    )


def log_loss_of(labels: Labels, truth: NDArray[Any], prob: NDArray[Any]) -> Floats:
    """The log loss of each row."""
    places = labels.places("truth", truth)
    return log_loss(places, prob) if fits(labels, prob) else log_loss_categorical(places, prob)


def brier_of(labels: Labels, truth: NDArray[Any], prob: NDArray[Any]) -> Floats:
    """The Brier score of each row: of one class, or summed over all."""
    places = labels.places("truth", truth)
    return brier_score(places, prob) if fits(labels, prob) else brier_categorical(places, prob)
