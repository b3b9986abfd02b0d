"""Split conformal: its finite-sample coverage, by key, and with weights that fade."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain.calibration.nexcp import NexCP
from rxml.uncertain.calibration.split import SplitConformal
from tests.unit.uncertain.calibration.calibrators import followed


@pytest.mark.parametrize(("level", "n"), [(0.9, 9), (0.8, 24), (0.95, 59)])
def test_coverage_is_within_its_finite_sample_bounds(level: float, n: int) -> None:
    trials = 5_000
    scores = np.random.default_rng(n).exponential(size=(trials, n + 1))
    calibrator = SplitConformal(level, window=n, keys=trials)
    for column in range(n):
        calibrator._own.put(slice(0, trials), scores[:, column])  # pyright: ignore[reportPrivateUsage]
    covered = float((scores[:, n] <= calibrator.issue(np.arange(trials))[:, 0]).mean())
    noise = 5 * (level * (1 - level) / trials) ** 0.5
    assert level - noise <= covered <= level + 1 / (n + 1) + noise


def test_too_few_scores_bound_nothing() -> None:
    radii = followed(SplitConformal(0.9), np.arange(12.0))
    assert radii.tolist() == [inf] * 9 + [8.0, 9.0, 10.0]


def test_only_the_newest_scores_count() -> None:
    calibrator = SplitConformal(0.5, window=3)
    followed(calibrator, np.array([100.0, 100.0, 1.0, 2.0, 3.0]))
    assert calibrator.issue([0])[0, 0] == 2.0


def test_a_key_with_few_scores_has_the_radius_of_all() -> None:
    calibrator = SplitConformal(0.5, keys=3)
    unknown = np.full((5, 1), inf)
    calibrator.update([0, 0, 0, 0, 1], [10.0, 10.0, 10.0, 10.0, 1.0], unknown)
    assert calibrator.issue([0, 1, 2])[:, 0].tolist() == [10.0, 10.0, 10.0]
    calibrator.update([1], [2.0], unknown[:1])  # two are 1 / (1 - level)
    assert calibrator.issue([0, 1, 2])[:, 0].tolist() == [10.0, 2.0, 10.0]


def test_in_a_window_of_the_fewest_scores_that_bound_anything_keys_have_their_own_radii() -> None:
    calibrator = SplitConformal(0.9, window=9, keys=2)
    for at in range(9):
        calibrator.update([0, 1], [at, 100.0 + at], np.full((2, 1), inf))
    assert [calibrator.issue([slot])[0, 0] for slot in (0, 1)] == [8.0, 108.0]
    assert calibrator.issue([0, 1] * 5)[:, 0].tolist() == [8.0, 108.0] * 5


def test_pooled_keys_share_a_radius() -> None:
    calibrator = SplitConformal(0.5, pooled=True, keys=2)
    calibrator.update([0, 0, 1], [1.0, 2.0, 3.0], np.full((3, 1), inf))
    assert calibrator.issue([1, 0])[:, 0].tolist() == [2.0, 2.0]


def test_nexcp_without_fading_is_split_conformal() -> None:
    scores = np.random.default_rng(0).normal(size=120)
    faded, split = NexCP(rho=1.0, window=40), SplitConformal(window=40)
    np.testing.assert_array_equal(followed(faded, scores), followed(split, scores))


@given(
    scores=st.lists(st.floats(-9, 9), min_size=1, max_size=40),
    rho=st.sampled_from([0.5, 0.9, 0.99]),
    level=st.sampled_from([0.5, 0.7, 0.9]),
    window=st.integers(1, 30),
)
def test_nexcp_is_the_weighted_quantile(
    scores: list[float], rho: float, level: float, window: int
) -> None:
    calibrator = NexCP(level, rho=rho, window=window)
    followed(calibrator, np.array(scores))
    newest = scores[::-1][:window]
    weighted = sorted((score, rho**age) for age, score in enumerate(newest, 1))
    total, mass, radius = 1.0 + sum(weight for _, weight in weighted), 0.0, inf
    for score, weight in weighted:
        mass += weight
        if mass >= level * total * (1 - 1e-12):
            radius = score
            break
    assert calibrator.issue([0])[0, 0] == radius
    capped = NexCP(level, rho=rho, window=window, on_unbounded=3.0)
    followed(capped, np.array(scores))
    assert capped.issue([0])[0, 0] == min(radius, 3.0)


def test_nexcp_forgets_what_split_conformal_remembers() -> None:
    random = np.random.default_rng(1)
    scores = np.abs(random.normal(size=1000)) * np.repeat([1.0, 4.0], 500)
    missed = [
        float((scores > followed(calibrator, scores))[500:].mean())
        for calibrator in (NexCP(rho=0.97, window=1000), SplitConformal(window=1000))
    ]
    assert abs(missed[0] - 0.1) < 0.03
    assert missed[1] > 0.2


def test_nexcp_with_max_is_never_unbounded_once_there_is_a_score() -> None:
    radii = followed(NexCP(rho=0.5, on_unbounded="max"), np.array([3.0, 1.0, 2.0]))
    assert radii.tolist() == [inf, 3.0, 3.0]
