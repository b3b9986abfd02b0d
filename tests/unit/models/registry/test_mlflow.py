"""Models that MLflow has saved come in, and what goes out is what MLflow expects."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from rxml.batch import Batch, Schema
from rxml.errors import ArtefactError, RegistryError
from rxml.models.adapters.sklearn import from_sklearn
from rxml.models.artefacts import digest_of, linear
from rxml.models.registry import Registry, export_mlflow, import_mlflow
from rxml.models.registry.mlflow_schema import schema_of, side_of
from tests.unit.models.registry import hostile

if TYPE_CHECKING:
    from pathlib import Path

skops: Any = import_module("skops.io")
linears: Any = import_module("sklearn.linear_model")

SKOPS = """\
flavors:
  python_function:
    env:
      conda: conda.yaml
    loader_module: mlflow.sklearn
    model_path: model.skops
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.skops
    serialization_format: skops
    sklearn_version: 1.9.1
    skops_trusted_types: null
mlflow_version: 3.17.2
model_uuid: da907126ef1b4804937287b2b36ec930
signature:
  inputs: '[{"type": "double", "name": "a", "required": true}, {"type": "double", "name":
    "b", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: null
utc_time_created: '2026-11-25 17:14:55.237418'
"""
"""As MLflow 3.17.2 writes it."""

ONNX = """\
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.23.2
    providers:
    - CUDAExecutionProvider
    - CPUExecutionProvider
  python_function:
    data: model.onnx
    loader_module: mlflow.onnx
signature:
  inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]'
"""

PICKLE = SKOPS.replace("model.skops", "model.pkl").replace(": skops", ": cloudpickle")
X = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0], [0.0, 7.0]])


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def saved(folder: Path, text: str, name: str, data: bytes) -> Path:
    folder.mkdir()
    (folder / "MLmodel").write_text(text)
    (folder / name).write_bytes(data)
    return folder


def regression() -> Any:
    return linears.LinearRegression().fit(X, X @ [1.0, 2.0])


def test_an_estimator_in_skops_comes_in_with_its_columns(
    registry: Registry, tmp_path: Path
) -> None:
    folder = saved(tmp_path / "m", SKOPS, "model.skops", skops.dumps(regression()))
    made = import_mlflow(registry, "m", folder, metrics={"rmse": 0.0})
    model = registry.load(made)
    assert tuple(model.signature.inputs) == ("a", "b")
    rows = Batch({"a": X[:, 0], "b": X[:, 1]})
    np.testing.assert_allclose(model.predict(rows)["value"], X @ [1.0, 2.0])
    assert made.manifest.metrics == {"rmse": 0.0}


def test_an_onnx_model_comes_in_as_it_is(registry: Registry, tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", ONNX, "model.onnx", hostile.onnx_bytes())
    made = import_mlflow(registry, "m", folder)
    rows = Batch({"x": X.astype(np.float32)})
    np.testing.assert_allclose(registry.load(made).predict(rows)["y"], X @ [1.0, 2.0])
    assert registry.artefact(made) == hostile.onnx_bytes()


def test_a_pickle_comes_in_only_with_trust_in_these_bytes(
    registry: Registry, tmp_path: Path
) -> None:
    import pickle

    data = pickle.dumps(regression())
    folder = saved(tmp_path / "m", PICKLE, "model.pkl", data)
    for trust, digest in (
        (False, ""),
        (True, ""),
        (True, digest_of(b"other")),
        (False, digest_of(data)),
    ):
        with pytest.raises(ArtefactError):
            import_mlflow(registry, "m", folder, trust=trust, digest=digest)
    import_mlflow(registry, "m", folder, trust=True, digest=digest_of(data))
    model = registry.load("m", trust=True, digest=digest_of(data))
    rows = Batch({"a": X[:, 0], "b": X[:, 1]})
    np.testing.assert_allclose(model.predict(rows)["value"], X @ [1.0, 2.0])


def test_a_pickle_of_a_stranger_runs_nothing(registry: Registry, tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", PICKLE, "model.pkl", hostile.pickled(tmp_path))
    with pytest.raises(ArtefactError, match="can run anything"):
        import_mlflow(registry, "m", folder)
    assert not (tmp_path / hostile.MARK).exists()


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True)
)
"""Six to the eleventh lists, in a hundred bytes each."""

TEXTS: dict[str, tuple[str, str]] = {
    "a way out": (SKOPS.replace("model.skops", "../model.skops"), "leads out"),
    "an absolute path": (ONNX.replace("model.onnx", "/etc/passwd"), "leads out"),
    "another ending": (ONNX.replace("model.onnx", "MLmodel"), r"wanted is \*.onnx"),
    "a python object": ("!!python/object/apply:os.system ['touch ran.txt']", "no MLmodel"),
    "no flavour of ours": ("flavors:\n  spark: {}\n", "none of the flavours"),
    "no yaml": ("flavors: [", "no MLmodel"),
    "no text": ("\x00", "no MLmodel"),
    "a bomb": (BOMB, "no MLmodel"),
    "a list": ("- 1\n", "no MLmodel"),
    "too much": ("#" * (2 << 20), "more than"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_an_mlmodel_that_wants_something_else_is_refused(
    kind: str, registry: Registry, tmp_path: Path
) -> None:
    text, reason = TEXTS[kind]
    folder = saved(tmp_path / "m", text, "model.skops", skops.dumps(regression()))
    (tmp_path / "model.skops").write_bytes(skops.dumps(regression()))
    with pytest.raises(ArtefactError, match=reason):
        import_mlflow(registry, "m", folder)
    assert registry.names() == []


def exported(registry: Registry, reference: str, folder: Path) -> dict[str, Any]:
    export_mlflow(registry, reference, folder)
    found: dict[str, Any] = msgspec.json.decode((folder / "MLmodel").read_bytes())
    return found


def test_what_goes_out_comes_in_again(registry: Registry, tmp_path: Path) -> None:
    registry.publish("m", from_sklearn(regression(), inputs=["a", "b"]))
    told = exported(registry, "m", tmp_path / "out")
    assert set(told["flavors"]) == {"sklearn", "python_function"}
    assert told["metadata"]["rxml"]["release"] == "m:1"
    again = import_mlflow(registry, "again", tmp_path / "out")
    rows = Batch({"a": X[:, 0], "b": X[:, 1]})
    assert registry.load(again).predict(rows) == registry.load("m").predict(rows)


def test_an_onnx_model_goes_out_as_it_is(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(hostile.onnx_bytes())
    registry.publish("m", path)
    told = exported(registry, "m", tmp_path / "out")
    assert msgspec.json.decode(told["signature"]["inputs"]) == [
        {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}
    ]
    assert (tmp_path / "out" / "model.onnx").read_bytes() == hostile.onnx_bytes()


def test_the_probability_of_a_class_is_asked_for(registry: Registry, tmp_path: Path) -> None:
    estimator = linears.LogisticRegression().fit(X, [0, 1, 1, 0])
    registry.publish("m", from_sklearn(estimator, inputs=["a", "b"], positive=1))
    told = exported(registry, "m", tmp_path / "out")
    assert told["flavors"]["python_function"]["predict_fn"] == "predict_proba"


def test_what_mlflow_cannot_load_does_not_go_out(registry: Registry, tmp_path: Path) -> None:
    registry.publish("m", linear({"a": 1.0}))
    with pytest.raises(ArtefactError, match="MLflow takes onnx and skops"):
        export_mlflow(registry, "m", tmp_path / "out")
    (tmp_path / "there").mkdir()
    with pytest.raises(RegistryError, match="something at"):
        export_mlflow(registry, "m", tmp_path / "there")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "there"]


def test_columns_keep_their_types_there_and_back() -> None:
    schema = Schema.of(a="float64", b="int64", c=str, d="bool", e="float32", f="int32")
    again = schema_of(side_of(schema))
    assert again == schema
    assert again is not None
    assert again["c"].text
