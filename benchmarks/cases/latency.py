"""latency: what a pipeline adds to an element when there is time enough."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from benchmarks.case import Case, Contestant, Must, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PERIOD_SECONDS = 0.001
STAGES = 5


def touch(stamp: float) -> float:
    """A stage; keeps the stamp."""
    return stamp + 0.0


async def stamps(size: int) -> AsyncIterator[float]:
    """One element a millisecond: the time at which it was made, in seconds."""
    start = time.perf_counter()
    for number in range(size):
        await asyncio.sleep(max(0.0, start + number * PERIOD_SECONDS - time.perf_counter()))
        yield time.perf_counter()


def summary(delays: list[float]) -> Outcome:
    """p50 and p99 in microseconds; the checksum is the count, so nothing may be lost."""
    ordered = sorted(delays)
    if ordered and ordered[0] < 0:
        raise AssertionError(f"an element came {-ordered[0]} s before it was made")
    quantiles = {"p50_us": 0.50, "p99_us": 0.99}
    return Outcome(
        len(ordered), {name: 1e6 * ordered[int(q * len(ordered))] for name, q in quantiles.items()}
    )


def by_queue(size: int) -> Outcome:
    """A producer task, a queue, and a consumer that calls the five functions."""

    async def produce(queue: asyncio.Queue[float | None]) -> None:
        async for stamp in stamps(size):
            await queue.put(stamp)
        await queue.put(None)

    async def consume(queue: asyncio.Queue[float | None]) -> list[float]:
        delays: list[float] = []
        while (stamp := await queue.get()) is not None:
            for _ in range(STAGES):
                stamp = touch(stamp)
            delays.append(time.perf_counter() - stamp)
        return delays

    async def main() -> list[float]:
        queue: asyncio.Queue[float | None] = asyncio.Queue(1000)
        async with asyncio.TaskGroup() as group:
            group.create_task(produce(queue))
            consumer = group.create_task(consume(queue))
        return consumer.result()

    return summary(asyncio.run(main()))


def rxml(size: int) -> Outcome:
    """Ours: reading the async iterable in a task of its own is the boundary."""
    from rxml import from_async_iterable  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415

    flow = from_async_iterable(lambda: stamps(size)).pipe(*[ops.map(touch)] * STAGES)

    async def main() -> list[float]:
        delays: list[float] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(1000)).end:
                delays.extend([time.perf_counter() - stamp for stamp in chunk.elements])
        return delays

    return summary(asyncio.run(main()))


CASE = Case(
    name="latency",
    what="one element a millisecond, five stages, one boundary between tasks",
    limit="one wake-up of a task: set a future, one turn of the loop",
    size=2_000,
    quick=500,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "from_async_iterable | five maps, request(1000)"),
        "queue": Contestant(by_queue, "asyncio.Queue(1000), five calls"),
    },
    musts=(Must("cost", "queue", 1.5, "p50_us"), Must("cost", "queue", 2, "p99_us")),
    shown=("p50_us", "p99_us"),
)
