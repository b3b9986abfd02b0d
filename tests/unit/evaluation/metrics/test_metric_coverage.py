"""Intervals hold as often as they say: of 600 streams simulated at once, within what chance allows at 1e-6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.evaluation.metrics import (
    ECE,
    F1,
    PIT,
    Accuracy,
    Mean,
    Precision,
    Recall,
    Reliability,
    Resolution,
    SpiegelhalterZ,
    Uncertainty,
)

if TYPE_CHECKING:
    from rxml.evaluation.metrics import Metric

STREAMS, ROWS = 600, 80
LEVEL, CHANCE = 0.9, 0.06
MODES: tuple[dict[str, Any], ...] = ({}, {"fading": 0.97}, {"window": 50})


def holding(metric: Metric[Any], truth: float, *columns: Any) -> float:
    """The share of streams of which the interval has the true value."""
    metric.grow(STREAMS)
    metric.update(*columns, slots=np.repeat(np.arange(STREAMS), ROWS))
    low, high = metric.interval(LEVEL)
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_means_and_shares(mode: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=STREAMS * ROWS)
    mean = Mean(np.abs, ["x"], name="x", **mode)
    assert holding(mean, np.sqrt(2 / np.pi), x) == pytest.approx(LEVEL, abs=CHANCE)
    truth = rng.uniform(size=x.size) < 0.5
    right = rng.uniform(size=x.size) < 0.85
    found = holding(Accuracy(**mode), 0.85, truth, truth == right)
    assert found == pytest.approx(LEVEL, abs=CHANCE)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_ratios_of_two_classes(mode: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(size=STREAMS * ROWS) < 0.3
    prediction = truth == (rng.uniform(size=truth.size) < 0.8)
    hit, false, missed = 0.3 * 0.8, 0.7 * 0.2, 0.3 * 0.2
    ratios: list[tuple[Metric[Any], float]] = [
        (Precision(**mode), hit / (hit + false)),
        (Recall(**mode), 0.8),
        (F1(**mode), 2 * hit / (2 * hit + false + missed)),
    ]
    for metric, value in ratios:
        found = holding(metric, value, truth, prediction)
        assert found == pytest.approx(LEVEL, abs=CHANCE), repr(metric)


def test_ratios_of_many_classes() -> None:
    rng = np.random.default_rng(2)
    share = np.array([0.4, 0.3, 0.3])
    truth = rng.choice(3, STREAMS * ROWS, p=share)
    known = rng.uniform(size=truth.size) < 0.7
    prediction = np.where(known, truth, rng.integers(0, 3, truth.size))
    joint = np.diag(share * 0.7) + share[:, None] * 0.1
    hits, truths, predictions = np.diag(joint), joint.sum(axis=1), joint.sum(axis=0)
    ratios: list[tuple[Metric[Any], float]] = [
        (Precision(range(3)), float((hits / predictions).mean())),
        (Recall(range(3)), float((hits / truths).mean())),
        (F1(range(3)), float((2 * hits / (truths + predictions)).mean())),
        (F1(range(3), "micro"), float(hits.sum())),
    ]
    for metric, value in ratios:
        found = holding(metric, value, truth, prediction)
        assert found == pytest.approx(LEVEL, abs=CHANCE), repr(metric)


@pytest.mark.parametrize("right", [True, False])
def test_calibration_is_covered_at_least_so_often(right: bool) -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(size=STREAMS * ROWS)
    chance = p if right else 0.25 + 0.5 * p
    truth = rng.uniform(size=p.size) < chance
    # of uniform p: the mean of |p - chance|, of its square, and the variance of the chance
    parts: list[tuple[Metric[Any], float]] = [
        (ECE(cells=128), 0.0 if right else 1 / 8),
        (Reliability(cells=128), 0.0 if right else 1 / 48),
        (Resolution(cells=128), 1 / 12 if right else 1 / 48),
        (Uncertainty(cells=128), 1 / 4),
    ]
    for metric, value in parts:
        assert holding(metric, value, truth, p) >= LEVEL - CHANCE, repr(metric)
    if right:
        assert holding(SpiegelhalterZ(), 0.0, truth, p) == pytest.approx(LEVEL, abs=CHANCE)


def test_kuiper_rejects_right_distributions_no_more_often_than_it_says() -> None:
    pit = PIT()
    truth = np.random.default_rng(4).normal(size=STREAMS * ROWS)
    holding(pit, 0.0, truth, 0.0, 1.0)
    assert 0.02 < (pit.p_value() < 0.1).mean() < 0.1 + CHANCE
