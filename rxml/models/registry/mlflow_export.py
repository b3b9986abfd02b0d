"""Models for MLflow: what `mlflow.pyfunc.load_model` takes."""

from __future__ import annotations

import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rxml.batch.extras import extra_module
from rxml.errors import ArtefactError, RegistryError
from rxml.models.artefacts.skops import load_skops
from rxml.models.registry.disk import explained
from rxml.models.registry.mlflow_schema import side_of

if TYPE_CHECKING:
    from rxml.models.artefacts.manifest import Manifest
    from rxml.models.registry.registry import Registry
    from rxml.models.registry.released import Released
    from rxml.models.registry.version import Version

_REQUIRED: Final = {
    "onnx": ("onnxruntime", "numpy"),
    "skops": ("scikit-learn", "skops", "scipy", "numpy"),
}


def export_mlflow(registry: Registry, reference: str | Version, folder: str | Path) -> Path:
    """Write a version as a model of MLflow, of the flavour onnx or sklearn (in a skops file).

    The model is loaded once, and so checked. What is asked of an estimator is `predict`, or `predict_proba` where the
    version gives the probability of a class. The MLmodel is JSON, which is YAML, too.

    Args:
        registry: that has it.
        reference: see `Registry.load`.
        folder: that is made; it must not be there.

    Returns:
        The folder.

    Raises:
        ArtefactError: the version is refused, or its format is none that MLflow can load without pickle.
        RegistryError: there is something at the folder, or it cannot be written.
        UnknownModelError: there is no such version.
    """
    path = Path(folder)
    if path.exists():
        raise RegistryError(f"there is something at {path} already")
    model = registry.load(reference)
    manifest = model.version.manifest
    if manifest.format not in _REQUIRED:
        raise ArtefactError(
            f"{model.version} is {manifest.format}, MLflow takes {' and '.join(_REQUIRED)} from here"
        )
    beside = path.with_name(f".{path.name}.{token_hex(4)}.part")
    with explained(path):
        beside.mkdir(parents=True)
        try:
            _write(registry, beside, model, manifest)
            beside.rename(path)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    return path


def _write(registry: Registry, folder: Path, model: Released, manifest: Manifest) -> None:
    data = registry.artefact(model.version)
    needs = [
        f"{name}=={manifest.packages[name]}"
        for name in _REQUIRED[manifest.format]
        if name in manifest.packages
    ]
    if manifest.format == "onnx":
        flavors = _onnx()
        (folder / "model.onnx").write_bytes(data)
    else:
        estimator, method = _estimator(registry, data)
        flavors = _sklearn(manifest, method)
        (folder / "model.skops").write_bytes(extra_module("skops.io", "sklearn").dumps(estimator))
    _json(folder / "MLmodel", _mlmodel(model, manifest, flavors))
    (folder / "requirements.txt").write_text("\n".join(["mlflow", *needs, ""]))
    python = platform.python_version()
    _json(
        folder / "python_env.yaml",
        {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]},
    )
    pip: list[Any] = [f"python={python}", "pip", {"pip": ["mlflow", *needs]}]
    _json(
        folder / "conda.yaml",
        {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": pip},
    )


def _json(path: Path, value: Any) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value)) + b"\n")


def _mlmodel(model: Released, manifest: Manifest, flavors: dict[str, Any]) -> dict[str, Any]:
    made = datetime.fromtimestamp(manifest.created // 10**9, UTC)
    told = {"release": str(model.version), "digest": manifest.digest, "metrics": manifest.metrics}
    return {
        "flavors": flavors,
        "model_uuid": manifest.digest[-32:],
        "signature": {
            "inputs": side_of(model.signature.inputs),
            "outputs": side_of(model.signature.outputs),
            "params": None,
        },
        "metadata": {"rxml": told},
        "utc_time_created": made.strftime("%Y-%m-%d %H:%M:%S.%f"),
    }


def _pyfunc(**more: str) -> dict[str, Any]:
    env = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    return {"env": env, "python_version": platform.python_version(), **more}


def _onnx() -> dict[str, Any]:
    flavor = {"code": None, "data": "model.onnx", "providers": ["CPUExecutionProvider"]}
    return {
        "onnx": {**flavor, "onnx_session_options": None},
        "python_function": _pyfunc(loader_module="mlflow.onnx", data="model.onnx"),
    }


def _sklearn(manifest: Manifest, method: str) -> dict[str, Any]:
    flavor = {
        "code": None,
        "pickled_model": "model.skops",
        "serialization_format": "skops",
        "sklearn_version": manifest.packages.get("scikit-learn", ""),
        "skops_trusted_types": None,
    }
    pyfunc = _pyfunc(loader_module="mlflow.sklearn", model_path="model.skops", predict_fn=method)
    return {"sklearn": flavor, "python_function": pyfunc}


def _estimator(registry: Registry, data: bytes) -> tuple[Any, str]:
    """The estimator, out of what the adapter keeps beside it, and what is asked of it."""
    found = load_skops(data, registry.trust.limits, registry.trust.types)
    if not isinstance(found, dict):
        return found, "predict"
    kept = msgspec.convert(found, dict[str, Any])
    if kept.get("interval") is not None:
        raise ArtefactError("the model gives an interval, which a model of MLflow cannot")
    return kept["estimator"], "predict" if kept.get("positive") is None else "predict_proba"
