"""Estimates whose errors depend: correlated ones, and vectors under covariance intersection."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.errors import DistributionError
from rxml.uncertain.pooling import (
    correlated,
    covariance_intersection,
    intersect,
    inverse_variance,
)
from tests.unit.uncertain.pooling.drawn import FEW, Floats, close, columns, near, rows_of

SEEDS = st.integers(0, 10**6)


def inverse_of(matrices: Floats) -> Floats:
    return np.linalg.inv(matrices).astype(np.float64)


def covariances(draw: np.random.Generator, *shape: int) -> Floats:
    """Random positive definite matrices of the last two axes."""
    root = draw.normal(size=shape)
    return root @ np.swapaxes(root, -1, -2) + 0.3 * np.eye(shape[-1])


def test_the_best_linear_estimate_is_that_of_aitken() -> None:
    draw = np.random.default_rng(5)
    y, s = draw.normal(size=(6, 4)), covariances(draw, 6, 4, 4)
    got = correlated(y, s, level=0.9)
    for at in range(6):
        inverse: Floats = inverse_of(s[at])
        ones = np.ones(4)
        var = 1 / (ones @ inverse @ ones)
        mean = var * (ones @ inverse @ y[at])
        assert got.mean[at] == pytest.approx(mean, rel=1e-9)
        assert got.var[at] == pytest.approx(var, rel=1e-9)
        assert got.q[at] == pytest.approx((y[at] - mean) @ inverse @ (y[at] - mean), rel=1e-9)
    near(got.hi - got.lo, 2 * 1.6448536269514722 * np.sqrt(got.var), 1e-12)


def test_without_correlation_it_is_inverse_variance() -> None:
    draw = np.random.default_rng(6)
    y, v = draw.normal(size=(5, 3)), draw.uniform(0.1, 3, (5, 3))
    y[1, 2] = np.nan
    v[2] = [1e-200, 1e200, np.inf]
    v[3] = [0.0, 1.0, 2.0]
    v[4] = np.inf
    cov = np.where(np.eye(3, dtype=np.bool_), v[:, :, None], 0.0)
    close(correlated(y, cov), inverse_variance(y, v))
    nobody = correlated(y[:2], cov[:2], np.zeros((2, 3), np.bool_))
    assert np.isnan(nobody.mean).all()
    assert np.isinf(nobody.var).all()


def test_who_sleeps_is_taken_out_of_the_covariance() -> None:
    draw = np.random.default_rng(7)
    y, s = draw.normal(size=(1, 4)), covariances(draw, 4, 4)
    awake = np.array([[True, False, True, True]])
    some = [0, 2, 3]
    close(correlated(y, s, awake), correlated(y[:, some], s[np.ix_(some, some)]))
    vague = s.copy()
    vague[1, 1] = np.inf
    close(correlated(y, vague), correlated(y[:, some], s[np.ix_(some, some)]))


def test_members_that_repeat_each_other_count_once() -> None:
    got = correlated([[3.0, 3.0, 5.0]], [[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
    assert got.var[0] == pytest.approx(2 / 3)
    assert got.mean[0] == pytest.approx((1.5 + 5.0) / 1.5)


@pytest.mark.parametrize(
    ("cov", "words"),
    [
        ([[1.0, 0.5], [0.4, 1.0]], "symmetric and finite"),
        ([[1.0, np.nan], [np.nan, 1.0]], "symmetric and finite"),
        ([[1.0, np.inf], [np.inf, 1.0]], "symmetric and finite"),
        ([[1.0, 1.5], [1.5, 1.0]], "no negative eigenvalue"),
        ([[-1.0, 0.0], [0.0, 1.0]], "variance is >= 0"),
        ([[1.0, 2.0], [2.0, 4.0]], "cancel out"),
        ([[0.0, 0.0], [0.0, 0.0]], "contradict each other"),
    ],
)
def test_what_is_no_covariance_is_named(cov: Any, words: str) -> None:
    with pytest.raises(DistributionError, match=f"{words}.*row 1"):
        correlated([[1.0, 2.0], [1.0, 2.0]], np.stack([np.eye(2), np.asarray(cov)]))


@FEW
@given(seed=SEEDS)
def test_rows_of_matrices_are_pooled_by_themselves_to_the_last_bit(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows, members, size = draw.integers(1, 5, 3)
    y, s = draw.normal(size=(rows, members)), covariances(draw, rows, members, members)
    x, c = draw.normal(size=(rows, members, size)), covariances(draw, rows, members, size, size)
    y[draw.random(y.shape) < 0.2] = np.nan
    x[draw.random(x.shape) < 0.1] = np.nan
    for rule, one, other in ((correlated, y, s), (intersect, x, c)):
        whole = columns(rule(one, other))
        single = rows_of([rule(one[i : i + 1], other[i : i + 1]) for i in range(rows)])
        for name, array in whole.items():
            np.testing.assert_array_equal(array, single[name], err_msg=name)


@FEW
@given(seed=SEEDS, criterion=st.sampled_from(["determinant", "trace"]))
def test_the_weights_of_vectors_are_the_best_convex_ones(seed: int, criterion: Any) -> None:
    draw = np.random.default_rng(seed)
    c = covariances(draw, 1, 2, 3, 3)
    got = intersect(draw.normal(size=(1, 2, 3)), c, criterion=criterion)
    size = np.linalg.det if criterion == "determinant" else np.trace
    grid = np.linspace(0, 1, 201)[:, None, None]
    tried: Floats = inverse_of(grid * inverse_of(c[0, 0]) + (1 - grid) * inverse_of(c[0, 1]))
    best = min(float(size(each)) for each in tried)
    assert float(size(got.cov[0])) <= best * (1 + 1e-3)
    assert got.weights.sum() == pytest.approx(1.0)
    assert np.all(got.weights >= 0)


@FEW
@given(seed=SEEDS)
def test_vectors_are_never_overconfident(seed: int) -> None:
    draw = np.random.default_rng(seed)
    full = covariances(draw, 6, 6)  # of the errors of three members of two axes: any correlation
    parts = [slice(2 * i, 2 * i + 2) for i in range(3)]
    c = np.stack([full[part, part] for part in parts])[None]
    got = intersect(np.zeros((1, 3, 2)), c)
    gains: Floats = np.hstack(
        [got.weights[0, i] * got.cov[0] @ inverse_of(c[0, i]) for i in range(3)]
    )
    near(gains @ np.vstack([np.eye(2)] * 3), np.eye(2), 1e-9, 1e-9)
    left = got.cov[0] - gains @ full @ gains.T
    assert np.linalg.eigvalsh(left).min() >= -1e-9


@FEW
@given(seed=SEEDS)
def test_copies_of_vectors_never_narrow(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, c = draw.normal(size=(1, 2, 2)), covariances(draw, 1, 2, 2, 2)
    once = intersect(x, c)
    twice = intersect(np.concatenate([x, x], 1), np.concatenate([c, c], 1))
    assert np.linalg.det(twice.cov[0]) >= np.linalg.det(once.cov[0]) * (1 - 1e-3)
    same = intersect(np.repeat(x[:, :1], 3, 1), np.repeat(c[:, :1], 3, 1))
    near(same.cov[0], c[0, 0], 1e-9)
    near(same.mean[0], x[0, 0], 1e-9)


def test_one_axis_is_the_intersection_of_numbers() -> None:
    y, v = np.array([[1.0, 4.0, 2.0]]), np.array([[2.0, 0.5, 1.0]])
    for weights in (None, [1.0, 2.0, 1.0]):
        got = intersect(y[..., None], v[..., None, None], weights=weights)
        want = covariance_intersection(y, v, weights=weights)
        near(got.mean[:, 0], want.mean, 1e-6)
        near(got.cov[:, 0, 0], want.var, 1e-6)


def test_all_weight_is_on_the_member_that_is_better_along_every_axis() -> None:
    c = np.stack([1.001 * np.eye(2), np.eye(2), 5.0 * np.eye(2)])[None]
    for criterion in ("determinant", "trace"):
        got = intersect(np.zeros((1, 3, 2)), c, criterion=criterion)
        np.testing.assert_array_equal(got.weights, [[0.0, 1.0, 0.0]])


def test_vectors_asleep_and_wrong() -> None:
    x, c = np.zeros((2, 2, 2)), np.eye(2)
    got = intersect(x, c, np.array([[True, False], [False, False]]))
    near(got.cov[0], np.eye(2))
    assert np.isnan(got.mean[1]).all()
    np.testing.assert_array_equal(got.cov[1], [[np.inf, 0], [0, np.inf]])
    np.testing.assert_array_equal(got.weights, [[1, 0], [0, 0]])
    with pytest.raises(DistributionError, match=r"positive definite.*rows 0, 1"):
        intersect(x, np.zeros((2, 2)))
    with pytest.raises(DistributionError, match=r"symmetric and finite.*rows 0, 1"):
        intersect(x, [[1.0, 0.5], [0.0, 1.0]])
    wrong: Any = "volume"
    with pytest.raises(ValueError, match="criterion must be one of determinant, trace"):
        intersect(x, c, criterion=wrong)


@pytest.mark.parametrize("criterion", ["determinant", "trace"])
def test_vectors_of_any_size_are_intersected(criterion: Any) -> None:
    means = [[[1.0, 2.0], [3.0, 4.0]]]
    with np.errstate(all="raise"):
        for sizes, best in (((1e-310, 1.0), 0), ((1e200, 1e-200), 1), ((1.0, 1e160), 0)):
            covs = np.array(sizes)[:, None, None] * np.eye(2)
            got = intersect(means, covs, criterion=criterion)
            assert got.mean[0].tolist() == means[0][best]
            near(got.cov[0] / sizes[best], np.eye(2), 1e-12)
        far = intersect(means, np.full((2, 1, 1), 1e300) * np.eye(2), criterion=criterion)
        near(far.mean[0], [2.0, 3.0], 1e-12)
        none = intersect(np.zeros((2, 0, 2)), np.zeros((2, 0, 2, 2)), criterion=criterion)
    assert np.isnan(none.mean).all()


def test_a_fact_without_weight_contradicts_no_one() -> None:
    got = covariance_intersection([[1.0, 2.0]], [[0.0, 0.0]], weights=[1.0, 0.0])
    assert (got.mean[0], got.var[0]) == (1.0, 0.0)
