from __future__ import annotations

from importlib import import_module
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters import skops
from rxml.models.adapters.linear import linear_of
from rxml.models.adapters.sklearn import from_dump, from_skops

linear: Any = import_module("sklearn.linear_model")
ensemble: Any = import_module("sklearn.ensemble")
pipeline: Any = import_module("sklearn.pipeline")
preprocessing: Any = import_module("sklearn.preprocessing")
compose: Any = import_module("sklearn.compose")
pandas: Any = import_module("pandas")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 4))
NUMBER = X @ [1.0, -2.0, 0.5, 0.0] + RNG.normal(size=200)
YES = np.greater(NUMBER, 0).astype(np.int64)
NAMES = ["a", "b", "c", "d"]
FRAME = pandas.DataFrame(X, columns=NAMES)
BATCH = Batch({name: X[:10, i] for i, name in enumerate(NAMES)})
EPS = 2.0**-52


def logistic() -> Any:
    return linear.LogisticRegression().fit(X, YES)


LOGISTIC = logistic()


def test_names_are_those_that_it_was_fitted_with_and_stand_in_any_order() -> None:
    estimator = linear.LinearRegression().fit(FRAME, NUMBER)
    model = models.from_sklearn(estimator)
    assert list(model.signature.inputs) == NAMES
    other = models.from_sklearn(estimator, inputs=["d", "c", "b", "a"])
    assert list(other.signature.inputs) == NAMES
    wanted = estimator.predict(FRAME[:10])
    np.testing.assert_allclose(other.predict(BATCH)["value"], wanted, rtol=1e-12)


def test_names_do_not_make_scikit_learn_warn_or_the_estimator_forget() -> None:
    inner = [
        ("f", ensemble.RandomForestRegressor(3, random_state=0)),
        ("l", linear.HuberRegressor()),
    ]
    estimator = ensemble.VotingRegressor(inner).fit(FRAME, NUMBER)
    model = models.from_sklearn(estimator)
    np.testing.assert_allclose(model.predict(BATCH)["value"], estimator.predict(FRAME[:10]))
    assert list(estimator.feature_names_in_) == NAMES


def test_without_names_there_is_one_vector() -> None:
    model = models.from_sklearn(logistic())
    assert model.signature.inputs == Schema([Field("features", "float64", (4,))])


@pytest.mark.parametrize(
    ("estimator", "options", "why"),
    [
        (object(), {}, "an estimator that predicts"),
        (linear.LogisticRegression(), {}, "a fitted estimator"),
        (logistic(), {"inputs": ["a", "b"]}, "fitted with 4 features, inputs has 2"),
        (linear.Ridge().fit(FRAME, NUMBER), {"inputs": ["a", "b", "c", "e"]}, "inputs are"),
        (logistic(), {"positive": 7}, r"knows the classes \[0, 1\]"),
        (linear.Ridge().fit(X, NUMBER), {"positive": 1}, "no classifier"),
        (linear.RidgeClassifier().fit(X, YES), {"positive": 1}, "gives no probabilities"),
        (linear.Ridge().fit(X, NUMBER), {"interval": 0.9}, "gives no deviation"),
        (linear.Ridge().fit(X, NUMBER), {"interval": 1.5}, "between 0 and 1"),
        (linear.Ridge().fit(X, NUMBER), {"interval": (1, 2)}, "two estimators"),
        (logistic(), {"inputs": Schema([Field("v", "float64", (4,))]), "frame": True}, "scalar"),
    ],
)
def test_what_does_not_fit_is_refused(estimator: Any, options: Any, why: str) -> None:
    with pytest.raises(PipelineError, match=why):
        models.from_sklearn(estimator, **options)


def test_several_labels_a_row_are_refused() -> None:
    estimator = ensemble.RandomForestClassifier(2).fit(X, np.stack([YES, 1 - YES], 1))
    with pytest.raises(PipelineError, match="several labels"):
        models.from_sklearn(estimator)


@given(rows=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=1))
def test_sums_differ_from_those_of_scikit_learn_by_rounding_only(rows: list[list[float]]) -> None:
    estimator, found = LOGISTIC, linear_of(LOGISTIC)
    assert found is not None
    matrix = np.array(rows)
    reach = (np.abs(matrix) @ np.abs(estimator.coef_[0]) + abs(estimator.intercept_[0])) * 10 * EPS
    got = found.sums(matrix)
    assert (np.abs(got - estimator.decision_function(matrix)) <= reach).all()
    for i in range(len(rows)):  # and not by a bit from those of a row alone
        assert found.sums(matrix[i : i + 1])[0] == got[i]


def test_a_subclass_is_not_taken_for_what_it_derives_from() -> None:
    class Odd(linear.LogisticRegression):  # type: ignore[misc]
        pass

    class Shifted(preprocessing.StandardScaler):  # type: ignore[misc]
        pass

    assert linear_of(Odd().fit(X, YES)) is None
    assert linear_of(pipeline.make_pipeline(Shifted(), linear.Ridge()).fit(X, NUMBER)) is None
    assert linear_of(logistic().sparsify()) is None


def test_bounds_come_from_quantiles_in_order() -> None:
    low, high = (linear.QuantileRegressor(quantile=q, alpha=0).fit(X, NUMBER) for q in (0.1, 0.9))
    value = linear.LinearRegression().fit(X, NUMBER)
    for pair in ((low, high), (high, low)):
        model = models.from_sklearn(value, inputs=NAMES, interval=pair)
        got = model.predict(BATCH)
        assert model.signature.uncertainty == "interval"
        np.testing.assert_array_equal(got["lower"], low.predict(X[:10]))
        np.testing.assert_array_equal(got["upper"], high.predict(X[:10]))


def test_bounds_come_from_a_deviation() -> None:
    estimator = linear.BayesianRidge().fit(X, NUMBER)
    got = models.from_sklearn(estimator, inputs=NAMES, interval=0.9).predict(BATCH)
    mean, deviation = estimator.predict(X[:10], return_std=True)
    np.testing.assert_allclose(got["upper"] - mean, 1.6448536269514722 * deviation)
    np.testing.assert_allclose(mean - got["lower"], 1.6448536269514722 * deviation)
    inside = models.from_sklearn(estimator, interval=0.9).predict(Batch({"features": X}))
    covered = (inside["lower"] <= NUMBER) & (inside["upper"] >= NUMBER)
    assert 170 <= np.count_nonzero(covered) <= 190


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "estimator",
    [logistic(), ensemble.ExtraTreesClassifier(3, random_state=0).fit(X, YES)],
    ids=["linear", "trees"],
)
def test_a_hole_is_a_hole_in_that_row_alone(estimator: Any, hole: float) -> None:
    holed = BATCH.with_columns({"b": np.where(np.arange(10) == 4, hole, X[:10, 1])})
    asked: list[dict[str, Any]] = [{}, {"positive": 1}]
    for options in asked:
        model = models.from_sklearn(estimator, inputs=NAMES, **options)
        whole, got = model.predict(BATCH), model.predict(holed)
        if not (estimator.__class__.__name__ == "ExtraTreesClassifier" and np.isnan(hole)):
            bad = model.signature.holes(got)
            assert bad is not None
            assert bad.tolist() == [i == 4 for i in range(10)]
        others = np.arange(10) != 4
        assert got.take(others) == whole.take(others)


def test_trees_that_admit_holes_are_asked() -> None:
    estimator = ensemble.HistGradientBoostingRegressor(max_iter=3).fit(X, NUMBER)
    rows = np.where(X[:10] > 1, np.nan, X[:10])
    got = models.from_sklearn(estimator).predict(Batch({"features": rows}))
    np.testing.assert_array_equal(got["value"], estimator.predict(rows))


def test_labels_alone_cannot_say_that_a_row_is_a_hole() -> None:
    model = models.from_sklearn(linear.RidgeClassifier().fit(X, YES), inputs=NAMES)
    with pytest.raises(ModelError, match="row 4: feature 1 is nan"):
        model.predict(BATCH.with_columns({"b": np.where(np.arange(10) == 4, np.nan, 0.0)}))


def test_a_pipeline_that_takes_a_frame_gets_one() -> None:
    frame = FRAME.assign(shop=np.array(["n", "s"])[YES])
    chosen = compose.make_column_transformer(
        (preprocessing.OneHotEncoder(), ["shop"]), remainder="passthrough"
    )
    estimator = pipeline.make_pipeline(chosen, linear.LinearRegression()).fit(frame, NUMBER)
    inputs = Schema.of(**dict.fromkeys(NAMES, "float64"), shop=str)
    model = models.from_sklearn(estimator, inputs=inputs)
    batch = BATCH.with_columns({"shop": frame["shop"][:10].tolist()})
    np.testing.assert_array_equal(model.predict(batch)["value"], estimator.predict(frame[:10]))
    assert len(model.predict(batch[:0])) == 0


def test_digests_tell_models_and_how_they_are_asked_and_nothing_else() -> None:
    one = models.from_sklearn(logistic())
    assert models.from_sklearn(logistic()).digest == one.digest
    assert from_dump(*one.recipe().arguments).digest == one.digest
    other = linear.LogisticRegression(C=0.5).fit(X, YES)
    digests = {
        one.digest,
        models.from_sklearn(other).digest,
        models.from_sklearn(logistic(), positive=1).digest,
        models.from_sklearn(logistic(), inputs=NAMES).digest,
    }
    assert len(digests) == 4


def test_what_skops_cannot_write_has_no_digest_and_no_recipe() -> None:
    def local(rows: Any) -> Any:
        return rows + 1

    def model(function: Any) -> Any:
        shifted = preprocessing.FunctionTransformer(function)
        return models.from_sklearn(pipeline.make_pipeline(shifted, linear.Ridge()).fit(X, NUMBER))

    nameless = model(lambda rows: rows)  # pyright: ignore[reportUnknownLambdaType]
    assert nameless.digest == ""
    with pytest.raises(ModelError, match="no safe form"):
        nameless.recipe()
    with pytest.raises(ModelError, match="there is no"):
        model(local).recipe()
    local.__module__ = "__main__"
    with pytest.raises(ModelError, match="in the program that was started"):
        model(local).recipe()
    assert model(np.positive).digest


def test_a_file_of_skops_makes_only_what_is_trusted() -> None:
    data = skops.dumped(logistic())
    assert from_skops(data, positive=1).signature.value == "value"
    forest = ensemble.RandomForestClassifier(2, random_state=0).fit(X, YES)
    trees = skops.dumped(forest)
    with pytest.raises(ModelError, match=r"not trusted: sklearn\.tree\._tree\.Tree"):
        from_skops(trees)
    assert from_skops(trees, trusted=["sklearn.tree._tree.Tree"]).predict(
        Batch({"features": X[:3]})
    )["value"].tolist() == list(forest.predict(X[:3]))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"nonsense" * 9])
def test_damaged_files_of_skops_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="no model of skops"):
        from_skops(data)
    with pytest.raises(ModelError, match="no model of skops"):
        skops.digest(data)
