"""What windows tell is the same to the last bit however elements are cut, as rows or batches, and behind a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import operators as ops
from rxml import windows as w
from rxml.eventtime.windows.emission import ACCUMULATIONS
from tests.unit.windows.running import ROUNDED, Hand, batch, events, pieces, told

if TYPE_CHECKING:
    from rxml.windows import Emission, Windowing

NS = 1e-9
WINDOWS: dict[str, tuple[Windowing, list[Emission]]] = {
    "tumbling": (
        w.tumbling(7 * NS),
        [w.on_close(), w.on_update(), w.after_count(3), w.every(3 * NS)],
    ),
    "sliding": (w.sliding(9 * NS, 2 * NS), [w.on_close(), w.after_count(2)]),
    "finely": (w.sliding(20 * NS, 1 * NS), [w.on_close()]),
    "gaps": (w.sliding(3 * NS, 5 * NS), [w.on_close(), w.on_update()]),
    "session": (w.session(4 * NS), [w.on_close(), w.on_update(), w.after_count(2)]),
    "global": (w.global_(), [w.on_close(), w.every(6 * NS), w.after_count(3)]),
    "count": (w.count(3, 2), [w.on_close()]),
}
ITEMS = events(st.floats(-1e3, 1e3), most=24)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=3)
each_kind = pytest.mark.parametrize("kind", WINDOWS)


@st.composite
def options(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    emit = draw(st.sampled_from(WINDOWS[kind][1]))
    late = kind != "count" and not isinstance(emit, type(w.every(1)))
    lateness = draw(st.sampled_from([0, 4])) if late else 0
    accumulation = draw(st.sampled_from(ACCUMULATIONS))
    return {"emit": emit, "accumulation": accumulation, "lateness": lateness}


@each_kind
@given(data=st.data())
def test_the_cut_of_a_stream_changes_no_bit(kind: str, data: st.DataObject) -> None:
    items, sizes, delay = data.draw(ITEMS), data.draw(SIZES), data.draw(st.integers(0, 5))
    chosen = data.draw(options(kind))
    operator: Any = ops.window(
        WINDOWS[kind][0],
        emit=chosen["emit"],
        accumulation=chosen["accumulation"],
        allowed_lateness=chosen["lateness"] * NS,
    ).aggregate(**ROUNDED)
    expected = told(operator, [[item] for item in items], delay=delay)
    ordered = isinstance(chosen["emit"], type(w.on_close())) and not chosen["lateness"]
    for chunks in (pieces(items, sizes), list(map(batch, pieces(items, sizes)))):
        rows = told(operator, chunks, delay=delay)
        assert texts(rows, ordered=ordered) == texts(expected, ordered=ordered)


def texts(rows: list[dict[str, Any]], *, ordered: bool) -> list[str]:
    """All of each row, to the last bit."""
    written = [repr(sorted(row.items())) for row in rows]
    return written if ordered else sorted(written)


@each_kind
@given(data=st.data())
def test_a_snapshot_anywhere_changes_no_bit(kind: str, data: st.DataObject) -> None:
    items, delay = data.draw(ITEMS), data.draw(st.integers(0, 5))
    chosen = data.draw(options(kind))
    saved = data.draw(st.sets(st.integers(0, len(items)), max_size=4))
    hands = [Hand(WINDOWS[kind][0], ROUNDED, delay=delay, **chosen) for _ in range(2)]
    for number, item in enumerate(items):
        if number in saved:
            hands[1].save_and_restore()
        expected, rows = (hand.take(item) for hand in hands)
        assert texts(rows, ordered=True) == texts(expected, ordered=True)
    hands[1].save_and_restore()
    expected, rows = (hand.end() for hand in hands)
    assert texts(rows, ordered=True) == texts(expected, ordered=True)


@each_kind
@given(data=st.data())
def test_a_snapshot_does_not_change_afterwards(kind: str, data: st.DataObject) -> None:
    items, chosen = data.draw(ITEMS), data.draw(options(kind))
    half = len(items) // 2
    hand = Hand(WINDOWS[kind][0], ROUNDED, **chosen)
    for item in items[:half]:
        hand.take(item)
    kept, as_it_was = hand.kernel.snapshot(), repr(hand.kernel.snapshot())
    for item in items[half:]:
        hand.take(item)
    hand.end()
    assert repr(kept) == as_it_was
