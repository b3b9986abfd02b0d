"""How many different values each world has: exactly where rows are kept, about where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.errors import DistributionError, SchemaError
from rxml.testing import run
from rxml.uncertain import Bernoulli, Draws, Normal, Worlds
from rxml.windows import sliding, tumbling
from tests.unit.windows.running import Hand, pieces
from tests.unit.windows.running import told as told_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.aggregates import Aggregate

Row = dict[str, Any]
NS = 1e-9
KEY = Draws(0, 8).key
WAYS: dict[str, Aggregate] = {
    "exact": pw.count_distinct("v", dependence="worlds"),
    "about": pw.count_distinct("v", dependence="worlds", precision=10),
}


def drawn(values: Any) -> Worlds:
    return Worlds(np.asarray(values, np.float64), world=KEY)


def readings(n: int, kinds: int) -> list[Row]:
    """Rows of values from so many, in eight worlds, in some of which they are absent."""
    random = np.random.default_rng(n)
    values, there = random.integers(0, kinds, (n, 8)), random.random((n, 8)) < 0.5
    rows = zip(values, there, strict=True)
    return [
        {"t": at, "v": drawn(v), "presence": drawn(w) > 0.5, "table": np.where(w, v, np.nan)}
        for at, (v, w) in enumerate(rows)
    ]


def counted(items: list[Row]) -> list[int]:
    """How many different values there are in each world."""
    table = np.array([item["table"] for item in items])
    return [len(set(world[~np.isnan(world)].tolist())) for world in table.T]


def plain(items: list[Row]) -> list[Row]:
    return [{name: value for name, value in item.items() if name != "table"} for item in items]


def told(items: list[Row], **aggregates: Aggregate) -> Row:
    timed = rxml.of(*items).pipe(ops.with_event_time("t", unit="ns"))
    window = ops.window(tumbling(1_000_000 * NS))
    (row,) = run(timed.pipe(window.aggregate(**aggregates)).to_list())
    return dict(row)


def test_each_world_has_its_own_values() -> None:
    items = readings(40, 9)
    row = told(plain(items), **WAYS)
    assert row["exact"].values.tolist() == counted(items)
    assert row["about"].equals(row["exact"])  # few are told to the last one
    apart = row["exact"] - row["about"]  # they are of the same draws
    assert not apart.values.any()


def test_many_values_are_counted_about_in_a_fixed_room() -> None:
    random = np.random.default_rng(3)
    each = pw.count_distinct("v", dependence="worlds", precision=10)
    values = random.integers(0, 5_000, (20_000, 8)).astype(np.float64)
    key = np.ones((20_000, 1), np.uint64)
    columns = [np.ones((20_000, 1)), values, key]
    times, codes = np.zeros(20_000, np.int64), np.zeros(20_000, np.intp)
    state = each.lift(columns, times, codes, 1)
    (found,) = each.lowered(state)
    true = np.array([len(np.unique(world)) for world in values.T])
    assert np.abs(found.values[:, 0] / true - 1).max() < 4 * 1.04 / 2**5
    assert state[0][0][0].nbytes == 8 * 2**10


def test_values_that_are_known_are_the_same_in_all_worlds_and_any_nan_is_one() -> None:
    items: list[Row] = [{"t": 0, "v": v} for v in (1.0, 1.0, float("nan"), float("nan"), -0.0, 0.0)]
    row = told(items, **WAYS)
    assert row["exact"].values.tolist() == row["about"].values.tolist() == [3.0]
    absent = [{"t": 0, "v": 1.0, "presence": Bernoulli(0.0)}]
    row = told(absent, **WAYS)
    assert row["exact"].values.tolist() == row["about"].values.tolist() == [0.0]


@pytest.mark.parametrize("sizes", [[1], [2, 1, 3]])
def test_parts_and_checkpoints_do_not_matter(sizes: list[int]) -> None:
    items = [{**item, "k": item["t"] % 2} for item in plain(readings(14, 9))]
    windows = ops.window(sliding(9 * NS, 3 * NS)).aggregate(**WAYS)
    whole = told_of(windows, [items])
    parts = told_of(windows, pieces(items, sizes))
    hand, kept = Hand(sliding(9 * NS, 3 * NS), WAYS), list[Row]()
    for item in items:
        kept += hand.take(item)
        hand.save_and_restore()
    kept += hand.end()
    for rows in (parts, kept):
        for one, other in zip(rows, whole, strict=True):
            assert all(one[name].equals(other[name]) for name in WAYS)


def test_known_values_come_to_drawn_ones() -> None:
    each, times = WAYS["about"], np.zeros(1, np.int64)
    nothing: Any = np.zeros((1, 0), np.uint64)
    known = each.lift([np.ones((1, 1)), np.ones((1, 1)), nothing], times, times, 1)
    worlds = np.arange(4.0)[None]
    some = each.lift([np.ones((1, 1)), worlds, np.array([[1, 7]], np.uint64)], times, times, 1)
    for state in (each.combine(known, some), each.combine(some, known)):
        (found,) = each.lowered(state)
        assert found.values[:, 0].tolist() == [2.0, 1.0, 2.0, 2.0]
        assert found.world == 7
    other = each.lift([np.ones((1, 1)), worlds, np.array([[1, 8]], np.uint64)], times, times, 1)
    with pytest.raises(DistributionError, match="different draws"):
        each.combine(some, other)
    fewer = each.lift(
        [np.ones((1, 1)), worlds[:, :2], np.array([[1, 7]], np.uint64)], times, times, 1
    )
    with pytest.raises(DistributionError, match="2 and 4 worlds"):
        each.combine(some, fewer)


NO: Any = "none"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: pw.count_distinct("v", precision=10),
        lambda: pw.count_distinct("v", dependence="worlds", precision=10, given="ok"),
        lambda: pw.count_distinct("v", dependence="worlds", precision=3),
        lambda: pw.count_distinct("v", dependence=NO),
    ],
)
def test_what_does_not_go_together_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"precision|dependence"):
        wrong()


def test_values_that_were_not_drawn_are_refused() -> None:
    with pytest.raises(SchemaError, match="want worlds, or numbers"):
        told([{"t": 0, "v": Normal(0.0, 1.0)}], n=WAYS["about"])
