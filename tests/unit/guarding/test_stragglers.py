"""Attempts that lost and resist being cancelled hold up no answer, and are gone when the stage is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.flow.guarding.bulkhead import Bulkhead
from rxml.flow.stragglers import Stragglers, dismissed
from rxml.resilience import Hedging
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.operator import Operator

STUBBORN = 100.0
"""Seconds that it takes one to leave."""


def now() -> float:
    return asyncio.get_running_loop().time()


class Slow:
    """The first attempt at each element takes an hour and is slow to leave, the next one answers after a second."""

    def __init__(self, error: Exception | None = None) -> None:
        self.tried: set[Any] = set()
        self.left: list[float] = []
        self.error = error

    async def __call__(self, item: Any) -> Any:
        if item in self.tried:
            await asyncio.sleep(1)
            return item
        self.tried.add(item)
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(STUBBORN)
            self.left.append(now())
            if self.error is not None:
                raise self.error from None
            raise
        return None


def taught() -> Hedging:
    hedging = Hedging(least=1, share=1)
    for _ in range(10):
        hedging.record(1.0)
        hedging.called(0.0)
    return hedging


def answered(operator: Operator[Any, Any], elements: int) -> tuple[list[tuple[Any, float]], float]:
    """What came when, and when the stream had ended; no task is left then."""

    async def main() -> tuple[list[tuple[Any, float]], float]:
        came: list[tuple[Any, float]] = []
        before = asyncio.all_tasks()
        async with rxml.range(elements).pipe(operator).open() as subscription:
            while not (chunk := await subscription.request(10)).end:
                came += [(each, now()) for each in chunk.elements]
        assert asyncio.all_tasks() == before
        return came, now()

    return run(main())


def hedged(callee: Any, **how: Any) -> Operator[Any, Any]:
    guard: ops.Guard[Any, Any] = ops.Guard(callee, hedge=taught(), bulkhead=how.pop("wall", None))
    return ops.map_async(guard, **how)


@pytest.mark.parametrize("error", [None, KeyError("of one that was sent away")])
def test_the_winner_answers_at_once_and_the_loser_is_waited_for_at_the_end(
    error: Exception | None,
) -> None:
    callee = Slow(error)
    came, over = answered(hedged(callee, concurrency=2), 1)
    assert came == [(0, 2.0)]
    assert callee.left == [2 + STUBBORN]
    assert over == 2 + STUBBORN


def test_no_more_losers_are_held_than_elements_are_worked_on() -> None:
    came, _ = answered(hedged(Slow(), concurrency=1), 2)
    assert [when for _, when in came] == [2, 2 + 3 + STUBBORN]


def test_of_one_key_nothing_begins_before_all_that_was_done_for_it_has_ended() -> None:
    came, _ = answered(hedged(Slow(), concurrency=4, key=bool), 1)
    assert came == [(0, 2 + STUBBORN)]


def test_a_loser_keeps_its_place_until_it_has_left() -> None:
    wall = Bulkhead(4)
    held: list[float] = []

    def look(_: Any) -> None:
        held.append(wall.load)

    answered(rxml.compose(hedged(Slow(), concurrency=2, wall=wall), ops.do_action(look)), 1)
    assert held == [0.25]
    assert wall.load == 0


def test_where_no_stage_owns_the_loser_the_call_waits_for_it() -> None:
    async def main() -> tuple[Any, float]:
        return await ops.Guard(Slow(), hedge=taught())(7), now()

    assert run(main()) == (7, 2 + STUBBORN)


def test_a_late_member_of_a_quorum_holds_up_no_answer() -> None:
    async def quick(x: Any) -> Any:
        return x

    members: dict[str, Any] = {"quick": quick, "slow": Slow()}
    quorum: Operator[Any, Any] = ops.quorum(members, need=1, within=3)
    came, over = answered(quorum, 1)
    assert [(dict(each.missing), when) for each, when in came] == [({"slow": "late"}, 3.0)]
    assert over == 3 + STUBBORN


async def stays() -> None:
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await asyncio.sleep(STUBBORN)


def closed(stragglers: Stragglers) -> Stragglers:
    run(stragglers.aclose())
    return stragglers


@pytest.mark.parametrize("make", [lambda: Stragglers(0), lambda: closed(Stragglers(9))])
def test_what_finds_no_room_is_waited_for_where_it_is_sent_away(
    make: Callable[[], Stragglers],
) -> None:
    stragglers = make()

    async def main() -> float:
        stragglers.host()
        task = asyncio.create_task(stays())
        await asyncio.sleep(1)
        await dismissed([task])
        assert len(stragglers) == 0
        return now()

    assert run(main()) == 1 + STUBBORN


def test_a_task_of_another_loop_is_not_taken() -> None:
    stragglers = Stragglers(9)

    async def hosted() -> None:
        stragglers.host()

    async def elsewhere() -> int:
        task = asyncio.create_task(stays())
        await asyncio.sleep(0)
        over = stragglers.take([task])
        task.cancel()
        await asyncio.wait([task])
        return len(over)

    run(hosted())
    assert run(elsewhere()) == 1
