"""The timed operators beside reactivex's, each on its own virtual clock."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx
from reactivex import testing

import rxml
from rxml import Flowable
from rxml import operators as ops
from rxml.testing.script import Fail, Sleep, scripted
from rxml.testing.virtual_time import run
from tests.unit.operators.live import Moments, record

TEST: Any = testing.ReactiveTest
START = 200.0
FAILED = ValueError("upstream")

Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""Our operator and theirs, each made of a flow of theirs or ours that gives one element after 3.25 s."""

PAIRS: dict[str, Pair] = {
    "debounce": (lambda _: ops.debounce(1.5), lambda _: rx.debounce(1.5)),
    "sample": (lambda _: ops.sample(1.75), lambda _: rx.sample(1.75)),
    "sample a flow": (
        lambda other: ops.sample(other.pipe(ops.repeat(40))),
        lambda other: rx.sample(other.pipe(rx.repeat(40))),
    ),
    "delay": (lambda _: ops.delay(2.5), lambda _: rx.delay(2.5)),
    "timeout": (lambda _: ops.timeout(2.5), lambda _: rx.timeout(2.5)),
    "timeout other": (lambda other: ops.timeout(2.5, other), lambda other: rx.timeout(2.5, other)),
    "take_until": (ops.take_until, rx.take_until),
    "take_until_with_time": (
        lambda _: ops.take_until_with_time(3.25),
        lambda _: rx.take_until_with_time(3.25),
    ),
    "skip_until_with_time": (
        lambda _: ops.skip_until_with_time(3.25),
        lambda _: rx.skip_until_with_time(3.25),
    ),
    "buffer": (
        lambda other: ops.buffer(other.pipe(ops.repeat(40))),
        lambda other: rx.buffer(other.pipe(rx.repeat(40))),
    ),
}


def theirs(make: Callable[[Any], Any], moments: Moments, end: float, *, fails: bool) -> Moments:
    scheduler: Any = testing.TestScheduler()
    messages = [TEST.on_next(START + moment, element) for moment, element in moments]
    last = TEST.on_error(START + end, FAILED) if fails else TEST.on_completed(START + end)
    source = scheduler.create_hot_observable(*messages, last)
    other = scheduler.create_cold_observable(TEST.on_next(3.25, "other"), TEST.on_completed(3.25))
    result = scheduler.start(lambda: source.pipe(make(other)), disposed=START + 100.0)
    out: Moments = []
    for message in result.messages:
        kind, value = message.value.kind, message.value
        what = value.value if kind == "N" else value.exception if kind == "E" else "end"
        out.append((float(message.time) - START, what))
    return out


def ours(make: Callable[[Any], Any], moments: Moments, end: float, *, fails: bool) -> Moments:
    steps: list[Any] = []
    now = 0.0
    for moment, element in moments:
        steps += [Sleep(moment - now), element]
        now = moment
    steps += [Sleep(end - now), *([Fail(FAILED)] if fails else [])]
    other: Flowable[Any] = scripted(Sleep(3.25), "other")
    flow: Flowable[Any] = scripted(*steps).pipe(make(other))
    return run(record(flow, most=500))


def shown(moments: Moments) -> list[tuple[float, Any]]:
    """Errors by text; those of a timeout by their kind."""
    return [
        (
            round(moment, 6),
            "timed out" if isinstance(each, TimeoutError) or str(each) == "Timeout" else repr(each),
        )
        for moment, each in moments
        if moment < 99
    ]


@pytest.mark.parametrize("name", PAIRS)
@given(
    gaps=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    rest=st.integers(1, 5),
    fails=st.booleans(),
)
def test_it_is_reactivex(name: str, gaps: list[int], rest: int, fails: bool) -> None:
    mine, its = PAIRS[name]
    moments, now = [], 1 / 3  # no two things at one moment
    for number, gap in enumerate(gaps):
        now += gap
        moments.append((now, number))
    end = now + rest
    got = shown(ours(mine, moments, end, fails=fails))
    assert got == shown(theirs(its, moments, end, fails=fails))


def test_interval_and_timer_are_reactivex() -> None:
    pairs: list[tuple[Flowable[int], Callable[[Any], Any]]] = [
        (rxml.interval(2.5), lambda clock: reactivex.interval(2.5, clock)),
        (rxml.timer(3), lambda clock: reactivex.timer(3.0, scheduler=clock)),
        (rxml.timer(0, 4), lambda clock: reactivex.timer(0.0, 4.0, clock)),
        (rxml.timer(1.5, 4), lambda clock: reactivex.timer(1.5, 4.0, clock)),
    ]
    for mine, its in pairs:
        clock: Any = testing.TestScheduler()
        messages = clock.start(partial(its, clock), disposed=START + 21.0).messages
        expected = [
            (message.time - START, message.value.value if message.value.kind == "N" else "end")
            for message in messages
        ]
        got = run(record(mine.pipe(ops.take_until_with_time(21))))
        assert [each for each in got if each != (21.0, "end")] == expected
