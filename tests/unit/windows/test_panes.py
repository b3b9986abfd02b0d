"""Sessions that become one, panes by event time and by the clock, and what does not depend on the speed of a stream."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml import windows as w
from rxml.eventtime import bounded
from rxml.flow.chunk import Chunk
from rxml.testing import Sleep, run, scripted
from rxml.testing.strategies import chunkings, pauses
from tests.unit.windows.running import AGGREGATES, events, pieces, told

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

NS = 1e-9
ITEMS = events(st.integers(-9, 9))
SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=3)


@given(items=ITEMS, data=st.data())
def test_sessions_are_the_same_in_any_order(items: list[Any], data: st.DataObject) -> None:
    """Merging is associative and commutative: all orders, and all ways to cut them, give the same sessions."""
    other = data.draw(st.permutations(items))
    operator: Any = ops.window(w.session(4 * NS)).aggregate(**AGGREGATES)
    expected = told(operator, [items] if items else [], delay=1000)
    assert told(operator, pieces(other, data.draw(SIZES)), delay=1000) == expected
    gaps = [(one["end"], two["start"]) for one, two in pairwise(expected) if one["k"] == two["k"]]
    assert all(end <= start for end, start in gaps)


def test_sessions_that_become_one_take_back_what_they_told() -> None:
    items = [{"t": t, "k": 1, "v": t} for t in (10, 20, 15)]
    operator: Any = ops.window(
        w.session(8 * NS), emit=w.on_update(), accumulation="retracting"
    ).aggregate(total=agg.sum("v"))
    rows = told(operator, [items], delay=100)
    shown = [
        (r["start"], r["end"], r["total"], r["pane"], r["retracted"], r["timing"]) for r in rows
    ]
    assert shown == [
        (10, 18, 10, 0, False, "early"),
        (20, 28, 20, 0, False, "early"),
        (20, 28, 20, 0, True, "early"),
        (10, 18, 10, 0, True, "early"),
        (10, 28, 45, 1, False, "early"),
        (10, 28, 45, 1, True, "on_time"),
        (10, 28, 45, 2, False, "on_time"),
    ]


def test_a_late_element_joins_sessions_that_have_ended() -> None:
    items = [{"t": t, "k": 1, "v": t} for t in (10, 20, 40, 15, 47)]
    operator: Any = ops.window(
        w.session(8 * NS), accumulation="retracting", allowed_lateness=100 * NS
    ).aggregate(total=agg.sum("v"))
    rows = told(operator, [items])
    shown = [(r["start"], r["end"], r["total"], r["retracted"], r["timing"]) for r in rows]
    assert shown == [
        (10, 18, 10, False, "on_time"),
        (20, 28, 20, False, "on_time"),
        (20, 28, 20, True, "late"),
        (10, 18, 10, True, "late"),
        (10, 28, 45, False, "late"),
        (40, 55, 87, False, "on_time"),
    ]


@pytest.mark.parametrize("emit", [w.on_update(), w.after_count(2), w.every(3 * NS)])
@pytest.mark.parametrize("windowing", [w.tumbling(7 * NS), w.global_()])
@given(items=ITEMS)
def test_what_is_taken_back_and_told_adds_up(windowing: Any, emit: Any, items: list[Any]) -> None:
    """Of retracting panes the sum, of discarding ones the sum, of accumulating ones the last: all are the whole."""
    totals: dict[str, int] = {}
    for accumulation in ("accumulating", "discarding", "retracting"):
        operator: Any = ops.window(windowing, emit=emit, accumulation=accumulation).aggregate(
            n=agg.count(), total=agg.sum("v")
        )
        rows = told(operator, [items] if items else [], delay=1000)
        if accumulation == "accumulating":
            rows = [row for row in rows if row["final"]]
        signs = [-1 if row.get("retracted") else 1 for row in rows]
        totals[accumulation] = sum(
            sign * (row["total"] + 1000 * row["n"]) for sign, row in zip(signs, rows, strict=True)
        )
    assert set(totals.values()) == {sum(item["v"] + 1000 for item in items)}


@given(items=ITEMS, sizes=SIZES)
def test_panes_by_event_time_hold_what_happened_until_then(
    items: list[Any], sizes: list[int]
) -> None:
    operator: Any = ops.window(w.tumbling(10 * NS), emit=w.every(3 * NS)).aggregate(n=agg.count())
    rows = told(operator, pieces(items, sizes), delay=1000)
    expected: list[tuple[Any, ...]] = []
    for start in range(-20, 41, 10):
        for stop in (start + 3, start + 6, start + 9, start + 10):
            for key in (1, 2, 10):
                held = [i["t"] for i in items if i["k"] == key and start <= i["t"] < stop]
                fresh = [t for t in held if t >= start + (stop - start - 1) // 3 * 3]
                if fresh if stop < start + 10 else held:
                    expected.append((start, key, len(held), stop == start + 10))
    assert [(r["start"], r["k"], r["n"], r["final"]) for r in rows] == expected


@given(data=st.data())
def test_the_speed_of_a_stream_changes_no_final_result(data: st.DataObject) -> None:
    items, windowing = (
        data.draw(ITEMS),
        data.draw(
            st.sampled_from([w.tumbling(7 * NS), w.sliding(9 * NS, 2 * NS), w.session(4 * NS)])
        ),
    )
    emit = data.draw(st.sampled_from([w.on_close(), w.early(0.5)]))
    operator: Any = ops.window(windowing, emit=emit).aggregate(**AGGREGATES)
    at_once = finals(operator, [Chunk(items)] if items else [])
    script = data.draw(chunkings(items, heartbeats=False).flatmap(pauses))
    assert finals(operator, script) == at_once


def finals(operator: Any, script: list[Any]) -> list[str]:
    """What windows come to at their end."""
    timed: Operator[Any, Any] = ops.with_event_time("t", bounded(3 * NS), unit="ns")
    rows = run(scripted(*script).pipe(timed, ops.key_by("k"), operator).to_list())
    kept = [dict(row) for row in rows if row.get("final", True)]
    return [
        repr({k: v for k, v in row.items() if k not in {"pane", "timing", "final"}}) for row in kept
    ]


def test_panes_by_the_clock_tell_what_is_new() -> None:
    operator: Any = ops.window(w.tumbling(100 * NS), emit=w.early(10)).aggregate(n=agg.count())
    script = [{"t": 1}, {"t": 2}, Sleep(12), {"t": 3}, Sleep(25), {"t": 120}]
    timed: Operator[Any, Any] = ops.with_event_time("t", unit="ns")
    rows = run(scripted(*script).pipe(timed, operator).to_list())
    shown = [(row["start"], row["n"], row["pane"], row["timing"]) for row in rows]
    assert shown == [
        (0, 2, 0, "early"),
        (0, 3, 1, "early"),
        (0, 3, 2, "on_time"),
        (100, 1, 0, "on_time"),
    ]


@given(items=ITEMS, sides=st.lists(st.booleans(), min_size=14, max_size=14), data=st.data())
def test_streams_that_meet_give_what_one_would(
    items: list[Any], sides: list[bool], data: st.DataObject
) -> None:
    """The watermark is the least of both, so that it does not matter which comes first."""
    by_time = sorted(items, key=lambda item: item["t"])
    timed: Operator[Any, Any] = ops.with_event_time("t", unit="ns")
    operator: Any = ops.window(w.sliding(9 * NS, 2 * NS)).aggregate(**AGGREGATES)
    flows: list[Any] = []
    for side in (True, False):
        part = [item for item, on in zip(by_time, sides, strict=False) if on is side]
        script = data.draw(chunkings(part, heartbeats=False).flatmap(pauses))
        flows.append(scripted(*script).pipe(timed))
    met = rxml.merge(*flows).pipe(ops.key_by("k"), operator)
    alone = told(operator, [by_time] if by_time else [])
    assert list(map(dict, run(met.to_list()))) == alone
