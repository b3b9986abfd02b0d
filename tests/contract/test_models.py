"""Every adapter passes the one contract of models (laws L60, L61)."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rxml import models, wire
from rxml.batch import Batch, Schema
from rxml.testing.models import check_model
from tests.contract import factories
from tests.contract.factories import NAMES, NUMBER, WORD, YES, X

# untyped, all of them
ensemble: Any = import_module("sklearn.ensemble")
linear: Any = import_module("sklearn.linear_model")
MLPRegressor: Any = import_module("sklearn.neural_network").MLPRegressor
GaussianProcessRegressor: Any = import_module("sklearn.gaussian_process").GaussianProcessRegressor
StandardScaler: Any = import_module("sklearn.preprocessing").StandardScaler
make_pipeline: Any = import_module("sklearn.pipeline").make_pipeline
to_onnx: Any = import_module("skl2onnx").to_onnx

ROWS = 24
SCALARS = Batch({name: X[:ROWS, i] for i, name in enumerate(NAMES)})
VECTOR = Batch({"features": X[:ROWS]})
THREE = SCALARS.select(*NAMES[:3])


def onnx(estimator: Any, target: Any, *, zipmap: bool = False) -> bytes:
    options = {"zipmap": zipmap} if hasattr(estimator, "predict_proba") else None
    graph = to_onnx(estimator.fit(X, target), X[:1].astype(np.float32), options=options)
    data: bytes = graph.SerializeToString()
    return data


CLASSIFIERS: list[Any] = [
    linear.LogisticRegression(),
    make_pipeline(StandardScaler(), linear.LogisticRegression()),
    make_pipeline(
        StandardScaler(with_mean=False), linear.SGDClassifier(loss="log_loss", random_state=0)
    ),
    linear.SGDClassifier(loss="modified_huber", random_state=0),
    linear.RidgeClassifier(),
    ensemble.RandomForestClassifier(10, random_state=0),
    ensemble.ExtraTreesClassifier(5, random_state=0),
]
REGRESSORS: list[Any] = [
    linear.LinearRegression(),
    make_pipeline(StandardScaler(with_std=False), linear.Ridge()),
    MLPRegressor(hidden_layer_sizes=(8,), max_iter=2000, tol=0.01, random_state=0),
]


def title(value: Any) -> str:
    steps = [name for name, _ in value.steps] if hasattr(value, "steps") else [type(value).__name__]
    return "-".join(steps)


@pytest.mark.parametrize("target", [YES, WORD], ids=["numbers", "words"])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=title)
def test_classifiers_of_sklearn(estimator: Any, target: Any) -> None:
    estimator.fit(X, target)
    scalars = models.from_sklearn(estimator, inputs=NAMES)
    check_model(scalars, SCALARS)
    assert scalars.predict(SCALARS)["value"].tolist() == estimator.predict(X[:ROWS]).tolist()
    if hasattr(estimator, "predict_proba"):
        wanted = estimator.predict_proba(X[:ROWS])
        got = scalars.predict(SCALARS)["probabilities"]
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-300)
        label = estimator.classes_[1]
        chance = models.from_sklearn(estimator, positive=label)
        check_model(chance, VECTOR)
        np.testing.assert_array_equal(chance.predict(VECTOR)["value"], got[:, 1])


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("estimator", REGRESSORS, ids=title)
def test_regressors_of_sklearn(estimator: Any, outputs: int) -> None:
    target = np.stack([NUMBER, -NUMBER], 1) if outputs == 2 else NUMBER
    estimator.fit(X, target)
    model = models.from_sklearn(estimator)
    check_model(model, VECTOR)
    np.testing.assert_allclose(
        model.predict(VECTOR)["value"], estimator.predict(X[:ROWS]), rtol=1e-10
    )


@pytest.mark.parametrize(
    "estimator",
    [
        ensemble.RandomForestClassifier(10, random_state=0),
        ensemble.AdaBoostClassifier(n_estimators=5, random_state=0),
    ],
    ids=title,
)
def test_trees_do_not_change_a_bit(estimator: Any) -> None:
    check_model(models.from_sklearn(estimator.fit(X, YES), inputs=NAMES), SCALARS, tolerance=0.0)


def test_a_regressor_of_one_output() -> None:
    estimator = linear.SGDRegressor(random_state=0).fit(X, NUMBER)
    model = models.from_sklearn(estimator)
    check_model(model, VECTOR)
    got = model.predict(VECTOR)["value"]
    np.testing.assert_allclose(got, estimator.predict(X[:ROWS]), rtol=1e-10)


def test_intervals_of_sklearn() -> None:
    low, high = (
        ensemble.GradientBoostingRegressor(loss="quantile", alpha=alpha, n_estimators=5).fit(
            X, NUMBER
        )
        for alpha in (0.05, 0.95)
    )
    value = linear.LinearRegression().fit(X, NUMBER)
    check_model(models.from_sklearn(value, interval=(low, high)), VECTOR)
    for estimator in (linear.BayesianRidge(), GaussianProcessRegressor(alpha=1.0)):
        fitted = estimator.fit(X[:50], NUMBER[:50])
        check_model(models.from_sklearn(fitted, interval=0.9), VECTOR)


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("target", [YES, WORD], ids=["numbers", "words"])
@pytest.mark.parametrize(
    "estimator",
    [linear.LogisticRegression(), ensemble.RandomForestClassifier(5, random_state=0)],
    ids=title,
)
def test_onnx(estimator: Any, target: Any, zipmap: bool) -> None:
    data = onnx(estimator, target, zipmap=zipmap)
    model = models.from_onnx(data)
    check_model(model, Batch({"X": X[:ROWS]}))
    label, shares = model.signature.outputs
    named = models.from_onnx(data, features=NAMES, outputs={label: "value", shares: "shares"})
    check_model(named, SCALARS)
    got = named.predict(SCALARS)
    wanted = estimator.predict_proba(X[:ROWS].astype(np.float32))
    np.testing.assert_allclose(got["shares"], wanted, rtol=0, atol=1e-5)
    assert got["value"].tolist() == estimator.predict(X[:ROWS].astype(np.float32)).tolist()


def test_river() -> None:
    options: dict[str, Any] = {"inputs": NAMES[:3], "factory": "tests.contract.factories:learnt"}
    check_model(models.from_river(factories.learnt(), positive=1, **options), THREE)
    check_model(models.from_river(factories.learnt(), classes=(0, 1), **options), THREE)


def test_function() -> None:
    inputs = Schema.of(x0="float64", x1="float64")
    check_model(models.from_function(factories.double, inputs=inputs), SCALARS)


ELSEWHERE = """
import importlib, json, sys
from pathlib import Path
from rxml import wire
answers = []
for path in sys.argv[1:]:
    loader, arguments, batch = wire.loads(Path(path).read_bytes())
    module, _, name = loader.partition(":")
    model = getattr(importlib.import_module(module), name)(*arguments)
    answers.append([model.digest, model.predict(batch)["value"].tolist()])
print(json.dumps(answers))
"""


def test_recipes_make_the_same_model_in_another_process(tmp_path: Path) -> None:
    inputs = Schema.of(x0="float64", x1="float64")
    forest = ensemble.RandomForestClassifier(5, random_state=0).fit(X, WORD)
    cases: list[tuple[Any, Batch]] = [
        (models.from_function(factories.double, inputs=inputs, digest=""), SCALARS),
        (models.from_sklearn(linear.LogisticRegression().fit(X, YES), positive=1), VECTOR),
        (models.from_sklearn(forest, inputs=NAMES), SCALARS),
        (
            models.from_onnx(onnx(linear.Ridge(), NUMBER), outputs={"variable": "value"}),
            Batch({"X": X[:ROWS]}),
        ),
        (
            models.from_river(
                factories.learnt(),
                inputs=NAMES[:3],
                positive=1,
                factory="tests.contract.factories:learnt",
            ),
            THREE,
        ),
    ]
    paths = [tmp_path / str(i) for i in range(len(cases))]
    for path, (model, batch) in zip(paths, cases, strict=True):
        recipe = model.recipe()
        path.write_bytes(wire.dumps([recipe.loader, list(recipe.arguments), batch]))
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *paths], cwd=root, check=False, capture_output=True
    )
    assert not run.returncode, run.stderr.decode()
    for (model, batch), (digest, values) in zip(cases, json.loads(run.stdout), strict=True):
        assert (digest, values) == (model.digest, model.predict(batch)["value"].tolist())
