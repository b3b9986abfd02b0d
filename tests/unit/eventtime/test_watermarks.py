"""Watermarks: monotone, in front of what is late by them, the least over partitions that are not idle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml import wire
from rxml.errors import SchemaError
from rxml.eventtime import bounded, monotonic, punctuated
from rxml.eventtime.progress import Progress
from rxml.flow.chunk import Chunk
from rxml.flow.supervision import Directive
from rxml.testing import Sleep, Watermark, run, scripted
from rxml.testing.strategies import chunkings, demands
from tests.unit.eventtime.signals import elements, marks, signals

if TYPE_CHECKING:
    from rxml.eventtime import Watermarks
    from rxml.flow.operator import Operator
    from tests.unit.eventtime.signals import Signal

LONG_AGO = -(2**63)
TIMES = st.lists(st.tuples(st.integers(-9, 30), st.sampled_from("abc")), max_size=20)


def first(item: Any) -> Any:
    return item[0]


def second(item: Any) -> Any:
    return item[1]


def model(items: list[Any], delay: int, *, partitioned: bool) -> list[int]:
    """The watermark behind each element."""
    of: dict[Any, int] = {}
    rising: list[int] = []
    highest = LONG_AGO
    for time, partition in items:
        key = partition if partitioned else None
        of[key] = max(of.get(key, LONG_AGO), time - delay)
        highest = max(highest, min(of.values()))
        rising.append(highest)
    return rising


@pytest.mark.parametrize("partitioned", [False, True])
@given(data=st.data())
def test_watermarks_are_those_of_single_elements_wherever_they_matter(
    partitioned: bool, data: st.DataObject
) -> None:
    items, delay = data.draw(TIMES), data.draw(st.integers(0, 4))
    timed: Operator[Any, Any] = ops.with_event_time(
        first,
        bounded(delay * 1e-9),
        unit="ns",
        partition=second if partitioned else None,
    )
    chunked = scripted(*data.draw(chunkings(items, heartbeats=False)))
    found = run(signals(chunked.pipe(timed), data.draw(demands())))
    expected = model(items, delay, partitioned=partitioned)
    assert elements(found) == items
    assert marks(found) == sorted(set(marks(found)))
    assert marks(found)[-1:] == expected[-1:]
    watermark, number = LONG_AGO, 0
    for name, value in found:
        if name == "watermark":
            watermark = value
            continue
        exact = expected[number - 1] if number else LONG_AGO
        assert (value[0] < watermark) == (value[0] < exact)  # as late as one by one
        assert watermark == exact or value[0] >= exact
        number += 1


def test_watermarks_of_upstream_end_here() -> None:
    flow = scripted(Watermark(90), 5, Watermark(95)).pipe(ops.with_event_time(int, unit="ns"))
    assert run(signals(flow)) == [("element", 5), ("watermark", 5)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (monotonic(), [3, 9]),
        (bounded(2e-9), [1, 7]),
        (punctuated(lambda item: item * 10 if item == 9 else None), [90]),
        (punctuated(lambda item: item if item != 9 else None, unit="us"), [3000, 4000]),
    ],
)
def test_policies(policy: Watermarks, expected: list[int]) -> None:
    timed: Operator[Any, Any] = ops.with_event_time(int, policy, unit="ns")
    assert marks(run(signals(rxml.of(3, 9, 4).pipe(timed), [1]))) == expected


def by_partition(*script: Any, idle_after: float | None = 10) -> list[Signal]:
    timed: Operator[Any, Any] = ops.with_event_time(
        first,
        monotonic(),
        unit="ns",
        partition=second,
        idle_after=idle_after,
    )
    return run(signals(scripted(*script).pipe(timed)))


def test_a_silent_partition_holds_the_others_back_until_it_is_idle() -> None:
    script = [(1, "a"), (5, "b"), Sleep(6), (9, "b"), Sleep(6), (12, "b")]
    assert marks(by_partition(*script)) == [1, 9, 12]
    assert marks(by_partition(*script, idle_after=None)) == [1]


def test_a_partition_that_comes_back_lowers_nothing_and_counts_again() -> None:
    script = [(1, "a"), (5, "b"), Sleep(6), (9, "b"), Sleep(6), (2, "a"), (20, "b"), (11, "a")]
    assert marks(by_partition(*script)) == [1, 9, 11]


def test_a_stream_of_which_all_rests_says_so_once() -> None:
    found = by_partition((1, "a"), Sleep(25), (3, "a"), Sleep(5))
    assert found == [
        ("element", (1, "a")),
        ("watermark", 1),
        ("idle", True),
        ("element", (3, "a")),
        ("watermark", 3),
        ("idle", False),
    ]
    assert by_partition(Sleep(25)) == [("idle", True)]


def test_merged_streams_do_not_wait_for_one_that_is_idle() -> None:
    timed: Operator[Any, Any] = ops.with_event_time(int, monotonic(), unit="ns", idle_after=10)
    one = scripted(1, Sleep(40), 2, Sleep(40)).pipe(timed)
    other = scripted(5, Sleep(5), 7, Sleep(15), 9, Sleep(60)).pipe(timed)
    assert marks(run(signals(one.pipe(ops.merge(other))))) == [1, 7, 9]


def test_a_reader_that_takes_its_time_makes_nobody_idle() -> None:
    source: Any = scripted(
        (1, "a"), Sleep(1), (5, "b"), Sleep(1), (9, "b"), Sleep(1), (2, "a"), (12, "b")
    )
    timed: Operator[Any, Any] = ops.with_event_time(
        first, monotonic(), unit="ns", partition=second, idle_after=10
    )

    async def read() -> list[Signal]:
        found: list[Signal] = []
        async with source.pipe(timed).open() as stream:
            while not (chunk := await stream.request(1)).end:
                found += list(chunk.signals().items())
                await asyncio.sleep(60)
        return found

    assert run(read()) == [("watermark", 1), ("watermark", 2)]


def test_what_was_waited_for_adds_up_over_requests() -> None:
    source: Any = scripted((1, "a"), Sleep(6), (5, "b"), Sleep(6), (9, "b"), Sleep(4), (20, "b"))
    timed: Operator[Any, Any] = ops.with_event_time(
        first, monotonic(), unit="ns", partition=second, idle_after=10
    )

    async def read() -> list[int]:
        async with source.pipe(timed).open() as stream:
            found: list[Signal] = []
            while not (chunk := await stream.request(1)).end:
                found += list(chunk.signals().items())
                await asyncio.sleep(3)
        return marks(found)

    assert run(read()) == [1, 5, 9, 20]


def test_partitions_that_rest_in_the_same_instant_hold_nobody_back() -> None:
    assert marks(by_partition(Chunk([(1, "a"), (5, "b")]), Sleep(25))) == [1, 5]
    assert marks(by_partition((5, "b"), (1, "a"), Sleep(25), (7, "a"))) == [5, 7]


def test_a_partition_restored_from_a_snapshot_may_become_idle() -> None:
    before, after = Progress(), Progress()
    before.of_partitions(np.array([1, 5]), [("a", 1), ("b", 2)])
    after.restore(wire.loads(wire.dumps(before.snapshot())))
    assert after.partitions == [("a", 1), ("b", 2)]
    assert (before.watermark, after.watermark) == (1, 1)
    after.rest([("a", 1)])
    assert after.watermark == 5


@given(items=TIMES, rests=st.sets(st.integers(0, 20)))
def test_the_least_of_the_partitions_that_are_not_idle(items: list[Any], rests: set[int]) -> None:
    progress, of, idle, highest = Progress(), dict[Any, int](), set[Any](), LONG_AGO
    for number, (time, partition) in enumerate(items):
        if number in rests and of:
            quiet = next(iter(of))
            idle.add(quiet)
            progress.rest([quiet])
            highest = max(
                highest,
                min((of[each] for each in of if each not in idle), default=max(of.values())),
            )
            assert progress.watermark == highest
        idle.discard(partition)
        of[partition] = max(of.get(partition, LONG_AGO), time)
        highest = max(highest, min(of[each] for each in of if each not in idle))
        assert progress.of_partitions(np.array([time]), [partition]).tolist() == [highest]


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        (None, "no partition: got None"),
        (float("nan"), "no partition"),
        (["x"], "partition must be hashable"),
    ],
)
def test_an_element_without_a_partition_moves_nothing(partition: Any, message: str) -> None:
    letters: list[Any] = []
    items = [(1, "a"), (9, partition), (2, "a")]
    timed: Operator[Any, Any] = ops.with_event_time(first, monotonic(), unit="ns", partition=second)
    resumed: Any = ops.supervise(lambda _: Directive.RESUME, dead_letters=letters.append)
    found = run(signals(scripted(Chunk(items)).pipe(timed, resumed)))
    assert elements(found) == [items[0], items[2]]
    assert marks(found) == [2]
    (letter,) = letters
    assert isinstance(letter.error, SchemaError)
    assert message in str(letter.error)


def test_a_stream_that_has_ended_holds_nothing_back() -> None:
    timed: Operator[Any, Any] = ops.with_event_time(int, monotonic(), unit="ns")
    one = scripted(1, 2).pipe(timed)
    other = scripted(5, Sleep(5), 7, Sleep(5), 9).pipe(timed)
    found = run(signals(one.pipe(ops.merge(other))))
    assert marks(found)[-1] == 9
    assert marks(found)[0] == 1
