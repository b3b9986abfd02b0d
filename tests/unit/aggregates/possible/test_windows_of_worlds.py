"""Aggregates over possible worlds, through windows in virtual time, against all worlds of each window."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.batch import Batch
from rxml.errors import BufferOverflowError, DistributionError, SchemaError
from rxml.eventtime import bounded
from rxml.flow.chunk import Chunk
from rxml.testing import run, scripted
from rxml.uncertain import Alternatives, Bernoulli, Categorical, Interval, Normal, prob
from rxml.windows import count, session, sliding, tumbling
from tests.unit.uncertain.possible.enumeration import Rows, World, close, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.aggregates import Aggregate
    from rxml.windows import Windowing

Row = dict[str, Any]
NS = 1e-9
NO: Any = "none"
WINDOWS: list[Windowing] = [tumbling(8 * NS), sliding(8 * NS, 4 * NS), session(3 * NS)]

VALUES: dict[str, Aggregate] = {
    "n": pw.count(),
    "total": pw.sum("v", method="exact"),
    "mean": pw.average("v"),
    "high": pw.max("v"),
    "low": pw.min("v"),
    "q": pw.quantile("v", 0.75),
    "kinds": pw.count_distinct("v"),
    "any": pw.exists(),
    "two": pw.having(2),
    "top": pw.top_k("v", 2, id="id", kept=9),
}


@st.composite
def elements(draw: st.DrawFn, most: int = 9) -> list[Row]:
    """Elements in the order of time, some of them sure."""
    n = draw(st.integers(1, most))
    times = sorted(draw(st.lists(st.integers(0, 20), min_size=n, max_size=n)))
    chances = st.sampled_from([0.0, 1e-300, 0.25, 0.5, 1.0 - 1e-12, 1.0])
    p = draw(st.lists(chances, min_size=n, max_size=n))
    v = draw(st.lists(st.sampled_from([-3.0, 0.0, 1.0, 1.0, 2.0]), min_size=n, max_size=n))
    rows = zip(times, p, v, strict=True)
    return [
        {"t": t, "presence": Bernoulli(each), "v": value, "id": at}
        for at, (t, each, value) in enumerate(rows)
    ]


def told(items: list[Row], windowing: Windowing, **aggregates: Aggregate) -> list[Row]:
    timed: Any = scripted(*(Chunk([each]) for each in items)).pipe(
        ops.with_event_time("t", bounded(0), unit="ns")
    )
    flow = timed.pipe(ops.window(windowing).aggregate(**aggregates))
    return list(map(dict, run(flow.to_list())))


def within(row: Row, items: list[Row]) -> list[Row]:
    return [item for item in items if row["start"] <= item["t"] < row["end"]]


def enumerated(items: list[Row]) -> list[World]:
    p = np.array([[float(item["presence"].p)] for item in items])
    return worlds(Rows(p, np.array([[item["v"]] for item in items])))


def mass(all_of_them: list[World], value: Callable[[World], float | None]) -> dict[float, float]:
    """The probability of each value; of None that there is none."""
    found: dict[float, float] = defaultdict(float)
    for world in all_of_them:
        known = value(world)
        if known is not None:
            found[known] += world.chance
    return dict(found)


def require(got: Alternatives, wanted: dict[float, float]) -> None:
    table = dict.fromkeys(wanted, 0.0)
    for value, p in zip(got.values.tolist(), got.p.tolist(), strict=True):
        if p:
            table[value] = table.get(value, 0.0) + p
    for value, p in table.items():
        close(p, wanted.get(value, 0.0))


def lower_quantile(world: World, q: float) -> float | None:
    ordered = np.sort(world.values)
    return float(ordered[int(np.ceil(q * len(ordered))) - 1]) if len(ordered) else None


def some(world: World, of: Callable[[Any], Any]) -> float | None:
    return float(of(world.values)) if len(world.values) else None


@pytest.mark.parametrize("windowing", WINDOWS, ids=["tumbling", "sliding", "session"])
@given(items=elements())
def test_every_window_is_all_its_worlds(windowing: Windowing, items: list[Row]) -> None:
    rows = told(items, windowing, **VALUES)
    assert rows
    for row in rows:
        all_of_them = enumerated(within(row, items))
        require(row["n"], mass(all_of_them, lambda w: float(len(w.rows))))
        require(row["total"], mass(all_of_them, lambda w: float(np.sum(w.values))))
        require(row["high"], mass(all_of_them, lambda w: some(w, np.max)))
        require(row["low"], mass(all_of_them, lambda w: some(w, np.min)))
        require(row["q"], mass(all_of_them, lambda w: lower_quantile(w, 0.75)))
        require(row["kinds"], mass(all_of_them, lambda w: float(len(set(w.values.tolist())))))
        close(row["any"].p, sum(w.chance for w in all_of_them if w.rows))
        close(row["two"].p, sum(w.chance for w in all_of_them if len(w.rows) >= 2))
        assert {row[f"{name}_error"] for name in ("n", "total", "high", "low", "q", "kinds")} == {0}


@given(items=elements(6))
def test_an_average_and_the_highest_are_those_of_all_worlds(items: list[Row]) -> None:
    for row in told(items, tumbling(8 * NS), mean=VALUES["mean"], top=VALUES["top"]):
        mine = within(row, items)
        all_of_them = enumerated(mine)
        there = [w for w in all_of_them if w.rows]
        chance = sum(w.chance for w in there)
        close(row["mean_exists"], chance)
        if chance > 1e-12:
            mean = sum(w.chance * float(w.values.mean()) for w in there) / chance
            square = sum(w.chance * float(w.values.mean()) ** 2 for w in there) / chance
            close(row["mean"].mean(), mean, 10)
            close(row["mean"].var(), square - mean**2, 10)
        found: dict[int, float] = defaultdict(float)
        for world in there:
            for at in np.argsort(-world.values, kind="stable")[:2].tolist():
                found[mine[world.rows[at]]["id"]] += world.chance
        told_of = {each["id"]: each["p"] for each in row["top"]}
        for name, p in found.items():
            close(told_of.get(name, 0.0), p)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_what_is_certain_is_what_numpy_gives(values: list[float]) -> None:
    items: list[Row] = [{"t": at // 4, "v": v} for at, v in enumerate(values)]
    aggregates = {
        "n": pw.count(),
        "total": pw.sum("v"),
        "mean": pw.average("v"),
        "high": pw.max("v"),
        "low": pw.min("v"),
        "mid": pw.quantile("v", 0.5),
    }
    for row in told(items, tumbling(4 * NS), **aggregates):
        mine = np.array([item["v"] for item in within(row, items)])
        wanted = {
            "n": len(mine),
            "total": np.sum(mine),
            "mean": np.mean(mine),
            "high": mine.max(),
            "low": mine.min(),
            "mid": np.quantile(mine, 0.5, method="inverted_cdf"),
        }
        assert {name: float(row[name].mean()) for name in wanted} == wanted
        assert all(float(row[name].var()) == 0 for name in wanted)


KINDS: dict[str, tuple[Any, float, float]] = {
    "normal": (Normal(2.0, 4.0), 2.0, 4.0),
    "alternatives": (Alternatives([1.0, 5.0], [0.5, 0.5]), 3.0, 4.0),
    "absent": (Alternatives([4.0], [0.5]), 2.0, 4.0),
    "event": (Bernoulli(0.25), 0.25, 0.1875),
    "class": (Categorical([0.5, 0.5], [0, 2]), 1.0, 1.0),
    "plain": (3, 3.0, 0.0),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["auto", "normal"])
def test_values_of_any_kind_add_up(kind: str, method: Any) -> None:
    value, mean, var = KINDS[kind]
    items: list[Row] = [{"t": at, "v": value} for at in range(8)]
    (row,) = told(items, tumbling(8 * NS), total=pw.sum("v", method=method))
    np.testing.assert_allclose(row["total"].mean(), 8 * mean, rtol=1e-9)
    np.testing.assert_allclose(row["total"].var(), 8 * var, rtol=1e-9, atol=1e-12)


def test_the_largest_of_normal_values_is_near_what_is_known_of_it() -> None:
    items: list[Row] = [{"t": at, "v": Normal(0.0, 1.0)} for at in range(2)]
    (row,) = told(items, tumbling(8 * NS), high=pw.max("v"))
    assert abs(float(row["high"].mean()) - np.pi**-0.5) < 1e-3  # of two standard normal values
    assert row["high_error"] < 0.006
    exact = 0.8413447460685429**2
    assert abs(float(prob(row["high"] <= 1.0)) - exact) <= row["high_error"]


def test_where_counts_what_may_pass_and_a_filter_in_front_does_the_same() -> None:
    items: list[Row] = [{"t": at, "c": Normal(28.0 + at, 2.0)} for at in range(5)]
    timed: Any = scripted(Chunk(items)).pipe(ops.with_event_time("t", bounded(0), unit="ns"))
    window = ops.window(tumbling(8 * NS))
    soft = timed.pipe(ops.where(lambda b: b["c"] > 30), window.aggregate(n=pw.count()))
    (filtered,) = run(soft.to_list())
    (asked,) = told(items, tumbling(8 * NS), n=pw.count(lambda b: b["c"] > 30))
    assert filtered["n"].equals(asked["n"])


def test_bounds_hold_whatever_the_rows_have_to_do_with_each_other() -> None:
    p = np.array([0.2, 0.5, 0.9, 0.4])
    items: list[Row] = [
        {"t": 0, "presence": Bernoulli(each), "v": 1.0 + at} for at, each in enumerate(p)
    ]
    asked: dict[str, Aggregate] = {
        "n": pw.count(dependence="unknown"),
        "total": pw.sum("v", dependence="unknown"),
        "any": pw.exists(dependence="unknown"),
        "two": pw.having(2, dependence="unknown"),
    }
    (row,) = told(items, tumbling(8 * NS), **asked)
    draws = np.random.default_rng(5).random((2000, 1))
    for joint in (draws, np.abs(draws - np.array([0.0, 1.0, 0.0, 1.0]))):
        there = joint < p  # together, or the one where the other is not
        number, total = there.sum(axis=1), (there * (1.0 + np.arange(4))).sum(axis=1)
        assert row["n"].contains(number).mean() >= 0.88
        assert row["total"].contains(total).mean() >= 0.88
        for name, share in (("any", (number >= 1).mean()), ("two", (number >= 2).mean())):
            low, high = row[name].bounds
            assert low - 0.03 <= share <= high + 0.03
    assert isinstance(row["n"], Interval)


def test_bounds_of_presence_are_refused_by_what_takes_rows_as_independent() -> None:
    items: list[Row] = [{"t": 0, "presence": Bernoulli.between(0.2, 0.4)}]
    with pytest.raises(DistributionError, match="only bounds are known"):
        told(items, tumbling(8 * NS), n=pw.count())
    (row,) = told(items, tumbling(8 * NS), any=pw.exists(dependence="unknown"))
    assert [float(each) for each in row["any"].bounds] == [0.2, 0.4]


def test_more_rows_than_a_group_may_have_fail() -> None:
    with pytest.raises(BufferOverflowError, match="3 rows, and count may hold 2"):
        told([{"t": 0}] * 3, tumbling(8 * NS), n=pw.count(most=2))


def test_a_column_that_is_not_there_fails() -> None:
    with pytest.raises(SchemaError, match="'v'"):
        told([{"t": 0}], tumbling(8 * NS), n=pw.sum("v"))


def test_distinct_values_are_known_ones() -> None:
    items: list[Row] = [{"t": 0, "v": Categorical([0.5, 0.5], ["a", "b"])}]
    with pytest.raises(SchemaError, match="want known values"):
        told(items, tumbling(8 * NS), n=pw.count_distinct("v"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: pw.count(dependence=NO),
        lambda: pw.sum("v", method=NO),
        lambda: pw.sum("v", step=0.0),
        lambda: pw.count(level=1.0),
        lambda: pw.quantile("v", 0.0),
        lambda: pw.having(0),
        lambda: pw.having(1, at_least=2.0),
        lambda: pw.top_k("v", 0, id="id"),
        lambda: pw.fuse("v", method=NO),
    ],
)
def test_what_is_no_such_aggregate_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"give|is"):
        wrong()


def test_counts_of_uncertain_keys_add_up() -> None:
    items: list[Row] = [{"t": 0, "k": Categorical([0.25, 0.75], ["a", "b"])}] * 4
    (row,) = told(items, tumbling(8 * NS), by=pw.count_by("k"))
    assert [(each["key"], each["mean"], each["var"]) for each in row["by"]] == [
        ("a", 1.0, 0.75),
        ("b", 3.0, 0.75),
    ]
    assert row["by"][0]["lo"] <= 1 <= row["by"][0]["hi"]


def test_overlapping_counts_of_rows_are_windows_too() -> None:
    items: list[Row] = [{"t": at, "presence": Bernoulli(0.5), "v": 1.0} for at in range(6)]
    rows = told(items, count(4, 2), n=pw.count(), total=pw.sum("v"))
    assert [float(row["n"].mean()) for row in rows] == [2.0, 2.0, 1.0]
    assert all(float(row["total"].var()) == len(within(row, items)) / 4 for row in rows)


def test_batches_give_what_rows_give() -> None:
    items: list[Row] = [{"t": at, "v": float(at), "presence": Bernoulli(0.5)} for at in range(8)]
    timed: Any = scripted(Chunk(Batch.from_rows(items))).pipe(
        ops.with_event_time("t", bounded(0), unit="ns")
    )
    (row,) = run(timed.pipe(ops.window(tumbling(8 * NS)).aggregate(s=pw.sum("v"))).to_list())
    (other,) = told(items, tumbling(8 * NS), s=pw.sum("v"))
    assert row["s"].equals(other["s"])
