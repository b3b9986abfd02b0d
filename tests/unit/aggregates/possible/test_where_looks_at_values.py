"""Rows count where an event holds that looks at their values: what is told is of these values, or it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.batch import Batch
from rxml.errors import DistributionError, SchemaError
from rxml.eventtime.reading import read
from rxml.uncertain import (
    Alternatives,
    Bernoulli,
    Beta,
    Categorical,
    Draws,
    Mixture,
    Normal,
    Quantiles,
    Rows,
    Worlds,
    prob,
)
from rxml.windows import sliding, tumbling
from tests.unit.aggregates.possible.conditioned import Case, Conditioned
from tests.unit.uncertain.possible.enumeration import close, near
from tests.unit.windows.running import Hand, pieces
from tests.unit.windows.running import told as told_of

if TYPE_CHECKING:
    from rxml.aggregates import Aggregate

Row = dict[str, Any]

NS = 1e-9
CHANCES = st.sampled_from([0.0, 1e-9, 0.25, 0.5, 1.0 - 1e-12, 1.0])
VALUES = st.sampled_from([-3.0, 0.0, 1.0, 1.0, 2.0])
SPLITS = st.sampled_from([(0.5, 0.5), (0.25, 0.5), (1.0, 0.0), (1e-9, 0.75), (0.1, 0.0)])
FEW = settings(max_examples=settings().max_examples // 3)


def told(items: list[Row], **aggregates: Aggregate) -> Row:
    """What the one window of all elements comes to."""
    windows = ops.window(tumbling(8 * NS)).aggregate(**aggregates)
    (row,) = told_of(windows, [[{**item, "t": 0} for item in items]], keyed=False)
    return dict(row)


# --- alternatives --------------------------------------------------------------------------------


def low_and_fine(b: Any) -> Any:
    return (b["v"] < 1.5) & b["ok"]


def low(b: Any) -> Any:
    return b["v"] < 1.5


WAYS: dict[str, Aggregate] = {
    "n": pw.count(low_and_fine),
    "total": pw.sum("v", where=low_and_fine),
    "about": pw.sum("v", where=low_and_fine, method="normal"),
    "wide": pw.sum("v", where=low_and_fine, dependence="unknown"),
    "mean": pw.average("v", where=low_and_fine),
    "high": pw.max("v", where=low_and_fine),
    "low": pw.min("v", where=low_and_fine),
    "mid": pw.median("v", where=low_and_fine),
    "top": pw.top_k("v", 2, id="id", kept=9, where=low_and_fine),
    "rest": pw.sum("v", where=low, given="ok"),
}


def cases(item: Row, *, fine_is_given: bool = False) -> list[Case]:
    """What a row may be; it counts where its value is low, and it is fine."""
    found = [Case(1.0 - item["p"], agrees=True, value=None)]
    shares = [*item["split"], 1.0 - sum(item["split"])]
    for share, value in zip(shares, [*item["v"], None], strict=True):
        counts = value is not None and value < 1.5
        for fine, likely in ((True, item["g"]), (False, 1.0 - item["g"])):
            there = value if counts and fine else None
            agrees = fine or not fine_is_given
            found.append(Case(item["p"] * share * likely, agrees=agrees, value=there))
    return found


@FEW
@given(
    st.lists(
        st.fixed_dictionaries(
            {"p": CHANCES, "g": CHANCES, "split": SPLITS, "v": st.tuples(VALUES, VALUES)}
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_counts_of_alternatives_are_those_for_which_the_event_holds(items: list[Row]) -> None:
    rows: list[Row] = [
        {
            "presence": Bernoulli(x["p"]),
            "ok": Bernoulli(x["g"]),
            "v": Alternatives(list(x["v"]), list(x["split"])),
            "id": at,
        }
        for at, x in enumerate(items)
    ]
    row, worlds = told(rows, **WAYS), Conditioned.of([cases(item) for item in items])
    total = worlds.total()
    worlds.require(row["n"], worlds.count())
    worlds.require(row["total"], total)
    worlds.require(row["high"], worlds.rank(1.0))
    worlds.require(row["low"], worlds.rank(1e-9))
    worlds.require(row["mid"], worlds.rank(0.5))
    worlds.require_average(row, "mean")
    close(row["about"].mean(), worlds.p @ total)
    close((row["wide"].lo + row["wide"].hi) / 2, worlds.p @ total)
    highest = {each["id"]: each["p"] for each in row["top"]}
    for at, p in enumerate(worlds.among(2).tolist()):
        close(highest.get(at, 0.0), p)
    given_fine = Conditioned.of([cases(item, fine_is_given=True) for item in items])
    near(row["rest_given"], given_fine.chance)
    if given_fine.chance > 0:
        given_fine.require(row["rest"], given_fine.total())


def not_c(b: Any) -> Any:
    return b["kind"] != "c"


def below_two(b: Any) -> Any:
    return b["size"] != 2


def test_classes_and_events_that_say_where_they_count_are_what_counts() -> None:
    items: list[Row] = [
        {
            "kind": Categorical([0.25, 0.25, 0.5], ["a", "b", "c"]),
            "size": Categorical([0.5, 0.25, 0.25], [0, 1, 2]),
            "ok": Bernoulli(0.25),
        }
    ] * 2
    row = told(
        items,
        by=pw.count_by("kind", where=not_c),
        total=pw.sum("size", where=below_two),
        fine=pw.sum("ok", where="ok"),
        least=pw.min("ok", where="ok"),
    )
    assert [(each["key"], each["mean"]) for each in row["by"]] == [("a", 0.5), ("b", 0.5)]
    assert row["total"].values.tolist() == [0.0, 1.0, 2.0]
    assert row["total"].p.tolist() == [0.5625, 0.375, 0.0625]
    assert row["fine"].p.tolist() == [0.5625, 0.375, 0.0625]
    assert row["least"].values[row["least"].p > 0].tolist() == [1.0]
    close(row["least"].p.sum(), 0.4375)


def test_an_event_of_other_columns_leaves_all_values_as_they_are() -> None:
    levels = Alternatives([1.0, 2.0], [0.5, 0.5])
    item: Row = {"v": Normal(1.0, 4.0), "level": levels, "ok": Bernoulli(0.5)}
    row = told(
        [item], total=pw.sum("v", where="ok", method="normal"), high=pw.max("level", where="ok")
    )
    assert (row["total"].mean(), row["total"].var()) == (0.5, 0.5 * 5.0 - 0.25)
    assert row["high"].p.tolist() == [0.25, 0.25]


# --- chunks and snapshots ------------------------------------------------------------------------

HELD: dict[str, Aggregate] = {
    "total": pw.sum("v", where=low_and_fine),
    "about": pw.sum("v", where=low_and_fine, method="normal"),
    "by": pw.count_by("kind", where=not_c),
    "rest": pw.max("v", where=low, given="ok"),
}


def readings(n: int) -> list[Row]:
    random = np.random.default_rng(n)
    shares = random.dirichlet([1.0, 1.0, 1.0], n)
    return [
        {
            "t": at,
            "presence": Bernoulli(random.random()),
            "ok": Bernoulli(random.random()),
            "v": Alternatives([0.0, 1.0, 2.0][: 2 + at % 2], p[: 2 + at % 2]),
            "kind": Categorical(p, ["a", "b", "c"]),
        }
        for at, p in enumerate(shares)
    ]


def require_same(got: list[Row], wanted: list[Row]) -> None:
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        for name, value in other.items():
            assert one[name].equals(value) if isinstance(value, Rows) else one[name] == value, name


def test_chunks_batches_and_snapshots_do_not_matter() -> None:
    items, windowing = readings(12), sliding(6 * NS, 3 * NS)
    windows = ops.window(windowing).aggregate(**HELD)
    whole = told_of(windows, [items], keyed=False)
    assert len(whole) > 3
    for parts in (pieces(items, [2, 1, 3]), list(map(Batch.from_rows, pieces(items, [5, 1])))):
        require_same(told_of(windows, parts, keyed=False), whole)
    hand, kept = Hand(windowing, HELD), list[Row]()
    for item in items:
        kept += hand.take({**item, "k": 0})
        hand.save_and_restore()
    for row in (rows := kept + hand.end()):
        row.pop("k")
    require_same(rows, whole)


def first(row: Any) -> Any:
    return row["v"]


@pytest.mark.parametrize(
    "each",
    [
        pw.max("v", where=low),
        pw.count_by("v", where=low),
        pw.sum(first, where=low),
        pw.count(low),
        pw.max("v", where=low, dependence="worlds"),
        pw.count_distinct(first, where=low, dependence="worlds"),
        pw.top_k("v", 1, id=first, where=low),
        pw.average("v", where=low, given=low_and_fine),
    ],
)
def test_an_aggregate_is_written_the_same_in_every_process(each: Aggregate) -> None:
    assert " at 0x" not in repr(each)  # a snapshot is compared with it
    assert "low" in repr(each)


# --- worlds --------------------------------------------------------------------------------------


def warm(b: Any) -> Any:
    return b["celsius"] > 30.0


DRAWS = Draws(seed=5, worlds=400)


def test_in_worlds_what_counts_is_warm_in_each() -> None:
    celsius = Normal([29.0, 30.0, 31.0], 1.0).to(Worlds, draws=DRAWS, name="celsius", ids=range(3))
    items: list[Row] = [{"celsius": each} for each in (celsius.at(at) for at in range(3))]
    row = told(
        items,
        n=pw.count(warm, dependence="worlds"),
        top=pw.max("celsius", where=warm, dependence="worlds"),
        least=pw.min("celsius", where=warm, dependence="worlds"),
        total=pw.sum("celsius", where=warm, dependence="worlds"),
        kinds=pw.count_distinct("celsius", where=warm, dependence="worlds"),
    )
    table = celsius.values
    there = table > 30.0
    assert np.array_equal(row["top"].values, np.where(there, table, -np.inf).max(axis=1))
    assert np.array_equal(row["least"].values, np.where(there, table, np.inf).min(axis=1))
    assert np.array_equal(row["total"].values, np.where(there, table, 0.0).sum(axis=1))
    assert np.array_equal(row["n"].values, there.sum(axis=1))
    assert np.array_equal(row["kinds"].values, there.sum(axis=1))
    assert float(prob((row["top"] <= 30.0) & (row["n"] > 0))) == 0.0


# --- what is refused -----------------------------------------------------------------------------


def likely(b: Any) -> Any:
    return b["celsius"] > 0.4


UNSURE: list[Rows] = [
    Normal(0.5, 1.0),
    Beta(2.0, 2.0),
    Mixture([-0.7, -0.7], [0.0, 1.0], [1.0, 1.0]),
    Quantiles([0.1, 0.9], [0.0, 1.0]),
    Worlds([1.0, -1.0, 2.0, 0.5], world=Draws(0, 4).key),
]


@pytest.mark.parametrize("value", UNSURE)
@pytest.mark.parametrize(
    "each",
    [
        pw.sum("celsius", where=likely),
        pw.sum("celsius", where=likely, dependence="unknown"),
        pw.max("celsius", where=likely),
        pw.top_k("celsius", 1, id="name", where=likely),
        pw.average("celsius", where=likely, given="ok"),
    ],
)
def test_values_that_say_where_they_count_must_be_cut_up_or_drawn(
    value: Rows, each: Aggregate
) -> None:
    items: list[Row] = [{"celsius": value, "name": "a", "ok": Bernoulli(0.5)}] * 2
    text = rf"'celsius' is {value.kind}, and `where` looks at it, in row 0.*Worlds.*dependence='worlds'"
    with pytest.raises(DistributionError, match=text):
        told(items, each=each)
    row = told(items, n=pw.count(likely), any=pw.exists(likely), one=pw.having(1, where=likely))
    assert 0 < float(row["any"].p) < 1
    assert 0 < float(row["one"].p) < 1
    assert 0 < float(row["n"].mean()) < 2


def test_the_row_is_named_in_which_both_are_uncertain() -> None:
    def warm_or_fine(b: Any) -> Any:
        return (b["celsius"] > 30.0) & b["ok"]

    items: list[Row] = [
        {"celsius": Normal(31.0, 0.0), "ok": Bernoulli(0.5)},  # known, and may count
        {"celsius": Normal(99.0, 1.0), "ok": Bernoulli(1.0)},  # surely counts
        {"celsius": Normal(-9.0, 1.0), "ok": Bernoulli(0.5)},  # surely does not
    ]
    total = pw.sum("celsius", where=warm_or_fine, method="normal")
    row = told(items, total=total)
    assert (row["total"].mean(), row["total"].var()) == (114.5, 1.0 + 31.0**2 / 4)
    items.append({"celsius": Normal(30.0, 1.0), "ok": Bernoulli(1.0)})
    with pytest.raises(DistributionError, match="looks at it, in row 3: draw it"):
        read(Batch.from_rows(items), total.columns[1])


def decided(b: Any) -> Any:
    return prob(b["celsius"] > 0.4) >= 0.5


def fahrenheit(row: Any) -> Any:
    return row["celsius"] * 1.8 + 32.0


def plain(row: Any) -> Any:
    return row["v"] + 1.0


def test_what_is_decided_by_a_probability_goes_with_any_values() -> None:
    items: list[Row] = [{"celsius": Normal(mean, 1.0)} for mean in (0.0, 1.0)]
    row = told(items, total=pw.sum("celsius", where=decided, method="normal"))
    assert (row["total"].mean(), row["total"].var()) == (1.0, 1.0)


def test_what_a_function_makes_of_what_the_event_looks_at_is_refused_too() -> None:
    items: list[Row] = [{"celsius": Normal(0.5, 1.0), "v": 2.0}]
    with pytest.raises(DistributionError, match=r"what fahrenheit gives is normal.*row 0"):
        told(items, top=pw.max(fahrenheit, where=likely))
    row = told(items, total=pw.sum(plain, where=likely))
    near(float(row["total"].mean()), 3.0 * float((items[0]["celsius"] > 0.4).p))


def few(_: Any) -> Any:
    return Bernoulli([0.5, 0.5])


def itself(b: Any) -> Any:
    return b["celsius"]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (few, "each of 1 rows"),
        (itself, "no column of events"),
        ("nothing", "no element has 'nothing'"),
    ],
)
def test_what_is_no_event_is_refused(wrong: Any, text: str) -> None:
    with pytest.raises(SchemaError, match=text):
        told([{"celsius": Normal(0.5, 1.0)}], top=pw.max("celsius", where=wrong))
