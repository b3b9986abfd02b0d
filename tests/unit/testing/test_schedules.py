"""The order of turns: drawn from a seed or by Hypothesis, and what it may not disturb."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from rxml.testing import DeadlockError, Driver, LeakError, VirtualLoop, run

if TYPE_CHECKING:
    from collections.abc import Callable


async def turns(workers: int = 3, rounds: int = 3) -> str:
    taken: list[str] = []

    async def work(name: str) -> None:
        for _ in range(rounds):
            await asyncio.sleep(0)
            taken.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abcdefgh"[:workers]:
            group.create_task(work(name))
    return "".join(taken)


def test_without_a_seed_the_order_is_that_of_asyncio() -> None:
    expected = asyncio.run(turns())
    assert run(turns()) == run(turns(), schedule=lambda _: 0) == expected == "abcabcabc"


def test_a_seed_permutes_and_repeats_itself() -> None:
    orders = [run(turns(), seed=seed) for seed in range(20)]
    assert orders == [run(turns(), seed=seed) for seed in range(20)]
    assert len(set(orders)) > 10
    assert all(sorted(order) == sorted("abcabcabc") for order in orders)


def test_every_order_of_one_turn_is_reached() -> None:
    assert len({run(turns(rounds=1), seed=seed) for seed in range(100)}) == 6


def test_a_race_that_fifo_hides_is_found_by_some_seed() -> None:
    async def racy() -> int:
        balance = 0

        async def deposit(pause: int) -> None:
            nonlocal balance
            for _ in range(pause):
                await asyncio.sleep(0)
            seen = balance
            await asyncio.sleep(0)
            balance = seen + 1

        async with asyncio.TaskGroup() as group:
            group.create_task(deposit(0))
            group.create_task(deposit(1))
        return balance

    # In FIFO order the first deposit has written before the second reads.
    assert asyncio.run(racy()) == run(racy()) == 2
    assert {run(racy(), seed=seed) for seed in range(20)} == {1, 2}


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_hypothesis_can_draw_the_order(data: st.DataObject) -> None:
    async def main() -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue(2)
        got: list[int] = []

        async def produce() -> None:
            for i in range(6):
                await queue.put(i)

        async def consume() -> None:
            for _ in range(6):
                got.append(await queue.get())  # noqa: PERF401 - order of arrival, also on an error

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            group.create_task(consume())
        return got

    assert run(main(), schedule=draw(data)) == list(range(6))


def draw(data: st.DataObject) -> Callable[[int], int]:
    return lambda candidates: data.draw(st.integers(0, candidates - 1))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_callbacks_keep_their_order_under_any_seed(seed: int) -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        called: list[int] = []
        for i in range(10):
            loop.call_soon(called.append, i)
            loop.call_soon_threadsafe(called.append, i)
        for i in range(10, 20):
            loop.call_at(1, called.append, i)
        await asyncio.gather(turns(), asyncio.sleep(2))
        return called

    assert run(main(), seed=seed) == sorted([*range(10), *range(10), *range(10, 20)])


def test_a_schedule_is_asked_only_where_there_is_a_choice() -> None:
    asked: list[int] = []

    def schedule(candidates: int) -> int:
        asked.append(candidates)
        return 0

    async def alone() -> None:
        for _ in range(3):
            handles = [asyncio.get_running_loop().call_soon(print) for _ in range(3)]
            for handle in handles:
                handle.cancel()
            await asyncio.sleep(0)

    run(alone(), schedule=schedule)
    assert asked == []
    run(turns(workers=2, rounds=1), schedule=schedule)
    assert {*asked} == {2}


@pytest.mark.parametrize("answer", [2, -1, 1000])
def test_a_schedule_out_of_range_says_so_and_loses_no_task(answer: int) -> None:
    asked: list[int] = []

    def schedule(candidates: int) -> int:
        asked.append(candidates)
        return answer if len(asked) == 1 else 0

    with pytest.raises(ValueError, match=rf"schedule\(\d+\) must return 0\.\.\d+, got {answer}"):
        run(turns(workers=2), schedule=schedule)


class Interrupted(BaseException):
    """What Hypothesis throws through user code when it has seen enough."""


def test_a_schedule_that_gives_up_leaves_a_loop_that_can_be_closed() -> None:
    def schedule(_: int) -> int:
        raise Interrupted

    with pytest.raises(Interrupted):
        run(turns(), schedule=schedule)


def test_a_driver_moves_only_when_it_is_told_to() -> None:
    async def ticking() -> None:
        for _ in range(3):
            await asyncio.sleep(10)
            ticks.append(driver.time)

    ticks: list[float] = []
    with Driver(VirtualLoop(seed=1)) as driver:
        task = driver.start(ticking(), name="ticking")
        driver.settle()
        assert (ticks, driver.time) == ([], 0)
        driver.advance(10)
        assert (ticks, driver.time) == ([10], 10)
        driver.advance(15)
        assert (ticks, driver.time) == ([10, 20], 25)
        driver.run(asyncio.wait_for(task, 100))
        assert ticks == [10, 20, 30] == [10, 20, driver.time]


def test_a_driver_that_is_closed_says_what_was_left_and_ends_it() -> None:
    driver = Driver()
    task = driver.start(asyncio.sleep(10), name="left-over")
    driver.settle()
    with pytest.raises(LeakError, match="left-over"):
        driver.close()
    assert task.cancelled()
    assert driver.loop.is_closed()
    driver.close()


def test_a_driver_can_go_on_after_a_deadlock() -> None:
    with Driver(check_leaks=False) as driver:
        event = asyncio.Event()
        with pytest.raises(DeadlockError):
            driver.run(event.wait())
        event.set()
        driver.settle()
        driver.run(event.wait())


class BoundedQueue(RuleBasedStateMachine):
    """asyncio.Queue(2) against a list: rules without await drive coroutines, one step at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver()
        self.queue: asyncio.Queue[int] = asyncio.Queue(2)
        self.putting: list[asyncio.Task[None]] = []
        self.getting: list[asyncio.Task[int]] = []
        self.put = 0

    @precondition(lambda self: self.put < 8)
    @rule()
    def start_put(self) -> None:
        self.putting.append(self.driver.start(self.queue.put(self.put)))
        self.put += 1
        self.driver.settle()

    @precondition(lambda self: len(self.getting) < 8)
    @rule()
    def start_get(self) -> None:
        self.getting.append(self.driver.start(self.queue.get()))
        self.driver.settle()

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        before = self.driver.time
        self.driver.advance(seconds)
        assert self.driver.time == before + seconds

    @invariant()
    def elements_come_in_order_and_the_bound_holds(self) -> None:
        got = [task.result() for task in self.getting if task.done()]
        assert got == list(range(min(self.put, len(self.getting))))
        assert sum(task.done() for task in self.putting) == min(self.put, len(self.getting) + 2)

    @override
    def teardown(self) -> None:
        tasks: list[asyncio.Task[Any]] = [*self.putting, *self.getting]
        for task in tasks:
            task.cancel()
        self.driver.settle()
        self.driver.close()


def test_a_state_machine_can_drive_the_loop() -> None:
    run_state_machine_as_test(
        BoundedQueue, settings=settings(max_examples=30, stateful_step_count=15, deadline=None)
    )
