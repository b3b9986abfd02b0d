"""Models from files that other libraries have written; the adapters make them models."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from rxml.errors import ArtefactError
from rxml.models.model import Model

if TYPE_CHECKING:
    from rxml.batch import Schema


def estimator_model(estimator: Any, inputs: Schema | None) -> Model:
    """A scikit-learn estimator as a model.

    Args:
        estimator: as it came out of the file; what is a model already is left as it is.
        inputs: what it wants, unless it knows.

    Raises:
        ModuleNotFoundError: the extra `sklearn` is not installed.
    """
    if isinstance(estimator, Model):
        return estimator
    if not callable(getattr(estimator, "predict", None)):
        raise ArtefactError(f"the file holds a {type(estimator).__name__}, which predicts nothing")
    return _adapted("sklearn", "from_sklearn", estimator, inputs)


def onnx_model(data: bytes, inputs: Schema | None) -> Model:
    """An ONNX file as a model.

    Args:
        data: the file, checked.
        inputs: what it wants, unless it says so itself.

    Raises:
        ModuleNotFoundError: the extra `onnx` is not installed.
    """
    return _adapted("onnx", "from_onnx", data, inputs)


def _adapted(adapter: str, name: str, what: Any, inputs: Schema | None) -> Model:
    # by name, since each of these rooms needs an extra
    make = getattr(import_module(f"rxml.models.adapters.{adapter}"), name)
    return cast("Model", make(what) if inputs is None else make(what, inputs=inputs))
