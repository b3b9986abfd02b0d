"""Models of MLflow: a folder with a file `MLmodel` beside the model (https://mlflow.org/docs/latest/ml/model)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Unpack

import msgspec

from rxml.batch.extras import extra_module
from rxml.errors import ArtefactError
from rxml.models.artefacts.files import read_file
from rxml.models.artefacts.limits import Limits
from rxml.models.registry.mlflow_schema import schema_of

if TYPE_CHECKING:
    from rxml.models.registry.publishing import About
    from rxml.models.registry.registry import Registry
    from rxml.models.registry.version import Version

_SMALL: Final = Limits(max_bytes=1 << 20)
"""An MLmodel is a page of text."""


class _Onnx(msgspec.Struct):
    """What is used of the flavour `onnx`."""

    data: str = "model.onnx"


class _Sklearn(msgspec.Struct):
    """What is used of the flavour `sklearn`."""

    pickled_model: str = "model.pkl"
    serialization_format: Literal["pickle", "cloudpickle", "skops"] = "pickle"


class _Flavors(msgspec.Struct):
    onnx: _Onnx | None = None
    sklearn: _Sklearn | None = None


class _Signature(msgspec.Struct):
    inputs: str | None = None


class _MLmodel(msgspec.Struct):
    flavors: _Flavors
    signature: _Signature | None = None


def import_mlflow(
    registry: Registry,
    name: str,
    folder: str | Path,
    *,
    trust: bool = False,
    digest: str = "",
    **about: Unpack[About],
) -> Version:
    """Publish a model that MLflow has saved: of the flavours onnx and sklearn (extra `mlflow`, for the YAML).

    What is said of the environment there is not used, and no code beside the model is loaded.

    Args:
        registry: that takes it.
        name: for it.
        folder: with the file `MLmodel`.
        trust: for a pickled model; see `Registry.publish`.
        digest: of the pickled file.
        about: see `Registry.publish`.

    Raises:
        ArtefactError: it is no such folder, has another flavour, or is refused; says why. Nothing of it has run.
        RegistryError: see `Registry.publish`.
        ModuleNotFoundError: an extra is not installed.
    """
    where = Path(folder)
    found = _read(where / "MLmodel")
    file, suffix = _file(found.flavors)
    told = found.signature.inputs if found.signature else None
    inputs = schema_of(told) if told and suffix != ".onnx" else None
    path = where / _plain(file)
    if path.suffix != suffix and not (suffix == ".pkl" and path.suffix in {".pickle", ".joblib"}):
        raise ArtefactError(f"the MLmodel calls its model {file!r}, wanted is *{suffix}")
    return registry.publish(name, path, inputs=inputs, trust=trust, digest=digest, **about)


def _read(path: Path) -> _MLmodel:
    yaml = extra_module("yaml", "mlflow")
    data = read_file(path, _SMALL)
    try:
        plain: Any = yaml.safe_load(data)
        return msgspec.convert(plain, _MLmodel)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError, TypeError) as error:
        raise ArtefactError(f"{path} is no MLmodel that can be used: {error}") from error


def _file(flavors: _Flavors) -> tuple[str, str]:
    """The file of the model, and how its name must end."""
    if flavors.onnx:
        return flavors.onnx.data, ".onnx"
    if flavors.sklearn is None:
        raise ArtefactError("the MLmodel has none of the flavours onnx and sklearn")
    form = flavors.sklearn.serialization_format
    return flavors.sklearn.pickled_model, ".skops" if form == "skops" else ".pkl"


def _plain(name: str) -> str:
    """The name of a file in the folder itself."""
    if name in {"", ".", ".."} or "/" in name or "\\" in name or "\0" in name:
        raise ArtefactError(f"the MLmodel calls its model {name!r}, which leads out of its folder")
    return name
