"""Distributions pooled to one: normals, quantiles, probabilities, choices and betas."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from rxml.errors import DistributionError
from rxml.uncertain.pooling import (
    inverse_variance,
    linear_pool,
    linear_pool_beta,
    linear_pool_categorical,
    linear_pool_probability,
    log_pool,
    log_pool_beta,
    log_pool_categorical,
    log_pool_probability,
    product,
    product_beta,
    variance_split,
    vincent,
)
from tests.unit.uncertain.pooling.drawn import FEW, Floats, near

stats: Any = import_module("scipy.stats")

MEAN, VAR = np.array([[1.0, -2.0, 4.0]]), np.array([[1.0, 0.25, 4.0]])
WEIGHTS = np.array([0.5, 0.2, 0.3])
GRID = np.linspace(-40, 40, 160_001)


def densities(weights: Floats = WEIGHTS) -> tuple[Floats, Floats]:
    """The densities of the members on a grid, and logs of them."""
    logs: Floats = stats.norm.logpdf(GRID, MEAN.T, np.sqrt(VAR).T)
    return weights[:, None] * np.exp(np.maximum(logs, -700)), weights[:, None] * logs


def linear_moments(mean: Any, var: Any, weights: Any) -> tuple[Floats, Floats]:
    return linear_pool(mean, var, weights).moments()


def table(result: Any) -> Floats:
    """What a pool gives, a row a row."""
    return result if hasattr(result, "dtype") else np.stack(result, axis=1)


def moments(density: Floats) -> tuple[float, float]:
    p = density / density.sum()
    mean = float((p * GRID).sum())
    return mean, float((p * (GRID - mean) ** 2).sum())


def test_pools_of_normals_are_those_of_their_densities() -> None:
    parts, logs = densities()
    linear = linear_pool(MEAN, VAR, WEIGHTS).moments()
    near(np.ravel(linear), moments(parts.sum(axis=0)), 1e-6)
    total = logs.sum(axis=0)
    near(
        np.ravel(log_pool(MEAN, VAR, WEIGHTS)),
        moments(np.exp(np.maximum(total - total.max(), -700))),
        1e-6,
    )
    prior = stats.norm.logpdf(GRID, 0.5, 5.0)
    whole = densities(np.ones(3))[1].sum(axis=0) - 2 * prior
    near(
        np.ravel(product(MEAN, VAR, (0.5, 25.0))),
        moments(np.exp(np.maximum(whole - whole.max(), -700))),
        1e-6,
    )


def test_independent_evidence_is_inverse_variance() -> None:
    got, want = product(MEAN, VAR), inverse_variance(MEAN, VAR)
    near(got[0], want.mean)
    near(got[1], want.var)
    # of one member the prior is counted once, in it, whatever it is
    near(np.ravel(product([[3.0]], [[2.0]], (9.0, 7.0))), [3.0, 2.0])
    near(np.ravel(product([[np.nan]], [[2.0]], (9.0, 7.0))), [9.0, 7.0])
    np.testing.assert_array_equal(np.ravel(product([[np.nan]], [[2.0]])), [np.nan, np.inf])
    near(np.ravel(product([[3.0, 4.0]], [[2.0, 0.0]], (9.0, 7.0))), [4.0, 0.0])
    mean, var = product([[1.0, 2.0]], [[1e9, 1e9]], None, [1e308, 1e308])
    near(np.array([mean[0], var[0] * 1e300]), [1.5, 5.0])
    with pytest.raises(DistributionError, match=r"know more than the prior.*row 0"):
        product([[1.0, 2.0]], [[3.0, 3.0]], (0.0, 1.0))
    for prior in ((0.0, 0.0), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="prior must be a finite mean"):
            product([[1.0]], [[1.0]], prior)


@FEW
@given(
    mean=st.floats(-1e6, 1e6),
    var=st.sampled_from([0.0, 1e-300, 0.3, 1e6, np.inf]),
    k=st.integers(1, 5),
)
def test_the_pool_of_one_mind_is_that_mind(mean: float, var: float, k: int) -> None:
    weights = np.arange(1.0, k + 1)
    center, spread = log_pool(np.full((1, k), mean), np.full((1, k), var), weights)
    near([center[0], spread[0]], [mean, var], 1e-12, 1e-300)
    center, spread = linear_pool(np.full((1, k), mean), np.full((1, k), var), weights).moments()
    near([center[0], spread[0]], [mean, var], 1e-12, 1e-18)


@FEW
@given(data=st.data(), shape=st.tuples(st.integers(1, 4), st.integers(1, 5)))
def test_the_order_of_members_does_not_count_and_a_part_can_be_pooled_first(
    data: st.DataObject, shape: tuple[int, int]
) -> None:
    m = data.draw(hnp.arrays(np.float64, shape, elements=st.floats(-100, 100)))
    v = data.draw(hnp.arrays(np.float64, shape, elements=st.floats(0.01, 100)))
    w = np.arange(1.0, shape[1] + 1)
    for pool in (log_pool, linear_moments):
        whole = pool(m, v, w)
        for one, other in zip(whole, pool(m[:, ::-1], v[:, ::-1], w[::-1]), strict=True):
            near(one, other, 1e-9, 1e-9)
        first = pool(m[:, :2], v[:, :2], w[:2])
        merged = pool(
            np.c_[first[0], m[:, 2:]], np.c_[first[1], v[:, 2:]], np.r_[w[:2].sum(), w[2:]]
        )
        near(np.ravel(merged), np.ravel(whole), 1e-9, 1e-9)


@FEW
@given(seed=st.integers(0, 10**6))
def test_rows_are_pooled_by_themselves_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, k, m = rng.integers(1, 12, 3)
    mean, w, awake = rng.normal(size=(n, k)), rng.random((n, k)), rng.random((n, k)) < 0.8
    var, p = rng.random((n, k)), rng.random((n, k))
    logs = np.log(rng.dirichlet(np.ones(m), (n, k)))
    pools: list[tuple[Any, tuple[Any, ...]]] = [
        (linear_moments, (mean, var, w)),
        (log_pool, (mean, var, w, awake)),
        (vincent, (np.sort(logs, axis=2), w, awake)),
        (log_pool_beta, (p, var, w, awake)),
        (linear_pool_beta, (p, var, w, awake)),
        (linear_pool_probability, (p, w, awake)),
        (log_pool_probability, (p, w, awake)),
        (linear_pool_categorical, (logs, w, awake)),
        (log_pool_categorical, (logs, w, awake)),
    ]
    for pool, given_ in pools:
        whole = table(pool(*given_))
        single = [table(pool(*(each[at : at + 1] for each in given_))) for at in range(n)]
        np.testing.assert_array_equal(whole, np.concatenate(single), err_msg=repr(pool))


def test_the_variance_splits_into_that_of_members_and_that_between_them() -> None:
    split = variance_split(MEAN, VAR, WEIGHTS)
    mean = float((WEIGHTS * MEAN).sum())
    near(split.within, [(WEIGHTS * VAR).sum()])
    near(split.between, [(WEIGHTS * (MEAN - mean) ** 2).sum()])
    near(split.total, linear_pool(MEAN, VAR, WEIGHTS).moments()[1])
    asleep = variance_split([[1.0, np.nan], [np.nan, np.nan]], np.ones((2, 2)), [0.3, 0.7])
    np.testing.assert_array_equal(asleep.total, [1.0, np.nan])
    np.testing.assert_array_equal(asleep.between, [0.0, np.nan])
    facts = variance_split([[1.0, 2.0]], [[0.0, 0.0]])
    assert (facts.within[0], facts.between[0]) == (0.0, 0.25)
    vague = linear_pool([[1.0, 2.0]], [[0.0, np.inf]], [1.0, 0.0]).moments()
    assert (vague[0][0], vague[1][0]) == (1.0, 0.0)
    assert linear_pool([[1.0, 2.0]], [[1.0, np.inf]]).moments()[1][0] == np.inf


def test_facts_contradict_each_other_in_a_log_pool_only_if_they_weigh() -> None:
    facts = np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 0.0, 1.0]])
    with pytest.raises(DistributionError, match=r"contradict.*row 0"):
        log_pool(*facts)
    with pytest.raises(DistributionError, match=r"contradict.*row 0"):
        product(*facts)
    assert np.ravel(log_pool(*facts, [0.0, 0.5, 0.5])).tolist() == [2.0, 0.0]
    assert np.ravel(product(*facts, weights=[0.0, 0.5, 0.5])).tolist() == [2.0, 0.0]
    assert linear_pool(*facts).moments()[0][0] == 2.0


def test_quantiles_are_averaged_level_by_level() -> None:
    taus = np.array([0.05, 0.5, 0.95])
    values: Floats = stats.norm.ppf(taus, MEAN[0][:, None], np.sqrt(VAR[0])[:, None])[None]
    got = vincent(values, WEIGHTS)
    mean, sd = (WEIGHTS * MEAN).sum(), (WEIGHTS * np.sqrt(VAR)).sum()
    near(got[0], stats.norm.ppf(taus, mean, sd))
    assert sd**2 < linear_pool(MEAN, VAR, WEIGHTS).moments()[1][0]
    near(vincent(values[:, [0, 0, 0]])[0], values[0, 0], 1e-15, 1e-15)
    values[0, 1, 0] = np.nan
    near(vincent(values, WEIGHTS), vincent(values[:, [0, 2]], WEIGHTS[[0, 2]]))
    assert np.isnan(vincent(values, awake=np.zeros((1, 3), np.bool_))).all()


def test_quantiles_that_are_none_are_named() -> None:
    with pytest.raises(DistributionError, match=r"must not decrease.*row 1"):
        vincent([[[1.0, 2.0]], [[2.0, 1.0]]])
    open_ = vincent([[[-np.inf, 1.0], [-np.inf, 3.0]]])
    np.testing.assert_array_equal(open_, [[-np.inf, 2.0]])
    with pytest.raises(DistributionError, match=r"both -inf and inf.*row 0"):
        vincent([[[-np.inf, 1.0], [np.inf, np.inf]]])
    with pytest.raises(DistributionError, match=r"shape \(1, 2\): want \(N, K, L\)"):
        vincent([[1.0, 2.0]])


def test_pools_of_betas() -> None:
    a, b, w = np.array([[2.0, 30.0, 0.5]]), np.array([[5.0, 1.0, 0.5]]), WEIGHTS
    near(np.ravel(log_pool_beta(a, b, w)), [(w * a).sum(), (w * b).sum()])
    near(np.ravel(product_beta(a, b, (0.5, 0.5))), [0.5 + 1.5 + 29.5, 0.5 + 4.5 + 0.5])
    got = np.ravel(linear_pool_beta(a, b, w))
    beta = stats.beta(a[0], b[0])
    mean = float((w * beta.mean()).sum())
    var = float((w * (beta.var() + beta.mean() ** 2)).sum()) - mean**2
    near([stats.beta(*got).mean(), stats.beta(*got).var()], [mean, var])
    for pool in (log_pool_beta, linear_pool_beta):
        near(np.ravel(pool(a[:, [1, 1]], b[:, [1, 1]])), [30.0, 1.0], 1e-9)
        near(
            np.ravel(pool([[3.0, np.nan, 9.0]], [[4.0, 2.0, 9.0]], None, [[True, True, False]])),
            [3, 4],
        )
        assert np.isnan(pool([[np.nan]], [[1.0]])).all()
        with pytest.raises(DistributionError, match=r"b of a beta is from .*row 0"):
            pool([[1.0]], [[0.0]])
    near(np.ravel(product_beta([[np.nan]], [[1.0]], (2.0, 3.0))), [2.0, 3.0])
    with pytest.raises(DistributionError, match=r"know more than the prior.*row 0"):
        product_beta([[1.0, 1.0]], [[4.0, 4.0]], (3.0, 3.0))
    with pytest.raises(ValueError, match="prior must be two numbers > 0"):
        product_beta([[1.0]], [[4.0]], (0.0, 3.0))
    # near certainty, where 1 - mean has no digits left
    sure = np.ravel(linear_pool_beta([[1e17, 2e17]], [[1.0, 1.0]]))
    near(sure[0] / sure[1], 1 / (0.5 * (1e-17 + 0.5e-17)), 1e-9)
