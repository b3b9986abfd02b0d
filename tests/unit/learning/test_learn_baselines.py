"""What has to be beaten: the last label, the mean, and a linear model that says how sure it is."""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import SchemaError
from rxml.evaluation.metrics import Metrics
from rxml.features import Features, Lags
from rxml.learning import Evaluation, Label, LastValue, RecursiveLeastSquares, RunningMean
from rxml.wire import dumps, loads
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rows(matrix: Any) -> Batch:
    return Batch({f"x{at}": column for at, column in enumerate(np.asarray(matrix, float).T)})


def model(width: int, **how: Any) -> RecursiveLeastSquares:
    return RecursiveLeastSquares([f"x{at}" for at in range(width)], **how)


def taught(model: Any, matrix: Any, labels: Any) -> Any:
    for row, label in zip(np.asarray(matrix, float), labels, strict=True):
        model.learn(rows(row[None]), [label])
    return model


def test_the_last_label_is_whatever_it_was() -> None:
    last = LastValue()
    nothing = Batch({"id": [1, 2]})
    assert np.isnan(last.predict(nothing)["value"]).all()
    last.learn(nothing, ["a", "b"])
    assert last.predict(nothing)["value"].tolist() == ["b", "b"]
    copy = last.copied()
    copy.learn(nothing, [True])
    assert (last.snapshot(), copy.snapshot()) == (["b"], [True])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0.1, 1.0))
def test_the_mean_is_that_of_weights_that_fade(labels: list[float], fading: float) -> None:
    mean = RunningMean(fading=fading)
    mean.learn(Batch({"id": labels}), labels)
    weights = fading ** np.arange(len(labels))[::-1]
    want = np.average(labels, weights=weights)
    (got,) = mean.predict(Batch({"id": [0]}))["value"]
    assert got == pytest.approx(want, rel=1e-9, abs=1e-6)
    assert mean.copied().snapshot() == mean.snapshot()


def test_the_mean_of_no_labels_is_what_was_said_and_what_is_no_number_is_refused() -> None:
    one = Batch({"id": [0]})
    assert isnan(RunningMean().predict(one)["value"][0])
    assert RunningMean(3.0).predict(one)["value"][0] == 3.0
    with pytest.raises(SchemaError, match="a number"):
        RunningMean().learn(one, ["a"])
    with pytest.raises(ValueError, match="fading"):
        RunningMean(fading=0.0)


@pytest.mark.parametrize("forgetting", [1.0, 0.9])
def test_row_by_row_it_is_ridge_regression_and_its_student_t(forgetting: float) -> None:
    rng = np.random.default_rng(7)
    matrix = rng.normal(size=(30, 3))
    labels = matrix @ np.array([1.0, -2.0, 0.5]) + 3 + rng.normal(size=30)
    learned = taught(model(3, forgetting=forgetting, ridge=0.5), matrix, labels)
    design: NDArray[np.float64] = np.c_[matrix, np.ones(30)]
    weights: NDArray[np.float64] = np.power(forgetting, np.arange(30.0)[::-1])
    precision = (design * weights[:, None]).T @ design + 0.5 * forgetting**30 * np.eye(4)
    best = np.linalg.solve(precision, design.T @ (weights * labels))
    left = weights @ (labels - design @ best) ** 2 + 0.5 * forgetting**30 * best @ best
    asked = np.array([[0.3, 0.1, -2.0], [5.0, 0.0, 0.0]])
    given_ = learned.predict(rows(asked))["value"]
    whole: NDArray[np.float64] = np.c_[asked, np.ones(2)]
    assert given_.mean() == pytest.approx(whole @ best, rel=1e-9)
    leverage = 1 + np.einsum("ni,ij,nj->n", whole, np.linalg.inv(precision), whole)
    assert given_.var() == pytest.approx(left / (weights.sum() - 2) * leverage, rel=1e-9)


def test_its_intervals_hold_as_often_as_they_say() -> None:
    """4000 rows, of a fixed seed: each is predicted before it is learned; 0.90 is within 5 standard errors."""
    rng = np.random.default_rng(11)
    matrix = rng.normal(size=(4000, 2))
    labels = matrix @ np.array([2.0, -1.0]) + rng.normal(size=4000) * 0.3
    learned = model(2)
    inside = 0
    for row, label in zip(matrix, labels, strict=True):
        bounds = learned.predict(rows(row[None]))["value"].interval(0.9)
        inside += bool(bounds.lo[0] <= label <= bounds.hi[0])
        learned.learn(rows(row[None]), [label])
    assert inside / 4000 == pytest.approx(0.9, abs=0.024)


def test_what_is_not_known_is_said_to_be_so() -> None:
    learned = model(1)
    asked = rows([[1.0], [np.nan], [inf]])
    assert learned.predict(asked)["value"].var().tolist() == [inf] * 3
    taught(learned, [[1.0], [np.nan], [2.0], [3.0], [4.0]], [1.0, 1e9, 2.0, 3.0, 4.0])
    value = learned.predict(asked)["value"]
    assert value.mean()[0] == pytest.approx(1.0, abs=0.3)
    assert value.var()[0] < 1
    assert (value.mean()[1:].tolist(), value.var()[1:].tolist()) == ([0.0, 0.0], [inf, inf])


def test_many_rows_at_once_are_the_same_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    matrix, labels = rng.normal(size=(40, 5)), rng.normal(size=40).tolist()
    one = taught(model(5, forgetting=0.99), matrix, labels)
    many = model(5, forgetting=0.99)
    many.learn(rows(matrix), labels)
    assert one.predict(rows(matrix)) == many.predict(rows(matrix))
    apart = [many.predict(rows(matrix[at : at + 1])) for at in range(40)]
    assert Batch.concat(apart) == many.predict(rows(matrix))


def test_a_direction_that_is_not_seen_for_long_does_no_harm() -> None:
    rng = np.random.default_rng(5)
    matrix = np.c_[rng.normal(size=3000), np.zeros(3000)]
    learned = taught(model(2, forgetting=0.9), matrix, matrix[:, 0] * 3)
    value = learned.predict(rows([[1.0, 0.0]]))["value"]
    assert value.mean()[0] == pytest.approx(3.0, abs=1e-6)
    taught(learned, [[0.0, 1.0]] * 20, [2.0] * 20)
    assert np.isfinite(learned.snapshot()[1]).all()


def test_it_is_saved_as_plain_arrays() -> None:
    learned = taught(model(2), [[1.0, 2.0], [2.0, 1.0], [0.0, 1.0]], [1.0, 2.0, 3.0])
    again = model(2)
    again.restore(loads(dumps(learned.snapshot())))
    asked = rows([[3.0, 4.0]])
    assert again.predict(asked) == learned.predict(asked)
    with pytest.raises(ValueError, match="3 weights, the model has 4"):
        model(3).restore(learned.snapshot())
    for wrong in ({"forgetting": 0.0}, {"ridge": 0.0}, {"ridge": inf}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            model(1, **wrong)


def test_with_lags_it_is_an_autoregression() -> None:
    """x[t] = 1.2 x[t-1] - 0.5 x[t-2] + noise of variance 0.01, which is what is left of the squared error."""
    rng = np.random.default_rng(2)
    series = [0.0, 0.0]
    for _ in range(600):
        series.append(1.2 * series[-1] - 0.5 * series[-2] + 0.1 * rng.normal())
    steps = [{"id": at, "y": value} for at, value in enumerate(series)]
    pairs = [each for row in steps for each in (row, Label(row["id"], row["y"]))]
    evaluation = Evaluation(Metrics("mse", "nis", window=300))
    lags = ops.features(Features(lag=Lags("y", [1, 2])), pass_labels=True)
    learned = RecursiveLeastSquares(["lag_lag_1", "lag_lag_2"])
    parts = {"prediction": "value", "mean": "value", "var": "value"}
    results(
        pairs,
        lags,
        ops.learn(learned, pass_labels=True),
        ops.evaluate(evaluation, prediction=parts),
    )
    assert evaluation.now["mse"] == pytest.approx(0.01, rel=0.2)
    assert evaluation.now["nis"] == pytest.approx(1.0, rel=0.2)


@pytest.mark.parametrize(("x", "y"), [(1.0, 1e300), (1.0, -1.7e308), (1e200, 1.0), (1e308, 1.0)])
def test_one_row_too_large_is_refused_and_the_model_goes_on_as_before(x: float, y: float) -> None:
    generator = np.random.default_rng(3)
    known = generator.normal(size=(30, 1))
    whole = taught(model(1), known, (2 * known[:, 0] + 1).tolist())
    before = dumps(whole.snapshot())
    with pytest.raises(SchemaError, match="too large"):
        whole.learn(rows([[0.5], [x]]), [2.0, y])
    assert dumps(whole.snapshot()) == before


def test_a_mean_of_labels_that_are_far_apart_is_a_number() -> None:
    mean = taught(RunningMean(), [[0.0]] * 5, [1.0, 1.7e308, -1.7e308, 1.7e308, 2.0])
    (value,) = mean.predict(rows([[0.0]]))["value"]
    assert value == pytest.approx(1.7e308 / 5)
