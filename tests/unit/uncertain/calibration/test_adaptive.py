"""ACI and DtACI: long-run coverage of any sequence, and the published recursions."""

from __future__ import annotations

from math import exp, inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain.calibration.aci import ACI
from rxml.uncertain.calibration.dtaci import GAMMAS, DtACI
from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.quantile_tracker import QuantileTracker
from tests.unit.uncertain.calibration.calibrators import SCORES, followed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.calibration.calibrator import Calibrator


@given(
    scores=st.lists(st.one_of(SCORES, st.just(inf)), min_size=1, max_size=150),
    level=st.sampled_from([0.5, 0.8, 0.9, 0.99]),
    gamma=st.sampled_from([0.005, 0.05, 0.4, 2.0]),
    window=st.integers(1, 50),
)
def test_any_sequence_is_missed_as_often_as_the_bound_says(
    scores: list[float], level: float, gamma: float, window: int
) -> None:
    radii = followed(ACI(level, gamma=gamma, window=window), np.array(scores))
    missed, target = float((np.array(scores) > radii).mean()), 1 - level
    bound = (max(target, 1 - target) + gamma) / (gamma * len(scores))
    assert abs(missed - target) <= bound + 1e-9


@given(gamma=st.sampled_from([0.05, 0.5]), seed=st.integers(0, 2**32))
def test_an_adversary_who_sees_the_radius_gains_no_more(gamma: float, seed: int) -> None:
    random, calibrator, missed = np.random.default_rng(seed), ACI(gamma=gamma, window=20), 0
    for _ in range(200):
        radius, _ = calibrator.issue_one(0)
        bounded = np.clip(radius, -1e6, 1e6)
        score = bounded + random.choice([1.0, 1e-9, -1e-9])  # just outside, or just within
        missed += score > radius
        calibrator.update_one(0, float(score), radius)
    assert abs(missed / 200 - 0.1) <= (0.9 + gamma) / (gamma * 200) + 1e-9


def test_aci_is_the_published_recursion() -> None:
    scores = np.random.default_rng(0).exponential(size=400)
    calibrator, alpha = ACI(0.8, gamma=0.03, window=50), 0.2
    for number, score in enumerate(scores):
        issued = calibrator.issue([0])
        radius, stored = issued[0]
        assert stored == pytest.approx(alpha, abs=1e-12)
        past = np.sort(scores[max(0, number - 50) : number])
        rank = int(np.ceil((len(past) + 1) * (1 - alpha) - 1e-9))
        assert radius == (past[rank - 1] if rank <= len(past) else inf)
        alpha += 0.03 * (0.2 - (score > radius))
        calibrator.update([0], [score], issued)


def test_what_counts_is_the_radius_that_was_issued() -> None:
    calibrator = ACI(gamma=0.1)
    calibrator.update([0, 0], [5.0, 5.0], [[4.0, 0.1], [6.0, 0.1]])
    (_, alpha) = calibrator.issue([0])[0]
    assert alpha == pytest.approx(0.1 + 0.1 * (0.1 - 1) + 0.1 * 0.1)


@pytest.mark.parametrize(
    ("policy", "high", "low"), [("inf", inf, -inf), ("max", 9, 0), (7, 7, -inf)]
)
def test_levels_beyond_all_scores_follow_the_policy(policy: float, high: float, low: float) -> None:
    for missed, wanted in ((True, high), (False, low)):
        calibrator = ACI(0.9 if missed else 0.1, gamma=0.5, on_unbounded=policy)
        radius = -1.0 if missed else 100.0
        for score in range(10):
            calibrator.update_one(0, float(score), radius)
        assert calibrator.issue([0])[0, 0] == wanted


def test_it_follows_a_change_of_scale() -> None:
    random = np.random.default_rng(4)
    scores = np.abs(random.normal(size=3000)) * np.repeat([1.0, 5.0], 1500)
    for calibrator in (ACI(gamma=0.02, window=200), DtACI(window=200)):
        missed = scores > followed(calibrator, scores)
        assert abs(missed[1700:].mean() - 0.1) < 0.02
        assert missed[700:1500].mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("make", [ACI, DtACI, QuantileTracker, PIDTracker])
def test_labels_that_are_late_and_out_of_order_teach_all_the_same(
    make: Callable[[], Calibrator],
) -> None:
    random = np.random.default_rng(9)
    rows = 3000
    scores = np.abs(random.normal(size=rows)) * np.repeat([1.0, 3.0], rows // 2)
    arrival = np.arange(rows) + random.integers(1, 40, rows)
    calibrator, issued = make(), np.empty((rows, make().width))
    for step in range(rows):
        issued[step] = calibrator.issue([0])[0]
        due = np.flatnonzero(arrival[: step + 1] == step)
        calibrator.update(np.zeros(len(due), int), scores[due], issued[due])
    missed = scores > issued[:, 0]
    assert abs(missed[300:1500].mean() - 0.1) < 0.03
    assert abs(missed[1800:].mean() - 0.1) < 0.03


@given(scores=st.lists(SCORES, min_size=1, max_size=60), sigma=st.sampled_from([1e-3, 0.5, 1.0]))
def test_weights_of_experts_stay_on_the_simplex(scores: list[float], sigma: float) -> None:
    calibrator = DtACI(sigma=sigma, eta=50.0, gammas=(0.001, 0.1, 3.0), window=10)
    with np.errstate(all="raise"):
        followed(calibrator, np.array(scores))
    weights = calibrator.weights(np.array([0]))
    assert weights.min() >= sigma / 3
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_dtaci_is_the_published_recursion() -> None:
    scores = np.random.default_rng(7).gamma(2.0, size=300).round(1)
    calibrator, past = DtACI(0.9, window=1000), list[float]()
    alphas, weights = [0.1] * 8, [1 / 8] * 8
    for score in scores:
        issued = calibrator.issue([0])
        mean = sum(w * a for w, a in zip(weights, alphas, strict=True))
        assert issued[0, 1] == pytest.approx(mean, abs=1e-10)
        beta = (1 + sum(each >= score for each in past)) / (len(past) + 1)
        losses = [0.1 * (beta - a) - min(0.0, beta - a) for a in alphas]
        raised = [w * exp(-2.72 * loss) for w, loss in zip(weights, losses, strict=True)]
        weights = [0.999 * w / sum(raised) + 0.001 / 8 for w in raised]
        alphas = [
            a + gamma * (0.1 - (a > beta - 1e-12)) for a, gamma in zip(alphas, GAMMAS, strict=True)
        ]
        calibrator.update([0], [score], issued)
        past.append(float(score))


def test_one_expert_is_aci() -> None:
    scores = np.random.default_rng(5).normal(size=500)
    one, aci = DtACI(gammas=(0.02,), window=60), ACI(gamma=0.02, window=60)
    np.testing.assert_array_equal(followed(one, scores), followed(aci, scores))
