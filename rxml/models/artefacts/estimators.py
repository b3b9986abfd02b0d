"""Models from files that other libraries have written; the adapters make them models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.errors import ArtefactError, ModelError, PipelineError
from rxml.models.adapters.onnx import from_onnx
from rxml.models.adapters.sklearn import from_sklearn
from rxml.models.model import Model

if TYPE_CHECKING:
    from rxml.batch import Schema


def estimator_model(estimator: Any, inputs: Schema | None) -> Model:
    """A scikit-learn estimator as a model.

    Args:
        estimator: as it came out of the file; what is a model already is left as it is.
        inputs: what it wants, unless it knows.

    Raises:
        ArtefactError: it is no estimator, or cannot be asked for rows.
        ModuleNotFoundError: the extra `sklearn` is not installed.
    """
    if isinstance(estimator, Model):
        return estimator
    if not callable(getattr(estimator, "predict", None)):
        raise ArtefactError(f"the file holds a {type(estimator).__name__}, which predicts nothing")
    try:
        return from_sklearn(estimator, inputs=inputs)
    except (ModelError, PipelineError) as error:
        raise ArtefactError(f"the estimator cannot be used: {error}") from error


def onnx_model(data: bytes, inputs: Schema | None) -> Model:
    """An ONNX file as a model.

    Args:
        data: the file, checked.
        inputs: names of the features, where the graph takes them in one tensor.

    Raises:
        ArtefactError: the runtime cannot run it.
        ModuleNotFoundError: the extra `onnx` is not installed.
    """
    try:
        return from_onnx(data, features=() if inputs is None else tuple(inputs))
    except (ModelError, PipelineError) as error:
        raise ArtefactError(f"the ONNX model cannot be used: {error}") from error
