"""Intake: from a file that somebody gives to an artefact, and to the model that is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import ArtefactError
from rxml.models.artefacts.artefact import (
    Artefact,
    artefact_of,
    estimator_artefact,
)
from rxml.models.artefacts.estimators import onnx_model
from rxml.models.artefacts.files import read_file
from rxml.models.artefacts.linear import LinearModel
from rxml.models.artefacts.opening import check_data, model_of
from rxml.models.artefacts.trust import NO_TRUST

if TYPE_CHECKING:
    from rxml.batch import Schema
    from rxml.models.artefacts.trust import Trust
    from rxml.models.model import Model

_SUFFIXES: Final = {
    ".onnx": "onnx",
    ".skops": "skops",
    ".safetensors": "safetensors",
    ".npz": "npz",
    ".joblib": "joblib",
    ".pickle": "joblib",
    ".pkl": "joblib",
}


def artefact_at(path: Path, trust: Trust, inputs: Schema | None = None) -> tuple[Artefact, Model]:
    """The artefact in a file, and its model, which has been made of it once: what cannot be loaded is no artefact.

    Args:
        path: *.onnx, *.skops, *.safetensors, *.npz; *.joblib and *.pkl only with trust.
        trust: what may be loaded.
        inputs: what the model wants, if the file does not say so; an npz or safetensors never does.

    Raises:
        ArtefactError: it is refused; says why. Nothing of it has run.
        ModuleNotFoundError: an extra is not installed.
    """
    form = _form(path)
    data = read_file(path, trust.limits)
    artefact = _artefact(form, data, trust, inputs)
    return artefact, model_of(artefact, trust)


def artefact_in(what: Any, trust: Trust, inputs: Schema | None) -> tuple[Artefact, Model]:
    """The artefact of a model, or of a file, or itself.

    Raises:
        ArtefactError: see `artefact_at`; or it is neither of them, or inputs are given for a model, which knows its own.
    """
    if isinstance(what, str | Path):
        return artefact_at(Path(what), trust, inputs)
    if inputs is not None:
        raise ArtefactError("inputs are for files: a model has a signature of its own")
    if isinstance(what, Artefact):
        return what, model_of(what, trust)
    artefact = artefact_of(what)
    check_data(artefact.format, artefact.data, trust)  # or nobody could load it
    return artefact, what


def artefact_for(what: Model | str | Path) -> Artefact:
    """The artefact of a model, or of a file of one's own; whether a registry may load it is for that to say.

    Raises:
        ArtefactError: it has no recipe, cannot be read, or does not say enough.
    """
    if not isinstance(what, str | Path):
        return artefact_of(what)
    path = Path(what)
    return _artefact(_form(path), read_file(path, NO_TRUST.limits), NO_TRUST, None)


def _form(path: Path) -> str:
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise ArtefactError(
            f"{path.name} is none of {', '.join(sorted(_SUFFIXES))}: save the model as one of these"
        )
    return form


def _artefact(form: str, data: bytes, trust: Trust, inputs: Schema | None) -> Artefact:
    if form in {"skops", "joblib"}:
        return estimator_artefact(form, data, inputs)
    check_data(form, data, trust)
    if form == "onnx":
        return artefact_of(onnx_model(data, inputs))
    if inputs is None:
        raise ArtefactError(
            f"a {form} file holds numbers without names: say inputs=Schema.of(...), in the order of its coefficients"
        )
    return artefact_of(
        LinearModel(data, "npz" if form == "npz" else "safetensors", tuple(inputs), "identity")
    )
