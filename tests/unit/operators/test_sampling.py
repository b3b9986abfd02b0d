"""debounce and sample: what a list of moments says, in every form of source."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.testing.script import Sleep, Watermark, scripted
from rxml.testing.virtual_time import run
from tests.unit.operators.live import FORMS, Moments, live, moments, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FORM = st.sampled_from(sorted(FORMS))


def debounced(given: Moments, end: float, quiet: float) -> Moments:
    out: Moments = []
    for (moment, element), (following, _) in pairwise([*given, (end, None)]):
        if following >= moment + quiet:
            out.append((moment + quiet, element))
        elif following == end and (moment, element) == given[-1]:
            out.append((end, element))
    return [*out, (end, "end")]


def sampled(given: Moments, end: float, period: float) -> Moments:
    out: Moments = []
    tick, held = 0.0, []
    while True:
        held = [each for each in given if tick < each[0] <= tick + period]
        tick += period
        if held:
            out.append((tick, held[-1][1]))
        if tick > end:
            return [*out, (tick, "end")]


@given(moments(), st.integers(0, 4), st.sampled_from([0.5, 1.0, 2.5, 3.0]), FORM, st.integers(0, 9))
def test_debounce_is_its_list_of_moments(
    given: Moments, rest: int, quiet: float, form: str, seed: int
) -> None:
    end = (given[-1][0] if given else 0.0) + rest
    flow = FORMS[form](given, end).pipe(ops.debounce(quiet))
    assert run(record(flow), seed=seed) == debounced(given, end, quiet)


@given(moments(), st.integers(0, 4), st.sampled_from([0.75, 1.5, 2.25]), FORM, st.integers(0, 9))
def test_sample_is_its_list_of_moments(
    given: Moments, rest: int, period: float, form: str, seed: int
) -> None:
    # Elements come at a third of a second, never at a tick.
    shifted = [(moment + 1 / 3, element) for moment, element in given]
    end = (shifted[-1][0] if shifted else 1 / 3) + rest
    flow = FORMS[form](shifted, end).pipe(ops.sample(period))
    assert run(record(flow), seed=seed) == sampled(shifted, end, period)


def test_sample_takes_ticks_from_a_flow_and_ends_with_them() -> None:
    ticks = live([(2.5, None), (2.75, None), (6.0, None)], 7.0)
    flow = live([(1.0, "a"), (2.0, "b"), (3.0, "c"), (6.5, "d"), (8.0, "e")], 9.0)
    assert run(record(flow.pipe(ops.sample(ticks)))) == [
        (2.5, "b"),
        (6.0, "c"),
        (7.0, "d"),
        (7.0, "end"),
    ]


def test_an_error_of_the_ticks_fails_the_sample() -> None:
    error = ValueError("ticks")
    flow = rxml.never().pipe(ops.sample(rxml.throw(error)))
    assert run(record(flow)) == [(0.0, error)]


@pytest.mark.parametrize("operator", [ops.debounce(5), ops.sample(5)])
def test_an_error_comes_at_once_and_drops_what_is_held(operator: Any) -> None:
    error = ValueError("upstream")

    async def fail() -> AsyncIterator[int]:
        await asyncio.sleep(2)
        yield 1
        await asyncio.sleep(1)
        raise error

    flow = rxml.from_async_iterable(fail).pipe(operator)
    assert run(record(flow)) == [(3.0, error)]


@pytest.mark.parametrize("operator", [ops.debounce(0.5), ops.sample(1.5)])
def test_a_stalled_reader_stops_the_source(operator: Any) -> None:
    made: list[int] = []

    async def count() -> AsyncIterator[int]:
        for number in range(1000):
            await asyncio.sleep(1)
            made.append(number)
            yield number

    async def main() -> None:
        async with rxml.from_async_iterable(count).pipe(operator).open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(500)
            assert len(made) <= 6

    run(main())


@pytest.mark.parametrize("operator", [ops.debounce(1), ops.sample(1)])
def test_a_synchronous_source_gives_its_last_element(operator: Any) -> None:
    async def main() -> tuple[Moments, int]:
        flow = rxml.range(5000).pipe(operator)
        async with flow.start() as running:
            await running.wait()
            return await record(flow), running.statistics()[operator.spec.name].dropped

    out, dropped = run(main())
    assert [element for _, element in out] == [4999, "end"]
    assert dropped == 4999


def test_watermarks_stay_behind_the_elements_before_them() -> None:
    async def main() -> list[Any]:
        flow = scripted(1, Watermark(10), Sleep(1), 2, Watermark(20), Sleep(9), Watermark(30))
        seen: list[Any] = []
        async with flow.pipe(ops.debounce(5)).open() as subscription:
            while not (chunk := await subscription.request(9)).end:
                seen.append((list(chunk.elements), chunk.watermark))
        return seen

    # 1 was dropped for 2: the watermark behind it goes on then.
    assert run(main()) == [([], 10), ([2], 20), ([], 30)]


def test_a_heartbeat_does_not_hold_an_element_back() -> None:
    flow = scripted(1, Sleep(2), Watermark(1), Sleep(2), Watermark(2), Sleep(9))
    assert run(record(flow.pipe(ops.debounce(3)))) == [(3.0, 1), (13.0, "end")]


@pytest.mark.parametrize("wrong", [-1, float("nan")])
def test_a_duration_must_not_be_negative(wrong: float) -> None:
    with pytest.raises(ValueError, match="debounce"):
        ops.debounce(wrong)
    with pytest.raises(ValueError, match="sample"):
        ops.sample(wrong)
    with pytest.raises(ValueError, match="sample"):
        ops.sample(0)
