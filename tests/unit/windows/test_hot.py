"""Windows that tell with each element are the same, to the last bit, where many elements of one come in one chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import aggregates as agg
from rxml import operators as ops
from rxml import windows as w
from rxml.errors import BufferOverflowError
from rxml.eventtime.windows.emission import ACCUMULATIONS
from rxml.flow.chunk import CHUNK
from tests.unit.windows.running import ROUNDED, Hand, batch, told

if TYPE_CHECKING:
    from rxml.windows import Windowing

NS = 1e-9
WINDOWS: dict[str, Windowing] = {
    "tumbling": w.tumbling(50 * NS),
    "sliding": w.sliding(60 * NS, 25 * NS),
    "global": w.global_(),
}
FEW = settings(max_examples=settings().max_examples // 4)


@st.composite
def hot(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some tens of elements, most of one key, a little out of order."""
    values = draw(st.lists(st.floats(-1e3, 1e3), min_size=17, max_size=60))
    steps = draw(st.lists(st.integers(-2, 4), min_size=1, max_size=5))
    cold = draw(st.sampled_from([3, 7, 100]))
    items: list[dict[str, Any]] = []
    time = 0
    for at, value in enumerate(values):
        time += steps[at % len(steps)]
        items.append({"t": time, "k": 2 if at % cold == 1 else 1, "v": value})
    return items


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("accumulation", ACCUMULATIONS)
@FEW
@given(items=hot(), delay=st.sampled_from([0, 40]), lateness=st.sampled_from([0, 30]))
def test_a_hot_key_is_told_of_as_one_by_one(
    kind: str, accumulation: Any, items: list[Any], delay: int, lateness: int
) -> None:
    operator: Any = ops.window(
        WINDOWS[kind],
        emit=w.on_update(),
        accumulation=accumulation,
        allowed_lateness=lateness * NS,
    ).aggregate(**ROUNDED)
    expected = texts(told(operator, [[item] for item in items], delay=delay))
    half = len(items) // 2
    for chunks in ([items], [batch(items[:half]), batch(items[half:])]):
        assert texts(told(operator, chunks, delay=delay)) == expected


def texts(rows: list[dict[str, Any]]) -> list[str]:
    """All of each row, to the last bit."""
    return sorted(repr(sorted(row.items())) for row in rows)


@pytest.mark.parametrize("accumulation", ACCUMULATIONS)
def test_of_windows_that_overlap_more_than_a_chunk_of_states_comes_at_once(
    accumulation: Any,
) -> None:
    items = [{"t": at // 4, "k": 1, "v": at * 0.1} for at in range(90)]
    overlap = 20
    assert len(items) * overlap > CHUNK
    windowing = w.sliding(overlap * NS, 1 * NS)
    operator: Any = ops.window(windowing, emit=w.on_update(), accumulation=accumulation)
    operator = operator.aggregate(total=agg.sum("v"), all=agg.collect("v"))
    expected = told(operator, [[item] for item in items])
    rows = told(operator, [items], delay=90)
    assert texts(early(rows)) == texts(early(expected))
    assert [row["total"] for row in rows if row["timing"] == "on_time"] == [
        row["total"] for row in expected if row["timing"] == "on_time"
    ]


def early(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["timing"] == "early"]


def test_panes_stand_in_the_order_of_elements_each_behind_what_it_takes_back() -> None:
    items = [{"t": 1, "k": 1 + at % 2, "v": 1} for at in range(40)]
    operator: Any = ops.window(w.global_(), emit=w.on_update(), accumulation="retracting")
    rows = told(operator.aggregate(n=agg.count()), [items])[:78]
    expected = [
        (1 + at % 2, n, taken_back)
        for at in range(40)
        for n, taken_back in ((at // 2, True), (at // 2 + 1, False))
        if n
    ]
    assert [(row["k"], row["n"], row["retracted"]) for row in rows] == expected


@pytest.mark.parametrize("accumulation", ["accumulating", "retracting"])
def test_a_chunk_that_fails_leaves_a_hot_window_as_it_was(accumulation: Any) -> None:
    aggregates = {"n": agg.count(), "all": agg.collect("v", most=40)}
    hands = [
        Hand(w.global_(), aggregates, emit=w.on_update(), accumulation=accumulation)
        for _ in range(2)
    ]
    chunks = [[{"t": 1, "k": 1, "v": at} for at in range(size)] for size in (18, 30, 20)]
    for hand in hands:
        hand.kernel.push_all(chunks[0])
    with pytest.raises(BufferOverflowError, match="a group has 41 values"):
        hands[1].kernel.push_all(chunks[1])
    one, other = (texts(list(map(dict, hand.kernel.push_all(chunks[2])))) for hand in hands)
    assert one == other
