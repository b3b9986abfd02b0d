"""Each element ends once: what several results, several inputs, and the end of a stage make of its context."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import Chunk
from rxml.flow.clock import Clock
from rxml.flow.context import Context, drop
from rxml.flow.context_joining import Joint, Tally, joined, split
from rxml.flow.run import Run
from rxml.testing import Fail, Never, Sleep, run, scripted
from tests.unit.flow.ledger import ANSWERED, DEAD, DROPPED, SHED, Ledger, read
from tests.unit.operators.loose import ops, rxml

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# --- joining and splitting ----------------------------------------------------------------------


def test_a_joint_settles_each_that_was_joined_however_it_was_joined() -> None:
    ledger, joint = Ledger(), Joint()
    joint.extend([ledger.context("a")])
    joint.extend([Context(), ledger.context("b"), ledger.context("c")])
    joint.context().settled(SHED)
    assert ledger.ends == {name: [SHED] for name in "abc"}


def test_a_joint_is_as_urgent_as_the_most_urgent_of_all() -> None:
    joint = Joint()
    joint.extend([Context("a", "t", priority=-3)])
    assert joint.context() == Context("a", "t", priority=-3)
    joint.extend([Context("b", "u", 0.0, -7), Context("c", None, 9.0, -1)])
    joint.extend([Context("d", None, 5.0, -2)])
    assert joint.context() == Context("a", "t", 0.0, -1)


def test_nobody_waits_for_the_joint_of_those_that_nobody_waits_for() -> None:
    assert joined([Context("a"), Context("b")]) == Context("a")
    assert Joint().context() == Context()


def test_a_tally_waits_for_all_copies_and_until_it_is_closed() -> None:
    ledger = Ledger()
    tally = Tally(ledger.context("a"))
    first, second = tally.copies(2)
    assert first.fact_id == "a"
    first.settled(DROPPED)
    second.settled(ANSWERED)
    (third,) = tally.copies(1)
    tally.close()
    assert ledger.ends == {"a": []}
    third.settled(SHED)
    tally.close()
    assert ledger.ends == {"a": [ANSWERED]}


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        ([], DROPPED),
        ([DROPPED, SHED], SHED),
        ([SHED, ANSWERED, DROPPED], ANSWERED),
        ([ANSWERED, DEAD, ANSWERED], DEAD),
    ],
)
def test_of_several_outcomes_a_failure_counts_first_then_an_answer(
    outcomes: list[Any], whole: Any
) -> None:
    ledger = Ledger()
    copies = split(ledger.context("a"), len(outcomes))
    for copy, outcome in zip(copies, outcomes, strict=True):
        copy.settled(outcome)
    assert ledger.ends == {"a": [whole]}


def test_all_are_told_even_if_some_of_them_raise() -> None:
    def broken(_: object) -> None:
        raise OSError("the broker is gone")

    ledger = Ledger()
    with pytest.raises(OSError, match="gone"):
        drop([Context(settle=broken), None, ledger.context("a")])
    with pytest.raises(ExceptionGroup) as raised:
        joined([Context(settle=broken)] * 2 + [ledger.context("b")]).settled(DROPPED)
    assert len(raised.value.exceptions) == 2
    assert ledger.ends == {"a": [DROPPED], "b": [DROPPED]}


# --- several results ----------------------------------------------------------------------------


def twice(x: Any) -> list[Any]:
    return [x, x]


def lazily(x: Any) -> Iterator[Any]:
    yield from (x, x)


async def slowly(x: Any) -> AsyncIterator[Any]:
    yield x
    await asyncio.sleep(1)
    yield x


def with_their_own(x: Any) -> Any:
    return scripted(Chunk([x, x], [Context("inner"), Context("inner")]))


def failing(x: Any) -> Iterator[Any]:
    return (x // y for y in (1, 1, 0))


EXPANDING: dict[str, Callable[[Any], Any]] = {
    "flat_map": ops.flat_map,
    "concat_map": ops.concat_map,
    "switch_map": lambda mapper: rxml.compose(
        ops.concat_map(lambda x: scripted(Sleep(5), x)), ops.switch_map(mapper)
    ),
    "unbatch": lambda mapper: rxml.compose(ops.map(mapper), ops.unbatch()),
}
EACH = pytest.mark.parametrize("name", EXPANDING)


@EACH
@pytest.mark.parametrize("n", [1, 3, 100])
@pytest.mark.parametrize("mapper", [twice, lazily, slowly, with_their_own])
def test_an_element_with_several_results_is_answered_once(name: str, n: int, mapper: Any) -> None:
    if name == "unbatch" and mapper not in (twice, lazily):
        return
    ledger = Ledger()
    got = read(ledger.source(1, 2).pipe(EXPANDING[name](mapper)), n)
    assert sorted(got.results) == [1, 1, 2, 2]
    assert ledger.outcomes == dict.fromkeys("12", ANSWERED)


@EACH
def test_it_is_answered_when_all_of_them_are(name: str) -> None:
    async def main() -> None:
        ledger = Ledger()
        async with ledger.source(1).pipe(EXPANDING[name](lazily)).open() as subscription:
            first: Any = await subscription.request(1)
            second: Any = await subscription.request(1)
            first.contexts[0].settled(DROPPED)
            assert (await subscription.request(1)).end
            assert ledger.ends == {"1": []}
            second.contexts[0].settled(ANSWERED)
        assert ledger.outcomes == {"1": ANSWERED}

    run(main())


@EACH
def test_a_dead_letter_is_not_answered_as_well(name: str) -> None:
    ledger = Ledger()
    got = read(ledger.source(1, 2).pipe(EXPANDING[name](failing), ops.supervise("resume")), 1)
    assert (got.results, got.error) == ([1, 1, 2, 2], None)
    assert ledger.outcomes == dict.fromkeys("12", DEAD)


@EACH
def test_an_element_that_stops_the_stream_has_ended_and_so_have_all_others(name: str) -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(1, 2, 3))
    got = read(source.pipe(EXPANDING[name](lambda x: [x // (x - 1)])), 1)
    assert isinstance(got.error, ZeroDivisionError)
    assert set(ledger.outcomes.values()) == {DROPPED}
    ledger = Ledger()
    got = read(ledger.source(1, 2).pipe(EXPANDING[name](failing)), 1)
    assert got.results[:2] == [1, 1]
    assert ledger.outcomes["1"] is ANSWERED


@EACH
def test_what_is_open_when_the_stream_is_left_ends_then(name: str) -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(1, 2, 3), Never())
    got = read(source.pipe(EXPANDING[name](lambda x: iter([x] * 9))), 2, most=2)
    assert len(got.results) == 2
    assert set(ledger.outcomes.values()) <= {ANSWERED, DROPPED}
    assert ANSWERED in ledger.outcomes.values()


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
