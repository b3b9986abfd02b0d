"""Stacking: gradients of the pool's loss, weights that follow them, and least squares on the simplex."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.errors import DistributionError
from rxml.uncertain.pooling import (
    ExponentiatedGradient,
    OnlineRidge,
    crps_gradient,
    log_gradient,
    squared_gradient,
)
from rxml.uncertain.pooling.quadratic import least_on_simplex
from tests.unit.uncertain.pooling.drawn import FEW, Floats, near

if TYPE_CHECKING:
    from collections.abc import Callable

optimize: Any = import_module("scipy.optimize")
stats: Any = import_module("scipy.stats")

K = 3
SEEDS = st.integers(0, 10**6)
F, V = np.array([[1.0, 2.5, -0.5]]), np.array([[0.5, 2.0, 1.0]])
W, Y = np.array([[0.2, 0.5, 0.3]]), np.array([0.7])
GRID = np.linspace(-12, 15, 60_001)


def crps(w: Floats) -> float:
    """CRPS of the mixture by quadrature of (F - 1[x >= y])^2."""
    cdf = w @ np.where(GRID > -9, stats.norm.cdf(GRID, F.T, np.sqrt(V).T), 0.0)
    return float(np.square(cdf - w.sum() * (Y[0] <= GRID)).sum() * (GRID[1] - GRID[0]))


def log_loss(w: Floats) -> float:
    return -float(np.log((w * stats.norm.pdf(Y, F[0], np.sqrt(V[0]))).sum()))


def squared(w: Floats) -> float:
    return float((w @ F[0] - Y[0]) ** 2)


def slopes(loss: Callable[[Floats], float]) -> Floats:
    """How the loss changes along each weight, by central differences."""
    step = 1e-4 * np.eye(K)
    return np.array([(loss(W[0] + each) - loss(W[0] - each)) / 2e-4 for each in step])


def test_gradients_are_those_of_the_losses() -> None:
    near(squared_gradient(F, W, Y)[0], slopes(squared), 1e-6)
    logp = stats.norm.logpdf(Y[0], F, np.sqrt(V))
    near(log_gradient(logp, W)[0], slopes(log_loss), 1e-6)
    # the mixture of weights that do not sum to one has another form: only differences along the simplex count
    got, want = crps_gradient(F, V, W, Y)[0], slopes(crps)
    near(got - got.mean(), want - want.mean(), 1e-3, 1e-4)


def test_gradients_of_who_sleeps_are_none() -> None:
    f = np.where([[True, False, True]], F, np.nan)
    w = np.array([[0.4, 0.0, 0.6]])
    for got, want in (
        (squared_gradient(f, w, Y), squared_gradient(F[:, [0, 2]], w[:, [0, 2]], Y)),
        (log_gradient(f, w), log_gradient(F[:, [0, 2]], w[:, [0, 2]])),
        (crps_gradient(f, V, w, Y), crps_gradient(F[:, [0, 2]], V[:, [0, 2]], w[:, [0, 2]], Y)),
    ):
        assert np.isnan(got[0, 1])
        near(got[0, [0, 2]], want[0])
    facts = crps_gradient([[1.0, 3.0]], [[0.0, 0.0]], [[0.5, 0.5]], [1.0])
    near(facts, [[-1.0, 1.0]])
    with pytest.raises(DistributionError, match=r"variance is >= 0.*row 0"):
        crps_gradient([[1.0]], [[-1.0]], [[1.0]], [1.0])
    near(log_gradient([[-800.0, -900.0]], [[1.0, 0.0]])[0, 0], -1.0)


def test_exponentiated_gradient_finds_the_best_mixture_not_the_best_model() -> None:
    rng = np.random.default_rng(12)
    model = ExponentiatedGradient(2, rate=0.02, keys=1)
    y = rng.normal(size=3000)
    shared = rng.normal(size=3000)
    outputs = np.stack([y + shared, y - 0.5 * shared], axis=1)  # 1/3 and 2/3 of these are right
    for at in range(len(y)):
        f = outputs[at : at + 1]
        model.update([0], squared_gradient(f, model.weights([0]), y[at : at + 1]))
    near(model.weights([0])[0], [1 / 3, 2 / 3], 0.05)


@FEW
@given(seed=SEEDS, forgetting=st.sampled_from([1.0, 0.9]))
def test_ridge_is_least_squares(seed: int, forgetting: float) -> None:
    rng = np.random.default_rng(seed)
    f, y = rng.normal(size=(8, K)), rng.normal(size=8)
    model = OnlineRidge(K, penalty=0.7, forgetting=forgetting, keys=2)
    model.update([1] * 8, f, y)
    root = np.sqrt(np.power(forgetting, np.arange(7.0, -1.0, -1.0)))
    rows = np.vstack([f * root[:, None], np.sqrt(0.7) * np.eye(K)])
    goals = np.r_[y * root, np.sqrt(0.7) / K * np.ones(K)]
    want = rows.T @ goals @ np.linalg.inv(rows.T @ rows)
    near(model.weights([1])[0], want, 1e-8, 1e-10)
    near(model.weights([0])[0], 1 / K)
    some = model.weights([1, 1], [[True, False, True], [False, False, False]])
    assert (some[0, 1], some[1].tolist()) == (0.0, [0.0] * K)


@FEW
@given(seed=SEEDS)
def test_the_least_on_the_simplex_is_the_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 6))
    root = rng.normal(size=(k, k))
    a, b = root @ root.T + 0.05 * np.eye(k), rng.normal(size=k) * 3
    w = least_on_simplex(a[None], b[None], np.ones((1, k), np.bool_))[0]
    assert w.sum() == pytest.approx(1.0)
    assert np.all(w >= 0)
    slope = a @ w - b
    # what has weight has the least slope, and all of it the same
    assert np.all(slope[w > 0] <= slope.min() + 1e-8 * (1 + np.abs(slope).max()))


@FEW
@given(seed=SEEDS, simplex=st.booleans())
def test_rows_batches_and_restored_states_are_the_same_to_the_last_bit(
    seed: int, *, simplex: bool
) -> None:
    rng = np.random.default_rng(seed)
    n = 10
    slots, f, y = rng.integers(0, 3, n), rng.normal(size=(n, K)), rng.normal(size=n)
    f[rng.random((n, K)) < 0.2] = np.nan
    awake = rng.random((n, K)) < 0.8
    whole, model = OnlineRidge(K, simplex=simplex, keys=3), OnlineRidge(K, simplex=simplex)
    whole.update(slots, f, y, awake)
    model.grow(3)
    for a, b in ((0, 1), (1, 4), (4, n)):
        model.update(slots[a:b], f[a:b], y[a:b], awake[a:b])
        again = OnlineRidge(K, simplex=simplex)
        again.restore(model.snapshot())
        model = again
    every = whole.weights(slots, awake)
    single = [model.weights(slots[at : at + 1], awake[at : at + 1]) for at in range(n)]
    np.testing.assert_array_equal(every, np.concatenate(single))
    if simplex:
        assert np.all(every >= 0)
        near(every.sum(axis=1), awake.any(axis=1) * 1.0, 1e-9)


def test_models_that_err_alike_get_weights_of_both_signs_but_on_the_simplex() -> None:
    rng = np.random.default_rng(13)
    y, shared = rng.normal(size=500), rng.normal(size=500)
    f = np.stack([y + shared, y + 2 * shared], axis=1)
    free, convex = OnlineRidge(2, keys=1), OnlineRidge(2, simplex=True, keys=1)
    for model in (free, convex):
        model.update([0] * 500, f, y)
    near(free.weights([0])[0], [2.0, -1.0], 0.03)
    near(convex.weights([0])[0], [1.0, 0.0], 1e-9, 1e-9)


def test_who_sleeps_is_taken_to_say_what_the_others_say() -> None:
    one, other = OnlineRidge(K, keys=1), OnlineRidge(K, keys=1)
    one.update([0], [[1.0, np.nan, 3.0]], [2.5])
    other.update([0], [[1.0, 2.0, 3.0]], [2.5])
    np.testing.assert_array_equal(one.weights([0]), other.weights([0]))
    before = one.snapshot()
    one.update([0], [[np.nan] * K], [2.5])
    for name, array in one.snapshot().items():
        np.testing.assert_array_equal(array, before[name])


def test_what_is_refused_is_named() -> None:
    model = OnlineRidge(2, keys=1)
    with pytest.raises(DistributionError, match=r"output is within .*row 1"):
        model.update([0, 0], [[1.0, 2.0], [1.0, np.inf]], [1.0, 1.0])
    with pytest.raises(DistributionError, match=r"target is within .*row 0"):
        model.update([0], [[1.0, 2.0]], [np.nan])
    with pytest.raises(ValueError, match=r"squares of shape \(1, 2, 2\), got \(1, 3, 3\)"):
        model.restore(OnlineRidge(3, keys=1).snapshot())
    configs: list[dict[str, Any]] = [
        {"models": 0},
        {"models": 1, "penalty": 0.0},
        {"models": 1, "forgetting": 0.0},
    ]
    for config in configs:
        with pytest.raises(ValueError, match=r"wants a number|must be >= 1"):
            OnlineRidge(**config)


@pytest.mark.parametrize("simplex", [False, True])
def test_large_outputs_that_are_alike_leave_weights_equal(*, simplex: bool) -> None:
    for size in (1e9, 1e100):
        model = OnlineRidge(3, simplex=simplex, keys=1)
        model.update([0, 0], np.full((2, 3), size), [size, size])
        np.testing.assert_allclose(model.weights([0]), 1 / 3, rtol=0.02)
