"""What the engines of joins keep: nothing that nobody can ask for any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

import rxml
from rxml.batch.batch import Batch
from rxml.eventtime.event_time import EventTime
from rxml.eventtime.joins.asof_stage import AsOfPlan, AsOfStage
from rxml.eventtime.joins.codes import Codes
from rxml.eventtime.joins.history import History
from rxml.eventtime.joins.side import Side, Taken
from rxml.eventtime.joins.sweep import LEFT, RIGHT, Sweep
from rxml.flow.chunk import Chunk
from rxml.flow.combining.fan_in import Inlet
from rxml.flow.statistics import Meter
from rxml.testing import run
from rxml.wire import dumps, loads
from tests.unit.joins.timed import Item, items

if TYPE_CHECKING:
    from rxml.flow.node import Node

SIDE = Side("right", EventTime("time"), "key")
KEYS = st.lists(st.integers(-3, 3) | st.integers(-(2**62), 2**62), min_size=1, max_size=6)


def taken(given_: list[Item]) -> Taken:
    times, keys = SIDE.measured(given_)
    return Taken(given_, None, times, keys, 0)


@given(items(), items(), st.integers(-5, 5), st.integers(0, 5))
def test_a_sweep_is_empty_behind_the_last_element_that_can_match(
    left: list[Item], right: list[Item], lo: int, width: int
) -> None:
    sweep = Sweep(lo, lo + width, outer=True)
    for rank, given_ in ((LEFT, left), (RIGHT, right)):
        for item in given_:
            sweep.add(rank, item.time, item.key, item, None)
    while sweep.due(100):
        for _ in sweep.step():
            pass
    while sweep.forget(100, 3):
        pass
    assert (sweep.held(LEFT), sweep.held(RIGHT)) == (0, 0)
    assert sweep.snapshot()[1:] == [[], [[], []]]


def test_a_sweep_forgets_in_portions_and_what_is_left_changes_no_result() -> None:
    sweep = Sweep(-1, 1, outer=False)
    for number in range(100):
        sweep.add(LEFT, 0, "a", number, None)
    sweep.add(RIGHT, 50, "a", "b", None)
    passed: list[Any] = []
    while sweep.due(100):
        passed += sweep.step()
    assert passed == []
    assert 0 < sweep.held(LEFT) < 100
    before = sweep.held(LEFT)
    assert sweep.forget(100, 7)
    assert sweep.held(LEFT) == before - 7


def test_whether_a_stream_rests_is_saved_with_the_elements_that_it_stands_behind() -> None:
    node: Node = rxml.of(1)
    meter, clock = Meter("asof_join", 9), SimpleNamespace(held=False)
    env: Any = SimpleNamespace(meter=dict.fromkeys([node], meter).get, clock=clock)
    plan, nobody = AsOfPlan(9, None, 9, "_right", None), cast("Any", None)
    one, other = (AsOfStage(env, node, (SIDE, SIDE), plan) for _ in range(2))
    one.signalled(Inlet(nobody, LEFT), Chunk((), watermark=5, idle=True))
    other.restore(loads(dumps(one.snapshot())))
    run(other.work(1))
    assert other.ready.take(1).signals() == {"watermark": 5, "idle": True}


@given(items(30), st.integers(0, 25))
def test_a_history_keeps_what_may_be_asked_for_and_no_more(
    given_: list[Item], horizon: int
) -> None:
    history = History(5, 10, SIDE, None)
    if given_:
        history.add(taken(given_))
    history.absorb(horizon)
    _, times, keys, rows = history.snapshot()
    kept: list[Item] = rows or []
    after = [each for each in given_ if each.time > horizon]
    before = {
        each.key: each
        for each in sorted(given_, key=lambda x: (x.time, x.number))
        if each.time <= horizon
    }
    wanted = [each for each in before.values() if each.time >= horizon - 5] + after
    assert sorted(kept) == sorted(wanted)
    assert [(item.key, item.time) for item in kept] == list(zip(keys, times, strict=True))


@given(st.lists(items(8), max_size=5), st.integers(0, 3))
def test_a_history_holds_no_element_that_nobody_can_ask_for(
    parts: list[list[Item]], lag: int
) -> None:
    history, horizon = History(None, 10, SIDE, None), 0
    for part in filter(None, parts):
        history.add(taken(part))
        horizon = max(horizon, max(each.time for each in part) - lag)
        history.absorb(horizon)
    held: list[Any] = [item for item in history.items(np.arange(history.size)) if item]
    assert sorted(held) == sorted(history.snapshot()[3] or [])


def test_what_is_of_no_use_takes_little_memory_if_rows_are_wide() -> None:
    history, sizes = History(None, 10, SIDE, None), list[int]()
    for time in range(200):
        rows = Batch({"key": [1], "time": np.array([time]), "v": np.zeros((1, 1 << 17))})
        history.add(Taken(rows, None, rows.array("time"), rows.array("key"), 0))
        history.absorb(time)
        sizes.append(history.size)
    assert max(sizes) <= 67  # of a megabyte each


def test_a_history_is_empty_when_all_is_older_than_the_tolerance() -> None:
    history = History(5, 10, SIDE, None)
    history.add(taken([Item("a", 1, 0), Item("b", 2, 1)]))
    history.absorb(8)
    assert history.snapshot() == [8, [], [], []]
    assert History(5, 10, SIDE, None).snapshot() == [None, [], [], None]


@given(items(20), items(20), st.integers(0, 25))
def test_a_history_of_batches_goes_on_from_its_snapshot(
    first: list[Item], second: list[Item], horizon: int
) -> None:
    one, other = History(None, 10, SIDE, None), History(None, 10, SIDE, None)
    for given_ in filter(None, (first, second)):
        one.add(taken(given_))
        one.absorb(horizon)
    other.restore(loads(dumps(one.snapshot())))
    asked = np.arange(horizon, horizon + 9)
    for key in "abc":
        found = [
            history.items(history.find(Taken(asked.tolist(), None, asked, [key] * 9, 0)))
            for history in (one, other)
        ]
        assert [each and list(each) for each in found[0]] == [
            each and list(each) for each in found[1]
        ]


def test_columns_survive_a_snapshot() -> None:
    rows = Batch({"key": [1, 2], "time": np.array([3, 4]), "v": ["x", "y"]})
    history, other = History(None, 10, SIDE, None), History(None, 10, SIDE, None)
    history.add(Taken(rows, None, rows.array("time"), rows.array("key"), 0))
    other.restore(loads(dumps(history.snapshot())))
    asked = np.array([5, 5])
    found = other.find(Taken(asked.tolist(), None, asked, np.array([2, 9]), 0))
    columns = other.columns(found, found < 0, "key")
    assert {name: column.tolist()[:1] for name, column in columns.items()} == {
        "time": [4],
        "v": ["y"],
    }


@given(st.lists(KEYS, min_size=1, max_size=4), KEYS)
def test_codes_tell_keys_apart_whether_or_not_they_are_close_together(
    chunks: list[list[int]], asked: list[int]
) -> None:
    codes, moved, known = Codes(), 0, dict[int, int]()
    for keys in chunks:
        found, shift = codes.add(np.array(keys, np.int64), len(keys))
        known = {key: code + shift for key, code in known.items()}
        moved += shift
        known |= dict(zip(keys, found.tolist(), strict=True))
    assert len(set(known.values())) == len(known)
    told: list[Any] = codes.find(np.array(asked, np.int64), len(asked)).tolist()
    for key, code in zip(asked, told, strict=True):
        assert code == known.get(key, code)
        assert code not in set(known.values()) - {known.get(key)}
    assert (
        codes.find(asked, len(asked)).tolist() == codes.find(np.array(asked), len(asked)).tolist()
    )
