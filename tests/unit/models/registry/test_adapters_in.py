"""What each adapter makes can be published, and answers the same when it is loaded."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.batch import Batch, Schema
from rxml.errors import ArtefactError
from rxml.models import from_function
from rxml.models.adapters.onnx import from_onnx
from rxml.models.adapters.river import from_river
from rxml.models.adapters.sklearn import from_sklearn
from rxml.models.artefacts import linear
from rxml.models.registry import Coverage, Registry
from tests.unit.models.registry import functions, hostile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rxml.models import Model

linears: Any = import_module("sklearn.linear_model")
ensemble: Any = import_module("sklearn.ensemble")
HERE = "tests.unit.models.registry.functions"
X = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0], [0.0, 7.0], [2.0, 2.0]])
TREE = "sklearn.tree._tree.Tree"
ROWS = Batch({"a": X[:, 0], "b": X[:, 1]})
LABELS = ["no", "yes", "yes", "no", "no"]


def interval() -> Model:
    made = linears.BayesianRidge().fit(X, X[:, 0])
    return from_sklearn(made, inputs=["a", "b"], interval=0.9)


def river() -> Model:
    return from_river(functions.learnt(), inputs=["x"], factory=f"{HERE}:learnt")


MODELS: dict[str, tuple[Callable[[], Model], str, Batch]] = {
    "npz": (lambda: linear({"a": 1.0, "b": 2.0}), "npz", ROWS),
    "safetensors": (
        lambda: linear({"a": 1.0}, form="safetensors", link="logistic"),
        "safetensors",
        ROWS,
    ),
    "classes": (
        lambda: from_sklearn(linears.LogisticRegression().fit(X, LABELS), inputs=["a", "b"]),
        "skops",
        ROWS,
    ),
    "forest": (
        lambda: from_sklearn(
            ensemble.RandomForestRegressor(5, random_state=0).fit(X, X[:, 0]), inputs=["a", "b"]
        ),
        "skops",
        ROWS,
    ),
    "interval": (interval, "skops", ROWS),
    "onnx": (
        lambda: from_onnx(hostile.onnx_bytes(), features=["a", "b"]),
        "onnx",
        Batch({name: np.asarray(ROWS[name], np.float32) for name in ROWS.names}),
    ),
    "function": (
        lambda: from_function(functions.double, inputs=Schema.of(x="float64")),
        "function",
        Batch({"x": X[:, 0]}),
    ),
    "river": (river, "function", Batch({"x": X[:, 0]})),
}


@pytest.mark.parametrize("kind", MODELS)
def test_it_answers_the_same_when_it_comes_back(kind: str, tmp_path: Path) -> None:
    make, form, rows = MODELS[kind]
    model = make()
    registry = Registry(tmp_path, modules=[HERE], types=[TREE])
    record = None if model.signature.uncertainty == "none" else Coverage(0.9, 0.9, 100)
    made = registry.publish("m", model, coverage=record)
    loaded = registry.load("m")
    assert made.manifest.format == form
    assert loaded.signature == model.signature
    assert loaded.predict(rows) == model.predict(rows)


@pytest.mark.parametrize("kind", ["function", "river"])
def test_what_imports_a_module_is_to_be_allowed(kind: str, tmp_path: Path) -> None:
    Registry(tmp_path).publish("m", MODELS[kind][0]())
    with pytest.raises(ArtefactError, match=f"module '{HERE}', which may not be imported"):
        Registry(tmp_path, modules=["tests.unit.flow"]).load("m")


def test_what_nobody_could_load_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=TREE):
        Registry(tmp_path).publish("m", MODELS["forest"][0]())
    Registry(tmp_path, types=[TREE]).publish("m", MODELS["forest"][0]())
    with pytest.raises(ArtefactError, match=TREE):
        Registry(tmp_path).load("m")
