"""take_until and skip_until: what a list of moments says, in every form of source."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import Flowable
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.testing.probe import Probe
from rxml.testing.script import Barrier, Watermark, scripted
from rxml.testing.timeline import Kind
from rxml.testing.virtual_time import run
from tests.unit.operators.live import FORMS, Moments, moments, record

if TYPE_CHECKING:
    from collections.abc import Callable

FORM = st.sampled_from(sorted(FORMS))
MOMENT = st.integers(0, 12).map(lambda half: half + 0.5)

OTHERS: dict[str, Callable[[float], Flowable[Any]]] = {
    "timer": rxml.timer,
    "interval": rxml.interval,
    "delayed": lambda moment: rxml.of("x", "y").pipe(ops.delay(moment)),
}


@given(moments(), MOMENT, FORM, st.sampled_from(sorted(OTHERS)), st.integers(0, 9))
def test_take_until_is_its_list_of_moments(
    given: Moments, at: float, form: str, other: str, seed: int
) -> None:
    end = given[-1][0] if given else 0.0
    expected = [each for each in [*given, (end, "end")] if each[0] < at]
    expected += [] if end < at else [(at, "end")]
    source = FORMS[form](given, end)
    assert run(record(source.pipe(ops.take_until(OTHERS[other](at)))), seed=seed) == expected
    assert run(record(source.pipe(ops.take_until_with_time(at))), seed=seed) == expected


@given(moments(), MOMENT, FORM, st.sampled_from(sorted(OTHERS)), st.integers(0, 9))
def test_skip_until_is_its_list_of_moments(
    given: Moments, at: float, form: str, other: str, seed: int
) -> None:
    end = given[-1][0] if given else 0.0
    expected = [*(each for each in given if each[0] > at), (end, "end")]
    source = FORMS[form](given, end)
    assert run(record(source.pipe(ops.skip_until(OTHERS[other](at)))), seed=seed) == expected
    assert run(record(source.pipe(ops.skip_until_with_time(at))), seed=seed) == expected


@pytest.mark.parametrize("operator", [ops.take_until, ops.skip_until])
def test_the_other_flow_fails_the_stream(operator: Any) -> None:
    error = ValueError("other")
    other = rxml.timer(2).pipe(ops.map(lambda _: (_ for _ in ()).throw(error)))
    out = run(record(rxml.interval(1.5).pipe(operator(other))))
    assert out[-1] == (2.0, error)


@pytest.mark.parametrize("operator", [ops.take_until, ops.skip_until])
def test_both_are_closed_at_once(operator: Any) -> None:
    async def main() -> None:
        source, other = scripted(1, 2, 3, lane="source"), scripted("x", lane="other")
        async with Probe(source.pipe(operator(other))) as probe:
            await probe.request(1)
            await asyncio.sleep(1)
            assert other.timeline.of("other", Kind.RELEASED)
            await probe.cancel()
            assert source.timeline.of("source", Kind.RELEASED)

    run(main())


def test_a_gate_that_never_opens_lets_the_source_end() -> None:
    for other in (rxml.never(), rxml.empty()):
        assert run(rxml.range(5000).pipe(ops.skip_until(other)).to_list()) == []
        assert run(rxml.range(5000).pipe(ops.take_until(other)).to_list()) == list(range(5000))


def test_signals_come_through_a_gate_that_is_shut() -> None:
    async def main() -> list[Any]:
        flow = scripted(1, Watermark(1), 2, Barrier(2)).pipe(ops.skip_until(rxml.never()))
        seen: list[Any] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(9)).end:
                seen.append((list(chunk.elements), chunk.watermark, chunk.barrier))
        return seen

    assert run(main()) == [([], 1, None), ([], None, 2)]


def test_skipped_elements_are_counted() -> None:
    async def main() -> None:
        flow: Flowable[Any] = rxml.interval(1).pipe(ops.take(9), ops.skip_until_with_time(4.5))
        async with Probe(flow) as probe:
            await probe.expect(4, 5)
            assert probe.statistics()["skip_until_with_time(4.5)"].dropped == 4

    run(main())


def test_a_source_that_is_always_ready_lets_the_gate_be_seen() -> None:
    """A synchronous source without an end: time passes only where something gives way."""

    async def main() -> int:
        count = 0
        flow = rxml.repeat_value(1).pipe(ops.take_until(rxml.timer(0)))
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(100)).end:
                count += len(chunk.elements)
        return count

    assert run(main()) < 10**6


@pytest.mark.parametrize("operator", [ops.take_until, ops.skip_until])
def test_a_gate_wants_a_flow(operator: Any) -> None:
    with pytest.raises(PipelineError, match="wants a Flowable, got int"):
        operator(3)
