"""Distributions as what an estimator of scikit-learn gives: a normal where it knows a deviation, a class by its probability."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Field, Schema
from rxml.errors import PipelineError
from rxml.models.adapters.estimates import VALUE, Estimates
from rxml.uncertain import Categorical, Normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.models.adapters.estimates import Array, Columns, Engine
    from rxml.uncertain.rows import Rows

LABEL: Final = "label"


def as_normal(estimator: Any, width: int) -> Estimates:
    """A normal of the mean and the deviation that the estimator gives.

    Args:
        estimator: fitted.
        width: how many features it has.

    Raises:
        PipelineError: it gives no deviation, or several values a row.
    """
    if "return_std" not in inspect.signature(estimator.predict).parameters:
        raise PipelineError(
            f"{type(estimator).__name__} gives no deviation (return_std), so no distribution"
        )
    mean, _ = estimator.predict(np.zeros((1, width)), return_std=True)
    if np.ndim(mean) != 1:
        raise PipelineError("it predicts several values a row: a distribution is of one")

    def of(rows: Any) -> Columns:
        mean, deviation = estimator.predict(rows, return_std=True)
        return {VALUE: Normal(mean, np.square(deviation))}

    outputs = Schema([Field(VALUE, object, kind=Normal.kind)])
    return Estimates(outputs, "distribution", of, {VALUE: Normal(np.empty(0), np.empty(0))})


def as_categorical(engine: Engine, classes: Array) -> Estimates:
    """The probabilities of the classes as the value, and the label beside it."""
    textual = classes.dtype.kind in "USO"
    outputs = Schema(
        [
            Field(VALUE, object, kind=Categorical.kind),
            Field(LABEL, str if textual else classes.dtype),
        ]
    )

    def of(rows: Any) -> Columns:
        labels, shares = engine.both(rows)
        value = _categorical(np.asarray(shares, np.float64), classes)
        return {VALUE: value, LABEL: labels.astype(object) if textual else labels}

    nobody = Categorical(np.empty((0, len(classes))), classes)
    none: Columns = {VALUE: nobody, LABEL: np.empty(0, object if textual else classes.dtype)}
    return Estimates(outputs, "distribution", of, none)


def _categorical(shares: Array, classes: Array) -> Array | Rows:
    bad = np.logical_or.reduce(np.isnan(shares), axis=1)
    if not bad.any():
        return Categorical(shares, classes)
    return hollowed(Categorical(np.where(bad[:, None], 1 / len(classes), shares), classes), bad)


def hollowed(column: Array | Rows, bad: NDArray[np.bool_]) -> Array | Rows:
    """The column with NaN in some rows, which says that there is no answer to them; what has no NaN stays as it is.

    Args:
        column: whose rows come first.
        bad: those rows, shape (n,).
    """
    if isinstance(column, np.ndarray):
        return _holed(column, bad)
    holed = {
        name: _holed(array, bad) if column.axes[name] == 0 and array is not None else array
        for name, array in column.parameters().items()
    }
    return column.adopt(**holed)


def _holed(array: Array, bad: NDArray[np.bool_]) -> Array:
    if array.dtype.kind != "f":
        return array
    found = np.array(array)
    found[bad] = np.nan
    return found
