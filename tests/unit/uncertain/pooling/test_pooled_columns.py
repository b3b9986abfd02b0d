"""pool: columns of distributions pooled to one column, of each kind and by each rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml.errors import DistributionError
from rxml.uncertain import (
    Bernoulli,
    Beta,
    Categorical,
    Mixture,
    Normal,
    Quantiles,
    Worlds,
    pool,
)
from rxml.uncertain.pooling import inverse_variance, random_effects
from tests.unit.uncertain.pooling.drawn import Floats, near

WIDE = Normal([10.0, 0.0, 5.0], [1.0, 4.0, np.inf])
NEAR = Normal([13.0, 2.0, 1.0], [2.0, 1.0, np.inf])
TAUS = [0.1, 0.5, 0.9]


def ends(column: Any) -> tuple[Floats, Floats]:
    return column.mean(), column.var()


def test_a_linear_pool_splits_its_variance_by_the_law_of_total_variance() -> None:
    pooled = pool([WIDE[:2], NEAR[:2]], [2.0, 1.0])
    assert isinstance(pooled, Mixture)
    within, between = pooled.parts()
    near(pooled.mean(), [11.0, 2 / 3])
    near(within, [4 / 3, 3.0])
    near(between, [2.0, 8 / 9])


def test_numbers_are_facts_whose_pool_has_no_variance_within() -> None:
    pooled = pool([np.array([1.0, np.nan]), np.array([3, 4])])
    assert isinstance(pooled, Mixture)
    within, between = pooled.parts()
    assert within.tolist() == [0.0, 0.0]
    assert between.tolist() == [1.0, 0.0]
    assert pooled.mean().tolist() == [2.0, 4.0]


def test_quantiles_of_a_pool_are_sought_where_those_are_who_count() -> None:
    pooled = pool([Normal([0.0], [np.inf]), Normal([3.0], [4.0]), Normal([1e9], [1.0])], [1, 1, 0])
    want = Normal([3.0], [4.0])
    assert isinstance(pooled, Mixture)
    near(pooled.ppf(0.9), want.ppf(0.9))


@pytest.mark.parametrize("rule", ["linear_pool", "log_pool", "vincent", "ivw", "hksj", "product"])
def test_rows_in_which_nobody_tells_anything_are_as_good_as_unknown(rule: str) -> None:
    mean, var = ends(pool([WIDE, NEAR], rule=rule))
    assert (mean[2], var[2]) == (0.0, np.inf)
    assert np.isfinite(var[:2]).all()


def test_a_log_pool_is_convex_in_precisions_and_a_product_adds_them() -> None:
    for rule, times in (("log_pool", 2.0), ("product", 1.0)):
        mean, var = ends(pool([WIDE[:1], NEAR[:1]], rule=rule))
        near(mean, [11.0])
        near(var, [times / 1.5])


def test_vincent_averages_standard_deviations_to_the_last_digit() -> None:
    pooled = pool([Normal([1e8], [1.0]), Normal([1e8], [9.0])], [1, 3], "vincent")
    assert isinstance(pooled, Normal)
    assert (float(pooled.mean()[0]), float(pooled.var()[0])) == (1e8, 6.25)


def test_rules_by_variance_are_those_of_the_room() -> None:
    y, v = np.array([[10.0, 13.0, 9.0]]), np.array([[1.0, 2.0, 0.5]])
    columns = [Normal(y[:, at], v[:, at]) for at in range(3)]
    for rule, function in (("ivw", inverse_variance), ("hksj", random_effects)):
        mean, var = ends(pool(columns, rule=rule))
        want = function(y, v)
        assert (mean.tolist(), var.tolist()) == (want.mean.tolist(), want.var.tolist())
        two = ends(pool(columns, [1, 1, 0], rule))  # who has no weight is absent
        assert two[0].tolist() == function(y[:, :2], v[:, :2]).mean.tolist()


def test_quantiles_are_averaged_level_by_level_with_others_by_theirs() -> None:
    given = Quantiles(TAUS, [[1.0, 2.0, 3.0]])
    pooled = pool([given, Normal([2.0], [4.0])], [1, 3])
    assert isinstance(pooled, Quantiles)
    z = 2 * 1.2815515655446004
    near(pooled.values, [[0.25 + 0.75 * (2 - z), 2.0, 0.75 + 0.75 * (2 + z)]], rtol=1e-12)
    with pytest.raises(DistributionError, match="same levels"):
        pool([given, Quantiles([0.2, 0.8], [[1.0, 2.0]])])


def test_events_are_pooled_with_the_bounds_of_their_probabilities() -> None:
    known, vague = Bernoulli([0.2, 0.9]), Bernoulli.between([0.4, 0.0], [0.6, 1.0])
    linear = pool([known, vague])
    assert isinstance(linear, Bernoulli)
    near(np.stack(linear.bounds), [[0.3, 0.45], [0.4, 0.95]])
    by_odds = pool([known, known], rule="log_pool")
    assert isinstance(by_odds, Bernoulli)
    near(by_odds.bounds[0], [0.2, 0.9])
    nobody = pool([known, vague], awake=[[False, False], [True, False]])
    assert isinstance(nobody, Bernoulli)
    near(np.stack(nobody.bounds), [[0.0, 0.9], [1.0, 0.9]])


def test_betas_share_counts_or_add_them() -> None:
    one, other = Beta([2.0], [6.0]), Beta([4.0], [4.0])
    shared, added = (pool([one, other], rule=rule) for rule in ("log_pool", "product"))
    assert shared.equals(Beta([3.0], [5.0]))
    assert added.equals(Beta([5.0], [9.0]))
    linear = pool([one, other])
    assert isinstance(linear, Beta)
    near(linear.mean(), [0.375])
    assert pool([one, other], awake=[[False, False]]).equals(Beta([1.0], [1.0]))


def test_classes_are_pooled_if_they_are_the_same() -> None:
    one, other = Categorical([[0.5, 0.5]], ["a", "b"]), Categorical([[0.9, 0.1]], ["a", "b"])
    linear, by_log, both = (pool([one, other], rule=r) for r in (None, "log_pool", "product"))
    assert isinstance(linear, Categorical)
    assert isinstance(by_log, Categorical)
    assert isinstance(both, Categorical)
    near(linear.p, [[0.7, 0.3]])
    near(by_log.p, [[0.75, 0.25]])
    near(both.p, [[0.9, 0.1]])
    assert linear.classes.tolist() == ["a", "b"]
    nobody = pool([one, other], awake=[[False, False]])
    assert isinstance(nobody, Categorical)
    near(nobody.p, [[0.5, 0.5]])
    with pytest.raises(DistributionError, match="same classes"):
        pool([one, Categorical([[0.9, 0.1]])])


def test_rows_alone_are_pooled_as_they_are_together() -> None:
    rng = np.random.default_rng(5)
    columns = [Normal(rng.normal(size=40), rng.random(40)) for _ in range(5)]
    weights = rng.random((40, 5))
    whole = pool(columns, weights)
    for at in range(40):
        row = slice(at, at + 1)
        assert pool([each[row] for each in columns], weights[row]).equals(whole[row])


def test_worlds_count_by_their_moments() -> None:
    worlds = Worlds([[1.0], [3.0]])
    pooled = pool([worlds, Normal([2.0], [1.0])], rule="log_pool")
    assert isinstance(pooled, Normal)
    near(pooled.mean(), [2.0])
    near(pooled.var(), [1.0])


def test_scalars_are_pooled_to_a_scalar() -> None:
    pooled = pool([Normal(10.0, 1.0), Normal(13.0, 2.0)], rule="log_pool")
    assert pooled.shape == ()
    assert pooled.equals(pool([WIDE, NEAR], rule="log_pool").at(0))


@pytest.mark.parametrize(
    ("columns", "how", "error", "words"),
    [
        ([], {}, DistributionError, "no columns"),
        ([["a"]], {}, DistributionError, "numbers or distributions"),
        ([[1.0], [1.0, 2.0]], {}, DistributionError, "as many rows"),
        ([Normal(1.0, 1.0), Normal([1.0], [1.0])], {}, DistributionError, "as many rows"),
        ([[1.0], Categorical([[1.0]])], {}, DistributionError, "got a Categorical"),
        ([Bernoulli([0.5]), [0.5]], {}, DistributionError, "events"),
        ([Beta([1.0], [1.0]), [0.5]], {}, DistributionError, "betas"),
        ([Categorical([[1.0]]), [0.5]], {}, DistributionError, "categoricals"),
        ([Quantiles(TAUS, [[1.0, 2.0, 3.0]]), [0.5]], {}, DistributionError, "quantiles"),
        ([Quantiles(TAUS, [[1.0, 2.0, 3.0]])], {"rule": "ivw"}, ValueError, "vincent; got 'ivw'"),
        ([[1.0]], {"rule": "mean"}, ValueError, "got 'mean'"),
        ([[1.0], [2.0]], {"weights": [1.0, -1.0]}, DistributionError, "row"),
        ([[1.0], [2.0]], {"rule": "log_pool"}, DistributionError, "contradict"),
        ([Quantiles(TAUS, [[1.0, 2.0, 3.0]])], {"awake": [[False]]}, DistributionError, "finite"),
    ],
)
def test_what_cannot_be_pooled_is_told(
    columns: list[Any], how: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        pool(columns, **how)
