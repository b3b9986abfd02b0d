"""Runs that cannot end, and runs that end and leave something behind."""

from __future__ import annotations

import asyncio
import gc
import math
import warnings
from typing import TYPE_CHECKING

import pytest

from rxml.errors import RxmlError
from rxml.testing import (
    DeadlockError,
    Driver,
    LeakError,
    RunawayError,
    VirtualLoop,
    run,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def test_a_deadlock_names_each_waiting_task_and_where_it_waits() -> None:
    async def consume(queue: asyncio.Queue[int]) -> None:
        async def numbers() -> AsyncIterator[int]:
            while True:
                yield await queue.get()

        async for _ in numbers():
            pass

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(consume(asyncio.Queue()), name="consumer")
            await asyncio.sleep(3)

    with pytest.raises(DeadlockError) as caught:
        run(main())
    text = str(caught.value)
    assert isinstance(caught.value, RxmlError)
    assert text.startswith("deadlock at 3.0 s")
    consumer = next(line for line in text.splitlines() if line.startswith("  consumer: "))
    names = [frame.split(" (")[0].split(".")[-1] for frame in consumer[2:].split(" > ")]
    assert consumer.startswith("  consumer: ")
    assert names == ["consume", "numbers", "get"]
    assert "testing/test_endings.py:" in consumer
    assert "TaskGroup.__aexit__" in text


def test_a_timer_at_infinity_does_not_hide_a_deadlock() -> None:
    with pytest.raises(DeadlockError):
        run(asyncio.sleep(math.inf))


def test_a_busy_loop_ends_with_an_error_that_says_so() -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 - the mistake that is to be found
            await asyncio.sleep(0)

    with pytest.raises(RunawayError, match=r"0\.05 real seconds.*\n.*spin"):
        run(spin(), limit_seconds=0.05)


def test_what_ran_away_can_still_clean_up() -> None:
    cleaned: list[bool] = []

    async def spin() -> None:
        try:
            while True:  # noqa: ASYNC110
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(5)
            cleaned.append(True)

    with pytest.raises(RunawayError):
        run(spin(), limit_seconds=0.05)
    assert cleaned == [True]


def test_a_timer_that_always_rearms_ends_with_an_error() -> None:
    def tick() -> None:
        asyncio.get_running_loop().call_later(1, tick)

    async def main() -> None:
        tick()
        await forever()

    with pytest.raises(RunawayError):
        run(main(), limit_seconds=0.05)


def test_a_thread_that_never_reports_ends_with_an_error() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        with loop.external_work():
            await forever()

    with pytest.raises(RunawayError):
        run(main(), limit_seconds=0.05)


def test_a_task_left_behind_is_a_leak_by_name() -> None:
    kept: list[asyncio.Task[None]] = []

    async def main() -> None:
        kept.append(asyncio.create_task(forever(), name="left-over"))

    with pytest.raises(LeakError, match="left-over: forever"):
        run(main())
    run(main(), check_leaks=False)


def test_an_async_generator_left_open_is_a_leak() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def keep() -> None:
        kept.append(numbers())
        await anext(kept[0])

    async def abandon() -> None:
        async for _ in numbers():
            break

    async def exhaust() -> None:
        kept.append(numbers())
        assert [i async for i in kept[-1]] == [1, 2]

    kept: list[AsyncIterator[int]] = []
    with pytest.raises(LeakError, match=r"not closed: .*numbers"):
        run(keep())
    with pytest.raises(LeakError, match=r"left to the collector: .*numbers"):
        run(abandon())
    run(exhaust())


def test_an_error_in_a_callback_is_not_lost() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)

    with pytest.raises(LeakError, match="ZeroDivisionError") as caught:
        run(main())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_error_of_main_comes_out_with_a_note_of_what_it_left() -> None:
    kept: list[asyncio.Task[None]] = []

    async def main() -> None:
        kept.append(asyncio.create_task(forever(), name="left-over"))
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        run(main())
    assert any("left-over" in note for note in caught.value.__notes__)


def test_a_loop_is_not_driven_from_inside_another() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="synchronous code, but a VirtualLoop runs here"):
            run(forever())
        with pytest.raises(RuntimeError, match="synchronous code"):
            Driver()

    run(main())


def test_what_is_refused_leaves_nothing_unawaited_or_unclosed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="limit_seconds"):
            run(forever(), limit_seconds=-1)
        driver = Driver()
        driver.close()
        assert driver.loop.is_closed()
        with pytest.raises(KeyError), Driver() as driver:
            raise KeyError
        assert driver.loop.is_closed()
        gc.collect()
