"""Metrics by their names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from rxml.evaluation import scores
from rxml.evaluation.metrics.confusion import F1, FromConfusion, Precision, Recall
from rxml.evaluation.metrics.labels import Labels
from rxml.evaluation.metrics.means import Mean, RootMean
from rxml.evaluation.metrics.pit import PIT
from rxml.evaluation.metrics.probabilities import brier_of, log_loss_of
from rxml.evaluation.metrics.reliability import (
    ECE,
    Reliability,
    Resolution,
    SpiegelhalterZ,
    Uncertainty,
)
from rxml.evaluation.metrics.shares import Accuracy, Coverage
from rxml.evaluation.scores.inputs import spreads
from rxml.uncertain import Distribution
from rxml.uncertain.checks import require

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from rxml.evaluation.metrics.bins import Binned
    from rxml.evaluation.metrics.metric import Metric
    from rxml.uncertain.checks import Floats

Remembering: TypeAlias = "dict[str, Any]"

_POINT: Final = ("truth", "prediction")
_INTERVAL: Final = ("truth", "lower", "upper", "level")
_MOMENTS: Final = ("truth", "mean", "var")
_DISTRIBUTION: Final = ("truth", "distribution")
_PROBABILITY: Final = ("truth", "probability")
_POSITIVE: Final = (0.0, np.inf)
_ANY: Final = (-np.inf, np.inf)


def _sharpness(var: NDArray[Any]) -> Floats:
    return np.sqrt(spreads("var", var))


def _normal(score: Callable[..., Floats]) -> Callable[..., Floats]:
    def of(truth: NDArray[Any], mean: NDArray[Any], var: NDArray[Any]) -> Floats:
        return score(truth, mean, _sharpness(var))

    return of


def _singly(
    score: Callable[[ArrayLike, Any], Floats],
) -> Callable[[NDArray[Any], NDArray[Any]], Floats]:
    """The score of each row with a distribution of its own: what rows beside it are changes no bit."""

    def of(truth: NDArray[Any], distribution: NDArray[Any]) -> Floats:
        known = [isinstance(one, Distribution) for one in distribution.tolist()]
        require(np.array(known, np.bool_), "a row has a distribution", distribution)
        rows = zip(truth.tolist(), distribution.tolist(), strict=True)
        each = [score([y], one.as_column())[0] for y, one in rows]
        return np.array(each, np.float64)

    return of


_MEANS: Final[dict[str, tuple[Callable[..., Floats], tuple[str, ...], tuple[float, float]]]] = {
    "mae": (scores.absolute_error, _POINT, _POSITIVE),
    "mse": (scores.squared_error, _POINT, _POSITIVE),
    "pinball": (scores.pinball, ("truth", "prediction", "tau"), _POSITIVE),
    "interval_score": (scores.interval_score, _INTERVAL, _POSITIVE),
    "width": (scores.width, ("lower", "upper"), _POSITIVE),
    "crps": (_normal(scores.crps_normal), _MOMENTS, _POSITIVE),
    "crps_column": (_singly(scores.crps_column), _DISTRIBUTION, _POSITIVE),
    "log_score": (_normal(scores.logs_normal), _MOMENTS, _ANY),
    "nis": (scores.nis, _MOMENTS, _POSITIVE),
    "dawid_sebastiani": (scores.dawid_sebastiani, _MOMENTS, _ANY),
    "sharpness": (_sharpness, ("var",), _POSITIVE),
}
_OF_LABELS: Final[dict[str, tuple[Callable[..., Floats], float]]] = {
    "log_loss": (log_loss_of, np.inf),
    "brier": (brier_of, 2.0),
}
_CONFUSED: Final[dict[str, type[FromConfusion]]] = {
    "precision": Precision,
    "recall": Recall,
    "f1": F1,
}
_BINNED: Final[dict[str, type[Binned | SpiegelhalterZ]]] = {
    "ece": ECE,
    "reliability": Reliability,
    "resolution": Resolution,
    "uncertainty": Uncertainty,
    "spiegelhalter_z": SpiegelhalterZ,
}
_PLAIN: Final[dict[str, Callable[..., Metric[Any]]]] = {
    "accuracy": Accuracy,
    "coverage": Coverage,
    "pit": PIT,
    "pit_column": partial(PIT, _singly(scores.pit_column), _DISTRIBUTION, name="column"),
    "rmse": partial(RootMean, scores.squared_error, _POINT, name="rmse"),
}
_AVERAGED: Final = {
    f"{average}_{name}": (kind, average)
    for name, kind in _CONFUSED.items()
    for average in ("macro", "micro")
}

NAMES: Final = tuple(sorted([*_MEANS, *_OF_LABELS, *_CONFUSED, *_AVERAGED, *_BINNED, *_PLAIN]))


def named(name: str, labels: Sequence[Hashable], remembering: Remembering) -> Metric[Any]:
    """The metric of this name.

    Args:
        name: one of `NAMES`.
        labels: the classes, for metrics of labels or their probabilities.
        remembering: `fading` or `window`, as metrics take them.

    Raises:
        ValueError: the name is none of them, or an argument is outside its bounds.
    """
    if name in _PLAIN:
        return _PLAIN[name](**remembering)
    if name in _MEANS:
        score, needs, bounds = _MEANS[name]
        return Mean(score, needs, name=name, bounds=bounds, **remembering)
    return _of_labels(name, labels, remembering)


def _of_labels(name: str, labels: Sequence[Hashable], remembering: Remembering) -> Metric[Any]:
    if name in _OF_LABELS:
        known, (score, most) = Labels(labels), _OF_LABELS[name]
        called = f"{name} of {list(known.labels)}"
        of, bounds = partial(score, known), (0.0, most)
        return Mean(of, _PROBABILITY, name=called, bounds=bounds, **remembering)
    if name in _BINNED:
        return _BINNED[name](labels, **remembering)
    if name in _AVERAGED:
        kind, average = _AVERAGED[name]
        return kind(labels, average, **remembering)
    if name in _CONFUSED:
        return _CONFUSED[name](labels, **remembering)
    raise ValueError(f"there is no metric {name!r}: one of {', '.join(NAMES)}")
