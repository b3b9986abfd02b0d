"""What is bad or late is left out by itself: counted once, its context told once, and the rest as if it had not come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml import windows as w
from rxml.batch import Batch
from rxml.errors import BufferOverflowError, LateError, SchemaError
from rxml.flow.chunk import Chunk
from rxml.flow.supervision import Directive
from rxml.testing import run, scripted
from tests.unit.flow.ledger import ANSWERED, DEAD, DROPPED, Ledger, read
from tests.unit.windows.model import Model, Rules, Spans
from tests.unit.windows.running import AGGREGATES, pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.aggregates import Aggregate
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.windows import Windowing

NS = 1e-9
NAN = float("nan")
BAD: list[dict[str, Any]] = [
    {"k": 1, "v": 1},
    {"t": None, "k": 1, "v": 1},
    {"t": NAN, "k": 1, "v": 1},
    {"t": 5, "v": 1},
    {"t": 5, "k": None, "v": 1},
    {"t": 5, "k": NAN, "v": 1},
    {"t": 5, "k": [1], "v": 1},
    {"t": 5, "k": 1},
    {"t": 5, "k": 1, "v": None},
    {"t": 5, "k": 1, "v": "x"},
    {"t": 2**63 - 1, "k": 1, "v": 1},
]
GOOD = st.fixed_dictionaries(
    {"t": st.integers(0, 30), "k": st.sampled_from([1, 2]), "v": st.integers(-9, 9)}
)
ITEMS = st.lists(GOOD | st.sampled_from(BAD), max_size=14)
SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=3)
WINDOWS = {
    "tumbling": ops.window(w.tumbling(7 * NS)),
    "sliding": ops.window(w.sliding(9 * NS, 4 * NS)),
    "update": ops.window(w.tumbling(7 * NS), emit=w.on_update()),
    "session": ops.window(w.session(4 * NS)),
}


def everything(_: Any) -> bool:
    return True


def timed(
    flow: Flowable[Any],
    operator: Any,
    letters: list[Any],
    keep: Callable[[Any], bool] = everything,
) -> Flowable[Any]:
    """Windows that leave out what is bad, after the watermark has seen it, of those elements that are kept."""
    event_time: Operator[Any, Any] = ops.with_event_time("t", unit="ns")
    resumed: Any = ops.supervise(lambda _: Directive.RESUME, dead_letters=letters.append)
    return flow.pipe(event_time, ops.key_by("k"), ops.filter(keep), operator, resumed)


@pytest.mark.parametrize("kind", WINDOWS)
@given(items=ITEMS, sizes=SIZES)
def test_bad_elements_leave_no_trace(kind: str, items: list[Any], sizes: list[int]) -> None:
    operator: Any = WINDOWS[kind].aggregate(**AGGREGATES)
    letters, singly = list[Any](), list[Any]()
    chunks = scripted(*map(Chunk, pieces(items, sizes)))
    one_by_one = scripted(*(Chunk([item]) for item in items))
    rows = texts(run(timed(chunks, operator, letters).to_list()))
    assert rows == texts(run(timed(one_by_one, operator, singly).to_list()))
    assert texts([each.element for each in letters]) == texts([each.element for each in singly])
    assert all(is_bad(each.element) for each in letters)
    clean = timed(one_by_one, operator, [], keep=lambda each: not is_bad(each))
    assert rows == texts(run(clean.to_list()))


def is_bad(item: Any) -> bool:
    return any(item is each for each in BAD)


def texts(rows: list[Any]) -> list[str]:
    return sorted(repr(dict(row)) for row in rows)


NUMBERED = st.lists(GOOD, max_size=14).map(
    lambda items: [{**item, "id": number} for number, item in enumerate(items)]
)


def late_of(items: list[Any]) -> list[Any]:
    return Model(Rules(Spans(7, 7), lambda _: {})).run(items).late


@pytest.mark.parametrize("update", [None, 1])
@given(items=NUMBERED, sizes=SIZES, data=st.data())
def test_each_element_ends_once_and_late_ones_are_dropped(
    update: int | None, items: list[Any], sizes: list[int], data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.integers(0, 14)))
    items = [{**item, "v": None} if item["id"] in bad else item for item in items]
    late = [str(each) for each in late_of(items)]
    emit = w.on_close() if update is None else w.on_update()
    operator: Any = ops.window(w.tumbling(7 * NS), emit=emit).aggregate(**AGGREGATES)
    ledger, letters = Ledger(), list[Any]()
    source = ledger.source(*(ledger.chunk(*piece) for piece in pieces(items, sizes)))
    done = read(timed(source, operator, letters))
    assert done.error is None
    outcomes = ledger.outcomes
    dead = [str(letter.element) for letter in letters]
    assert dead == [str(item) for item in items if item["v"] is None and str(item) not in late]
    assert outcomes == {
        str(item): DROPPED if str(item) in late else DEAD if str(item) in dead else ANSWERED
        for item in items
    }
    assert sum(done.dropped.values()) == len(late)


def test_a_late_element_may_be_an_error() -> None:
    operator: Any = ops.window(w.tumbling(10 * NS), late="error").aggregate(n=agg.count())
    items = [{"t": t, "k": 1} for t in (1, 12, 3, 25, 4)]
    flow = scripted(Chunk(items)).pipe(
        ops.with_event_time("t", unit="ns"), ops.key_by("k"), operator
    )
    message = "an element of 3 came when the stream had come to 12, .* allow more delay"
    with pytest.raises(LateError, match=message):
        run(flow.to_list())
    letters: list[Any] = []
    rows = run(timed(scripted(Chunk(items)), operator, letters).to_list())
    assert [letter.element["t"] for letter in letters] == [3, 4]
    assert [row["n"] for row in rows] == [1, 1, 1]


@pytest.mark.parametrize(
    "windowing", [w.tumbling(5), w.sliding(9, 4), w.session(3), w.sliding(2, 5)]
)
@pytest.mark.parametrize("emit", [w.on_close(), w.on_update()])
@pytest.mark.parametrize("time", [2**63 - 1, 1 - 2**63, 2**63 - 10**9])
def test_no_window_wraps_around(windowing: Any, emit: Any, time: int) -> None:
    operator: Any = ops.window(windowing, emit=emit, time="t").aggregate(n=agg.count())
    with pytest.raises(SchemaError, match=f"event time {time} is so near to the ends"):
        run(rxml.of({"t": time}).pipe(operator).to_list())


def test_bad_rows_of_a_batch_are_found() -> None:
    batch = Batch(
        {"t": np.arange(6), "k": np.array([1, 1, None, 2, 2, 2], object), "v": np.arange(6)}
    )
    letters: list[Any] = []
    operator: Any = ops.window(w.tumbling(10 * NS)).aggregate(total=agg.sum("v"))
    rows = run(timed(rxml.from_batches([batch]), operator, letters).to_list())
    assert [(row["k"], row["total"]) for row in rows] == [(1, 1), (2, 12)]
    assert [letter.element["v"] for letter in letters] == [2]


@pytest.mark.parametrize("emit", [w.on_close(), w.on_update()])
def test_more_windows_than_may_be_open_are_an_error(emit: Any) -> None:
    operator: Any = ops.window(w.tumbling(1), emit=emit, capacity=3).aggregate(n=agg.count())
    event_time: Operator[Any, Any] = ops.with_event_time(int, unit="s")
    keyed: Operator[Any, Any] = ops.key_by(lambda x: x)
    flow = rxml.range(9).pipe(event_time, keyed, operator)
    assert flow.budget().elements >= 3
    with pytest.raises(
        BufferOverflowError, match=r"windows have [03] states .* capacity=3 allows no more"
    ):
        run(flow.to_list())


def quotient(early: float, late: float) -> float:
    return early / late


SHARE: Aggregate = agg.monoid(1.0, float, quotient, column="v")


@pytest.mark.parametrize("windowing", [w.tumbling(10), w.sliding(10, 5)])
def test_a_row_that_an_aggregate_of_ones_own_fails_for_is_left_out_alone(
    windowing: Windowing,
) -> None:
    items = [{"t": at, "k": 1, "v": v} for at, v in enumerate([8, 2, 0, 2, 0, 1])]
    letters: list[Any] = []
    operator: Any = ops.window(windowing).aggregate(
        n=agg.count(), share=SHARE, all=agg.collect("v", most=3)
    )
    rows = run(timed(scripted(Chunk(items)), operator, letters).to_list())
    assert [letter.element["v"] for letter in letters] == [0, 0, 1]
    assert all(row["n"] == len(row["all"]) for row in rows)
    assert [row["share"] for row in rows if row["n"] == 3] == [2.0] * sum(
        row["n"] == 3 for row in rows
    )


def test_a_late_element_beside_a_row_that_fails_is_counted_once() -> None:
    items = [{"t": t, "k": 1, "v": v} for t, v in ((30, 1), (0, 1), (31, 0), (32, 1))]
    letters: list[Any] = []
    operator: Any = ops.window(w.tumbling(10 * NS)).aggregate(share=SHARE)
    done = read(timed(scripted(Chunk(items)), operator, letters))
    assert (sum(done.dropped.values()), len(letters), done.error) == (1, 1, None)
    assert [row["share"] for row in done.results] == [1.0]
