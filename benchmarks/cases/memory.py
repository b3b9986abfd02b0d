"""memory: a fast source and a slow sink; what piles up between them."""

from __future__ import annotations

import asyncio
import sys

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.consuming import CHUNK

REST_EVERY = 50_000
REST_SECONDS = 0.002
ELEMENT_BYTES = sys.getsizeof(1 << 29) + 8
"""Of an int and of its place in a list."""
SLACK_BYTES = 2 << 20
"""What CPython may take beyond what is asked: its arenas have 1 MiB, and the loop needs some itself."""


class SlowSink:
    """Adds up, and rests after every 50,000 elements."""

    def __init__(self) -> None:
        self.total = self.taken = self.rested = 0

    async def take(self, numbers: list[int]) -> None:
        """Take some, and rest if it is time."""
        self.total += sum(numbers)
        self.taken += len(numbers)
        if self.taken - self.rested >= REST_EVERY:
            self.rested = self.taken
            await asyncio.sleep(REST_SECONDS)


def by_hand(size: int) -> Outcome:
    """The limit: two tasks around a queue that holds two lists of 1024."""

    async def produce(queue: asyncio.Queue[list[int]]) -> None:
        for start in range(0, size, CHUNK):
            await queue.put(list(range(start, min(start + CHUNK, size))))
        await queue.put([])

    async def main() -> int:
        queue: asyncio.Queue[list[int]] = asyncio.Queue(2)
        sink = SlowSink()
        async with asyncio.TaskGroup() as group:
            group.create_task(produce(queue))
            while numbers := await queue.get():
                await sink.take(numbers)
        return sink.total

    return Outcome(asyncio.run(main()))


def rxml(size: int) -> Outcome:
    """Ours, with its own word for what it may hold."""
    from rxml import operators as ops  # noqa: PLC0415
    from rxml import range as numbers  # noqa: PLC0415

    flow = numbers(size).pipe(ops.map(abs), ops.prefetch(CHUNK), ops.map(abs))

    async def main() -> int:
        sink = SlowSink()
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(CHUNK)).end:
                await sink.take(list(chunk.elements))
        return sink.total

    allowed = flow.budget().elements * ELEMENT_BYTES + SLACK_BYTES
    return Outcome(asyncio.run(main()), {"allowed_bytes": allowed})


CASE = Case(
    name="memory",
    what="fast source, slow sink: growth of the peak memory of the process",
    limit="two lists of 1024 between the tasks, by hand",
    size=10_000_000,
    quick=1_000_000,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "range | map | prefetch(1024) | map, request(1024)"),
        "hand": Contestant(by_hand, "asyncio.Queue(2) of lists of 1024"),
    },
    musts=(Must("within", "allowed_bytes", 1, "peak_growth_bytes"),),
    shown=("peak_growth_bytes", "seconds"),
    fresh=True,
)
