"""Windows given an event, against all worlds in which it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.testing import run
from rxml.uncertain import Alternatives, Bernoulli, Categorical, Draws, Worlds
from rxml.windows import tumbling
from tests.unit.aggregates.possible.conditioned import Case, Conditioned
from tests.unit.uncertain.possible.enumeration import close, near

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.aggregates import Aggregate

Row = dict[str, Any]

CHANCES = st.sampled_from([0.0, 1e-9, 0.25, 0.5, 1.0 - 1e-12, 1.0])
VALUES = st.sampled_from([-3.0, 0.0, 1.0, 1.0, 2.0])
FEW = settings(max_examples=settings().max_examples // 3)
SPLITS = st.sampled_from([(0.5, 0.5), (0.25, 0.5), (1.0, 0.0), (1e-9, 0.75), (0.1, 0.0)])


def told(items: list[Row], **aggregates: Aggregate) -> Row:
    """What the one window of all elements comes to."""
    timed: Any = rxml.of(*({**item, "t": 1} for item in items)).pipe(
        ops.with_event_time("t", unit="s")
    )
    (row,) = run(timed.pipe(ops.window(tumbling(8)).aggregate(**aggregates)).to_list())
    return dict(row)


def rows_of(kinds: dict[str, st.SearchStrategy[Any]], most: int) -> Any:
    return st.lists(st.fixed_dictionaries(kinds), min_size=1, max_size=most)


# --- an event of each row ------------------------------------------------------------------------

PLAIN: dict[str, Aggregate] = {
    "n": pw.count(given="ok"),
    "total": pw.sum("v", given="ok"),
    "about": pw.sum("v", method="normal", given="ok"),
    "mean": pw.average("v", given="ok"),
    "high": pw.max("v", given="ok"),
    "low": pw.min("v", given="ok"),
    "q": pw.quantile("v", 0.75, given="ok"),
    "mid": pw.median("v", given="ok"),
    "kinds": pw.count_distinct("v", given="ok"),
    "any": pw.exists(given="ok"),
    "two": pw.having(2, given="ok"),
    "top": pw.top_k("v", 2, id="id", kept=9, given="ok"),
}


def by_row(item: Row) -> list[Case]:
    """What a row with an event of its own may be."""
    p, ok = item["p"], item["g"]
    return [
        Case(1.0 - p, agrees=True, value=None),
        Case(p * ok, agrees=True, value=item["v"]),
        Case(p * (1.0 - ok), agrees=False, value=item["v"]),
    ]


@example([{"p": 0.25 + at / 16, "g": 0.75 - at / 16, "v": float(at % 3)} for at in range(8)])
@FEW
@given(rows_of({"p": CHANCES, "g": CHANCES, "v": VALUES}, 5))
def test_every_aggregate_is_that_of_the_worlds_in_which_all_rows_agree(items: list[Row]) -> None:
    rows = [
        {"presence": Bernoulli(x["p"]), "ok": Bernoulli(x["g"]), "v": x["v"], "id": at}
        for at, x in enumerate(items)
    ]
    row, worlds = told(rows, **PLAIN), Conditioned.of([by_row(item) for item in items])
    assert {float(row[f"{name}_given"]) for name in PLAIN} == {float(row["n_given"])}
    near(row["n_given"], worlds.chance)
    if worlds.chance == 0:
        return
    worlds.require(row["n"], worlds.count())
    worlds.require(row["total"], worlds.total())
    worlds.require(row["high"], worlds.rank(1.0))
    worlds.require(row["low"], worlds.rank(1e-9))
    worlds.require(row["q"], worlds.rank(0.75))
    worlds.require(row["mid"], worlds.rank(0.5))
    worlds.require(row["kinds"], worlds.different())
    worlds.require_average(row, "mean")
    close(row["about"].mean(), worlds.p @ worlds.total())
    close(row["any"].p, worlds.probability(worlds.count() >= 1))
    close(row["two"].p, worlds.probability(worlds.count() >= 2))
    highest = {each["id"]: each["p"] for each in row["top"]}
    for at, p in enumerate(worlds.among(2).tolist()):
        close(highest.get(at, 0.0), p)


# --- events of alternatives ----------------------------------------------------------------------


def above(b: Any) -> Any:
    return b["v"] > 0.5


def below(b: Any) -> Any:
    return b["v"] < 1.5


BLOCKS: dict[str, Aggregate] = {
    "n": pw.count(given=above),
    "few": pw.count(below, given=above),
    "total": pw.sum("v", given=above),
    "mean": pw.average("v", given=above),
    "high": pw.max("v", given=above),
    "mid": pw.median("v", given=above),
    "any": pw.exists(below, given=above),
    "two": pw.having(2, where=below, given=above),
}


def always(_: float | None) -> bool:
    return True


def there_is_one(value: float | None) -> bool:
    return value is not None


def is_below(value: float | None) -> bool:
    return value is not None and value < 1.5


def by_block(item: Row, counts: Callable[[float | None], bool]) -> list[Case]:
    """What a row of two alternatives may be; `counts` says of a value, or of None, whether such a row does."""
    p, split = item["p"], item["split"]
    shares = [*split, 1.0 - sum(split)]
    found = [Case(1.0 - p, agrees=True, value=None)]
    for share, value in zip(shares, [*item["v"], None], strict=True):
        agrees = value is None or value > 0.5
        found.append(
            Case(p * share, agrees=agrees, value=(value or 0.0) if counts(value) else None)
        )
    return found


def columns(item: Row) -> Row:
    return {
        "presence": Bernoulli(item["p"]),
        "v": Alternatives(list(item["v"]), list(item["split"])),
    }


@FEW
@given(rows_of({"p": CHANCES, "split": SPLITS, "v": st.tuples(VALUES, VALUES)}, 4))
def test_alternatives_that_do_not_agree_are_ruled_out(items: list[Row]) -> None:
    row = told([columns(item) for item in items], **BLOCKS)
    worlds, low, rows = (
        Conditioned.of([by_block(item, counts) for item in items])
        for counts in (there_is_one, is_below, always)
    )
    assert {float(row[f"{name}_given"]) for name in BLOCKS} == {float(row["n_given"])}
    near(row["n_given"], worlds.chance)
    if worlds.chance == 0:
        return
    worlds.require(row["total"], worlds.total())
    worlds.require(row["high"], worlds.rank(1.0))
    worlds.require(row["mid"], worlds.rank(0.5))
    worlds.require_average(row, "mean")
    rows.require(row["n"], rows.count())
    low.require(row["few"], low.count())
    close(row["any"].p, low.probability(low.count() >= 1))
    close(row["two"].p, low.probability(low.count() >= 2))


def warm_or_fine(b: Any) -> Any:
    return (b["limit"] > b["v"]) | b["ok"]


def by_both(item: Row) -> list[Case]:
    """What a row may be whose event looks at two columns, of which one says whether it counts."""
    found = [Case(1.0 - item["p"], agrees=True, value=None)]
    shares = [*item["split"], 1.0 - sum(item["split"])]
    for share, limit in zip(shares, [*item["limit"], None], strict=True):
        for fine, likely in ((True, item["g"]), (False, 1.0 - item["g"])):
            agrees = limit is None or limit > item["v"] or fine
            value = item["v"] if fine else None
            found.append(Case(item["p"] * share * likely, agrees=agrees, value=value))
    return found


@FEW
@given(
    rows_of(
        {
            "p": CHANCES,
            "g": CHANCES,
            "v": VALUES,
            "split": SPLITS,
            "limit": st.tuples(VALUES, VALUES),
        },
        4,
    )
)
def test_what_counts_and_what_is_given_may_look_at_the_same(items: list[Row]) -> None:
    rows = [
        {
            "presence": Bernoulli(x["p"]),
            "ok": Bernoulli(x["g"]),
            "limit": Alternatives(list(x["limit"]), list(x["split"])),
            "v": x["v"],
        }
        for x in items
    ]
    total = pw.sum("v", where="ok", given=warm_or_fine)
    row = told(rows, total=total, n=pw.count("ok", given=warm_or_fine))
    worlds = Conditioned.of([by_both(item) for item in items])
    near(row["n_given"], worlds.chance)
    if worlds.chance > 0:
        worlds.require(row["total"], worlds.total())
        worlds.require(row["n"], worlds.count())


def not_c(b: Any) -> Any:
    return b["k"] != "c"


@FEW
@given(rows_of({"p": CHANCES, "k": st.sampled_from([(0.25, 0.25, 0.5), (1.0, 0.0, 0.0)])}, 6))
def test_keys_that_are_ruled_out_have_no_rows(items: list[Row]) -> None:
    rows = [
        {"presence": Bernoulli(x["p"]), "k": Categorical(x["k"], ["a", "b", "c"])} for x in items
    ]
    row = told(rows, by=pw.count_by("k", given=not_c))
    worlds = Conditioned.of(
        [
            [
                Case(1.0 - x["p"], agrees=True, value=None),
                Case(x["p"] * x["k"][0], agrees=True, value=1.0),
                Case(x["p"] * x["k"][1], agrees=True, value=None),
                Case(x["p"] * x["k"][2], agrees=False, value=None),
            ]
            for x in items
        ]
    )
    near(row["by_given"], worlds.chance)
    found = {each["key"]: each for each in row["by"]}
    assert "c" not in found
    mean = float(worlds.p @ worlds.count())
    close(found.get("a", {"mean": 0.0})["mean"], mean, 10)
    close(found.get("a", {"var": 0.0})["var"], worlds.p @ (worlds.count() - mean) ** 2, 10)


# --- worlds --------------------------------------------------------------------------------------

KEY = Draws(0, 6).key
WHOLE = st.lists(st.sampled_from([-1.0, 0.0, 1.0, 2.0]), min_size=6, max_size=6)
DRAWN: dict[str, Aggregate] = {
    "n": pw.count(dependence="worlds", given=above),
    "total": pw.sum("w", dependence="worlds", given=above),
    "high": pw.max("w", dependence="worlds", given=above),
    "low": pw.min("w", dependence="worlds", given=above),
    "kinds": pw.count_distinct("w", dependence="worlds", given=above),
}


@FEW
@given(rows_of({"v": WHOLE, "w": WHOLE, "there": WHOLE}, 5))
def test_worlds_in_which_some_row_does_not_agree_weigh_nothing(items: list[Row]) -> None:
    drawn = [{name: Worlds(x[name], world=KEY) for name in x} for x in items]
    rows = [{"v": x["v"], "w": x["w"], "presence": x["there"] > 0.0} for x in drawn]
    v, w, there = (np.array([x[name] for x in items]).T for name in ("v", "w", "there"))
    agrees = ((there <= 0) | (v > 0.5)).all(axis=1)
    worlds = Conditioned(np.full(6, 1.0 / 6.0), agrees, there > 0, w)
    row = told(rows, **DRAWN)
    assert {float(row[f"{name}_given"]) for name in DRAWN} == {float(row["n_given"])}
    close(row["n_given"], worlds.chance)
    worlds.require(row["n"], worlds.count())
    worlds.require(row["total"], worlds.total())
    worlds.require(row["high"], worlds.rank(1.0))
    worlds.require(row["low"], worlds.rank(1e-9))
    worlds.require(row["kinds"], worlds.different())
