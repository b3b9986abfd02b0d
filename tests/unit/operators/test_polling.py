"""Operators on time, read by someone who gives up every request after a while and asks anew: nothing changes by that."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest

from rxml.testing.virtual_time import run
from tests.unit.operators.live import live
from tests.unit.operators.loose import ops, reactivex, rxml

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml import Chunk, Flowable, Subscription
    from tests.unit.operators.live import Moments


def ticks(period: float, count: int) -> Any:
    return rxml.interval(period).pipe(ops.take(count))


def steps() -> Any:
    return live([(1, 0), (2, 1), (2, 2), (5, 3), (9, 4), (9.5, 5)], 12)


def failing() -> Any:
    return ticks(2, 2).pipe(ops.concat(rxml.throw(KeyError("lost"))))


async def soon(x: Any) -> Any:
    await asyncio.sleep(1.5)
    return x


FLOWS: Final[dict[str, Callable[[], Any]]] = {
    "interval": lambda: ticks(1.3, 5),
    "timer": lambda: rxml.timer(3.1),
    "delay": lambda: steps().pipe(ops.delay(2.5)),
    "delay_error": lambda: failing().pipe(ops.delay(2.5, delay_error=True)),
    "timeout": lambda: steps().pipe(ops.timeout(3.5)),
    "timeout of nothing": lambda: rxml.never().pipe(ops.timeout(3)),
    "timeout, then another": lambda: steps().pipe(ops.timeout(3.5, ticks(1, 3))),
    "timeout(first)": lambda: rxml.never().pipe(ops.timeout(first=3)),
    "timeout(idle)": lambda: steps().pipe(ops.timeout(idle=3.5)),
    "timeout(total)": lambda: steps().pipe(ops.timeout(total=9.2)),
    "timeout within heartbeats": lambda: rxml.never().pipe(
        ops.timeout(3), ops.keep_alive(0.8, lambda: "hb"), ops.take_until_with_time(60)
    ),
    "debounce behind timeout": lambda: rxml.never().pipe(ops.timeout(3), ops.debounce(1)),
    "debounce": lambda: steps().pipe(ops.debounce(1.5)),
    "sample": lambda: steps().pipe(ops.sample(1.7)),
    "throttle": lambda: rxml.range(5).pipe(ops.throttle(1, per=2, burst=2)),
    "throttle(cost)": lambda: rxml.range(5).pipe(ops.throttle(1, cost=lambda x: x)),
    "keep_alive": lambda: steps().pipe(ops.keep_alive(1.1, lambda: "hb")),
    "take_until": lambda: steps().pipe(ops.take_until(rxml.timer(6))),
    "take_until_with_time": lambda: steps().pipe(ops.take_until_with_time(6)),
    "skip_until": lambda: steps().pipe(ops.skip_until(rxml.timer(3))),
    "skip_until_with_time": lambda: steps().pipe(ops.skip_until_with_time(3)),
    "buffer(seconds)": lambda: steps().pipe(ops.buffer(3, seconds=2.5)),
    "buffer(boundaries)": lambda: steps().pipe(ops.buffer(ticks(2.5, 9))),
    "window(seconds)": lambda: steps().pipe(
        ops.window(seconds=2.5), ops.concat_map(lambda each: each.pipe(ops.to_list()))
    ),
    "window(boundaries)": lambda: steps().pipe(
        ops.window(ticks(2.5, 9)), ops.concat_map(lambda each: each.pipe(ops.to_list()))
    ),
    "group_by": lambda: steps().pipe(
        ops.group_by(lambda x: x % 2), ops.flat_map(lambda each: each.pipe(ops.to_list()))
    ),
    "conflate": lambda: steps().pipe(ops.conflate(lambda a, b: [a, b])),
    "on_overflow": lambda: steps().pipe(ops.on_overflow("drop_oldest", capacity=2)),
    "prefetch": lambda: steps().pipe(ops.prefetch(2)),
    "map_async": lambda: steps().pipe(ops.map_async(soon, concurrency=2)),
    "flat_map": lambda: steps().pipe(ops.flat_map(lambda x: ticks(1.5, x % 3))),
    "flat_map of calls": lambda: steps().pipe(ops.flat_map(soon)),
    "concat_map": lambda: steps().pipe(ops.concat_map(lambda x: ticks(1.5, x % 3))),
    "concat_map of calls": lambda: steps().pipe(ops.concat_map(soon)),
    "switch_map": lambda: steps().pipe(ops.switch_map(lambda _: ticks(1.5, 2))),
    "merge": lambda: steps().pipe(ops.merge(ticks(1.3, 4))),
    "concat": lambda: steps().pipe(ops.concat(ticks(1.3, 4))),
    "amb": lambda: steps().pipe(ops.amb(ticks(1.3, 4))),
    "zip": lambda: steps().pipe(ops.zip(ticks(1.3, 4))),
    "zip_latest": lambda: steps().pipe(ops.zip_latest(ticks(1.3, 4))),
    "combine_latest": lambda: steps().pipe(ops.combine_latest(ticks(1.3, 4))),
    "with_latest_from": lambda: steps().pipe(ops.with_latest_from(ticks(1.3, 4))),
    "retry": lambda: failing().pipe(ops.retry(3, backoff=(1.5, 2, 9), jitter="none")),
    "repeat": lambda: ticks(1.3, 2).pipe(ops.repeat(2)),
    "catch": lambda: failing().pipe(ops.catch(ticks(1.3, 2))),
    "on_error_resume_next": lambda: failing().pipe(ops.on_error_resume_next(ticks(1.3, 2))),
    "share": lambda: steps().pipe(ops.share()),
    "reactivex's debounce": lambda: steps().pipe(reactivex.operators.debounce(1.5)),
    "reactivex's timeout": lambda: steps().pipe(
        reactivex.operators.timeout(3.5, reactivex.of("late"))
    ),
}


async def given_up(subscription: Subscription[Any], seconds: float) -> Chunk[Any] | None:
    """What a request gives that is given up after so many seconds; None if it is nothing."""
    asked = asyncio.ensure_future(subscription.request(1))
    await asyncio.wait([asked], timeout=seconds)
    asked.cancel()
    try:
        return await asked
    except asyncio.CancelledError:
        return None


async def polled(flow: Flowable[Any], seconds: float) -> Moments:
    """What comes out, with its moments, if each request is given up after so many seconds."""
    clock = asyncio.get_running_loop().time
    out: Moments = []
    async with flow.open() as subscription:
        try:
            while clock() < 90:
                chunk = await given_up(subscription, seconds)
                if chunk is not None and chunk.end:
                    return [*out, (round(clock(), 6), "end")]
                out.extend((round(clock(), 6), each) for each in (chunk.elements if chunk else ()))
        except Exception as error:  # noqa: BLE001 - recorded
            out.append((round(clock(), 6), repr(error)))
    return out


@pytest.mark.parametrize("name", FLOWS)
def test_a_reader_that_polls_sees_the_same_at_the_same_moments(name: str) -> None:
    patient = run(polled(FLOWS[name](), 1e6))
    assert patient
    for seconds in (0.31, 1.07, 2.23):  # never at the very moment of an element
        assert run(polled(FLOWS[name](), seconds)) == patient, seconds


def test_a_limit_passes_though_every_request_is_given_up() -> None:
    error = (3.0, "StreamTimeoutError")
    flow = rxml.never().pipe(ops.timeout(3))
    assert [(at, what[:18]) for at, what in run(polled(flow, 1.0))] == [error]


def test_time_between_two_requests_is_nobodys_though_the_first_was_given_up() -> None:
    async def main() -> float:
        clock = asyncio.get_running_loop().time
        async with rxml.never().pipe(ops.timeout(3)).open() as subscription:
            assert await given_up(subscription, 1.0) is None
            await asyncio.sleep(50)
            assert await given_up(subscription, 1e6) is None
        return clock()

    with pytest.raises(TimeoutError, match="within 3 s"):
        run(main())
