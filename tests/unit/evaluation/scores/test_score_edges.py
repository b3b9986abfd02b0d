"""Scores at the edges of what there is: no spread, no bound, no row, nothing predicted, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.errors import DistributionError
from rxml.evaluation import scores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAN = np.nan
INF = np.inf


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def test_certain_probabilities_are_clipped() -> None:
    found = scores.log_loss([1, 1, 0, 0], [1.0, 1e-300, 0.0, 1.0])
    assert found == pytest.approx([1e-15, -np.log(1e-15), 1e-15, -np.log1p(-(1 - 1e-15))])
    assert scores.log_loss_categorical([1], [[1.0, 0.0]]) == pytest.approx([-np.log(1e-15)])


def test_without_spread_a_normal_is_a_number() -> None:
    y, mean, none = np.array([1.0, 2.0, -3.0]), np.array([1.0, 1.0, 1.0]), np.zeros(3)
    assert scores.crps_normal(y, mean, none).tolist() == [0.0, 1.0, 4.0]
    assert scores.pit_normal(y, mean, none).tolist() == [0.5, 1.0, 0.0]
    assert scores.nis(y, mean, none).tolist() == [0.0, INF, INF]
    mixture = scores.crps_mixture(y, [0.5, 0.5], np.ones((3, 2)), np.zeros((3, 2)))
    assert mixture.tolist() == [0.0, 1.0, 4.0]


def test_far_tails_and_tiny_spreads_stay_finite() -> None:
    y = np.array([1e10, -1e10, 40.0])
    assert scores.crps_normal(y, 0.0, [1e-300, 1e-300, 1.0]) == pytest.approx(
        [1e10, 1e10, 40 - 1 / np.sqrt(np.pi)]
    )
    assert scores.pit_normal(y, 0.0, 1e-300).tolist() == [1.0, 0.0, 1.0]


TINY, HUGE = 2e-308, 1e300


def test_too_small_is_nothing_and_too_large_without_end() -> None:
    assert scores.squared_error([TINY, HUGE], [0.0, 0.0]).tolist() == [0.0, INF]
    assert scores.pinball([TINY], [0.0], 0.25)[0] == pytest.approx(TINY / 4)
    assert scores.interval_score([HUGE], [0.0], [1.0], 1 - 1e-12).tolist() == [INF]
    assert scores.brier_score([0.0], [1e-300]).tolist() == [0.0]
    assert scores.rps_score([0], [[1.0, 1e-300, 0.0]]).tolist() == [0.0]
    assert scores.crps_ensemble([0.0], [[TINY], [0.0], [0.0]]).tolist() == pytest.approx([0.0])


def test_a_vacuous_normal_costs_without_end() -> None:
    assert scores.pit_normal([1.0], [0.0], [INF]).tolist() == [0.5]
    assert scores.nis([1.0], [0.0], [INF]).tolist() == [0.0]
    assert scores.crps_normal([1.0], [0.0], [INF]).tolist() == [INF]


def test_a_vacuous_part_of_a_mixture_costs_without_end_if_it_weighs_anything() -> None:
    weight, std = [[0.5, 0.5], [1.0, 0.0]], [[1.0, INF]] * 2
    found = scores.crps_mixture([1.0, 1.0], weight, [[0.0, 0.0]] * 2, std)
    assert found.tolist() == [INF, pytest.approx(scores.crps_normal(1.0, 0.0, 1.0))]


def test_of_one_world_with_all_weight_nothing_fair_can_be_told() -> None:
    found = scores.crps_ensemble([0.0], [[1.0], [2.0]], weights=[1.0, 0.0], fair=True)
    assert np.isnan(found).all()


def test_intervals_without_bounds() -> None:
    lower, upper = [-INF, 0.0, 2.0], [INF, INF, 1.0]
    assert scores.width(lower, upper).tolist() == [INF, INF, 0.0]
    assert scores.covered([5.0, -1.0, 1.5], lower, upper).tolist() == [1.0, 0.0, 0.0]
    assert scores.interval_score([5.0], [-INF], [INF], 0.9).tolist() == [INF]


def test_a_hard_bound_costs_its_width_or_everything() -> None:
    assert scores.interval_score([0.5, 2.0], [0.0, 0.0], [1.0, 1.0], 1.0).tolist() == [1.0, INF]


def test_outermost_levels_of_pinball_do_not_lose_infinite_quantiles() -> None:
    assert scores.pinball([1.0, 1.0], [2.0, 0.0], [0.0, 1.0]).tolist() == [1.0, 1.0]
    assert scores.pinball([1.0, 1.0], [-INF, INF], [0.0, 1.0]).tolist() == [0.0, 0.0]
    assert scores.pinball([1.0, 1.0], [-INF, INF], 0.5).tolist() == [INF, INF]
    assert np.isnan(scores.pinball([NAN], [-INF], 0.0)).all()
    assert scores.crps_quantile([1.0], [[-INF, 0.5, INF]], [0.0, 0.5, 1.0]) == pytest.approx(
        0.5 / 3
    )


@pytest.mark.parametrize(
    "score",
    [
        lambda: scores.log_loss([1.0, NAN], [NAN, 0.5]),
        lambda: scores.brier_score([1.0, NAN], [NAN, 0.5]),
        lambda: scores.crps_normal([NAN, 1.0], [0.0, NAN], [1.0, 1.0]),
        lambda: scores.covered([NAN, 1.0], [0.0, NAN], [1.0, 1.0]),
        lambda: scores.interval_score([NAN, 1.0], [0.0, NAN], [1.0, 1.0], 0.9),
        lambda: scores.pit_ensemble([NAN, NAN], [[1.0, 2.0], [3.0, 4.0]]),
        lambda: scores.pit_quantile([NAN, NAN], [[1.0, 2.0]] * 2, [0.1, 0.9]),
        lambda: scores.absolute_error([NAN, 1.0], [1.0, NAN]),
    ],
)
def test_what_is_missing_has_no_score(score: Callable[[], Any]) -> None:
    assert np.isnan(score()).all()


def test_no_rows_no_scores() -> None:
    none: list[float] = []
    assert scores.log_loss(none, none).shape == (0,)
    assert scores.crps_normal(none, none, none).shape == (0,)
    assert scores.crps_ensemble(none, np.zeros((3, 0))).shape == (0,)
    assert scores.rps_score(none, np.zeros((0, 3))).shape == (0,)
    assert scores.weighted_interval_score(
        none, none, np.zeros((0, 2)), np.zeros((0, 2)), [0.5, 0.9]
    ).shape == (0,)
    assert scores.pit_quantile(none, np.zeros((0, 2)), [0.1, 0.9]).shape == (0,)


def test_pit_of_an_ensemble_is_uniform_for_one_of_its_own() -> None:
    rng = np.random.default_rng(5)
    everything = rng.integers(0, 4, (6, 20_000)).astype(float)
    u = rng.uniform(size=20_000)
    places = np.sort(scores.pit_ensemble(everything[0], everything[1:], u=u))
    assert np.abs(places - (np.arange(20_000) + 0.5) / 20_000).max() < 1.63 / np.sqrt(20_000)


def test_pit_by_hand() -> None:
    worlds = np.array([[1.0], [2.0], [2.0], [5.0]])
    assert scores.pit_ensemble([2.0], worlds).tolist() == [(1 + 0.5 * 3) / 5]
    values = np.tile([1.0, 2.0, 2.0, 4.0], (5, 1))
    found = scores.pit_quantile([0.0, 1.5, 2.0, 3.0, 9.0], values, [0.1, 0.3, 0.5, 0.9])
    assert found == pytest.approx([0.1, 0.2, 0.5, 0.7, 0.9])
    mixed = scores.pit_mixture([0.0], [0.25, 0.75], [[0.0, 9.0]], [[1.0, 0.0]])
    assert mixed == pytest.approx([0.125])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: scores.log_loss([1, 1], [0.5, 1.5]), r"prob is within \[0, 1\]; got 1.5 in row 1"),
        (lambda: scores.brier_score([1, 2], [0.5, 0.5]), "obs is within"),
        (
            lambda: scores.rps_score([0, 3], np.full((2, 3), 1 / 3)),
            r"whole number of 0..2; got 3.0 in row 1",
        ),
        (lambda: scores.rps_score([0.5], [[0.5, 0.5]]), "got 0.5 in row 0"),
        (lambda: scores.crps_normal([1.0], [1.0], [-1.0]), "std is >= 0"),
        (lambda: scores.logs_normal([1.0], [1.0], [0.0]), "std is above 0"),
        (lambda: scores.dawid_sebastiani([1.0], [1.0], [0.0]), "var is above 0"),
        (lambda: scores.nis([1.0], [1.0], [-1.0]), "var is >= 0"),
        (lambda: scores.pinball([1.0], [1.0], 1.1), "tau is within"),
        (lambda: scores.interval_score([1.0], [1.0], [2.0], 1.1), "level is within"),
        (
            lambda: scores.weighted_interval_score([1.0], [1.0], [[1.0]], [[2.0]], [1.0]),
            "level is within",
        ),
        (
            lambda: scores.crps_ensemble([1.0], [[1.0], [2.0]], weights=[1.0, -1.0]),
            "weights is >= 0",
        ),
    ],
)
def test_what_makes_no_distribution_is_refused_with_its_row(
    wrong: Callable[[], Any], said: str
) -> None:
    with pytest.raises(DistributionError, match=said):
        wrong()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: scores.log_loss_categorical([0, 1], [0.5, 0.5]), r"a row of K probabilities"),
        (lambda: scores.crps_ensemble([1.0], np.zeros((0, 1))), "at least 1 values"),
        (lambda: scores.crps_ensemble([1.0], [[1.0]], fair=True), "at least 2 values"),
    ],
)
def test_what_has_the_wrong_shape_is_refused(wrong: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrong()
