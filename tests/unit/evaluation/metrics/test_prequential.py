"""Predict, judge, learn: the digits that River publishes of its own models on its own data, in any batches.

Its benchmarks (https://riverml.xyz/latest/benchmarks) leave out rows for which a model has no prediction.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.evaluation.metrics import Metrics
from tests.unit.evaluation.metrics.elec2 import rises

if TYPE_CHECKING:
    from collections.abc import Callable

# River has no types
datasets: Any = import_module("river.datasets")
linear: Any = import_module("river.linear_model")
tree: Any = import_module("river.tree")
SGD: Any = import_module("river.optim").SGD
Scaler: Any = import_module("river.preprocessing").StandardScaler
GaussianNB: Any = import_module("river.naive_bayes").GaussianNB
StatisticRegressor: Any = import_module("river.dummy").StatisticRegressor
Mean: Any = import_module("river.stats").Mean

CLASSIFIERS: dict[str, tuple[Callable[[], Any], float, float, int]] = {
    "logistic": (lambda: Scaler() | linear.LogisticRegression(SGD(0.005)), 0.8872, 0.871233, 0),
    "naive bayes": (GaussianNB, 0.884708, 0.871429, 1),
    "tree": (tree.HoeffdingTreeClassifier, 0.879904, 0.860595, 1),
    "adaptive tree": (lambda: tree.HoeffdingAdaptiveTreeClassifier(seed=42), 0.874299, 0.856095, 1),
}
REGRESSORS: dict[str, tuple[Callable[[], Any], float, float]] = {
    "linear": (lambda: Scaler() | linear.LinearRegression(), 1.31455, 3.91198),
    "ridge": (lambda: Scaler() | linear.LinearRegression(l2=1.0), 1.87151, 4.13052),
    "passive-aggressive": (lambda: Scaler() | linear.PARegressor(mode=1), 4.98403, 6.97667),
    "tree": (lambda: Scaler() | tree.HoeffdingTreeRegressor(), 0.956103, 2.24987),
    "adaptive tree": (
        lambda: Scaler() | tree.HoeffdingAdaptiveTreeRegressor(seed=42),
        0.921313,
        2.23942,
    ),
    "mean": (lambda: StatisticRegressor(Mean()), 1.56755, 2.20286),
}


@cache
def judged_before_learnt(dataset: str, make: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
    """What was true and what was predicted of each row, before it was learnt from."""
    model = make()
    truths: list[Any] = []
    predictions: list[Any] = []
    for x, y in getattr(datasets, dataset)():
        predictions.append(model.predict_one(x))
        truths.append(y)
        model.learn_one(x, y)
    return truths, predictions


def digits(metrics: Metrics, rows: tuple[list[Any], list[Any]], size: int) -> dict[str, float]:
    """The metrics to six digits, fed in batches of this size."""
    for start in range(0, len(rows[0]), size):
        truth, prediction = (column[start : start + size] for column in rows)
        metrics.update({"truth": truth, "prediction": np.array(prediction, object)})
    return {name: float(f"{value[0]:.6g}") for name, value in metrics.values().items()}


@pytest.mark.parametrize("size", [1, 64])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_of_phishing_have_the_published_digits(name: str, size: int) -> None:
    make, accuracy, f1, silent = CLASSIFIERS[name]
    metrics = Metrics("accuracy", "f1")
    found = digits(metrics, judged_before_learnt("Phishing", make), size)
    assert found == {"accuracy": accuracy, "f1": f1}
    assert metrics["accuracy"].skipped.tolist() == [silent]


@pytest.mark.parametrize("size", [1, 64])
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_of_trump_approval_have_the_published_digits(name: str, size: int) -> None:
    make, mae, rmse = REGRESSORS[name]
    found = digits(Metrics("mae", "rmse"), judged_before_learnt("TrumpApproval", make), size)
    assert found == {"mae": mae, "rmse": rmse}


def test_any_size_of_batches_gives_the_same_bits() -> None:
    rows = judged_before_learnt("TrumpApproval", REGRESSORS["linear"][0])
    whole = Metrics("mae")
    digits(whole, rows, len(rows[0]))
    for size in range(1, 65):
        sized = Metrics("mae")
        digits(sized, rows, size)
        assert whole.values() == sized.values(), size
        assert whole.intervals() == sized.intervals(), size


def test_judged_after_it_was_learnt_the_digits_are_others() -> None:
    make = CLASSIFIERS["logistic"][0]
    model = make()
    truths: list[Any] = []
    predictions: list[Any] = []
    for x, y in datasets.Phishing():
        model.learn_one(x, y)
        predictions.append(model.predict_one(x))
        truths.append(y)
    found = digits(Metrics("accuracy", "f1"), (truths, predictions), 64)
    assert found["accuracy"] > 0.8872


@pytest.mark.parametrize("size", [64, 45_312])
def test_the_last_class_of_elec2_has_the_published_digits(size: int) -> None:
    truth = rises().tolist()
    found = digits(Metrics("accuracy", "f1"), (truth, [None, *truth[:-1]]), size)
    assert found == {"accuracy": 0.853303, "f1": 0.827229}
