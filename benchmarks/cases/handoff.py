"""handoff: elements from a producer task to a consumer task."""

from __future__ import annotations

import asyncio

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.consuming import CHUNK, by_rxml


def by_queue(size: int, *, capacity: int = 1000) -> Outcome:
    """Two tasks around an asyncio.Queue."""

    async def produce(queue: asyncio.Queue[int]) -> None:
        for number in range(size):
            await queue.put(number)

    async def consume(queue: asyncio.Queue[int]) -> int:
        total = 0
        for _ in range(size):
            total += await queue.get()
        return total

    async def main() -> int:
        queue: asyncio.Queue[int] = asyncio.Queue(capacity)
        async with asyncio.TaskGroup() as group:
            group.create_task(produce(queue))
            consumer = group.create_task(consume(queue))
        return consumer.result()

    return Outcome(asyncio.run(main()))


def by_lists(size: int) -> Outcome:
    """The limit: two tasks around a queue of lists of 1024."""

    async def produce(queue: asyncio.Queue[list[int]]) -> None:
        for start in range(0, size, CHUNK):
            await queue.put(list(range(start, min(start + CHUNK, size))))
        await queue.put([])

    async def consume(queue: asyncio.Queue[list[int]]) -> int:
        total = 0
        while chunk := await queue.get():
            total += sum(chunk)
        return total

    async def main() -> int:
        queue: asyncio.Queue[list[int]] = asyncio.Queue(2)
        async with asyncio.TaskGroup() as group:
            group.create_task(produce(queue))
            consumer = group.create_task(consume(queue))
        return consumer.result()

    return Outcome(asyncio.run(main()))


def rxml(size: int) -> Outcome:
    """Ours."""
    return by_rxml(lambda rxml, ops: rxml.range(size).pipe(ops.prefetch(CHUNK)))


CASE = Case(
    name="handoff",
    what="producer task to consumer task",
    limit="making and adding up the numbers in lists; a queue of lists of 1024 adds one hand-over a list",
    size=500_000,
    quick=100_000,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "range | prefetch(1024), request(1024)"),
        "queue": Contestant(by_queue, "asyncio.Queue(1000), an element at a time"),
        "lists": Contestant(by_lists, "asyncio.Queue(2) of lists of 1024"),
    },
    musts=(Must("speed", "queue", 10),),
)
