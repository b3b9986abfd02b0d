"""delay and timeout: what a list of moments says, in every form of source."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import Flowable
from rxml import operators as ops
from rxml.errors import StreamTimeoutError
from rxml.flow.context import Context, Outcome
from rxml.testing.probe import Probe
from rxml.testing.script import Fail, Sleep, Watermark, scripted
from rxml.testing.timeline import Kind
from rxml.testing.virtual_time import run
from tests.unit.operators.live import FORMS, LOOSE_OPS, Moments, live, moments, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FORM = st.sampled_from(sorted(FORMS))


@given(moments(), st.integers(0, 4), st.sampled_from([0, 0.5, 2.0]), FORM, st.integers(0, 9))
def test_delay_shifts_everything(
    given: Moments, rest: int, by: float, form: str, seed: int
) -> None:
    end = (given[-1][0] if given else 0.0) + rest
    out = run(record(FORMS[form](given, end).pipe(ops.delay(by))), seed=seed)
    assert out == [(moment + by, element) for moment, element in [*given, (end, "end")]]


def test_delay_holds_no_more_than_its_capacity() -> None:
    async def main() -> None:
        pulled: list[int] = []
        flow: Flowable[Any] = rxml.range(1000).pipe(
            ops.do_action(pulled.append), ops.delay(5, capacity=7)
        )
        async with flow.open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(1000)
            assert len(pulled) == 8
            assert len((await subscription.request(100)).elements) == 6

    run(main())


def test_delay_says_what_it_holds_and_for_how_long() -> None:
    async def main() -> None:
        flow = scripted(rxml.Chunk([1, 2]), Sleep(3), 3, Sleep(99)).pipe(ops.delay(5))
        async with Probe(flow) as probe:
            await probe.expect_nothing(seconds=4)
            stage = probe.statistics()["delay(5)"]
            assert (stage.buffered, stage.oldest_seconds) == (3, 4.0)
            await probe.expect(1)
            assert probe.statistics()["delay(5)"].buffered == 2

    run(main())


def test_delay_wants_room_for_an_element() -> None:
    with pytest.raises(ValueError, match=r"delay\(capacity\)"):
        ops.delay(1, capacity=0)


@pytest.mark.parametrize(("delay_error", "came"), [(False, [(3.0,)]), (True, [(6.0, 1), (8.0,)])])
def test_an_error_overtakes_or_waits(delay_error: bool, came: list[tuple[Any, ...]]) -> None:
    error = ValueError("upstream")
    flow = scripted(Sleep(1), 1, Sleep(2), Fail(error))
    out = run(record(flow.pipe(ops.delay(5, delay_error=delay_error))))
    assert out == [each if len(each) == 2 else (each[0], error) for each in came]


def test_what_an_error_overtakes_is_counted_as_dropped() -> None:
    ends: list[Outcome] = []
    chunk = rxml.Chunk([1, 2], [Context(settle=ends.append), Context(settle=ends.append)])
    flow = scripted(chunk, Sleep(1), Fail(ValueError("upstream"))).pipe(ops.delay(5))

    async def main() -> None:
        async with Probe(flow) as probe:
            await probe.expect_error(ValueError)
            assert probe.statistics()["delay(5)"].dropped == 2

    run(main())
    assert ends == [Outcome.DROPPED] * 2


def timed_out(given: Moments, end: float, limits: dict[str, float]) -> Moments:
    """The moments with a limit that is passed as "first", "item", "idle" or "total"."""
    out: Moments = []
    since = 0.0
    for moment, element in [*given, (end, "end")]:
        due = {"total": limits.get("total", 1e9), "item": since + limits.get("item", 1e9)}
        name = "idle" if out else "first"
        due[name] = since + limits.get(name, 1e9)
        soonest = min(due.values())
        if soonest < moment:
            return [*out, (soonest, next(name for name in due if due[name] == soonest))]
        out.append((moment, element))
        since = moment
    return out


LIMITS = st.dictionaries(
    st.sampled_from(["first", "idle", "item", "total"]),
    st.sampled_from([0.5, 1.5, 2.5, 7.5]),
    min_size=1,
)


@given(moments(), st.integers(0, 4), LIMITS, FORM, st.integers(0, 9))
def test_timeout_is_its_list_of_moments(
    given: Moments, rest: int, limits: dict[str, float], form: str, seed: int
) -> None:
    end = (given[-1][0] if given else 0.0) + rest
    out = run(record(FORMS[form](given, end).pipe(LOOSE_OPS.timeout(**limits))), seed=seed)
    expected = timed_out(given, end, limits)
    assert [moment for moment, _ in out] == [moment for moment, _ in expected]
    if isinstance(out[-1][1], StreamTimeoutError):
        passed = [name for name in limits if f"{name!r}" in str(out[-1][1])]
        assert passed
        assert limits[passed[0]] == limits[expected[-1][1]]
        out, expected = out[:-1], expected[:-1]
    assert out == expected


def test_another_flow_goes_on_after_upstream_is_closed() -> None:
    closed: list[str] = []

    async def slow() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(10)
            yield 2
        finally:
            await asyncio.sleep(1)
            closed.append("upstream")

    def opened() -> Any:
        assert closed == ["upstream"]
        return rxml.of(7, 8)

    flow = rxml.from_async_iterable(slow).pipe(
        ops.timeout(timedelta(seconds=3), rxml.defer(opened))
    )
    assert run(record(flow, n=9)) == [(0.0, 1), (4.0, 7), (4.0, 8), (4.0, "end")]


def test_a_slow_reader_is_no_fault_of_upstream() -> None:
    flow = rxml.of(1, 2, 3)
    out = run(record(flow.pipe(ops.timeout(1)), pause=10.0))
    assert [element for _, element in out] == [1, 2, 3, "end"]


def test_time_in_which_nobody_asks_does_not_count_even_after_a_heartbeat() -> None:
    async def main() -> None:
        late = scripted(Sleep(0.2), Watermark(1), Sleep(0.2), 1, Sleep(0.4), 2)
        async with Probe(late.pipe(ops.timeout(0.5))) as probe:
            assert (await probe.request(1)).watermark == 1
            await asyncio.sleep(3.0)
            await probe.expect(1, 2)

    run(main())


def test_a_reader_that_is_silent_for_too_long_has_its_source_closed() -> None:
    async def main() -> None:
        source = scripted(1, 2, 3)
        async with source.pipe(ops.timeout(idle=5)).open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(4.9)
            assert not source.timeline.of("source", Kind.RELEASED)
            await asyncio.sleep(0.2)
            assert source.timeline.of("source", Kind.RELEASED)
            with pytest.raises(StreamTimeoutError, match="'idle'"):
                await subscription.request(1)

    run(main())


@pytest.mark.parametrize("limit", ["item", "first"])
def test_a_heartbeat_is_no_element(limit: str) -> None:
    flow = scripted(Sleep(2), Watermark(1), Sleep(2), Watermark(2), Sleep(2), 1)
    ((moment, error),) = run(record(flow.pipe(LOOSE_OPS.timeout(**{limit: 5}))))
    assert (moment, type(error)) == (5.0, StreamTimeoutError)


def test_an_upstream_that_fails_with_a_timeout_of_its_own_is_no_timeout() -> None:
    error = TimeoutError("its own")
    flow = rxml.throw(error).pipe(ops.timeout(5, rxml.of(1)))
    assert run(record(flow)) == [(0.0, error)]
    flow = rxml.throw(error).pipe(ops.keep_alive(5, lambda: 1))
    assert run(record(flow)) == [(0.0, error)]


def test_the_message_names_limit_and_stage() -> None:
    with pytest.raises(
        StreamTimeoutError, match=r"no element came within 2 s \(the limit 'item'\)"
    ) as caught:
        run(rxml.never().pipe(ops.timeout(2)).to_list())
    assert "timeout(2)" in caught.value.__notes__[0]


def test_a_timeout_wants_a_limit() -> None:
    with pytest.raises(ValueError, match="wants a limit"):
        ops.timeout()
    with pytest.raises(TypeError, match="Flowable"):
        LOOSE_OPS.timeout(1, "other")
    with pytest.raises(ValueError, match="timeout"):
        ops.timeout(-1)


def test_live_sources_give_chunks_as_asked() -> None:
    """A check of the helper itself, on which the models stand."""
    given = [(1.0, 0), (1.0, 1), (2.0, 2)]

    async def sizes(flow: Any) -> list[int]:
        async with flow.open() as subscription:
            seen = []
            while not (chunk := await subscription.request(9)).end:
                seen.append(len(chunk.elements))
            return seen

    assert run(sizes(live(given, 2.0, chunked=True))) == [2, 1]
    assert run(sizes(live(given, 2.0))) == [1, 1, 1]
