"""Probabilities of an event, and of choices, pooled to one; and the split of their entropy."""

from __future__ import annotations

from importlib import import_module
from math import log
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from rxml.errors import DistributionError
from rxml.uncertain.pooling import (
    entropy_split,
    linear_pool_categorical,
    linear_pool_probability,
    log_pool_categorical,
    log_pool_probability,
    product_probability,
)
from tests.unit.uncertain.pooling.drawn import FEW, Floats, near

special: Any = import_module("scipy.special")
stats: Any = import_module("scipy.stats")

W = np.array([0.5, 0.2, 0.3])
P = np.array([[0.9, 0.6, 0.2], [0.5, 1e-5, 0.01]])
Q = np.array([[[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.05, 0.05, 0.9]]])


def plain_log_odds(p: Floats, w: Floats) -> Floats:
    odds: Floats = (w * (np.log(p) - np.log1p(-p))).sum(axis=1)
    return odds


def test_pools_of_an_event_are_those_of_the_formulas() -> None:
    near(linear_pool_probability(P, W), (W * P).sum(axis=1))
    near(log_pool_probability(P, W), special.expit(plain_log_odds(P, W)))
    near(log_pool_probability(P, W, extremise=2.5), special.expit(2.5 * plain_log_odds(P, W)))
    odds = plain_log_odds(P, np.ones(3)) - 2 * special.logit(0.2)
    near(product_probability(P, 0.2), special.expit(odds))
    near(product_probability([[np.nan], [0.4]], 0.2), [0.2, 0.4])


def test_an_event_of_two_choices_is_pooled_as_choices_are() -> None:
    pair = np.log(np.stack([1 - P, P], axis=2))
    near(np.exp(log_pool_categorical(pair, W))[:, 1], log_pool_probability(P, W))
    near(np.exp(linear_pool_categorical(pair, W))[:, 1], linear_pool_probability(P, W))
    near(np.exp(log_pool_categorical(pair, independent=True))[:, 1], product_probability(P))


def test_pools_of_choices_are_those_of_the_formulas() -> None:
    logs = np.log(Q)
    near(np.exp(linear_pool_categorical(logs, W))[0], (W[:, None] * Q[0]).sum(axis=0))
    mixed = np.prod(Q[0] ** W[:, None], axis=0)
    near(np.exp(log_pool_categorical(logs, W))[0], mixed / mixed.sum())
    whole = np.prod(Q[0], axis=0)
    near(np.exp(log_pool_categorical(logs, independent=True))[0], whole / whole.sum())


def total_entropy(logp: Any, weights: Any, awake: Any = None) -> Floats:
    return entropy_split(logp, weights, awake).total


@FEW
@given(p=st.floats(1e-5, 1 - 1e-5), k=st.integers(1, 5))
def test_the_pool_of_one_mind_is_that_mind(p: float, k: int) -> None:
    w = np.arange(1.0, k + 1)
    near(log_pool_probability(np.full((1, k), p), w), [p], 1e-9)
    near(linear_pool_probability(np.full((1, k), p), w), [p], 1e-9)
    logs = np.broadcast_to(np.log([p / 2, p / 2, 1 - p]), (1, k, 3))
    near(log_pool_categorical(logs, w), logs[:, 0], 1e-9, 1e-12)
    near(linear_pool_categorical(logs, w), logs[:, 0], 1e-9, 1e-12)
    split = entropy_split(logs, w)
    near(split.between, [0.0], 0.0, 1e-12)
    near(split.total, [stats.entropy(np.exp(logs[0, 0]))], 1e-9)


@FEW
@given(data=st.data())
def test_a_log_pool_is_externally_bayesian(data: st.DataObject) -> None:
    """News that all members hear can be heard before pooling or after."""
    raw = data.draw(hnp.arrays(np.float64, (2, 3, 4), elements=st.floats(-5, 5)))
    news = data.draw(hnp.arrays(np.float64, 4, elements=st.floats(-5, 5)))
    logs = special.log_softmax(raw, axis=2)
    after = special.log_softmax(log_pool_categorical(logs, W, clip=0.0) + news, axis=1)
    before = log_pool_categorical(special.log_softmax(logs + news, axis=2), W, clip=0.0)
    near(before, after, 1e-9, 1e-9)


def test_a_zero_is_a_veto_only_without_clipping() -> None:
    p = np.array([[0.0, 0.9]])
    odds = 0.5 * (log(1e-6) - np.log1p(-1e-6) + log(9))
    near(log_pool_probability(p), special.expit([odds]))
    assert log_pool_probability(p, clip=0.0)[0] == 0.0
    assert product_probability([[1.0, 0.9]], clip=0.0)[0] == 1.0
    assert log_pool_probability([[0.0, 1.0]], [0.0, 1.0], clip=0.0)[0] == 1.0
    with pytest.raises(DistributionError, match=r"both certain and impossible.*row 0"):
        log_pool_probability([[0.0, 1.0]], clip=0.0)
    with np.errstate(divide="ignore"):
        logs = np.log([[[0.0, 0.5, 0.5], [0.5, 0.5, 0.0]], [[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]]])
    near(np.exp(log_pool_categorical(logs[:1], clip=0.0)), [[0.0, 1.0, 0.0]], 1e-12, 1e-12)
    near(np.exp(log_pool_categorical(logs)).sum(axis=1), [1.0, 1.0])
    with pytest.raises(DistributionError, match=r"some choice must be left.*row 1"):
        log_pool_categorical(logs, clip=0.0)
    near(np.exp(linear_pool_categorical(logs))[1], [0.25, 0.25, 0.5])


def test_tails_keep_their_digits() -> None:
    tiny = np.full((1, 2), 1e-300)
    near(log_pool_probability(tiny, clip=0.0), [1e-300], 1e-9)
    near(linear_pool_probability(tiny), [1e-300], 1e-12)
    logs = np.array([[[-700.0, -np.exp(-700.0)], [-600.0, -np.exp(-600.0)]]])
    near(log_pool_categorical(logs, clip=0.0)[0, 0], -650.0, 1e-12)
    near(linear_pool_categorical(logs)[0, 0], -600 + log(0.5), 1e-9)
    assert np.isfinite(entropy_split(logs).between[0])


def test_entropy_splits_into_that_of_members_and_that_between_them() -> None:
    split = entropy_split(np.log(Q), W)
    within = sum(w * stats.entropy(q) for w, q in zip(W, Q[0], strict=True))
    total = stats.entropy((W[:, None] * Q[0]).sum(axis=0))
    near([split.total[0], split.within[0], split.between[0]], [total, within, total - within])
    with np.errstate(divide="ignore"):
        sure = np.log(np.eye(4)[None])
    split = entropy_split(sure)
    near([split.total[0], split.within[0], split.between[0]], [log(4), 0, log(4)], 1e-12, 1e-15)


def test_who_sleeps_is_left_out() -> None:
    awake = np.array([[True, False, True], [False, False, False]])
    some = [0, 2]
    logs = np.log(np.broadcast_to(Q, (2, 3, 3)))
    pairs: list[tuple[Any, Any]] = [
        (linear_pool_probability, P),
        (log_pool_probability, P),
        (linear_pool_categorical, logs),
        (log_pool_categorical, logs),
        (total_entropy, logs),
    ]
    for pool, values in pairs:
        got = pool(values, W, awake)
        near(got[0], pool(values[:1, some], W[some])[0])
        assert np.isnan(got[1]).all()
        missing = np.where(awake if values.ndim == 2 else awake[:, :, None], values, np.nan)
        near(pool(missing, W), got)
        assert pool(values[:0], W).shape[0] == 0


def test_what_is_no_probability_is_named() -> None:
    for pool in (linear_pool_probability, log_pool_probability, product_probability):
        with pytest.raises(DistributionError, match=r"within \[0, 1\].*row 1"):
            pool([[0.5], [1.5]])
    for pools in (linear_pool_categorical, log_pool_categorical, entropy_split):
        with pytest.raises(DistributionError, match=r"add up to 1.*row 0"):
            pools(np.log([[[0.5, 0.4]]]))
    for bad in (-0.1, 0.5):
        with pytest.raises(ValueError, match="clip must be from 0 to below 1/2"):
            log_pool_probability([[0.5]], clip=bad)
        with pytest.raises(ValueError, match="clip must be from 0 to below 1/2"):
            log_pool_categorical(np.log(Q), clip=bad)
    with pytest.raises(ValueError, match="extremise must be > 0"):
        log_pool_probability([[0.5]], extremise=0.0)
    with pytest.raises(ValueError, match="prior must be between 0 and 1"):
        product_probability([[0.5]], 1.0)
