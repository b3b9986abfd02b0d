"""Which estimates an estimator of scikit-learn is asked for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch.column import is_array
from rxml.batch.extras import extra_module
from rxml.errors import PipelineError
from rxml.models.adapters import estimates
from rxml.models.adapters.distributed import as_categorical, as_normal
from rxml.models.adapters.recipes import is_series

if TYPE_CHECKING:
    from rxml.models.adapters.estimates import Array, Estimates
    from rxml.models.columns import Rows


def is_classifier(estimator: Any) -> bool:
    """Whether its values are classes."""
    return bool(extra_module("sklearn.base", "sklearn").is_classifier(estimator))


def estimates_of(given: dict[str, Any], linear: Any, rows: Rows | None) -> Estimates:
    """What is to be given for rows.

    Args:
        given: the estimator, and how it is asked; see `SklearnModel`.
        linear: what it computes, if it is a linear model.
        rows: what it is given; None: a DataFrame.

    Raises:
        PipelineError: it cannot give that.
    """
    whole = given["estimator"]
    estimator = whole if rows is None else estimates.nameless(whole)
    if given["interval"] is not None:
        return _with_bounds(estimator, given["interval"])
    if is_classifier(whole):
        return _of_classifier(estimator, linear, given)
    if given.get("distribution"):
        return as_normal(estimator, len(given["inputs"]) if rows is None else rows.width)
    if given["positive"] is not None:
        raise PipelineError(
            f"{type(whole).__name__} is no classifier: it has no class to be sure of"
        )
    engine = estimates.Summed(linear, None) if linear else estimates.Asked(estimator)
    return estimates.of_values(engine, _sample(engine, rows))


def _of_classifier(estimator: Any, linear: Any, given: dict[str, Any]) -> Estimates:
    positive = given["positive"]
    classes = estimator.classes_
    if not is_array(classes) or classes.ndim != 1:
        raise PipelineError("it predicts several labels a row: make a model of each of them")
    likely = hasattr(estimator, "predict_proba")
    textual = classes.dtype.kind in "US"
    labels: Array = classes.astype(object) if textual else classes
    engine = (
        estimates.Summed(linear, labels) if linear else estimates.Asked(estimator, likely=likely)
    )
    if given.get("distribution") and likely:
        return as_categorical(engine, labels)
    if given.get("distribution"):
        raise PipelineError(
            f"{type(estimator).__name__} gives no probabilities, so no distribution"
        )
    if positive is None:
        return estimates.of_classes(engine, labels, likely=likely)
    known: list[Any] = classes.tolist()
    if not likely or positive not in known:
        knows = f"knows the classes {known}" if likely else "gives no probabilities"
        raise PipelineError(
            f"the probability of {positive!r} is wanted, but {type(estimator).__name__} {knows}"
        )
    return estimates.of_class(engine, labels, known.index(positive))


def _with_bounds(estimator: Any, interval: Any) -> Estimates:
    if is_series(interval):
        bounds = [estimates.nameless(each) for each in interval]
        if len(bounds) != 2 or not all(hasattr(each, "predict") for each in bounds):
            raise PipelineError(f"an interval is a level, or two estimators, got {interval!r}")
        return estimates.bounded(estimates.Asked(estimator).values, (bounds[0], bounds[1]))
    if "return_std" not in inspect.signature(estimator.predict).parameters:
        raise PipelineError(
            f"{type(estimator).__name__} gives no deviation (return_std): give two estimators of quantiles as interval"
        )
    return estimates.spread(estimator, interval)


def _sample(engine: estimates.Engine, rows: Rows | None) -> Array:
    if rows is None:
        return np.empty(0)
    return engine.values(np.zeros((2, rows.width), rows.dtype))
