"""window: by count, by time, by both, and by boundaries."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from reactivex.testing import ReactiveTest, TestScheduler

from rxml.errors import BufferOverflowError
from rxml.flow.chunk import END, Chunk
from rxml.flow.clock import Clock
from rxml.flow.context import Context, Outcome
from rxml.flow.timing.alarm import Alarm
from rxml.testing import Kind, Probe, Sleep, run, scripted
from tests.unit.operators.loose import ops, reactivex, rx, rxml
from tests.unit.operators.work import impatient, moments, outcome

SEEDS = st.integers(0, 9)
LISTS = ops.to_list()
on_next, on_completed = ReactiveTest.on_next, ReactiveTest.on_completed


@given(st.integers(0, 12), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), SEEDS)
def test_by_count_windows_are_those_of_reactivex(
    size: int, count: int, skip: int, n: int, seed: int
) -> None:
    theirs: list[Any] = []
    reactivex.range(size).pipe(
        rx.window_with_count(count, skip),
        rx.map_indexed(lambda window, i: window.pipe(rx.to_list(), rx.map(lambda xs: (i, xs)))),
        rx.merge_all(),
    ).subscribe(theirs.append)

    async def main() -> list[Any]:
        got: list[Any] = []
        flow = rxml.range(size).pipe(ops.window(count=count, skip=skip), ops.concat_map(LISTS))
        async with flow.chunks(n) as chunks:
            async for chunk in chunks:
                got.extend(chunk.elements)
        return got

    assert run(main(), seed=seed) == [xs for _, xs in sorted(theirs)]


@given(st.integers(0, 12), st.integers(1, 5), st.integers(1, 5), SEEDS)
def test_windows_can_be_read_side_by_side_or_one_after_the_other(
    size: int, count: int, skip: int, seed: int
) -> None:
    windows = rxml.range(size).pipe(ops.window(count=count, skip=skip))
    in_turn = run(windows.pipe(ops.concat_map(LISTS)).to_list(), seed=seed)
    assert sorted(run(windows.pipe(ops.flat_map(LISTS)).to_list(), seed=seed)) == sorted(in_turn)


SCALE = 10_000
"""Ticks of reactivex's virtual time in a second."""


def timed(elements: list[float], operator: Any) -> list[tuple[int, list[int]]]:
    """Windows of reactivex over elements at these moments, with their numbers; the source ends at 20."""
    scheduler: Any = TestScheduler()
    seconds = SCALE
    hot = scheduler.create_hot_observable(
        *(on_next(round(200 + at * seconds), i) for i, at in enumerate(elements)),
        on_completed(200 + 20 * seconds),
    )
    results = scheduler.start(
        lambda: hot.pipe(
            operator(scheduler),
            rx.map_indexed(lambda window, i: window.pipe(rx.to_list(), rx.map(lambda xs: (i, xs)))),
            rx.merge_all(),
        ),
        disposed=100 * SCALE,
    )
    return sorted(message.value.value for message in results.messages if message.value.kind == "N")


MOMENTS = st.lists(st.integers(0, 75), max_size=10, unique=True).map(
    lambda xs: [x / 4 + 0.1 for x in sorted(xs)]
)


async def live(elements: list[float]) -> Any:
    loop = asyncio.get_running_loop()
    for i, at in enumerate(elements):
        await asyncio.sleep(at - loop.time())
        yield i
    await asyncio.sleep(20 - loop.time())


@given(MOMENTS, st.sampled_from([1.0, 2.5, 4.0]), st.sampled_from([None, 1.0, 3.0, 5.0]))
def test_by_time_windows_are_those_of_reactivex(
    elements: list[float], seconds: float, shift: float | None
) -> None:
    theirs = timed(
        elements,
        lambda s: rx.window_with_time(seconds * SCALE, None if shift is None else shift * SCALE, s),
    )
    flow = rxml.from_async_iterable(lambda: live(elements)).pipe(
        ops.window(seconds=seconds, skip=shift),
        ops.flat_map(lambda w: w.pipe(ops.to_list(), ops.map(lambda xs: (w.key, xs)))),
    )
    # At 20 both the source and a window may end: then there is one window more, or one less, and it is empty.
    ours = sorted(run(flow.to_list()))
    shorter = min(len(ours), len(theirs))
    assert ours[:shorter] == theirs[:shorter]
    assert all(xs == [] for _, xs in ours[shorter:] + theirs[shorter:])
    assert abs(len(ours) - len(theirs)) <= 1


@given(MOMENTS, st.sampled_from([1.4701, 4.0307]), st.integers(1, 4))
def test_by_time_or_count_windows_are_those_of_reactivex(
    elements: list[float], seconds: float, count: int
) -> None:
    theirs = timed(elements, lambda s: rx.window_with_time_or_count(seconds * SCALE, count, s))
    flow = rxml.from_async_iterable(lambda: live(elements)).pipe(
        ops.window(seconds=timedelta(seconds=seconds), count=count),
        ops.flat_map(lambda w: w.pipe(ops.to_list(), ops.map(lambda xs: (w.key, xs)))),
    )
    ours = sorted(run(flow.to_list()))
    assert [xs for _, xs in ours if xs] == [xs for _, xs in theirs if xs]


def test_each_boundary_ends_a_window_and_opens_the_next() -> None:
    source = scripted(1, Sleep(2), 2, 3, Sleep(2), 4, Sleep(9))
    boundaries = scripted(Sleep(1), "|", Sleep(2), "|", Sleep(0.5), "|", Sleep(9))
    got = run(moments(source.pipe(ops.window(boundaries), ops.concat_map(LISTS))))
    assert got == [(1, [1]), (3, [2, 3]), (3.5, []), (12.5, [4])]
    assert boundaries.timeline.count("source", Kind.RELEASED) == 1


def test_the_end_of_the_boundaries_ends_everything_as_in_reactivex() -> None:
    source = scripted(1, Sleep(9), 2)
    flow = source.pipe(ops.window(scripted(Sleep(1), "|", Sleep(1))), ops.concat_map(LISTS))
    assert run(moments(flow)) == [(1, [1]), (2, [])]
    assert source.timeline.count("source", Kind.RELEASED) == 1


@pytest.mark.parametrize("where", ["source", "boundaries"])
def test_an_error_comes_out_of_the_window_behind_what_it_holds(where: str) -> None:
    error = ValueError("x")
    bad = rxml.concat(rxml.timer(1).pipe(ops.ignore_elements()), rxml.throw(error))
    source = rxml.merge(rxml.of(1, 2), bad if where == "source" else rxml.never())
    flow = source.pipe(
        ops.window(bad if where == "boundaries" else rxml.never()), ops.concat_map(lambda w: w)
    )
    assert outcome(flow) == ([1, 2], error)


def test_the_first_windows_go_on_when_no_further_one_is_wanted() -> None:
    flow = rxml.range(100).pipe(ops.window(count=7), ops.take(2), ops.flat_map(LISTS))
    assert run(flow.to_list()) == [list(range(7)), list(range(7, 14))]


def test_windows_of_a_time_when_nobody_waited_are_left_out() -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []
        async for window in rxml.interval(1).pipe(ops.take(40), ops.window(seconds=2)):
            seen.append((window.key, await window.to_list()))
            if window.key == 1:
                await asyncio.sleep(20)
        assert len(seen) <= asyncio.get_running_loop().time() / 2 - 5
        return seen

    seen = run(main())
    assert [key for key, _ in seen] == list(range(len(seen)))


def test_elements_in_several_windows_are_settled_once() -> None:
    settled: list[tuple[int, Outcome]] = []
    contexts = [Context(settle=lambda o, i=i: settled.append((i, o))) for i in range(4)]  # type: ignore[misc]
    source = scripted(Chunk([0, 1, 2, 3], contexts))

    async def main() -> None:
        flow = source.pipe(ops.window(count=2, skip=1), ops.concat_map(lambda window: window))
        async with flow.chunks(9) as chunks:
            async for chunk in chunks:
                for context in chunk.contexts or ():
                    context.settled(Outcome.ANSWERED)

    run(main())
    assert settled == [(i, Outcome.ANSWERED) for i in range(4)]


def test_elements_between_windows_end_as_dropped() -> None:
    settled: list[int] = []
    contexts = [Context(settle=lambda _, i=i: settled.append(i)) for i in range(5)]  # type: ignore[misc]
    flow = scripted(Chunk([0, 1, 2, 3, 4], contexts)).pipe(
        ops.window(count=1, skip=2), ops.concat_map(LISTS)
    )
    assert run(flow.to_list()) == [[0], [2], [4]]
    assert settled == [1, 3]


@given(st.integers(0, 40), st.sampled_from(["count", "seconds", "boundaries"]), SEEDS)
def test_it_can_be_cancelled_at_every_turn(turns: int, form: str, seed: int) -> None:
    source = scripted(*(step for x in range(12) for step in (x, Sleep(0))))
    forms: Any = {
        "count": {"count": 2, "skip": 1},
        "seconds": {"seconds": 0.001},
        "boundaries": {"boundaries": scripted(*([1, Sleep(0)] * 9))},
    }

    async def main() -> None:
        task = asyncio.ensure_future(
            source.pipe(ops.window(**forms[form]), ops.concat_map(LISTS)).run()
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    run(main(), seed=seed)
    count = source.timeline.count
    assert count("source", Kind.OPENED) == count("source", Kind.RELEASED)


@given(st.lists(st.integers(0, 1), max_size=40), SEEDS)
def test_a_request_that_is_given_up_loses_nothing(waits: list[int], seed: int) -> None:
    source = scripted(*(step for x in range(12) for step in (x, Sleep(x % 2))))
    flow = source.pipe(ops.window(count=5), ops.concat_map(lambda window: window))
    assert run(impatient(flow, waits), seed=seed) == list(range(12))


def test_a_reader_that_stops_stops_the_source_at_the_bound() -> None:
    source = scripted(Chunk(list(range(100))), forever=True)

    async def main() -> None:
        async with Probe(source.pipe(ops.window(count=10, skip=5))) as probe:
            windows = (await probe.request(1)).elements
            await asyncio.sleep(1)
            assert source.timeline.elements("source") == 0
            async with Probe(windows[0]) as reader:
                await reader.expect(0, 1, 2)
                await asyncio.sleep(100)
                assert source.timeline.elements("source") == 3

    run(main())


def test_an_unread_window_is_an_error_once_others_have_waited_too_long() -> None:
    flow = rxml.repeat_value(1).pipe(ops.window(rxml.never(), capacity=9, patience=7))

    async def main() -> None:
        async with Probe(flow) as probe:
            held = (await probe.request(1)).elements
            error = await probe.expect_error(BufferOverflowError)
            assert "branch 0 holds 9 elements that nobody has begun to read for 7 s" in str(error)
            assert held

    run(main())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "something that ends a window"),
        ({"count": 0}, "count.* wants an int >= 1"),
        ({"count": 1, "skip": 0}, "skip.* wants an int >= 1"),
        ({"seconds": 0}, r"window\(seconds=\) wants a number > 0"),
        ({"seconds": 1, "skip": 0}, r"window\(skip=\) wants a number > 0"),
        ({"seconds": 1, "count": 1, "skip": 1}, "not with both"),
        ({"boundaries": rxml.of(1), "count": 2}, "boundaries say when"),
        ({"boundaries": [1]}, r"window wants tumbling.* of rxml.windows, or a flow, got \[1\]"),
        ({"count": 1, "capacity": 0}, "capacity.* wants an int >= 1"),
        ({"count": 1, "policy": "x"}, "policy is one of"),
    ],
)
def test_arguments_are_checked_when_it_is_built(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ops.window(**arguments)


def test_an_alarm_can_be_set_anew_while_somebody_waits() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        alarm = Alarm(Clock(loop))
        alarm.set(9)
        waiting = asyncio.ensure_future(alarm.request(1))
        await asyncio.sleep(1)
        alarm.set(3)
        assert (await waiting).elements == [3]
        assert (loop.time(), alarm.now()) == (3, 3)
        alarm.set(2)
        assert (await alarm.request(1)).elements == [2]
        last = asyncio.ensure_future(alarm.request(1))
        alarm.set(100)
        await asyncio.sleep(1)
        await alarm.cancel()
        assert await last is END

    run(main())
