"""Estimators of scikit-learn that know how sure they are, as distributions; and linear ones in closed form."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from rxml import models
from rxml.batch import Batch
from rxml.errors import PipelineError
from rxml.models.adapters.sklearn import from_dump
from rxml.models.artefacts.manifest import signature_form, signature_of
from rxml.testing.models import check_model
from rxml.uncertain import Categorical, Normal

linear: Any = import_module("sklearn.linear_model")  # untyped
pipeline: Any = import_module("sklearn.pipeline").make_pipeline
StandardScaler: Any = import_module("sklearn.preprocessing").StandardScaler
GaussianProcessRegressor: Any = import_module("sklearn.gaussian_process").GaussianProcessRegressor
RandomForestClassifier: Any = import_module("sklearn.ensemble").RandomForestClassifier

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(40, 2))
Y = X @ np.array([2.0, -1.0]) + 0.1 * RANDOM.normal(size=40)
WORD = np.where(Y > 0.5, "up", np.where(Y < -0.5, "down", "flat"))
ROWS = Batch({"a": X[:6, 0], "b": X[:6, 1]})
NAMES = ["a", "b"]


def process() -> Any:
    return GaussianProcessRegressor(optimizer=None, alpha=0.01)


@pytest.mark.parametrize("kind", [linear.BayesianRidge, process])
def test_a_deviation_makes_a_normal(kind: Any) -> None:
    estimator = kind().fit(X, Y)
    model = models.from_sklearn(estimator, inputs=NAMES, distribution=True)
    found = model.predict(ROWS)["value"]
    mean, deviation = estimator.predict(X[:6], return_std=True)
    assert isinstance(found, Normal)
    np.testing.assert_allclose(found.mean(), mean, rtol=1e-9)
    np.testing.assert_allclose(found.var(), np.square(deviation), rtol=1e-9)
    assert model.signature.uncertainty == "distribution"
    assert signature_of(signature_form(model.signature)) == model.signature


@pytest.mark.parametrize(
    "estimator", [linear.LogisticRegression(), RandomForestClassifier(5, random_state=0)]
)
def test_probabilities_make_a_categorical_and_the_label_stands_beside(estimator: Any) -> None:
    estimator.fit(X, WORD)
    found = models.from_sklearn(estimator, inputs=NAMES, distribution=True).predict(ROWS)
    value = found["value"]
    assert isinstance(value, Categorical)
    np.testing.assert_allclose(value.p, estimator.predict_proba(X[:6]), rtol=1e-9)
    assert value.classes.tolist() == estimator.classes_.tolist()
    assert found["label"].tolist() == estimator.predict(X[:6]).tolist()


@pytest.mark.parametrize(
    ("estimator", "target"), [(linear.BayesianRidge(), Y), (linear.LogisticRegression(), WORD)]
)
def test_a_hole_is_a_hole_and_no_rows_are_no_rows(estimator: Any, target: Any) -> None:
    model = models.from_sklearn(estimator.fit(X, target), inputs=NAMES, distribution=True)
    holed = model.predict(ROWS.with_columns({"a": np.array([0.0, np.nan, 0, 0, np.inf, 0])}))
    holes = model.signature.holes(holed)
    assert holes is not None
    assert np.flatnonzero(holes).tolist() == [1, 4]
    assert model.signature.holes(model.predict(ROWS)) is None
    assert model.signature.conformed(model.predict(ROWS[:0]), 0).schema == model.signature.outputs


def test_the_digest_tells_how_it_is_asked_and_the_recipe_makes_it_again() -> None:
    estimator = linear.BayesianRidge().fit(X, Y)
    plain = models.from_sklearn(estimator, inputs=NAMES)
    model = models.from_sklearn(estimator, inputs=NAMES, distribution=True)
    assert plain.digest != model.digest
    made = from_dump(*model.recipe().arguments)
    assert made.digest == model.digest
    assert made.predict(ROWS) == model.predict(ROWS)
    check_model(plain, ROWS)


def test_what_it_knows_is_added_to_what_the_inputs_bring() -> None:
    estimator = linear.BayesianRidge().fit(X, Y)
    batch = Batch({"a": Normal([0.5], [0.04]), "b": [0.1]})
    by_interval = models.from_sklearn(estimator, inputs=NAMES, interval=0.9)
    by_distribution = models.from_sklearn(estimator, inputs=NAMES, distribution=True)
    told = [
        models.explain(models.propagated(each, explain=True).predict(batch)[0])
        for each in (by_interval, by_distribution)
    ]
    slope = estimator.coef_[0]
    for each in told:
        assert each.inputs["a"] == pytest.approx(slope**2 * 0.04, rel=1e-9)
        assert each.model >= 1 / estimator.alpha_
    assert told[0].variance == pytest.approx(told[1].variance, rel=1e-9)


def test_linear_ones_are_closed_form() -> None:
    estimator = pipeline(StandardScaler(), linear.Ridge()).fit(X, Y)
    model = models.from_sklearn(estimator, inputs=NAMES)
    slopes = estimator[-1].coef_ / estimator[0].scale_
    assert model.slopes == dict(zip(NAMES, slopes.tolist(), strict=True))
    batch = Batch({"a": Normal([0.5], [np.inf]), "b": Normal([0.1], [2.0])})
    found = models.propagated(model, explain=True).predict(batch)
    assert found["variance/input/b"][0] == slopes[1] ** 2 * 2.0
    at_means = model.predict(Batch({"a": [0.5], "b": [0.1]}))["value"]
    np.testing.assert_array_equal(found["value"].mean(), at_means)


def test_only_what_is_linear_says_slopes() -> None:
    vector = models.from_sklearn(linear.Ridge().fit(X, Y))
    several = models.from_sklearn(linear.Ridge().fit(X, np.stack([Y, Y], axis=1)), inputs=NAMES)
    chance = models.from_sklearn(
        linear.LogisticRegression().fit(X, Y > 0), inputs=NAMES, positive=True
    )
    margin = models.from_sklearn(linear.RidgeClassifier().fit(X, Y > 0), inputs=NAMES)
    for each in (vector, several, chance):
        assert each.slopes is None
    with pytest.raises(PipelineError, match="gives no float"):
        models.propagated(margin)


@pytest.mark.parametrize(
    ("estimator", "target", "how", "why"),
    [
        (linear.Ridge(), Y, {}, r"Ridge gives no deviation \(return_std\)"),
        (linear.RidgeClassifier(), WORD, {}, "RidgeClassifier gives no probabilities"),
        (linear.LogisticRegression(), WORD, {"positive": "up"}, "leave out positive="),
        (linear.BayesianRidge(), Y, {"interval": 0.9}, "leave out .*interval="),
        (process(), np.stack([Y, Y], 1), {}, "several values a row"),
    ],
)
def test_what_knows_no_distribution_is_refused(
    estimator: Any, target: Any, how: Any, why: str
) -> None:
    with pytest.raises(PipelineError, match=why):
        models.from_sklearn(estimator.fit(X, target), inputs=NAMES, distribution=True, **how)
