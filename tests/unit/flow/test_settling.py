"""Each element ends once: what stages hold when they end is dropped and counted."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from rxml.errors import BufferOverflowError
from rxml.flow.buffers.channel import Channel
from rxml.flow.clock import Clock
from rxml.flow.run import Run
from rxml.testing import Fail, Never, Sleep, run, scripted
from tests.unit.flow.ledger import ANSWERED, DEAD, DROPPED, Ledger, read
from tests.unit.operators.loose import ops, rxml

if TYPE_CHECKING:
    from collections.abc import Callable

# --- what stages hold when they end -------------------------------------------------------------


def six(ledger: Ledger, *then: Any) -> Any:
    """Six elements in one chunk."""
    return ledger.source(ledger.chunk(*range(6)), *then)


HOLDING: dict[str, tuple[Callable[[Ledger], Any], str, int]] = {
    "zip": (lambda ledger: six(ledger).pipe(ops.zip(rxml.of("a", "b"))), "01", 4),
    "zip_latest": (
        lambda ledger: rxml.zip_latest(six(ledger), ledger.source(Sleep(1), "b", Never())),
        "5b",
        0,
    ),
    "fork_join": (
        lambda ledger: rxml.fork_join(six(ledger), scripted(Sleep(1), Fail(OSError()))),
        "",
        1,
    ),
    "combine_latest": (
        lambda ledger: rxml.combine_latest(scripted(Sleep(1)), six(ledger, Sleep(2))),
        "",
        0,
    ),
    "merge": (
        lambda ledger: rxml.merge(
            ledger.source(Sleep(1), ledger.chunk(0, 1)), ledger.source(Sleep(1), ledger.chunk(2, 3))
        ).pipe(ops.take(1)),
        "0",
        1,
    ),
    "amb": (
        lambda ledger: rxml.amb(ledger.source(Sleep(1), "a"), ledger.source(Sleep(1), "b")),
        "a",
        1,
    ),
}


@pytest.mark.parametrize("name", HOLDING)
def test_what_was_taken_and_not_handed_on_is_dropped_and_counted(name: str) -> None:
    make, answered, counted = HOLDING[name]
    ledger = Ledger()
    got = read(make(ledger))
    assert ledger[ANSWERED] == answered
    assert len(ledger[DROPPED]) == len(ledger.outcomes) - len(answered)
    assert sum(count for stage, count in got.dropped.items() if stage.startswith(name)) == counted


def test_what_was_taken_ahead_is_dropped_and_counted_when_nobody_wants_it() -> None:
    async def main() -> int:
        async with Run[Any](ledger.source(*range(9)).pipe(ops.prefetch(4))) as running:
            for _ in range(2):
                for context in (await running.subscription.request(1)).contexts or ():
                    context.settled(ANSWERED)
                await asyncio.sleep(1)
        return running.statistics()["prefetch(4)"].dropped

    ledger = Ledger()
    assert run(main()) == 4
    assert (ledger[ANSWERED], ledger[DROPPED]) == ("01", "2345")


def test_what_comes_too_late_for_a_channel_is_dropped() -> None:
    async def main() -> None:
        channel: Channel[int] = Channel(Clock(asyncio.get_running_loop()), 8)
        channel.put(ledger.chunk(0, 1))
        channel.close()
        channel.put(ledger.chunk(2))
        assert channel.clear() == 2
        assert (channel.size, (await channel.receive(1)).end) == (0, True)

    ledger = Ledger()
    run(main())
    assert ledger.ends == {name: [DROPPED] for name in "210"}


# --- workers --------------------------------------------------------------------------------------


async def patient(x: int) -> int:
    """Takes x seconds; fails for 2 and 6."""
    await asyncio.sleep(x)
    return 99 // ((x - 2) * (x - 6))


WAYS: dict[str, dict[str, Any]] = {
    "in order": {},
    "as they come": {"ordered": False},
    "by key": {"key": lambda x: x % 3},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seconds", [0, 0.5, 1.5, 2.5, 9])
def test_what_is_worked_on_when_the_stream_is_left_is_dropped(way: str, seconds: float) -> None:
    async def main() -> None:
        source = ledger.source(ledger.chunk(3, 1), ledger.chunk(5, 4), Never())
        flow = source.pipe(ops.map_async(patient, concurrency=3, capacity=4, **WAYS[way]))
        async with Run[Any](flow) as running:
            asking = asyncio.ensure_future(all_of(running))
            await asyncio.sleep(seconds)
            asking.cancel()
            await asyncio.wait([asking])
        counts.append(running.statistics().stages[-1].dropped)

    async def all_of(running: Any) -> None:
        while True:
            for context in (await running.subscription.request(1)).contexts:
                context.settled(ANSWERED)

    ledger, counts = Ledger(), list[int]()
    run(main())
    assert counts == [len(ledger[DROPPED])]
    assert set(ledger.outcomes) == set("1345")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["stop", "resume"])
def test_what_is_worked_on_when_another_fails_is_dropped_or_comes_out(way: str, what: str) -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(3, 2), ledger.chunk(1, 5, 6, 4))
    work = ops.map_async(patient, concurrency=3, capacity=6, **WAYS[way])
    got = read(source.pipe(work, ops.supervise(what)))
    assert len(got.results) == len(ledger[ANSWERED])
    if what == "resume":
        assert ledger.outcomes == {x: DEAD if x in "26" else ANSWERED for x in "321564"}
    else:
        assert got.dropped[next(iter(got.dropped))] == len(ledger[DROPPED]) - 1


# --- operators on time ----------------------------------------------------------------------------

WAITING: dict[str, tuple[Callable[[], Any], str, str]] = {
    "delay": (lambda: ops.delay(2.5), "0", "123"),
    "throttle": (lambda: ops.throttle(1, per=5), "0", "1"),
    "throttle by cost": (lambda: ops.throttle(1, per=5, cost=lambda _: 1), "0", "1"),
    "debounce": (lambda: ops.debounce(5), "", "0123"),
    "sample": (lambda: ops.sample(2.5), "2", "013"),
    "buffer by time": (lambda: ops.buffer(3, seconds=9), "012", "3"),
    "buffer by time and cost": (
        lambda: ops.buffer(9, seconds=9, bytes=3, cost=lambda _: 2),
        "012",
        "3",
    ),
    "buffer by boundaries": (lambda: ops.buffer(rxml.interval(1.5)), "012", "3"),
}


@pytest.mark.parametrize("name", WAITING)
def test_what_waits_for_its_time_when_the_stream_is_left_is_dropped_and_counted(name: str) -> None:
    """An element a second, 0 at once; left after 3.2 seconds."""

    async def main() -> int:
        async with Run[Any](source.pipe(make())) as running:
            asking = asyncio.ensure_future(forever(running))
            await asyncio.sleep(3.2)
            asking.cancel()
            await asyncio.wait([asking])
        return running.statistics().stages[-1].dropped

    async def forever(running: Any) -> None:
        while True:
            for context in (await running.subscription.request(1)).contexts or ():
                context.settled(ANSWERED)

    make, answered, lost = WAITING[name]
    ledger = Ledger()
    source = ledger.source(0, Sleep(1), 1, Sleep(1), 2, Sleep(1), 3, Sleep(1), 4)
    assert run(main()) == len(lost)
    assert (ledger[ANSWERED], ledger[DROPPED]) == (answered, lost)


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "latest", "error"])
def test_what_waits_for_a_reader_that_goes_is_dropped_and_counted(policy: Any) -> None:
    async def main() -> int:
        bound = {} if policy == "latest" else {"capacity": 2}
        flow = six(ledger, Never()).pipe(ops.on_overflow(policy, **bound))
        async with Run[Any](flow) as running:
            for context in (await running.subscription.request(1)).contexts or ():
                context.settled(ANSWERED)
            await asyncio.sleep(1)
        return running.statistics().stages[-1].dropped

    ledger = Ledger()
    assert run(main()) == 5
    assert (ledger[ANSWERED], ledger[DROPPED]) == ("0", "12345")


def test_what_has_come_out_before_has_ended_when_it_comes_again() -> None:
    ledger = Ledger()
    failures = iter([OSError("once"), None])

    def attempt() -> Any:
        failure = next(failures)
        return ledger.source(
            ledger.chunk(*(f"{failure is None:d}{x}" for x in "ab")), failing(failure)
        )

    def failing(failure: Exception | None) -> Any:
        return ledger.chunk("c") if failure is None else Fail(failure)

    got = read(rxml.defer(attempt).pipe(ops.retry(2, resume=True)))
    assert got.results == ["0a", "0b", "c"]
    assert ledger.outcomes == {
        "0a": ANSWERED,
        "0b": ANSWERED,
        "1a": DROPPED,
        "1b": DROPPED,
        "c": ANSWERED,
    }


# --- branches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["left", "too many", "full"])
def test_what_has_not_come_to_a_group_when_the_run_ends_is_dropped(how: str) -> None:
    async def main() -> None:
        options: dict[str, Any] = {"too many": {"max_groups": 2}, "full": {"policy": "error"}}
        flow = source.pipe(
            ops.group_by(lambda x: x % 3, capacity=1, **options.get(how, {})),
            ops.flat_map(lambda group: group.pipe(ops.delay(1))),
        )
        async with flow.open() as subscription:
            asking = asyncio.ensure_future(subscription.request(9))
            await asyncio.sleep(0.5)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled() or isinstance(asking.exception(), BufferOverflowError)

    ledger = Ledger()
    source = ledger.source(ledger.chunk(0, 3, 6, 9, 1, 2), Never())
    run(main())
    assert ledger.outcomes == dict.fromkeys("036912", DROPPED)
