"""throttle and keep_alive: what a list of moments says, in every form of source."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import Flowable
from rxml import operators as ops
from rxml.testing.script import scripted
from rxml.testing.virtual_time import run
from tests.unit.operators.live import FORMS, LOOSE_OPS, Moments, live, moments, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FORM = st.sampled_from(sorted(FORMS))


def throttled(given: Moments, rate: Fraction, burst: int, costs: list[int]) -> list[Fraction]:
    """When each element comes out, by a bucket that is filled and emptied step by step."""
    level, at, out = Fraction(burst), Fraction(0), []
    for (moment, _), cost in zip(given, costs, strict=True):
        now = max(Fraction(moment), at)
        level, at = min(Fraction(burst), level + (now - at) * rate), now
        if level < cost:
            at += (cost - level) / rate
            level = Fraction(cost)
        level -= cost
        out.append(at)
    return out


@given(
    moments(step=0.5),
    st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(2), Fraction(4)]),
    st.integers(1, 3),
    st.data(),
    FORM,
    st.integers(0, 9),
)
def test_throttle_is_a_bucket(  # noqa: PLR0917
    given: Moments, rate: Fraction, burst: int, data: st.DataObject, form: str, seed: int
) -> None:
    priced = data.draw(st.booleans())
    costs = [data.draw(st.integers(0, 4)) if priced else 1 for _ in given]
    end = given[-1][0] if given else 0.0
    operator = ops.throttle(float(rate), burst=burst, cost=costs.__getitem__ if priced else None)
    n = data.draw(st.sampled_from([1, 3, 100]))
    *out, (_, last) = run(record(FORMS[form](given, end).pipe(operator), n=n), seed=seed)
    assert last == "end"
    assert [element for _, element in out] == [element for _, element in given]
    expected = throttled(given, rate, burst, costs)
    assert [moment for moment, _ in out] == pytest.approx([float(each) for each in expected])


@given(st.lists(st.floats(0, 2), max_size=30), st.floats(0.1, 5), st.floats(0.5, 3))
def test_no_stretch_of_time_sees_more_than_its_share(
    costs: list[float], rate: float, burst: float
) -> None:
    capped = [min(cost, burst) for cost in costs]
    flow = rxml.of(*capped).pipe(ops.throttle(rate, burst=burst, cost=lambda cost: cost))
    *out, _ = run(record(flow))
    for first, (began, _) in enumerate(out):
        spent = 0.0
        for moment, cost in out[first:]:
            spent += cost
            assert spent <= burst + rate * (moment - began) + 1e-6


def test_throttle_is_at_its_rate_for_a_source_that_takes_as_long() -> None:
    async def slow() -> AsyncIterator[int]:
        for number in range(4):
            await asyncio.sleep(0.5)
            yield number

    out = run(record(rxml.from_async_iterable(slow).pipe(ops.throttle(1))))
    assert [moment for moment, _ in out[:-1]] == [0.5, 1.5, 2.5, 3.5]


def test_throttle_keeps_backpressure() -> None:
    pulled: list[int] = []

    async def main() -> None:
        flow: Flowable[Any] = rxml.range(10**6).pipe(
            ops.do_action(pulled.append), ops.throttle(1, burst=5)
        )
        async with flow.open() as subscription:
            assert len((await subscription.request(10**6)).elements) == 5
            await asyncio.sleep(100)
            assert len(pulled) == 5
            assert len((await subscription.request(2)).elements) == 2
            assert len(pulled) == 7

    run(main())


def test_a_price_that_fails_is_the_supervisors() -> None:
    def price(x: int) -> float:
        return 1 / x if x else -1.0

    async def main() -> Any:
        flow = rxml.of(1, 0, 2).pipe(ops.throttle(100, cost=price))
        assert await flow.pipe(ops.supervise("resume")).to_list() == [1, 2]
        with pytest.raises(ValueError, match="cost of an element"):
            await flow.to_list()

    run(main())


def test_signals_behind_an_element_that_is_left_out_stay() -> None:
    def price(x: int) -> float:
        return 1 / x

    async def main() -> list[Any]:
        chunk = rxml.Chunk([0], watermark=5)
        flow = scripted(1, chunk, 2).pipe(ops.throttle(1, cost=price), ops.supervise("resume"))
        seen: list[Any] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(1)).end:
                seen.append((list(chunk.elements), chunk.watermark))
        return seen

    assert run(main()) == [([1], None), ([], 5), ([2], None)]


@pytest.mark.parametrize(
    "wrong",
    [{"rate": 0}, {"rate": -1}, {"per": 0}, {"burst": 0}, {"rate": float("inf")}, {"per": -1}],
)
def test_throttle_refuses_what_would_let_nothing_through(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="throttle"):
        LOOSE_OPS.throttle(**{"rate": 1, **wrong})


@given(moments(), st.integers(0, 6), FORM, st.integers(0, 9))
def test_keep_alive_fills_the_silence(given: Moments, rest: int, form: str, seed: int) -> None:
    end = (given[-1][0] if given else 0.0) + rest
    expected: Moments = []
    since = 0.0
    for moment, element in [*given, (end, "end")]:
        while since + 1.37 < moment:
            since += 1.37
            expected.append((since, "still there"))
        expected.append((moment, element))
        since = moment
    flow = FORMS[form](given, end).pipe(ops.keep_alive(1.37, lambda: "still there"))
    out = run(record(flow), seed=seed)
    assert [element for _, element in out] == [element for _, element in expected]
    assert [moment for moment, _ in out] == pytest.approx([moment for moment, _ in expected])


def test_a_slow_reader_is_given_what_is_there_and_no_filler() -> None:
    flow = live([(1.0, 1), (2.0, 2), (3.0, 3)], 3.0).pipe(ops.keep_alive(2, lambda: None))
    out = run(record(flow, pause=10.0))
    assert [element for _, element in out] == [1, 2, 3, "end"]


def test_a_filler_that_fails_fails_the_stream() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(rxml.never().pipe(ops.keep_alive(1, lambda: 1 // 0)).to_list())
    assert "keep_alive" in caught.value.__notes__[0]
