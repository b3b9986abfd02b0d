"""share: an element ends once, when it has ended for all subscribers."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.run import Run
from rxml.testing import Sleep, Watermark, run, scripted
from tests.unit.operators.loose import ops
from tests.unit.operators.reading import exhausted

Settled = list[tuple[int, Outcome]]


def source(settled: Settled) -> Any:
    contexts = [Context(settle=lambda o, i=i: settled.append((i, o))) for i in range(4)]  # type: ignore[misc]
    return scripted(
        Chunk([0, 1], contexts[:2]), Watermark(5), Sleep(1), Chunk([2, 3], contexts[2:])
    )


async def answered(flow: Any) -> list[int]:
    """Reads everything and answers it."""
    got: list[int] = []
    async with flow.chunks(9) as chunks:
        async for chunk in chunks:
            got.extend(chunk.elements)
            for context in chunk.contexts or ():
                context.settled(Outcome.ANSWERED)
    return got


@pytest.mark.parametrize("subscribers", [1, 2, 3])
def test_an_element_is_settled_once_when_all_have_answered(subscribers: int) -> None:
    settled: Settled = []
    shared = source(settled).pipe(ops.share())

    async def main() -> Any:
        return await asyncio.gather(*(answered(shared) for _ in range(subscribers)))

    assert run(main()) == [[0, 1, 2, 3]] * subscribers
    assert settled == [(i, Outcome.ANSWERED) for i in range(4)]


def test_the_two_parts_of_a_partition_settle_an_element_once() -> None:
    settled: Settled = []

    async def main() -> None:
        odd, even = source(settled).pipe(ops.partition(lambda x: x % 2))
        await asyncio.gather(answered(odd), answered(even))

    run(main())
    assert sorted(settled) == [(i, Outcome.ANSWERED) for i in range(4)]


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
def test_what_a_subscriber_misses_has_ended_for_it(policy: str) -> None:
    settled: Settled = []
    shared = source(settled).pipe(ops.share(lag=1, policy=policy))

    async def slow() -> int:
        async with shared.open() as subscription:
            chunk = await subscription.request(1)
            for context in chunk.contexts or ():
                context.settled(Outcome.ANSWERED)
            await asyncio.sleep(100)
            return len(chunk)

    async def main() -> Any:
        return await asyncio.gather(slow(), answered(shared))

    assert run(main()) == [1, [0, 1, 2, 3]]
    assert len({i for i, _ in settled}) == len(settled) >= 3
    assert {outcome for _, outcome in settled} == {Outcome.ANSWERED}


def single(settled: Settled, count: int) -> Any:
    """Chunks of one element each."""
    contexts = [Context(settle=lambda o, i=i: settled.append((i, o))) for i in range(count)]  # type: ignore[misc]
    return scripted(*(Chunk([i], [context]) for i, context in enumerate(contexts)))


def answer(chunk: Chunk[Any]) -> None:
    for context in chunk.contexts or ():
        context.settled(Outcome.ANSWERED)


@pytest.mark.parametrize("read", [0, 1, 2])
@pytest.mark.parametrize("policy", ["detach", "error"])
def test_what_comes_when_a_subscriber_was_let_go_ends_for_the_others(
    policy: str, read: int
) -> None:
    settled: Settled = []
    shared = single(settled, 8).pipe(ops.share(lag=2, policy=policy))

    async def main() -> tuple[int, int]:
        async with Run[Any](shared) as fast, Run[Any](shared) as slow:
            chunks = await asyncio.gather(*(each.subscription.request(1) for each in (fast, slow)))
            for chunk in chunks:
                answer(chunk)
            await exhausted(fast, 1)
            for _ in range(read):
                answer(await slow.subscription.request(9))
        return fast.statistics().stages[1].dropped, slow.statistics().stages[1].dropped

    assert run(main()) == (0, 3 - read)
    assert sorted(settled) == [(i, Outcome.ANSWERED) for i in range(8)]


def test_what_a_subscriber_that_leaves_has_not_read_ends_as_dropped_for_it() -> None:
    settled: Settled = []
    shared = single(settled, 3).pipe(ops.share(lag=9))

    async def main() -> int:
        async with Run[Any](shared) as stays:
            async with Run[Any](shared) as leaves:
                await asyncio.gather(*(each.subscription.request(1) for each in (stays, leaves)))
                assert len(await exhausted(stays)) == 2
                assert settled == []
            return leaves.statistics().stages[1].dropped

    assert run(main()) == 2
    assert settled == [(1, Outcome.ANSWERED), (2, Outcome.ANSWERED)]
