"""What is given goes with windows of all kinds, chunks and checkpoints; what cannot be is said, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.aggregates.aggregate import named
from rxml.batch import Batch
from rxml.errors import BufferOverflowError, DistributionError, SchemaError
from rxml.eventtime.reading import read
from rxml.testing import run
from rxml.uncertain import (
    Alternatives,
    Bernoulli,
    Categorical,
    Draws,
    Mixture,
    Normal,
    Rows,
    Worlds,
)
from rxml.windows import count, session, sliding, tumbling
from tests.unit.uncertain.possible.enumeration import near
from tests.unit.windows.running import Hand, pieces, told, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.aggregates import Aggregate
    from rxml.windows import Windowing

Row = dict[str, Any]
NS = 1e-9
KEY = Draws(0, 4).key


def warm(b: Any) -> Any:
    return b["celsius"] > 0.0


def high(b: Any) -> Any:
    return b["level"] > 1.5


def always(b: Any) -> Any:
    return b["level"] > -9.0


def rising(b: Any) -> Any:
    return b["drawn"] > 0.0


ALL: dict[str, Aggregate] = {
    "n": pw.count(where="ok", given=warm),
    "total": pw.sum("level", given=high),
    "about": pw.sum("level", method="normal", given=high),
    "mean": pw.average("v", given=warm),
    "top": pw.max("level", given=high),
    "mid": pw.median("v", given=high),
    "by": pw.count_by("k2", given=high),
    "any": pw.exists(given=warm),
    "three": pw.having(3, at_least=0.5, given=warm),
    "best": pw.top_k("v", 2, id="name", given=warm),
    "worlds": pw.sum("drawn", presence="always", dependence="worlds", given=rising),
}
IN_WINDOWS = {name: ALL[name] for name in ("n", "total", "about", "three", "worlds")}
WINDOWS: list[Windowing] = [
    tumbling(9 * NS),
    sliding(9 * NS, 3 * NS),
    session(4 * NS),
    count(5, 2),
]
EACH = pytest.mark.parametrize(
    "windowing", WINDOWS, ids=["tumbling", "sliding", "session", "count"]
)


def readings(seed: int, n: int = 10) -> list[Row]:
    """Of three keys, as they may come; some of their levels may be two things, others three."""
    random = np.random.default_rng(seed)
    items: list[Row] = []
    for at in range(n):
        p, v = float(random.choice([0.3, 0.5, 1.0])), float(random.normal())
        levels = [1.0, 2.0, 3.0][: int(random.integers(2, 4))]
        row: Row = {"t": int(random.integers(20)), "k": int(random.choice([2, 10, 1])), "v": v}
        row |= {"celsius": Normal(v, 0.25), "presence": Bernoulli(p), "ok": Bernoulli(0.75)}
        row |= {"level": Alternatives(levels, [0.3] * len(levels)), "name": f"s{at % 3}"}
        row |= {"k2": Categorical([p, 1 - p], ["a", "b"])}
        items.append({**row, "drawn": Worlds(random.normal(size=4) + 1.0, world=KEY)})
    return within(items, 3, [1, 3, 0, 2])


def require_same(got: list[Row], wanted: list[Row]) -> None:
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        for name, value in other.items():
            same = one[name].equals(value) if isinstance(value, Rows) else one[name] == value
            assert same, (name, one[name], value)


def folded(name: str, parts: list[list[Row]], *, batches: bool) -> Batch:
    """What an aggregate of all rows comes to that takes them in such parts."""
    each = ALL[name]
    state = each.identity(1)
    for part in parts:
        items: Any = Batch.from_rows(part) if batches else part
        values = [np.asarray(read(items, column)) for column in each.columns]
        times = np.array([item["t"] for item in part])
        each.folding(values, times)(state, np.zeros(len(part), np.intp))
    return Batch(dict(zip(named(name, each), each.lowered(state), strict=True)))


@settings(max_examples=settings().max_examples // 2)
@given(
    seed=st.integers(0, 99),
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    name=st.sampled_from(sorted(ALL)),
)
def test_row_by_row_is_at_once_is_in_any_parts(seed: int, sizes: list[int], name: str) -> None:
    items = readings(seed, 6)
    whole = folded(name, [items], batches=True)
    assert folded(name, pieces(items, sizes), batches=True) == whole
    assert folded(name, pieces(items, [1]), batches=False) == whole


@EACH
def test_chunks_do_not_matter(windowing: Windowing) -> None:
    items, windows = readings(1, 8), ops.window(windowing).aggregate(**IN_WINDOWS)
    whole = told(windows, [items], delay=3)
    assert whole
    parts = list(map(Batch.from_rows, pieces(items, [2, 1, 3])))
    require_same(told(windows, parts, delay=3), whole)


@EACH
def test_what_is_saved_goes_on(windowing: Windowing) -> None:
    hands = [Hand(windowing, IN_WINDOWS, delay=3) for _ in range(2)]
    rows: list[list[Row]] = [[], []]
    for at, item in enumerate(readings(2, 8)):
        for number, hand in enumerate(hands):
            rows[number] += hand.take(item)
        if at % 3 == 1:
            hands[1].save_and_restore()
    for number, hand in enumerate(hands):
        rows[number] += hand.end()
    require_same(rows[1], rows[0])


def test_running_aggregates_are_given_what_has_come_so_far() -> None:
    items = readings(4)
    counted = ops.aggregate(n=pw.count(given="ok"))
    rows = run(rxml.of(*items).pipe(ops.key_by("k"), counted).to_list())
    agreed: dict[int, float] = {}
    for item, row in zip(items, rows, strict=True):
        agrees = 1.0 - 0.25 * float(item["presence"].p)
        agreed[item["k"]] = agreed.get(item["k"], 1.0) * agrees
        np.testing.assert_allclose(row["n_given"], agreed[item["k"]], rtol=1e-12)


def one(items: list[Row], **aggregates: Aggregate) -> Row:
    (row,) = told(
        ops.window(tumbling(8 * NS)).aggregate(**aggregates),
        [[{**i, "t": 0} for i in items]],
        keyed=False,
    )
    return row


def asked(event: Any = None) -> dict[str, Aggregate]:
    """Aggregates of all sorts, given an event."""
    return {
        "n": pw.count(given=event),
        "total": pw.sum("v", given=event),
        "levels": pw.sum("level", given=event),
        "about": pw.sum("celsius", method="normal", given=event),
        "mean": pw.average("celsius", given=event),
        "top": pw.max("level", given=event),
        "mid": pw.median("v", given=event),
        "by": pw.count_by("k2", given=event),
        "names": pw.count_distinct("name", given=event),
        "any": pw.exists(given=event),
        "two": pw.having(2, given=event),
    }


def plainly(b: Any) -> Any:
    return b["v"] > -99.0


@pytest.mark.parametrize("surely", [False, True])
@pytest.mark.parametrize("event", [always, "fact", plainly])
def test_what_is_certain_changes_nothing(event: Any, *, surely: bool) -> None:
    items = [{**item, "fact": Bernoulli(1.0)} for item in readings(5, 6)]
    for item in items if surely else []:
        item["presence"] = Bernoulli(1.0)
    row = one(items, **asked(event))
    plain = one(items, **asked())
    assert {row.pop(f"{name}_given") for name in asked()} == {1.0}
    require_same([row], [plain])


def test_a_row_that_does_not_agree_is_absent() -> None:
    items = [{**item, "fact": at % 2 == 0} for at, item in enumerate(readings(7, 6))]
    for item in items:
        item["presence"] = Bernoulli(0.5)
    row = one(items, **asked("fact"))
    kept = [item for item in items if item["fact"]]
    left = one(kept, **asked())
    for name in asked():
        np.testing.assert_allclose(row.pop(f"{name}_given"), 0.125, rtol=1e-12)
    for name in ("n", "total", "levels", "top", "mid", "names"):
        np.testing.assert_allclose(row[name].mean(), left[name].mean(), rtol=1e-12)
        np.testing.assert_allclose(row[name].var(), left[name].var(), rtol=1e-9, atol=1e-12)


# --- what cannot be ------------------------------------------------------------------------------


def test_nothing_is_known_of_a_window_in_which_the_event_cannot_be() -> None:
    items: list[Row] = [
        {
            "t": t,
            "v": 2.0,
            "ok": Bernoulli(ok),
            "name": "a",
            "k2": "a",
            "drawn": Worlds([d, d], world=KEY),
        }
        for t, ok, d in ((0, 0.0, -1.0), (1, 0.5, 1.0), (10, 0.5, 1.0))
    ]
    ways: dict[str, Aggregate] = {
        "n": pw.count(given="ok"),
        "about": pw.sum("v", method="normal", given="ok"),
        "mean": pw.average("v", given="ok"),
        "top": pw.max("v", given="ok"),
        "by": pw.count_by("k2", given="ok"),
        "best": pw.top_k("v", 1, id="name", given="ok"),
        "any": pw.exists(given="ok"),
        "one": pw.having(1, at_least=0.5, given="ok"),
        "drawn": pw.sum("v", dependence="worlds", given=rising),
    }
    windows = ops.window(tumbling(8 * NS)).aggregate(**ways)
    never, other = told(windows, [items], keyed=False)
    assert [never[f"{name}_given"] for name in ways] == [0.0] * len(ways)
    assert [other[f"{name}_given"] for name in ways] == [0.5] * (len(ways) - 1) + [1.0]
    for name in ("n", "top", "drawn"):
        assert never[name].p.sum() == 0.0  # no value at all
    assert {never[f"{name}_error"] for name in ("n", "about", "mean", "top", "best")} == {1.0}
    for name in ("about", "mean"):
        assert (never[name].mean(), never[name].var()) == (0.0, np.inf)
    assert [float(each) for each in never["any"].bounds] == [0.0, 1.0]
    assert (never["by"], never["best"], never["one"], never["mean_exists"]) == ([], [], False, 0.0)
    assert float(other["n"].mean()) == 1.0
    assert other["n_error"] == 0.0
    assert other["one"]


@pytest.mark.parametrize("n", [1, 20])
def test_what_is_all_but_impossible_is_told_from_what_is(n: int) -> None:
    items: list[Row] = [{"v": 1.0, "ok": Bernoulli(1e-300)} for _ in range(n)]
    row = one(items, n=pw.count(given="ok"), total=pw.sum("v", given="ok"))
    near(row["n_given"], 1e-300 if n == 1 else 5e-324)
    assert float(row["n"].mean()) == float(row["total"].mean()) == n
    assert row["total_error"] == 0.0


def vast(b: Any) -> Any:
    return b["v"] > 99.0


def test_alternatives_that_add_up_to_one_but_for_rounding_leave_nothing_over() -> None:
    tenths = Alternatives(np.arange(10.0), [0.1] * 10)  # which add up to 1 - 1.1e-16
    row = one([{"v": tenths}], n=pw.sum("v", given=vast))
    assert row["n_given"] == 0.0


# --- what is refused -----------------------------------------------------------------------------

NO: Any = "none"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: pw.count(given="ok", dependence="unknown"),
        lambda: pw.sum("v", given="ok", dependence="unknown"),
        lambda: pw.having(2, given="ok", dependence="unknown"),
        lambda: pw.exists(given="ok", dependence="unknown"),
        lambda: pw.count(given="ok", early=True),
        lambda: pw.sum("v", method="normal", given="ok", early=True),
        lambda: pw.count(given="presence"),
    ],
)
def test_what_does_not_go_with_what_is_given_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="given"):
        wrong()


def test_values_of_a_function_are_refused() -> None:
    with pytest.raises(TypeError, match="named columns"):
        pw.sum(first, given="ok")


@pytest.mark.parametrize(
    "value",
    [
        Normal(0.0, 1.0),
        Mixture([-0.7, -0.7], [0.0, 1.0], [1.0, 1.0]),
        Worlds([1.0, -1.0, 2.0, 0.5], world=KEY),
    ],
)
def test_values_that_the_event_looks_at_must_be_cut_up_or_drawn(value: Rows) -> None:
    items: list[Row] = [
        {"celsius": Normal(99.0, 0.0)} if value.kind == "normal" else {"celsius": value}
    ]
    items.append({"celsius": value})
    with pytest.raises(DistributionError, match=r"looks at it, as do the values.*row"):
        one(items, total=pw.sum("celsius", given=warm))
    with pytest.raises(DistributionError, match=r"looks at it, as do `where`.*row"):
        one(items, n=pw.count(warm, given=warm))


def test_normal_values_are_admitted_where_what_is_given_is_sure_of_them() -> None:
    items: list[Row] = [{"celsius": Normal(20.0, 0.0)}, {"celsius": Normal(90.0, 1.0)}]
    row = one(items, total=pw.sum("celsius", method="normal", given=warm))
    assert (row["total_given"], float(row["total"].mean()), float(row["total"].var())) == (
        1,
        110,
        1,
    )


def both(b: Any) -> Any:
    return (b["a"] > 1.0) & (b["b"] > 1.0)


def too_many(_: Any) -> Any:
    return Bernoulli([0.5, 0.5])


def test_one_row_too_many_is_refused_and_changes_nothing() -> None:
    hand = Hand(tumbling(8 * NS), {"n": pw.count(given="ok", most=2)})
    rows: list[Row] = [{"t": 0, "k": 1, "ok": Bernoulli(0.5), "presence": Bernoulli(0.5)}] * 3
    for row in rows[:2]:
        hand.take(row)
    with pytest.raises(BufferOverflowError, match="and count may hold 2"):
        hand.take(rows[2])
    (told_of,) = hand.end()
    near(told_of["n_given"], 0.75**2)


def first(row: Any) -> Any:
    return row["v"]


def test_bounds_too_many_cases_and_what_is_no_event_are_refused() -> None:
    loose: list[Row] = [{"ok": Bernoulli.between(0.2, 0.4)}]
    with pytest.raises(DistributionError, match="only bounds are known"):
        one(loose, n=pw.count(given="ok"))
    with pytest.raises(DistributionError, match="only bounds are known"):
        one([{"presence": loose[0]["ok"], "ok": True}], n=pw.count(given="ok"))
    many = Alternatives(np.arange(99.0), [0.01] * 99)
    with pytest.raises(DistributionError, match="10000 things"):
        one([{"a": many, "b": many}], n=pw.count(given=both))
    with pytest.raises(SchemaError, match="no column of events"):
        one([{"ok": "yes"}], n=pw.count(given="ok"))
    with pytest.raises(SchemaError, match="each of 1 rows"):
        one([{"ok": True}], n=pw.count(given=too_many))


def test_worlds_with_weights_and_events_without_worlds_are_refused() -> None:
    weighted = Worlds([1.0, 2.0], logw=[0.0, -1.0], world=KEY)
    counted = pw.count(dependence="worlds", given=rising)
    with pytest.raises(SchemaError, match="worlds with weights"):
        one([{"drawn": weighted}], n=counted)
    with pytest.raises(SchemaError, match="probabilities without worlds"):
        one([{"drawn": Normal(0.0, 1.0)}], n=counted)
