"""Intervals of models that learn online on data: the published setting, with bounds on coverage, width and score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.uncertain.calibration.aci import ACI
from rxml.uncertain.calibration.dtaci import DtACI
from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.scores import INTERVAL_SCORES
from tests.unit.uncertain.calibration.calibrators import followed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.calibrator import Calibrator

BURN_IN = 300


@pytest.fixture(scope="module")
def trump() -> NDArray[np.float64]:
    """Predictions and labels, (2, 1001), of the model in River's documentation of its jackknife."""
    datasets: Any = pytest.importorskip("river.datasets")
    linear: Any = pytest.importorskip("river.linear_model")
    preprocessing: Any = pytest.importorskip("river.preprocessing")
    model = preprocessing.StandardScaler() | linear.LinearRegression(intercept_lr=0.1)
    rows: list[tuple[float, float]] = []
    for x, y in datasets.TrumpApproval():
        rows.append((model.predict_one(x), y))
        model.learn_one(x, y)
    return np.array(rows).T


@pytest.mark.parametrize("calibrator", [ACI(gamma=0.02, window=1000), ACI(gamma=0.02), DtACI()])
def test_intervals_of_a_linear_model_on_trump_approval(
    calibrator: Calibrator, trump: NDArray[np.float64]
) -> None:
    mean, y = trump
    score = INTERVAL_SCORES["abs"]
    radii = followed(calibrator, score.of(mean[:, None], y)[:, 0])
    low, high = (end[100:] for end in score.bounds(mean[:, None], radii[:, None]))
    y = y[100:]
    width = high - low
    outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    assert abs(((low <= y) & (y <= high)).mean() - 0.9) <= 0.01
    assert width.mean() <= 1.40
    assert (width + 20 * outside).mean() <= 1.90


def autoregressed(series: NDArray[np.float64], order: int = 3) -> NDArray[np.float64]:
    """One-step forecasts by recursive least squares on the last values, each made before its value is seen."""
    weights, inverse = np.zeros(order + 1), np.eye(order + 1) * 1e3
    forecasts = np.zeros(len(series))
    for step in range(order, len(series)):
        x = np.r_[1.0, series[step - order : step]]
        forecasts[step] = x @ weights
        gain = inverse @ x / (1.0 + x @ inverse @ x)
        weights += gain * (series[step] - forecasts[step])
        inverse -= np.outer(gain, x @ inverse)
    return forecasts


def demand(rows: int) -> NDArray[np.float64]:
    """A stand-in for electricity demand: half-hourly, with days, weeks, and noise that comes and goes; within [0, 1]."""
    random = np.random.default_rng(11)
    hours = np.arange(rows) / 2
    level = 0.5 + 0.2 * np.sin(hours * 2 * np.pi / 24) + 0.05 * np.sin(hours * 2 * np.pi / 168)
    noise = random.normal(size=rows) * (0.01 + 0.02 * (np.sin(hours / 60) > 0.3))
    return np.clip(level + noise, 0.0, 1.0)


@pytest.mark.parametrize(
    ("calibrator", "slack"),
    [(ACI(gamma=0.05), 0.05), (DtACI(), 0.07), (PIDTracker(rate=0.1), 0.08)],
)
def test_local_coverage_of_an_autoregression_whose_noise_changes(
    calibrator: Calibrator, slack: float
) -> None:
    series = demand(2000)
    scores = np.abs(series - autoregressed(series))
    missed = (scores > followed(calibrator, scores))[BURN_IN:]
    local = 1 - np.convolve(missed, np.full(200, 1 / 200), "valid")
    assert abs(missed.mean() - 0.1) <= 0.01
    assert local.min() >= 0.9 - slack
    assert local.max() <= 0.9 + slack
