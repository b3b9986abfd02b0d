"""Each score is what its definition says, by another way of computing it."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.evaluation import scores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# the oracles have no types
integrate: Any = import_module("scipy.integrate")
stats: Any = import_module("scipy.stats")
sk: Any = import_module("sklearn.metrics")

FINITE = st.floats(-1e6, 1e6)


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def crps_by_quadrature(cdf: Callable[[float], float], y: float, span: float) -> float:
    def squared(x: float) -> float:
        return cdf(x) ** 2

    def rest_squared(x: float) -> float:
        return (1 - cdf(x)) ** 2

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        below = integrate.quad(squared, y - span, y, limit=200)[0]
        above = integrate.quad(rest_squared, y, y + span, limit=200)[0]
    return float(below + above)


@pytest.mark.parametrize(("y", "mean", "std"), [(0.3, 0.0, 1.0), (-4.0, 1.0, 0.5), (2.0, 2.0, 3.0)])
def test_the_crps_of_a_normal_is_its_integral(y: float, mean: float, std: float) -> None:
    integral = crps_by_quadrature(stats.norm(mean, std).cdf, y, 30.0)
    assert scores.crps_normal([y], [mean], [std])[0] == pytest.approx(integral, abs=1e-8)


def test_the_crps_of_a_mixture_is_its_integral() -> None:
    weight, mean, std = (
        np.array([0.2, 0.5, 0.3]),
        np.array([-1.0, 0.5, 4.0]),
        np.array([0.5, 1, 2.0]),
    )

    def cdf(x: float) -> float:
        return float(np.sum(weight * stats.norm.cdf(x, mean, std)))

    y = np.array([-3.0, 0.4, 6.0])
    found = scores.crps_mixture(y, weight, np.tile(mean, (3, 1)), np.tile(std, (3, 1)))
    assert found == pytest.approx([crps_by_quadrature(cdf, each, 30.0) for each in y], abs=1e-7)


def test_a_mixture_of_one_is_a_normal() -> None:
    rng = np.random.default_rng(1)
    y, mean, std = rng.normal(size=20), rng.normal(size=20), rng.uniform(0, 2, 20)
    one = scores.crps_mixture(y, np.ones((20, 1)), mean[:, None], std[:, None])
    assert one == pytest.approx(scores.crps_normal(y, mean, std), abs=1e-14)


@given(st.lists(FINITE, min_size=1, max_size=8), FINITE)
def test_the_crps_of_an_ensemble_is_that_of_its_distances(worlds: list[float], y: float) -> None:
    x = np.array(worlds)
    m = len(x)
    np.seterr(under="ignore")  # that of the formula here; those of scores are tried in edges
    distance = np.abs(x[:, None] - x).sum()
    near = np.abs(x - y).mean()
    scale = 1 + np.abs(x).max() + abs(y)
    column = x[:, None]
    assert scores.crps_ensemble([y], column)[0] == pytest.approx(
        near - distance / (2 * m * m), abs=1e-12 * scale
    )
    if m > 1:
        fair = near - distance / (2 * m * (m - 1))
        assert scores.crps_ensemble([y], column, fair=True)[0] == pytest.approx(
            fair, abs=1e-12 * scale
        )


@given(st.lists(st.tuples(FINITE, st.integers(1, 4)), min_size=1, max_size=5), FINITE)
def test_a_world_that_weighs_twice_is_there_twice(pairs: list[tuple[float, int]], y: float) -> None:
    values, times = zip(*pairs, strict=True)
    weighted = scores.crps_ensemble([y], np.array(values)[:, None], weights=np.array(times))
    repeated = scores.crps_ensemble([y], np.repeat(values, times)[:, None])
    assert weighted[0] == pytest.approx(repeated[0], rel=1e-10, abs=1e-8)


def test_fairness_takes_off_what_few_worlds_add() -> None:
    rng = np.random.default_rng(2)
    y, worlds = rng.normal(size=40_000), rng.normal(size=(4, 40_000))
    endless = float(scores.crps_normal(y, 0.0, 1.0).mean())
    assert scores.crps_ensemble(y, worlds, fair=True).mean() == pytest.approx(endless, abs=0.01)
    assert scores.crps_ensemble(y, worlds).mean() > endless + 0.1


def test_weights_may_differ_by_row() -> None:
    worlds = np.array([[1.0, 1.0], [3.0, 3.0]])
    found = scores.crps_ensemble([0.0, 0.0], worlds, weights=[[1.0, 0.0], [0.0, 1.0]])
    assert found.tolist() == [1.0, 3.0]


def test_quantiles_near_the_normal_they_are_of() -> None:
    taus = (np.arange(400) + 0.5) / 400
    y = np.array([-2.0, 0.1, 1.5])
    values = np.tile(stats.norm.ppf(taus), (3, 1))
    found = scores.crps_quantile(y, values, taus)
    assert found == pytest.approx(scores.crps_normal(y, 0.0, 1.0), abs=2e-3)


@given(FINITE, FINITE, FINITE, st.floats(0.01, 0.99))
def test_winkler_is_the_pinball_of_both_ends(y: float, a: float, b: float, level: float) -> None:
    lower, upper = min(a, b), max(a, b)
    alpha = 1 - level
    np.seterr(under="ignore")
    ends = scores.pinball([y], [lower], alpha / 2) + scores.pinball([y], [upper], 1 - alpha / 2)
    found = scores.interval_score([y], [lower], [upper], level)
    assert found == pytest.approx(2 / alpha * ends, rel=1e-9, abs=1e-6)


def test_each_row_has_its_level() -> None:
    found = scores.interval_score([3.0, 3.0, 1.0], [0.0] * 3, [2.0] * 3, [0.5, 0.9, 0.9])
    assert found == pytest.approx([2 + 4, 2 + 20, 2])


def test_many_weighted_intervals_near_the_crps() -> None:
    levels = np.arange(1, 200) / 200
    half = stats.norm.ppf((1 + levels) / 2)
    y = np.array([0.2, -1.7])
    found = scores.weighted_interval_score(y, [0.0, 0.0], [-half, -half], [half, half], levels)
    assert found == pytest.approx(scores.crps_normal(y, 0.0, 1.0), rel=0.02)


def test_one_weighted_interval_by_hand() -> None:
    found = scores.weighted_interval_score([4.0], [1.0], [[0.0]], [[2.0]], [0.8])
    assert found == pytest.approx([(1.5 + 0.1 * (2 + 10 * 2)) / 1.5])


def test_log_loss_and_brier_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 2, 50), rng.uniform(size=50)
    classes, prob = rng.integers(0, 4, 50), rng.dirichlet(np.ones(4), 50)
    assert scores.log_loss(y, p).mean() == pytest.approx(sk.log_loss(y, p), abs=1e-14)
    assert scores.brier_score(y, p).mean() == pytest.approx(sk.brier_score_loss(y, p), abs=1e-15)
    ours = scores.log_loss_categorical(classes, prob).mean()
    assert ours == pytest.approx(sk.log_loss(classes, prob, labels=range(4)), abs=1e-12)
    one_hot = np.eye(4)[classes]
    squares = ((prob - one_hot) ** 2).sum(axis=1)
    assert scores.brier_categorical(classes, prob) == pytest.approx(squares, abs=1e-15)


def test_ranked_classes_are_an_ensemble_of_numbers() -> None:
    prob = np.random.default_rng(4).dirichlet(np.ones(5), 5)
    worlds = np.tile(np.arange(5.0)[:, None], (1, 5))
    assert scores.rps_score(np.arange(5), prob) == pytest.approx(
        scores.crps_ensemble(np.arange(5.0), worlds, weights=prob.T), abs=1e-13
    )


def test_densities_are_those_of_scipy() -> None:
    y, mean, std = np.array([0.0, 3.0]), np.array([1.0, 1.0]), np.array([0.5, 2.0])
    logpdf = stats.norm.logpdf(y, mean, std)
    assert scores.logs_normal(y, mean, std) == pytest.approx(-logpdf, abs=1e-14)
    twice = scores.dawid_sebastiani(y, mean, std**2)
    assert twice == pytest.approx(-2 * logpdf - np.log(2 * np.pi), abs=1e-13)
    assert scores.nis(y, mean, std**2).tolist() == [4.0, 1.0]
