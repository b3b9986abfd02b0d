"""buffer: no loss, no empty list, no list too large or too old, in every form of source."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx

import rxml
from rxml import Flowable
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.flow.context import Context, Outcome
from rxml.testing.probe import Probe
from rxml.testing.script import Fail, Sleep, Watermark, scripted
from rxml.testing.virtual_time import run
from tests.unit.operators.live import FORMS, LOOSE_OPS, Moments, live, moments, record


def reciprocal(x: int) -> float:
    return 1 / x


def negative(x: int) -> float:
    return -x


FORM = st.sampled_from(sorted(FORMS))


@given(st.integers(1, 5), st.none() | st.integers(1, 7), st.integers(0, 25))
def test_by_count_it_is_reactivex(count: int, skip: int | None, length: int) -> None:
    expected: list[list[int]] = []
    reactivex.range(length).pipe(rx.buffer_with_count(count, skip)).subscribe(expected.append)
    flow = rxml.range(length)
    assert run(flow.pipe(ops.buffer(count, skip=skip)).to_list()) == expected
    assert run(flow.pipe(ops.buffer(count=count, skip=skip)).to_list()) == expected


@given(moments(), st.integers(0, 4), st.lists(st.integers(0, 9), max_size=5), st.integers(0, 3))
def test_by_boundaries_it_is_a_list_of_moments(
    given: Moments, rest: int, gaps: list[int], more: int
) -> None:
    end = (given[-1][0] if given else 0.0) + rest
    ticks, at = [], 0.5
    for gap in gaps:
        at += gap
        ticks.append((at, None))
    over = at + more
    lasts = [moment for moment, _ in ticks if moment < min(end, over)] + [min(end, over)]
    expected: Moments = []
    for began, moment in pairwise([-1.0, *lasts]):
        expected.append((moment, [x for at, x in given if began < at <= moment]))
    flow = live(given, end).pipe(ops.buffer(live(ticks, over)))
    if min(end, over) == over and any(moment == over for moment, _ in ticks):
        return  # a boundary and the end of the boundaries at one moment
    assert run(record(flow)) == [*expected, (min(end, over), "end")]


def test_boundaries_that_do_not_come_leave_one_list_even_an_empty_one() -> None:
    assert run(rxml.of(1, 2).pipe(ops.buffer(rxml.never())).to_list()) == [[1, 2]]
    assert run(rxml.empty().pipe(ops.buffer(rxml.never())).to_list()) == [[]]
    assert run(rxml.range(25).pipe(ops.buffer(rxml.never(), count=10)).to_list()) == [
        list(range(10)),
        list(range(10, 20)),
        list(range(20, 25)),
    ]


def grouped(given: Moments, end: float, count: int, seconds: float, most: float) -> Moments:
    out: Moments = []
    group: list[float] = []
    since = 0.0
    for moment, element in [*given, (end, None)]:
        if group and since + seconds <= moment:
            out.append((since + seconds, group))
            group = []
        if element is None:
            continue
        if group and sum(group) + element > most:
            out.append((moment, group))
            group = []
        since = since if group else moment
        group = [*group, element]
        if len(group) == count or sum(group) >= most:
            out.append((moment, group))
            group = []
    return [*out, *([(end, group)] if group else []), (end, "end")]


@given(
    moments(most=12),
    st.integers(0, 3),
    st.integers(1, 5),
    st.sampled_from([0.5, 1.0, 2.0, 3.5]),
    st.none() | st.integers(1, 12),
    FORM,
    st.integers(0, 9),
)
def test_by_seconds_it_is_a_list_of_moments(  # noqa: PLR0917
    given: Moments, rest: int, count: int, seconds: float, most: int | None, form: str, seed: int
) -> None:
    end = (given[-1][0] if given else 0.0) + rest
    cost = None if most is None else (lambda x: x)
    operator = LOOSE_OPS.buffer(count, seconds=timedelta(seconds=seconds), bytes=most, cost=cost)
    out = run(record(FORMS[form](given, end).pipe(operator)), seed=seed)
    assert out == grouped(given, end, count, seconds, most or 1e9)


@given(
    moments(most=15),
    st.integers(1, 5),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.7, 2.3]),
    FORM,
    st.integers(0, 9),
)
def test_nothing_is_lost_empty_or_too_large_for_any_reader(  # noqa: PLR0917
    given: Moments, count: int, most: int, pause: float, form: str, seed: int
) -> None:
    end = given[-1][0] if given else 0.0
    operator: Any = LOOSE_OPS.buffer(count, seconds=1.5, bytes=most, cost=lambda x: x)
    *out, (_, last) = run(record(FORMS[form](given, end).pipe(operator), pause=pause), seed=seed)
    assert last == "end"
    assert [x for _, group in out for x in group] == [element for _, element in given]
    came = {element: moment for moment, element in given}
    for moment, group in out:
        assert 1 <= len(group) <= count
        assert sum(group) <= most or len(group) == 1
        if not pause:
            assert moment - came[group[0]] <= 1.5


def test_a_reader_that_stalls_stops_the_source() -> None:
    async def main() -> None:
        pulled: list[int] = []
        operators: list[Any] = [ops.buffer(5, seconds=1), ops.buffer(rxml.interval(1), count=5)]
        for operator in operators:
            pulled.clear()
            flow = rxml.range(1000).pipe(ops.do_action(pulled.append), operator)
            async with flow.open() as subscription:
                await subscription.request(1)
                await asyncio.sleep(100)
                assert len(pulled) <= 10

    run(main())


def test_bounds_in_bytes_are_declared_where_cost_is_in_bytes() -> None:
    def bound(**arguments: Any) -> int | None:
        return rxml.never().pipe(LOOSE_OPS.buffer(**arguments)).spec.max_bytes

    assert bound(bytes=500) == 500
    assert bound(bytes=500, seconds=1) == 1000
    assert bound(bytes=500, cost=len) is None
    assert bound(bytes=float("inf")) is None
    assert bound(count=5) is None


def test_a_stalled_list_is_not_added_to_and_bytes_hold() -> None:
    async def main() -> None:
        pulled: list[str] = []
        flow: Flowable[Any] = rxml.of(*["x" * 951] * 20).pipe(
            ops.do_action(pulled.append), ops.buffer(seconds=10, bytes=3000)
        )
        async with flow.open() as subscription:
            assert len((await subscription.request(1)).elements[0]) == 3
            await asyncio.sleep(100)
            assert len(pulled) <= 7

    run(main())


def test_an_error_drops_the_list_that_is_being_filled() -> None:
    error = ValueError("upstream")
    flow = scripted(1, 2, 3, Sleep(1), Fail(error))
    assert run(record(flow.pipe(ops.buffer(2)))) == [(0.0, [1, 2]), (1.0, error)]
    assert run(record(flow.pipe(ops.buffer(2, seconds=5)))) == [(0.0, [1, 2]), (1.0, error)]
    assert run(record(flow.pipe(ops.buffer(rxml.never())))) == [(1.0, error)]


def test_an_error_of_the_boundaries_fails_the_stream() -> None:
    error = ValueError("boundaries")
    flow = rxml.interval(1).pipe(ops.buffer(rxml.throw(error)))
    assert run(record(flow)) == [(0.0, error)]


def test_a_cost_that_fails_is_the_supervisors() -> None:
    async def main() -> None:
        for seconds in (None, 5):
            flow = rxml.of(1, 0, 2).pipe(ops.buffer(seconds=seconds, bytes=9, cost=reciprocal))
            assert await flow.pipe(ops.supervise("resume")).to_list() == [[1, 2]]
            with pytest.raises(ZeroDivisionError):
                await flow.to_list()
            flow = rxml.of(1).pipe(ops.buffer(seconds=seconds, bytes=9, cost=negative))
            with pytest.raises(ValueError, match="cost of an element must be >= 0"):
                await flow.to_list()

    run(main())


def test_a_list_answers_for_all_its_elements() -> None:
    ends: list[str] = []

    def context(name: str) -> Context:
        return Context(fact_id=name, settle=lambda outcome: ends.append(f"{name} {outcome.value}"))

    async def main() -> None:
        chunk = rxml.Chunk([1, 2], [context("a"), context("b")])
        async with Probe(scripted(chunk).pipe(ops.buffer(5, seconds=5))) as probe:
            (answer,) = (await probe.request(1)).contexts or []
            assert answer is not None
            answer.settled(Outcome.ANSWERED)

    run(main())
    assert ends == ["a answered", "b answered"]


def test_a_watermark_stays_behind_the_list_with_the_elements_before_it() -> None:
    async def main() -> list[Any]:
        flow = scripted(Watermark(1), 1, Watermark(2), 2, Watermark(3), Sleep(9), Watermark(4))
        seen: list[Any] = []
        async with flow.pipe(ops.buffer(5, seconds=5)).open() as subscription:
            while not (chunk := await subscription.request(9)).end:
                seen.append((list(chunk.elements), chunk.watermark))
        return seen

    assert run(main()) == [([], 1), ([[1, 2]], 3), ([], 4)]


def test_lists_of_a_run_do_not_share_what_is_in_them() -> None:
    async def main() -> None:
        lists = await rxml.range(9).pipe(ops.buffer(3, skip=1)).to_list()
        lists[0].clear()
        assert lists[1] == [1, 2, 3]

    run(main())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "wants what ends a list"),
        ({"count": 0}, "buffer"),
        ({"boundaries": 3, "count": 3}, "two counts"),
        ({"count": 3, "cost": len}, "knows no cost"),
        ({"seconds": 1, "skip": 2}, "knows no skip"),
        ({"bytes": 1, "skip": 2}, "knows no skip"),
        ({"seconds": 0}, "seconds > 0"),
        ({"seconds": -1}, "duration >= 0"),
        ({"bytes": 0}, r"buffer\(bytes=\) wants a number > 0"),
        ({"boundaries": rxml.never(), "seconds": 1}, "knows no seconds"),
        ({"count": 3, "skip": 0}, "buffer"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LOOSE_OPS.buffer(**arguments)


def test_boundaries_are_a_flow_or_a_count() -> None:
    with pytest.raises(PipelineError, match="buffer"):
        LOOSE_OPS.buffer("3")
