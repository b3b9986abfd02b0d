"""The quantile tracker and the PID: bounds that hold for any sequence, and the published controller."""

from __future__ import annotations

from functools import partial
from math import inf, log, pi, tan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.quantile_tracker import QuantileTracker
from tests.unit.uncertain.calibration.calibrators import followed


@given(
    scores=st.lists(st.floats(-2, 3), min_size=1, max_size=150),
    rate=st.sampled_from([0.05, 0.5, 3.0]),
    level=st.sampled_from([0.5, 0.9]),
)
def test_any_bounded_sequence_is_missed_as_often_as_the_bound_says(
    scores: list[float], rate: float, level: float
) -> None:
    radii = followed(QuantileTracker(level, rate=rate, unit="score"), np.array(scores))
    missed = float((np.array(scores) > radii).mean())
    assert abs(missed - (1 - level)) <= (5 + rate) / (rate * len(scores)) + 1e-9


def test_the_step_is_relative_to_the_range_of_recent_scores() -> None:
    scores = np.random.default_rng(0).normal(size=300)
    for factor in (1.0, 1024.0, 2.0**-30):
        radii = followed(QuantileTracker(), scores * factor)
        np.testing.assert_array_equal(radii[1:], followed(QuantileTracker(), scores)[1:] * factor)


def test_the_range_forgets() -> None:
    calibrator = QuantileTracker(memory=50)
    followed(calibrator, np.array([0.0, 1000.0]))
    followed(calibrator, np.tile([0.0, 1.0], 500))
    state = calibrator.snapshot()["state"]
    assert state["high"][0] - state["low"][0] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    "calibrator",
    [QuantileTracker(rate=0.02), PIDTracker(rate=0.02), PIDTracker(rate=0.02, scorecaster=0.05)],
)
def test_it_follows_a_change_of_scale(calibrator: QuantileTracker | PIDTracker) -> None:
    random = np.random.default_rng(4)
    scores = np.abs(random.normal(size=3000)) * np.repeat([1.0, 5.0], 1500)
    missed = scores > followed(calibrator, scores)
    assert abs(missed[1700:].mean() - 0.1) < 0.02
    assert abs(missed[500:1500].mean() - 0.1) < 0.02


def test_pid_is_the_published_controller() -> None:
    scores = np.random.default_rng(2).normal(size=200).cumsum()
    calibrator = PIDTracker(0.8, rate=0.1, integral=0.5, saturation=1.0, memory=1e12)
    tracked, excess, low, high = float(scores[0]), 0.0, inf, -inf
    for labels, (score, radius) in enumerate(
        zip(scores, followed(calibrator, scores), strict=True)
    ):
        span = high - low
        angle = excess * log(labels + 1) / (labels + 1)
        wanted = inf if not labels else tracked + 0.5 * span * tan(angle)
        if abs(angle) >= pi / 2:
            wanted = inf if angle > 0 else -inf
        assert radius == pytest.approx(wanted, rel=1e-6)
        low, high = min(low, score), max(high, score)
        step = max(0.1, (labels + 1) ** -0.5) * (high - low)
        tracked += step * ((score > radius) - 0.2)
        excess += (score > radius) - 0.2


@given(labels=st.integers(1, 60))
def test_misses_in_a_row_end_by_saturation(labels: int) -> None:
    scores = np.arange(
        1.0, labels + 2
    )  # each above all before: without the integrator all are missed
    still = partial(PIDTracker, saturation=0.5, rate=1e-9, integral=1e-9)
    missed = scores > followed(still(), scores)
    held = np.flatnonzero(~np.r_[False, missed, False])
    assert np.diff(held).max() - 1 <= 4
    largest = followed(still(on_unbounded="max"), scores)[1:]
    assert (largest <= scores[:-1]).all()
    assert followed(still(on_unbounded=40.0), scores).max() <= 40.0


def test_a_first_score_that_is_far_off_is_soon_left_behind() -> None:
    scores = np.r_[100.0, np.random.default_rng(0).random(400)]
    for calibrator in (QuantileTracker(), PIDTracker()):
        assert np.median(followed(calibrator, scores)[50:150]) < 5.0


def test_radii_may_be_negative() -> None:
    radii = followed(QuantileTracker(rate=0.2, unit="score"), np.full(50, -3.0))
    assert radii[-1] < -2.5
