"""Windows give what plain lists give, row by row, in the same order, however elements come and are cut."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import operators as ops
from rxml import windows as w
from rxml.eventtime import bounded
from rxml.eventtime.windows.emission import ACCUMULATIONS
from rxml.flow.chunk import Chunk
from rxml.testing import run, scripted
from tests.unit.windows.model import Always, Model, Rules, Sessions, Spans, counted
from tests.unit.windows.running import (
    AGGREGATES,
    batch,
    events,
    pieces,
    result,
    told,
    within,
)

if TYPE_CHECKING:
    from rxml.flow.operator import Operator
    from rxml.windows import Emission, Late, Windowing
    from tests.unit.windows.model import Kind

NS = 1e-9
KINDS: dict[str, tuple[Windowing, Kind]] = {
    "tumbling": (w.tumbling(7 * NS, origin=3), Spans(7, 7, 3)),
    "overlapping": (w.sliding(6 * NS, 2 * NS), Spans(6, 2)),
    "uneven": (w.sliding(7 * NS, 3 * NS, origin=-2), Spans(7, 3, -2)),
    "gaps": (w.sliding(3 * NS, 5 * NS), Spans(3, 5)),
    "even": (w.sliding(4 * NS, 4 * NS), Spans(4, 4)),
    "session": (w.session(4 * NS), Sessions(4)),
    "global": (w.global_(), Always()),
}
EMISSIONS: dict[str, tuple[Emission, int | None]] = {
    "close": (w.on_close(), None),
    "update": (w.on_update(), 1),
    "after_count": (w.after_count(2), 2),
}
SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=3)
ITEMS = events(st.integers(-9, 9))
each_kind = pytest.mark.parametrize("kind", KINDS)


def columns(rows: list[dict[str, Any]], like: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the columns that the others have."""
    return [{name: row[name] for name in like[0]} for row in rows] if like else rows


def forms(items: list[Any], sizes: list[int]) -> list[list[Any]]:
    """The elements as rows in chunks, and as batches."""
    cut = pieces(items, sizes)
    return [cut, list(map(batch, cut))]


@each_kind
@given(
    items=ITEMS,
    sizes=SIZES,
    delay=st.integers(0, 5),
    jitter=st.lists(st.integers(0, 9), min_size=1),
)
def test_in_any_order_within_the_bound_results_are_those_of_the_batch(
    kind: str, items: list[Any], sizes: list[int], delay: int, jitter: list[int]
) -> None:
    windowing, plain = KINDS[kind]
    arrived = within(items, delay, jitter)
    batch_answer = Model(Rules(plain, result, delay=10**6)).run(items)
    for chunks in forms(arrived, sizes):
        rows = told(ops.window(windowing).aggregate(**AGGREGATES), chunks, delay=delay)
        assert rows == columns(batch_answer.panes, rows)
        assert len(rows) == len(batch_answer.panes)


@each_kind
@given(data=st.data())
def test_panes_of_early_and_late_elements(kind: str, data: st.DataObject) -> None:
    items, sizes = data.draw(ITEMS), data.draw(SIZES)
    emission = data.draw(st.sampled_from(list(EMISSIONS)))
    accumulation: Any = data.draw(st.sampled_from(ACCUMULATIONS))
    delay, lateness = data.draw(st.integers(0, 4)), data.draw(st.sampled_from([0, 3, 20]))
    (windowing, plain), (emit, update) = KINDS[kind], EMISSIONS[emission]
    operator: Any = ops.window(
        windowing, emit=emit, accumulation=accumulation, allowed_lateness=lateness * NS
    ).aggregate(**AGGREGATES)
    model = Model(Rules(plain, result, update, accumulation, lateness, delay)).run(items)
    one_by_one = told(operator, [[item] for item in items], delay=delay)
    assert one_by_one == columns(model.panes, one_by_one)
    assert len(one_by_one) == len(model.panes)
    for chunks in forms(items, sizes):
        by_window = sorted(told(operator, chunks, delay=delay), key=_window)
        assert by_window == sorted(one_by_one, key=_window)


def _window(row: dict[str, Any]) -> Any:
    return (
        row["k"],
        row.get("pane", 0),
        row.get("retracted", False),
        row.get("start"),
        row.get("end"),
        row["n"],
        row["time"],
        row["total"],
    )


@each_kind
@given(items=ITEMS, sizes=SIZES, delay=st.integers(0, 4))
def test_late_and_on_time_elements_are_all(
    kind: str, items: list[Any], sizes: list[int], delay: int
) -> None:
    windowing, plain = KINDS[kind]
    model = Model(Rules(plain, result, delay=delay)).run(items)
    for chunks in forms(items, sizes):
        rows, late = apart(windowing, chunks, delay)
        assert rows == columns(model.panes, rows)
        assert [dict(each.element) for each in late] == model.late
        assert all(each.time == each.element["t"] < each.watermark for each in late)


def apart(windowing: Windowing, chunks: list[Any], delay: int) -> tuple[list[Any], list[Late[Any]]]:
    """The results of windows, and the elements that came late."""
    timed: Operator[Any, Any] = ops.with_event_time("t", bounded(delay * NS), unit="ns")
    flow: Any = scripted(*map(Chunk, chunks)).pipe(timed, ops.key_by("k"))
    results, late = flow.through(ops.window(windowing).with_late(**AGGREGATES))

    async def both() -> list[list[Any]]:
        return [*await asyncio.gather(results.to_list(), late.to_list())]

    rows, elements = run(both())
    return list(map(dict, rows)), elements


@given(items=ITEMS, sizes=SIZES, n=st.integers(1, 4), step=st.integers(1, 5))
def test_windows_of_a_number_of_elements(
    items: list[Any], sizes: list[int], n: int, step: int
) -> None:
    operator: Any = ops.window(w.count(n, step)).aggregate(**AGGREGATES)
    expected = counted(items, n, step, result)
    for chunks in forms(items, sizes):
        rows = told(operator, chunks)
        assert rows == columns(expected, rows)
        assert len(rows) == len(expected)
