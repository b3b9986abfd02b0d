"""Functions of normals whose moments are exact: against quadrature, in the tails, of facts, far from 0."""

from __future__ import annotations

import itertools
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml.uncertain
from rxml.errors import DistributionError
from tests.unit.uncertain.columns.kinds import any_function

if TYPE_CHECKING:
    from collections.abc import Callable

room: Any = rxml.uncertain  # numpy's stubs do not know what its functions give of these
Draws = room.Draws
Interval = room.Interval
Mixture = room.Mixture
Normal = room.Normal
Worlds = room.Worlds
delta = room.delta
expected_expit = room.expected_expit
expected_probability = room.expected_probability
greater = room.greater
unscented = room.unscented
stats: Any = import_module("scipy.stats")
integrate: Any = import_module("scipy.integrate")

MEANS = np.array([-3.0, -0.4, 0.0, 0.7, 5.0])
VARS = np.array([0.3, 2.0, 1.0, 0.04, 4.0])
X = Normal(MEANS, VARS)
MAPS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], list[float]]] = {
    "exp": (np.exp, np.exp, []),
    "abs": (abs, np.abs, [0.0]),
    "square": (np.square, np.square, []),
    "power": (lambda x: x**2, np.square, []),
    "relu": (lambda x: np.maximum(x, 0.0), lambda v: np.maximum(v, 0.0), [0.0]),
    "at most": (lambda x: np.minimum(0.5, x), lambda v: np.minimum(v, 0.5), [0.5]),
    "clip": (lambda x: x.clip(-1.0, 0.5), lambda v: np.clip(v, -1.0, 0.5), [-1.0, 0.5]),
}


def moments(f: Callable[[Any], Any], mean: float, var: float, kinks: list[float]) -> list[float]:
    """Mean and variance of f of a normal, by Gauss-Legendre between its kinks."""
    std = np.sqrt(var)
    ends = [mean - 12 * std, *(k for k in kinks if abs(k - mean) < 12 * std), mean + 12 * std]
    nodes, weights = np.polynomial.legendre.leggauss(120)
    at = np.concatenate([(a + b) / 2 + (b - a) / 2 * nodes for a, b in itertools.pairwise(ends)])
    by = np.concatenate([(b - a) / 2 * weights for a, b in itertools.pairwise(ends)])
    mass = by * stats.norm.pdf(at, mean, std)
    first = float((mass * f(at)).sum())
    return [first, float((mass * np.square(f(at) - first)).sum())]


@pytest.mark.parametrize("name", MAPS)
def test_moments_are_those_of_quadrature(name: str) -> None:
    of_column, of_values, kinks = MAPS[name]
    with np.errstate(all="raise"):
        found = of_column(X)
    wanted = [moments(of_values, m, v, kinks) for m, v in zip(MEANS, VARS, strict=True)]
    np.testing.assert_allclose(np.stack([found.mean(), found.var()], -1), wanted, 1e-9, 1e-12)


@pytest.mark.parametrize("name", MAPS)
def test_of_facts_a_map_is_numpys_to_the_bit(name: str) -> None:
    of_column, of_values, _ = MAPS[name]
    facts = np.array([-2.5, -0.0, 0.3, 0.5, 40.0])
    with np.errstate(all="raise"):
        found = of_column(Normal(facts, 0.0))
    assert found.mean().tolist() == of_values(facts).tolist()
    assert found.var().tolist() == [0.0] * 5


@pytest.mark.parametrize("name", ["abs", "relu", "clip", "at most"])
def test_far_from_a_kink_no_digits_of_a_variance_are_lost(name: str) -> None:
    of_column, _, _ = MAPS[name]
    with np.errstate(all="raise"):
        near, far = of_column(Normal([1e9, -1e9], [1.0, 1e-6])), of_column(Normal(0.0, 1.0))
    kept = {"abs": [1.0, 1e-6], "relu": [1.0, 0.0], "clip": [0.0, 0.0], "at most": [0.0, 1e-6]}
    np.testing.assert_allclose(near.var(), kept[name], rtol=1e-9, atol=1e-300)
    assert far.var() > 0


def test_division_is_numpys_of_facts() -> None:
    facts, by = np.array([1.0, 5.0, 7.0]), np.array([3.0, -49.0, 0.1])
    assert (Normal(facts, 0.0) / by).mean().tolist() == (facts / by).tolist()
    assert (Worlds(facts[None]) / by).values[0].tolist() == (facts / by).tolist()
    assert (Interval(facts, facts) / by).lo.tolist() == (facts / by).tolist()
    np.testing.assert_allclose((Normal(facts, 2.0) / by).var(), 2 / by**2)
    with pytest.raises(DistributionError, match=r"to divide by is not 0; got 0\.0 in row 1"):
        _ = Normal(facts, 0.0) / np.array([1.0, 0.0, 2.0])


def test_what_is_unknown_is_clipped_to_either_end() -> None:
    with np.errstate(all="raise"):
        kept = Normal([3.0, 0.0], [np.inf, np.inf]).clip(-1.0, 5.0)
    assert kept.mean().tolist() == [2.0, 2.0]
    assert kept.var().tolist() == [9.0, 9.0]
    with pytest.raises(DistributionError, match="a mean is finite; got inf in row 0"):
        np.maximum(Normal([0.0], [np.inf]), 0.0)
    with pytest.raises(DistributionError, match="a mean is finite; got inf in row 1"):
        np.exp(Normal([0.0, 800.0], 1.0))


def test_a_clip_tells_every_digit_of_a_far_tail() -> None:
    with np.errstate(all="raise"):
        tail = np.maximum(Normal(0.0, 1.0), 10.0)
    mass = integrate.quad(any_function(lambda z: (z - 10) * stats.norm.pdf(z)), 10, 20, epsabs=0)[0]
    square = integrate.quad(
        any_function(lambda z: (z - 10) ** 2 * stats.norm.pdf(z)), 10, 20, epsabs=0
    )[0]
    assert tail.mean() == 10 + mass
    np.testing.assert_allclose(tail.var(), square, rtol=1e-9)


@pytest.mark.parametrize("correlation", [-1.0, -0.4, 0.0, 0.9, 1.0])
def test_the_greater_of_two_is_clarks(correlation: float) -> None:
    x, y = Normal(MEANS, VARS), Normal(MEANS[::-1] / 4, VARS[::-1])
    with np.errstate(all="raise"):
        found = greater(x, y, correlation)
    z = np.linspace(-9.0, 9.0, 1501)[:, None]
    by = stats.norm.pdf(z) * (z[1] - z[0])
    at_x = x.mean() + x.std() * z  # and then y is a normal, of which the part above x is kept
    left = np.full(at_x.size, (1 - correlation**2)) * np.tile(y.var(), len(z))
    at_y = y.mean() + correlation * y.std() * z
    part = Normal((at_y - at_x).ravel(), left).clip(0.0)
    mean, var = (each.reshape(at_x.shape) for each in (part.mean(), part.var()))
    first = (by * (at_x + mean)).sum(axis=0)
    second = (by * (var + np.square(at_x + mean))).sum(axis=0)
    near = 1e-3 if abs(correlation) == 1 else 1e-7  # a kink makes the trapezoids worse
    np.testing.assert_allclose(found.mean(), first, atol=near)
    np.testing.assert_allclose(found.var(), second - np.square(first), atol=near)


def test_the_greater_of_two_by_numpy_and_far_from_zero() -> None:
    x, y = Normal([1e9, 2.0], [1.0, 0.0]), Normal([1e9, 3.0], [1.0, 0.0])
    with np.errstate(all="raise"):
        most, least = np.maximum(x, y), np.minimum(x, y)
    np.testing.assert_allclose(most.var(), [1 - 1 / np.pi, 0.0], rtol=1e-9)
    np.testing.assert_allclose(least.var(), most.var(), rtol=1e-9)
    assert (most.mean()[1], least.mean()[1]) == (3.0, 2.0)
    assert np.maximum(x, x).equals(x)
    with pytest.raises(DistributionError, match="finite variances; got inf in row 1"):
        greater(x, Normal(0.0, [1.0, np.inf]))
    with pytest.raises(DistributionError, match="correlation is within"):
        greater(x, y, 1.5)
    with pytest.raises(DistributionError, match="the greater of Normal and Mixture: make"):
        np.maximum(x, x.to(Mixture))


def test_a_score_has_the_probability_that_a_probit_and_a_logit_model_give_it() -> None:
    with np.errstate(all="raise"):
        probit, logit = expected_probability(X), expected_expit(X)
        far = expected_expit(Normal([-700.0, 700.0, 0.0], [0.0, 0.0, np.inf]))
    for i in range(5):
        exact = moments(stats.norm.cdf, MEANS[i], VARS[i], [])[0]
        np.testing.assert_allclose(probit[i], exact, rtol=1e-9)
        near = moments(lambda v: 1 / (1 + np.exp(-v)), MEANS[i], VARS[i], [])[0]
        assert abs(logit[i] - near) < (4e-3 if VARS[i] <= 1 else 0.012)
    np.testing.assert_allclose(far, [np.exp(-700.0), 1.0, 0.5])


@pytest.mark.parametrize("degree", range(7))
def test_unscented_is_exact_up_to_the_degree_that_it_claims(degree: int) -> None:
    mean, var = np.array([[0.7], [-2.0]]), np.array([[0.5], [4.0]])
    with np.errstate(all="raise"):
        found = unscented(any_function(lambda points: points[:, 0] ** degree), mean, var)
    exact = [
        moments(lambda v: v**degree, m, v, []) for m, v in zip(mean[:, 0], var[:, 0], strict=True)
    ]
    means, variances = np.transpose(exact)
    assert np.allclose(found.mean, means, rtol=1e-9) == (degree <= 5)
    assert np.allclose(found.var, variances, rtol=1e-9) == (degree <= 2)


def test_unscented_and_delta_share_the_variance_among_the_inputs() -> None:
    mean, var = np.array([[1.0, 2.0, 0.0]]), np.array([[0.5, 0.0, 2.0]])
    for method in (unscented, delta):
        found = method(any_function(lambda p: 3 * p[:, 0] + p[:, 1] - 2 * p[:, 2]), mean, var)
        np.testing.assert_allclose(found.mean, [5.0])
        np.testing.assert_allclose(found.parts[:, 0], [4.5, 0.0, 8.0], atol=1e-6)
        np.testing.assert_allclose(found.var, [12.5], rtol=1e-6)
    empty = unscented(any_function(lambda p: p[:, 0]), np.empty((0, 3)), np.empty((0, 3)))
    assert empty.mean.shape == (0,)


def test_maps_by_every_method_agree_where_the_map_is_nearly_straight() -> None:
    x = Normal([10.0, 20.0], 0.01)
    draws, ids = Draws(1, 512), [1, 2]
    found = [
        x.map(np.log, "unscented"),
        x.map(np.log, "delta"),
        x.map(np.log, smooth=True),
        x.map(np.log, draws=draws, ids=ids),
        x.map(np.log, "worlds", draws=draws, ids=ids),
    ]
    for each in found:
        np.testing.assert_allclose(each.mean(), np.log([10.0, 20.0]), atol=1e-3)
        np.testing.assert_allclose(each.std(), [0.01, 0.005], rtol=0.03)
    for options, text in (
        ({}, "declare smooth=True"),
        ({"method": "exact"}, "no exact form of log"),
        ({"method": "worlds"}, "needs draws= and ids="),
        ({"method": "magic"}, "a method is exact, delta"),
    ):
        with pytest.raises(DistributionError, match=text):
            x.map(np.log, **options)
    with pytest.raises(DistributionError, match="infinite variance cannot be propagated"):
        Normal(0.0, np.inf).map(np.sin, "unscented")
