"""What windows cost: what is in them, and not what else there is or was."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from typing_extensions import override

from rxml import aggregates as agg
from rxml import windows as w
from rxml.eventtime.event_time import EventTime
from rxml.eventtime.keying import Keying
from rxml.eventtime.windows.firing import Firing
from rxml.eventtime.windows.kernel import WindowKernel
from rxml.eventtime.windows.keys import Keys
from rxml.eventtime.windows.plan import Plan, Settings
from rxml.eventtime.windows.session_parts import Session
from rxml.eventtime.windows.sessions import Sessions
from rxml.eventtime.windows.slices import Slice
from rxml.flow.chunk import FOREVER
from tests.unit.windows.running import AGGREGATES, Hand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.windows import Windowing

NS = 1e-9


def mib_for(hand: Hand, items: list[Any]) -> float:
    """What is kept behind some elements."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        hand.kernel.push_all(items)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / 2**20


@pytest.mark.parametrize(
    ("windowing", "overlap"), [(w.tumbling(10 * NS), 1), (w.sliding(20 * NS, 10 * NS), 2)]
)
@pytest.mark.parametrize("lateness", [0, 5])
def test_many_windows_of_other_keys_cost_what_is_in_them(
    windowing: Windowing, overlap: int, lateness: int
) -> None:
    hand = Hand(windowing, {"n": agg.count()}, lateness=lateness)
    items = [{"t": 10 * at, "k": at} for at in range(2000)]
    assert mib_for(hand, items) < 8  # 32 if a window had room for all keys
    assert sum(row["n"] for row in hand.end()) == 2000 * overlap


def test_stacks_of_a_long_window_cost_what_is_in_them() -> None:
    hand = Hand(w.sliding(4000 * NS, 10 * NS), {"n": agg.count()})
    hand.kernel.push_all([{"t": 10 * at, "k": 0} for at in range(400)])
    hand.kernel.push_all([{"t": 5000, "k": k} for k in range(1, 4000)])
    tracemalloc.start()
    try:
        rows = hand.kernel.advance(4010)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [row["n"] for row in rows][-3:] == [399, 400, 399]
    assert kept < 2**20  # 26 MB if each step had room for all keys


@given(st.data())
def test_a_slice_finds_its_keys_however_many_there_are(data: st.DataObject) -> None:
    """By a dict or by an array: as keys come and go, in it and beside it."""
    one, model, capacity = Slice(), dict[int, int](), 64
    for _ in range(data.draw(st.integers(1, 6))):
        capacity = data.draw(st.integers(capacity, 20 * capacity))
        n = data.draw(st.sampled_from([0, 1, 5, capacity // 20, capacity // 4]))
        one.fit(max(n, one.size), capacity)
        start = data.draw(st.integers(0, capacity - n - 1))
        codes = np.array([code for code in range(start, start + n) if code not in model], np.intp)
        assert one.distinct(np.repeat(codes[::-1], 2)).tolist() == codes[::-1].tolist()
        size = one.size
        one.add(codes, codes + 7)
        if data.draw(st.booleans()):
            assert [each.tolist() for each in one.cut(size)] == [
                codes.tolist(),
                (codes + 7).tolist(),
            ]
        else:
            model |= {code: code + 7 for code in codes.tolist()}
        one.fit(one.size, capacity)
        asked = np.array([*list(model)[:50], start, 0, capacity - 1], np.intp)
        assert one.found(asked).tolist() == [model.get(code, -1) for code in asked.tolist()]
        assert one.codes.tolist() == list(model)


def test_behind_a_burst_results_are_what_they_would_be_without() -> None:
    calm, burst = (Hand(w.sliding(30 * NS, 10 * NS), AGGREGATES) for _ in range(2))
    for at in range(0, 900, 4):
        if at == 100:
            burst.kernel.push_all([{"t": 97, "k": k, "v": 1} for k in range(9000)])
        item = {"t": at, "k": -1 - at % 7, "v": at}
        rows = [row for row in burst.take(item) if row["k"] < 0]
        assert calm.take(item) == rows
    assert burst.end() == calm.end()
    assert len(burst.kernel.snapshot()[2][1]) <= 64


@pytest.mark.parametrize("windowing", [w.tumbling(10 * NS), w.sliding(5 * NS, 10 * NS)])
def test_keys_of_what_is_in_no_window_are_forgotten(windowing: Windowing) -> None:
    hand = Hand(windowing, AGGREGATES)
    hand.take({"t": 1000, "k": -1, "v": 1})
    for at in range(0, 9000, 90):
        hand.kernel.push_all([{"t": 6, "k": k, "v": 1} for k in range(at, at + 90)])
    assert len(hand.kernel.snapshot()[2][0][0]) < 2500


def test_keys_are_numbered_anew_behind_a_burst() -> None:
    keys = Keys(Keying("k"))
    codes = keys.codes(list(range(10_000)))
    keys.hold(codes)
    assert keys.capacity >= 10_000
    keys.release(codes[codes != 5])
    keys.sweep()
    assert (len(keys), keys.capacity) == (1, 64)
    assert keys.codes([7, 5, 8]).tolist() == [0, 5, 1]
    assert keys.column(np.array([0, 5, 1])).tolist() == [7, 5, 8]
    assert keys.codes(np.array([8, 9, 5])).tolist() == [1, 2, 5]


@pytest.mark.parametrize("lateness", [0, 1000])
def test_rows_between_two_panes_are_taken_in_together(
    lateness: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand(w.tumbling(5000 * NS), AGGREGATES, emit=w.after_count(100), lateness=lateness)
    taken = list[int]()
    saw = Firing.saw

    def seen(firing: Firing, slots: NDArray[np.intp]) -> None:
        taken.append(len(slots))
        saw(firing, slots)

    monkeypatch.setattr(Firing, "saw", seen)
    hand.take({"t": 1, "k": 1, "v": 1})
    rows = hand.kernel.push_all([{"t": at, "k": 1, "v": at} for at in range(250)])
    assert [(row["n"], row["total"]) for row in rows] == [
        (100, sum(range(99)) + 1),
        (200, sum(range(199)) + 1),
    ]
    assert taken == [1, 99, 100, 51]


class Seen(Session):
    """Counts how often anybody looks at its span."""

    __slots__ = ()
    looks = 0

    @override
    def __getattribute__(self, name: str) -> Any:
        if name in {"start", "end"}:
            Seen.looks += 1
        return super().__getattribute__(name)


def test_an_element_finds_its_session_among_many() -> None:
    sessions = Sessions(5)
    for at in range(4096):
        sessions.add(Seen(1, 10 * at, 10 * at + 5, at))
    Seen.looks = 0
    assert [one.slot for one in sessions.touched(1, 20_482, 20_482)] == [2048]
    assert [one.slot for one in sessions.touched(1, 20_487, 20_487)] == [2049]
    assert sessions.touched(1, 10**9, 10**9) == []
    assert sessions.touched(1, 20_485, 20_485) == []
    assert 0 < Seen.looks < 100


@pytest.mark.parametrize(
    ("windowing", "emit", "lateness"),
    [
        (w.global_(), w.every(10 * NS), 0),
        (w.tumbling(10 * NS), w.every(5 * NS), 0),
        (w.count(3), None, 0),
        (w.global_(), None, 5),
        (w.session(3 * NS), None, 5),
    ],
)
def test_what_comes_behind_the_end_of_time_is_late(
    windowing: Windowing, emit: Any, lateness: int
) -> None:
    settings = Settings(windowing, emit or w.on_close(), "accumulating", lateness, "count", 100)
    plan = Plan(settings, AGGREGATES, Keying("k"), EventTime("t", "ns"))
    kernel = WindowKernel("window", plan)
    kernel.push_all([{"t": 3, "k": 1, "v": 1}])
    assert [row["n"] for row in kernel.advance(FOREVER)][-1:] == [1]
    assert list(kernel.push_all([{"t": 4, "k": 1, "v": 1}, {"t": 5, "k": 2, "v": 1}])) == []
    assert (kernel.lost, kernel.left_out) == (2, [0, 1])
    assert list(kernel.flush()) == []
