"""Draining ends what drives a run, and what is opened later, too."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import Flowable
from rxml import operators as ops
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def reciprocal(tick: int) -> int:
    return 1 // tick


@pytest.mark.parametrize(
    "flow",
    [
        rxml.interval(10),
        rxml.timer(1000),
        rxml.timer(1, 10),
        rxml.never(),
        rxml.from_callback(lambda emitter: None, capacity=3),
    ],
    ids=repr,
)
def test_a_source_that_waits_ends_at_once(flow: Flowable[int]) -> None:
    async def main() -> tuple[bool, float]:
        loop = asyncio.get_running_loop()
        async with flow.start() as running:
            await asyncio.sleep(15)
            began = loop.time()
            came_through = await running.drain(100)
            return came_through, loop.time() - began

    assert run(main()) == (True, 0)


@pytest.mark.parametrize(
    "operator",
    [
        ops.on_error_resume_next(rxml.interval(1)),
        ops.on_error_resume_next(lambda error: rxml.never()),
        ops.repeat(),
        ops.retry(backoff=(1000, 1, 1000)),
    ],
)
def test_nothing_goes_on_after_the_drain_began(operator: Any) -> None:
    async def main() -> tuple[bool, float]:
        loop = asyncio.get_running_loop()
        flow = rxml.timer(5).pipe(ops.map(reciprocal), operator)
        async with flow.start() as running:
            await asyncio.sleep(1 if "retry" not in repr(operator) else 7)
            began = loop.time()
            came_through = await running.drain(100)
            return came_through, loop.time() - began

    assert run(main()) == (True, 0)


def test_what_waits_in_a_callback_source_comes_through() -> None:
    async def main() -> list[int]:
        emitters: list[rxml.Emitter[int]] = []
        seen: list[int] = []
        flow = rxml.from_callback(emitters.append, capacity=9)
        async with flow.pipe(ops.map(seen.append)).start() as running:
            await asyncio.sleep(1)
            for number in range(3):
                emitters[0].on_next(number)
            assert await running.drain(1)
            emitters[0].on_next(99)
        return seen

    assert run(main()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (ops.sample(100), [2]),
        (ops.buffer(rxml.interval(100)), [[0, 1, 2]]),
        (ops.buffer(10, seconds=100), [[0, 1, 2]]),
        (ops.debounce(100), [2]),
        (ops.throttle(1), [0, 1, 2]),
        (ops.take_until(rxml.timer(100)), [0, 1, 2]),
        (ops.timeout(100), [0, 1, 2]),
    ],
    ids=repr,
)
def test_what_is_on_its_way_comes_through(operator: Any, expected: list[Any]) -> None:
    """The clocks that drive an operator are drained with the source, and must not cut it off."""

    async def main() -> list[Any]:
        seen: list[Any] = []
        flow = rxml.interval(1).pipe(ops.delay(5), operator, ops.do_action(seen.append))
        async with flow.start() as running:
            await asyncio.sleep(3.5)
            assert await running.drain(100)
        return seen

    assert run(main()) == expected


async def listen() -> AsyncGenerator[int]:
    for number in itertools.count():
        await asyncio.sleep(0.002)
        yield number


def listened() -> Flowable[int]:
    return rxml.from_async_iterable(listen)


@pytest.mark.parametrize(
    "flow",
    [
        listened(),
        rxml.using(lambda: None, lambda _: listened()),
        rxml.defer(listened),
        rxml.throw("first").pipe(ops.catch(lambda error, source: listened())),
        rxml.throw("first").pipe(ops.on_error_resume_next(lambda error: listened())),
        rxml.defer(lambda: rxml.using(lambda: None, lambda _: rxml.defer(listened))),
    ],
    ids=["plain", "using", "defer", "catch", "on_error_resume_next", "nested"],
)
def test_a_source_ends_wherever_it_was_made(flow: Flowable[int]) -> None:
    begun: list[int] = []
    done: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0.05)
        done.append(number)

    async def main() -> bool:
        async with flow.pipe(ops.map_async(work, concurrency=4)).start() as running:
            await asyncio.sleep(0.1)
            return await running.drain(0.5)

    assert run(main())
    assert begun == done != []


@pytest.mark.parametrize("operator", [ops.flat_map, ops.concat_map, ops.switch_map])
def test_the_flow_of_an_element_on_its_way_comes_through(operator: Any) -> None:
    """A source in it is part of what must come through, also one that is made by `defer`."""

    async def three() -> AsyncGenerator[int]:
        for number in range(3):
            await asyncio.sleep(1)
            yield number

    async def main() -> list[int]:
        seen: list[int] = []
        inner = rxml.defer(lambda: rxml.from_async_iterable(three))
        flow = rxml.timer(1).pipe(operator(lambda _: inner), ops.do_action(seen.append))
        async with flow.start() as running:
            await asyncio.sleep(2.5)
            assert await running.drain(100)
        return seen

    assert run(main()) == [0, 1, 2]
