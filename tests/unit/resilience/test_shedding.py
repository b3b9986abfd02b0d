"""shed and rate_limit: who is turned away, why, and how that ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context
from rxml.flow.run import Run
from rxml.resilience import Priorities
from rxml.testing import Fail, Never, Sleep, Watermark, scripted
from rxml.testing.script import Barrier
from rxml.testing.virtual_time import run
from tests.unit.flow.ledger import ANSWERED, DROPPED, SHED, Ledger, read
from tests.unit.operators.live import LOOSE_OPS

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = Priorities(1, 1, 1, 1)
"""Every class may fill the queue."""

Told = list[tuple[Any, str]]


def urgent(element: Any, priority: int = 0, deadline: float | None = None) -> Chunk[Any]:
    return Chunk([element], [Context(priority=priority, deadline=deadline)])


async def paced(flow: Any, pauses: list[float], n: int = 1) -> list[list[Any]]:
    """What a reader gets that sleeps before each request, the first of which is for one element."""
    got: list[list[Any]] = []
    async with flow.open() as subscription:
        await asyncio.sleep(pauses[0])
        got.append(list((await subscription.request(1)).elements))
        for pause in pauses[1:]:
            await asyncio.sleep(pause)
            got.append(list((await subscription.request(n)).elements))
    return got


async def drained(subscription: Any, got: list[Any]) -> None:
    """All that comes is put into the list."""
    while not (chunk := await subscription.request(1)).end:
        got += chunk.elements


def shed(told: Told, capacity: int = 3, **options: Any) -> Any:
    options = {"target": 1, "interval": 10, "priorities": ALL, **options}
    return ops.shed(capacity, on_shed=lambda element, why: told.append((element, why)), **options)


def test_what_finds_no_room_is_turned_away_and_says_why() -> None:
    told: Told = []
    flow = rxml.range(9).pipe(shed(told))
    assert run(paced(flow, [0, 1], 9)) == [[0], [1, 2, 3]]
    assert told == [(at, "full") for at in range(4, 9)]


def test_nothing_is_turned_away_for_want_of_room_while_the_reader_waits() -> None:
    told: Told = []
    assert run(rxml.range(5000).pipe(shed(told)).to_list()) == list(range(5000))
    assert told == []


def test_the_less_urgent_are_turned_away_at_a_lower_load() -> None:
    told: Told = []
    steps = [urgent("first")]
    for element, priority in [("a", 0), ("b", 0), ("c", -2), ("d", -1), ("e", 0), ("f", 1)]:
        steps.append(urgent(element, priority))
    classes = Priorities(1, 0.75, 0.6, 0.5)
    flow = scripted(*steps).pipe(shed(told, 4, priorities=classes))
    assert run(paced(flow, [0, 1], 9)) == [["first"], ["a", "b", "d", "f"]]
    assert told == [("c", "priority"), ("e", "priority")]


def test_a_burst_may_wait_and_a_standing_queue_may_not() -> None:
    told: Told = []
    source = scripted("a", "b", "c", Sleep(9), "d", Sleep(2), "e", "f", Sleep(1.5), "g")
    flow = source.pipe(shed(told, 9))
    assert run(paced(flow, [0, 8, 4, 1], 1)) == [["a"], ["b"], ["e"], ["g"]]
    assert told == [("c", "waited"), ("d", "waited"), ("f", "waited")]


def test_what_is_past_its_deadline_is_not_handed_out() -> None:
    told: Told = []
    source = scripted(urgent("a"), urgent("b", deadline=3), urgent("c", deadline=6), Never())
    flow = source.pipe(shed(told))
    assert run(paced(flow, [0, 5], 9)) == [["a"], ["c"]]
    assert told == [("b", "late")]


def test_a_reader_for_whom_nothing_that_waits_is_worth_it_gets_what_comes_next() -> None:
    told: Told = []
    late = [*[Context(deadline=0)] * 5, Context()]
    source = scripted(Sleep(0), Chunk(list("bcdefg"), late), Sleep(1), "h")
    flow = source.pipe(shed(told))
    assert run(paced(flow, [0, 0, 0])) == [["g"], ["h"], []]
    assert told == [(each, "late") for each in "bcdef"]


def test_under_overload_the_newest_come_first_if_order_does_not_matter() -> None:
    told: Told = []
    source = scripted("a", "b", "c", Sleep(10.5), "d", Sleep(0.1), "e", "f")
    flow = source.pipe(shed(told, 9, order="lifo"))
    assert run(paced(flow, [0, 11], 2)) == [["a"], ["f", "e"]]
    assert run(paced(flow, [0, 11, 0.1, 0.1], 1))[1:] == [["f"], ["e"], ["d"]]


def test_the_newest_does_not_overtake_a_signal() -> None:
    source = scripted("a", Sleep(11), "b", "c", Watermark(5), "d", Barrier(1), Watermark(7), "e")
    flow = source.pipe(shed([], 9, order="lifo"))

    async def main() -> list[Any]:
        got: list[Any] = []
        async with flow.open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(12)
            while not (chunk := await subscription.request(1)).end:
                got += [*chunk.elements, *chunk.signals().items()]
        return got

    assert run(main()) == [*"cb", ("watermark", 5), "d", ("barrier", 1), ("watermark", 7), "e"]


def test_an_element_ends_as_shed_dropped_or_answered() -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(*"abcdefg"), Never())
    told: Told = []

    async def main() -> int:
        async with Run[Any](source.pipe(shed(told))) as live:
            first = await live.subscription.request(1)
            for context in first.contexts or ():
                context.settled(ANSWERED)
            await asyncio.sleep(1)
        return sum(stage.dropped for stage in live.statistics().stages)

    assert run(main()) == 6
    assert (ledger[ANSWERED], ledger[SHED], ledger[DROPPED]) == ("a", "efg", "bcd")


def test_an_error_comes_behind_what_waits() -> None:
    told: Told = []
    flow = scripted("a", "b", Fail(KeyError("x"))).pipe(shed(told))

    async def main() -> list[Any]:
        got: list[Any] = []
        async with flow.open() as subscription:
            await asyncio.sleep(1)
            with pytest.raises(KeyError):
                await drained(subscription, got)
        return got

    assert run(main()) == ["a", "b"]


def test_an_error_of_the_one_who_is_told_fails_the_stream() -> None:
    def told(element: int, why: str) -> None:
        raise KeyError(element, why)

    async def main() -> None:
        flow = rxml.range(9).pipe(ops.shed(2, target=1, interval=9, on_shed=told, priorities=ALL))
        async with flow.open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(1)
            with pytest.raises(KeyError, match="'full'"):
                await drained(subscription, [])

    run(main())


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 6)), max_size=12),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_a_key_is_held_to_its_rate(steps: list[tuple[str, int]], burst: int, n: int) -> None:
    tokens, times, passed = {"a": burst * 4, "b": burst * 4}, {"a": 0, "b": 0}, list[Any]()
    script, now = list[Any](), 0
    for at, (key, quarters) in enumerate(steps):
        now += quarters
        script += [Sleep(quarters / 4), (key, at)]
        # In quarters of tokens, so that a rate of 1/4 a quarter is one.
        level = min(burst * 4, tokens[key] + now - times[key])
        taken = level >= 4
        tokens[key], times[key] = level - 4 * taken, now
        passed += [(key, at)] * taken
    flow = scripted(*script).pipe(ops.rate_limit(1, burst, key=lambda each: each[0], excess="shed"))

    async def main() -> list[Any]:
        got: list[Any] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(n)).end:
                got += chunk.elements
        return got

    assert run(main()) == passed


def test_what_waits_keeps_its_order_and_comes_when_it_may() -> None:
    flow = scripted(*"aabac").pipe(ops.rate_limit(0.5, key=str))

    async def main() -> list[tuple[float, list[Any]]]:
        got: list[tuple[float, list[Any]]] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(9)).end:
                got.append((asyncio.get_running_loop().time(), list(chunk.elements)))
        return got

    whole = [(at, element) for at, elements in run(main()) for element in elements]
    assert whole == [(0, "a"), (2, "a"), (2, "b"), (4, "a"), (4, "c")]


def test_weights_give_some_keys_more() -> None:
    flow = rxml.of(*"aaabbb").pipe(
        ops.rate_limit(1, key=str, excess="shed", weight=lambda key: 2 if key == "b" else 1)
    )
    assert run(flow.to_list()) == ["a", "b", "b"]


def test_what_is_above_the_rate_ends_as_shed() -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(*"abcde"))
    got = read(source.pipe(ops.rate_limit(1, 2, excess="shed")))
    assert got.results == ["a", "b"]
    assert (ledger[ANSWERED], ledger[SHED]) == ("ab", "cde")
    assert got.dropped == {"rate_limit(1, 2)": 3}


def test_an_element_without_a_key_is_the_supervisors() -> None:
    flow = rxml.of(1, 0, 2).pipe(
        ops.rate_limit(1, key=lambda x: 1 // x, excess="shed"), ops.supervise("resume")
    )
    assert run(flow.to_list()) == [1, 2]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ops.shed(0), "shed wants an int >= 1, got 0"),
        (lambda: ops.shed(1, target=2, interval=1), "interval"),
        (lambda: LOOSE_OPS.shed(1, order="fast"), "order='fifo' or 'lifo', got 'fast'"),
        (lambda: ops.rate_limit(0), "a number > 0 and finite, got 0"),
        (lambda: ops.rate_limit(1, 0.5), "burst >= 1, or nothing would ever pass, got 0.5"),
        (lambda: LOOSE_OPS.rate_limit(1, excess="drop"), "excess='wait' or 'shed', got 'drop'"),
        (lambda: ops.deadline(0), "a duration > 0 and finite, got 0"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
