"""A row that an aggregate of one's own fails for is left out alone, in whatever windows, and leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml import aggregates as agg
from rxml import operators as ops
from rxml import windows as w
from rxml.errors import BufferOverflowError
from rxml.eventtime import bounded
from rxml.flow.chunk import Chunk
from rxml.flow.supervision import Directive
from rxml.testing import run, scripted
from tests.unit.windows.running import pieces

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator

NS = 1e-9
BAD = 13
Row = dict[str, Any]


def joined(early: list[int], late: list[int]) -> list[int]:
    """Fails for one bad value behind others, as rows come."""
    if late == [BAD]:
        message = "bad luck"
        raise ArithmeticError(message)
    return early + late


JOINED = agg.monoid([], lambda v: [v], joined, column="v")
AGGREGATES: dict[str, Any] = {"n": agg.count(), "all": JOINED, "total": agg.sum("v")}


def left_out(
    operator: Any, chunks: list[list[Row]], *, delay: int = 0
) -> tuple[list[str], list[int]]:
    """The rows that windows give, and the elements that were left out."""
    letters: list[Any] = []
    timed: Operator[Any, Any] = ops.with_event_time("t", bounded(delay * NS), unit="ns")
    resumed: Any = ops.supervise(lambda _: Directive.RESUME, dead_letters=letters.append)
    flow: Flowable[Any] = scripted(*map(Chunk, chunks)).pipe(
        timed, ops.key_by("k"), operator, resumed
    )
    rows = [repr(dict(row)) for row in run(flow.to_list())]
    return rows, [letter.element["id"] for letter in letters]


ROWS: list[Row] = [
    *({"t": at, "k": "a", "v": v, "id": at} for at, v in enumerate([1, 2, BAD, 3])),
    {"t": 4, "k": "b", "v": 5, "id": 4},
]
KINDS: dict[str, Any] = {
    "global": ops.window(w.global_()),
    "session": ops.window(w.session(3 * NS)),
    "count": ops.window(w.count(10)),
    "sliding count": ops.window(w.count(3, 1)),
    "lateness": ops.window(w.tumbling(10 * NS), allowed_lateness=1 * NS),
    "update": ops.window(w.tumbling(10 * NS), emit=w.on_update()),
    "every": ops.window(w.global_(), emit=w.every(10 * NS)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_its_neighbours_are_taken(kind: str) -> None:
    operator = KINDS[kind].aggregate(**AGGREGATES)
    clean = [row for row in ROWS if row["v"] != BAD]
    assert left_out(operator, [ROWS]) == (left_out(operator, [clean])[0], [2])


MODES: dict[str, Any] = {
    "tumbling": {"windowing": w.tumbling(7 * NS)},
    "lateness": {"windowing": w.tumbling(7 * NS), "allowed_lateness": 5 * NS},
    "overlap": {"windowing": w.sliding(9 * NS, 4 * NS), "emit": w.after_count(2)},
    "retracting": {
        "windowing": w.tumbling(7 * NS),
        "emit": w.on_update(),
        "accumulation": "retracting",
        "allowed_lateness": 5 * NS,
    },
    "discarding": {
        "windowing": w.global_(),
        "emit": w.after_count(2),
        "accumulation": "discarding",
    },
    "session": {"windowing": w.session(4 * NS), "allowed_lateness": 5 * NS},
    "session update": {
        "windowing": w.session(4 * NS),
        "emit": w.on_update(),
        "accumulation": "retracting",
        "allowed_lateness": 5 * NS,
    },
    "session discarding": {
        "windowing": w.session(4 * NS),
        "emit": w.after_count(2),
        "accumulation": "discarding",
    },
    "count": {"windowing": w.count(3)},
    "steps": {"windowing": w.count(3, 2)},
    "gaps": {"windowing": w.count(2, 3)},
}
ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "t": st.integers(0, 25),
            "k": st.sampled_from([1, 2]),
            "v": st.sampled_from([1, 2, 3, BAD]),
        }
    ),
    max_size=14,
).map(lambda items: [{**item, "id": at} for at, item in enumerate(items)])
WINDOW: Any = ops.window
SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=3)


@pytest.mark.parametrize("mode", MODES)
@given(items=ITEMS, sizes=SIZES, delay=st.sampled_from([0, 4, 100]))
def test_it_leaves_no_trace_however_elements_are_cut(
    mode: str, items: list[Row], sizes: list[int], delay: int
) -> None:
    given: dict[str, Any] = dict(MODES[mode])
    operator: Any = WINDOW(given.pop("windowing"), **given).aggregate(**AGGREGATES)
    rows, bad = left_out(operator, [[item] for item in items], delay=delay)
    together, also = left_out(operator, pieces(items, sizes), delay=delay)
    assert (sorted(together), also) == (sorted(rows), bad)
    if delay > 25:  # what is left out moves the watermark, too
        clean = [[item] for item in items if item["id"] not in bad]
        assert left_out(operator, clean, delay=delay) == (rows, [])


OVERFULL: dict[str, Any] = {
    "tumbling": ops.window(w.tumbling(10 * NS), capacity=2),
    "lateness": ops.window(w.tumbling(10 * NS), allowed_lateness=1 * NS, capacity=2),
    "session": ops.window(w.session(10 * NS), capacity=2),
    "count": ops.window(w.count(5), capacity=2),
}


@pytest.mark.parametrize("kind", OVERFULL)
def test_what_there_is_no_room_for_is_left_out_alone(kind: str) -> None:
    items = [
        {"t": 11 if k == "c" else 1, "k": k, "v": 1, "id": at} for at, k in enumerate("aabcbada")
    ]
    operator = OVERFULL[kind].aggregate(n=agg.count())
    rows, bad = left_out(operator, [items], delay=100)
    assert bad == [3, 6]
    assert [row.count("'n': ") for row in rows] == [1] * len(rows)
    assert sum(int(row.split("'n': ")[1][0]) for row in rows) == 6
    with pytest.raises(BufferOverflowError, match="windows have 2 states"):
        run(unsupervised(operator, items).to_list())


def unsupervised(operator: Any, items: list[Row]) -> Flowable[Any]:
    timed: Operator[Any, Any] = ops.with_event_time("t", unit="ns")
    return scripted(Chunk(items)).pipe(timed, ops.key_by("k"), operator)
