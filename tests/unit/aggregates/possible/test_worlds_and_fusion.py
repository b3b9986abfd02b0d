"""Columns that were drawn together are aggregated world by world; estimates of one quantity become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.errors import DistributionError, SchemaError
from rxml.testing import run
from rxml.uncertain import Alternatives, Bernoulli, Draws, Normal, Worlds
from rxml.uncertain.pooling import covariance_intersection, inverse_variance, random_effects
from rxml.windows import tumbling

if TYPE_CHECKING:
    from rxml.aggregates import Aggregate
    from rxml.aggregates.possible.fusing import Fusion

Row = dict[str, Any]
DRAWS = Draws(0, 64)
SHARED = DRAWS.normal("weather", 1)


def told(items: list[Row], **aggregates: Aggregate) -> list[Row]:
    timed = rxml.of(*items).pipe(ops.with_event_time("t", unit="s"))
    return list(
        map(dict, run(timed.pipe(ops.window(tumbling(10)).aggregate(**aggregates)).to_list()))
    )


def drawn(values: Any) -> Worlds:
    return Worlds(values, world=DRAWS.key)


def test_every_world_is_a_window_of_its_own() -> None:
    values = [SHARED, -SHARED, SHARED + 1.0]
    items: list[Row] = [{"t": at, "v": drawn(v)} for at, v in enumerate(values)]
    for item in items:
        item["presence"] = item["v"] > 0.0
    items.append({"t": 4, "v": drawn(np.zeros(64)), "presence": drawn(np.zeros(64)) < 1.0})
    ways: dict[str, Aggregate] = {
        "n": pw.count(dependence="worlds"),
        "total": pw.sum("v", dependence="worlds"),
        "high": pw.max("v", dependence="worlds"),
        "low": pw.min("v", dependence="worlds"),
    }
    (row,) = told(items, **ways)
    table = np.array([*values, np.zeros(64)])
    there = np.vstack([table[:3] > 0, np.ones(64, np.bool_)])
    assert np.array_equal(row["n"].values, there.sum(axis=0))
    assert np.array_equal(row["total"].values, np.where(there, table, 0.0).T.sum(axis=1))
    assert np.array_equal(row["high"].values, np.where(there, table, -np.inf).max(axis=0))
    assert np.array_equal(row["low"].values, np.where(there, table, np.inf).min(axis=0))
    apart = row["high"] - row["low"]  # they are still in the same worlds
    assert np.array_equal(apart.values, row["high"].values - row["low"].values)


def test_what_hangs_together_is_not_averaged_away() -> None:
    items: list[Row] = [
        {"t": at % 9, "v": drawn(SHARED), "presence": Bernoulli(1.0)} for at in range(50)
    ]
    (row,) = told(items, total=pw.sum("v", dependence="worlds"), n=pw.count(dependence="worlds"))
    np.testing.assert_allclose(row["total"].std(), 50 * np.std(SHARED))
    assert float(row["n"].mean()) == 50


def test_worlds_of_different_draws_are_refused() -> None:
    other = Worlds(SHARED, world=Draws(7, 64).key)
    total = pw.sum("v", dependence="worlds")
    with pytest.raises(SchemaError, match="not drawn in the same worlds"):
        told([{"t": 1, "v": drawn(SHARED), "presence": other > 0.0}], total=total)
    with pytest.raises(SchemaError, match="probabilities without worlds"):
        told([{"t": 1, "v": drawn(SHARED), "presence": Bernoulli(0.5)}], total=total)
    batches: Any = rxml.of({"t": 1, "v": drawn(SHARED)}, {"t": 2, "v": other}).pipe(
        ops.with_event_time("t", unit="s"), ops.window(tumbling(10)).aggregate(total=total)
    )
    with pytest.raises(DistributionError, match=r"draws|differ"):
        run(batches.to_list())


MEAN, VAR = np.array([10.0, 13.0, 11.0, 25.0]), np.array([1.0, 2.0, 1.0, 4.0])


@pytest.mark.parametrize(
    ("method", "pool"),
    [
        ("hksj", random_effects),
        ("ivw", inverse_variance),
        ("intersection", covariance_intersection),
    ],
)
def test_sensors_are_fused_by_the_pooling_of_that_name(method: Fusion, pool: Any) -> None:
    items: list[Row] = [
        {"t": at, "v": Normal(m, v)} for at, (m, v) in enumerate(zip(MEAN, VAR, strict=True))
    ]
    (row,) = told(items, one=pw.fuse("v", method=method, level=0.8))
    wanted = pool(MEAN[None], VAR[None], level=0.8)
    got = [row["one"].lo, row["one"].hi, row["one_mean"], row["one_var"], row["one_tau2"]]
    assert got == [wanted.lo[0], wanted.hi[0], wanted.mean[0], wanted.var[0], wanted.tau2[0]]
    assert row["one_k"] == 4


def test_a_sensor_that_may_be_absent_counts_for_less_and_one_that_is_not_at_all() -> None:
    items: list[Row] = [
        {"t": 1, "v": Normal(0.0, 1.0), "presence": Bernoulli(1.0)},
        {"t": 2, "v": Normal(3.0, 1.0), "presence": Bernoulli(0.5)},
        {"t": 3, "v": Normal(99.0, 1.0), "presence": Bernoulli(0.0)},
    ]
    (row,) = told(items, one=pw.fuse("v", method="ivw"))
    assert (row["one_mean"], row["one_k"]) == (1.0, 2)
    (nobody,) = told(items[2:], one=pw.fuse("v", method="ivw"))
    assert (float(nobody["one"].lo), float(nobody["one"].hi)) == (-np.inf, np.inf)


def test_windows_with_supports_of_other_sizes_stand_in_one_column() -> None:
    small, large = (
        Alternatives([[0.0, 1.0]], [[0.5, 0.5]]),
        Alternatives([[0.0, 1.0, 2.0]], [[0.2, 0.3, 0.5]]),
    )
    both = small.concat([large])
    assert both.at(0).equals(small.at(0))
    assert both.at(1).equals(large.at(0))
    assert not both.at(0).equals(large.at(0))
    assert both.mean().tolist() == [0.5, 1.3]
