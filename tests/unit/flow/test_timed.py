"""interval, timer, never, defer, and durations."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import Flowable
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.flow.timing.duration import seconds_of
from rxml.testing.probe import Probe
from rxml.testing.virtual_time import run
from tests.unit.operators.live import LOOSE_RXML, record


@given(st.sampled_from([0.1, 0.3, 1.0, 7.0]), st.integers(1, 30))
def test_ticks_do_not_drift(period: float, count: int) -> None:
    out = run(record(rxml.interval(period).pipe(ops.take(count))))
    assert out[:-1] == [(period + number * period, number) for number in range(count)]


def test_a_slow_reader_gets_one_late_tick_and_then_the_next_multiple() -> None:
    out = run(record(rxml.interval(1), pause=2.5, most=5))
    assert out == [(1.0, 0), (3.5, 1), (6.0, 2), (8.5, 3), (11.0, 4)]


def test_a_tick_of_no_length_comes_as_often_as_it_is_asked_for() -> None:
    assert run(record(rxml.interval(0), most=3)) == [(0.0, 0), (0.0, 1), (0.0, 2)]


def test_an_endless_row_of_ticks_lets_others_run() -> None:
    async def main() -> None:
        async with asyncio.timeout(5):
            await rxml.interval(0).pipe(ops.take_until(rxml.timer(0.05))).run()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (rxml.timer(3), [(3.0, 0), (3.0, "end")]),
        (rxml.timer(timedelta(minutes=1)), [(60.0, 0), (60.0, "end")]),
        (rxml.timer(0), [(0.0, 0), (0.0, "end")]),
        (rxml.timer(3, 2), [(3.0, 0), (5.0, 1), (7.0, 2)]),
        (rxml.timer(0, timedelta(seconds=2)), [(0.0, 0), (2.0, 1), (4.0, 2)]),
    ],
    ids=repr,
)
def test_timers(flow: Flowable[int], expected: list[Any]) -> None:
    assert run(record(flow, most=3)) == expected


def test_a_cancelled_request_loses_no_tick() -> None:
    async def main() -> None:
        async with Probe(rxml.interval(5)) as probe:
            await probe.expect_nothing(seconds=3)
            await probe.expect_nothing(seconds=1)
            await probe.expect(0)
            assert asyncio.get_running_loop().time() == 5

    run(main())


def test_never_is_silent_until_it_is_cancelled() -> None:
    async def main() -> None:
        async with Probe(rxml.never()) as probe:
            await probe.expect_nothing(seconds=1e6)
            await probe.cancel()
            await probe.expect_end()

    run(main())


def test_defer_makes_a_flow_for_each_run() -> None:
    made: list[int] = []

    def factory() -> Flowable[int]:
        made.append(1)
        return rxml.of(len(made))

    flow = rxml.defer(factory)
    assert made == []
    assert [run(flow.to_list()), run(flow.to_list())] == [[1], [2]]
    assert run(rxml.defer(lambda scheduler: rxml.of(scheduler, 1)).to_list()) == [None, 1]


def test_a_factory_that_fails_or_gives_no_flow_fails_the_stream() -> None:
    error = run(record(LOOSE_RXML.defer(lambda: 1 // 0)))[0][1]
    assert isinstance(error, ZeroDivisionError)
    assert "defer" in error.__notes__[0]
    assert isinstance(run(record(LOOSE_RXML.defer(lambda: [1])))[0][1], PipelineError)
    with pytest.raises(PipelineError, match="function that makes a Flowable, got int"):
        LOOSE_RXML.defer(3)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (2, 2.0),
        (0.5, 0.5),
        (0, 0.0),
        (timedelta(milliseconds=1500), 1.5),
        (Fraction(1, 4), 0.25),
        (np.float32(2.5), 2.5),
        (np.int64(3), 3.0),
        (float("inf"), float("inf")),
    ],
)
def test_durations(value: Any, seconds: float) -> None:
    assert seconds_of(value, "wait") == seconds


@pytest.mark.parametrize("value", [-1, -0.001, float("nan"), timedelta(seconds=-1)])
def test_a_duration_is_not_negative(value: Any) -> None:
    with pytest.raises(ValueError, match="wait wants a duration >= 0, got"):
        seconds_of(value, "wait")


@pytest.mark.parametrize("value", ["1", None, True, datetime(2030, 1, 1, tzinfo=UTC), 1j])
def test_a_duration_is_a_number_or_a_timedelta(value: Any) -> None:
    with pytest.raises(TypeError, match="wait wants seconds as a number or a timedelta, got"):
        seconds_of(value, "wait")


@pytest.mark.parametrize("build", [rxml.interval, rxml.timer, lambda wrong: rxml.timer(1, wrong)])
def test_sources_check_when_they_are_built(build: Any) -> None:
    with pytest.raises(ValueError, match="duration >= 0"):
        build(-1)
