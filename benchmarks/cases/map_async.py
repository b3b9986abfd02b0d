"""map_async: many short waits, a hundred at a time, results in order."""

from __future__ import annotations

import asyncio

from benchmarks.case import Case, Contestant, Must, Outcome

CONCURRENCY = 100
WAIT_SECONDS = 0.001


async def wait(number: int) -> int:
    """The work: a wait of 1 ms."""
    await asyncio.sleep(WAIT_SECONDS)
    return number + 1


def weighted(results: list[int]) -> int:
    """A checksum that sees the order."""
    return sum(position * result for position, result in enumerate(results))


def by_workers(size: int) -> Outcome:
    """The limit: 100 tasks that take numbers from one iterator and write into one list."""

    async def main() -> list[int]:
        results = [0] * size
        numbers = iter(range(size))

        async def work() -> None:
            for number in numbers:
                results[number] = await wait(number)

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(work())
        return results

    return Outcome(weighted(asyncio.run(main())))


def by_gather(size: int) -> Outcome:
    """What most write: a task an element, behind a semaphore."""

    async def main() -> list[int]:
        semaphore = asyncio.Semaphore(CONCURRENCY)

        async def one(number: int) -> int:
            async with semaphore:
                return await wait(number)

        return await asyncio.gather(*(one(number) for number in range(size)))

    return Outcome(weighted(asyncio.run(main())))


def rxml(size: int) -> Outcome:
    """Ours."""
    from rxml import operators as ops  # noqa: PLC0415
    from rxml import range as numbers  # noqa: PLC0415

    flow = numbers(size).pipe(ops.map_async(wait, concurrency=CONCURRENCY, ordered=True))
    return Outcome(weighted(asyncio.run(flow.to_list())))


CASE = Case(
    name="map_async",
    what="sleep(1 ms), concurrency 100, ordered",
    limit="size / 100 waits of 1 ms one after the other, and the loop's cost of a timer and a wake-up each",
    size=20_000,
    quick=4_000,
    unit="calls",
    contestants={
        "rxml": Contestant(rxml, "map_async(concurrency=100, ordered=True)"),
        "workers": Contestant(by_workers, "100 plain worker tasks"),
        "gather": Contestant(by_gather, "a task a call, Semaphore(100), gather"),
    },
    musts=(Must("cost", "workers", 1.2), Must("cost", "gather", 0.5)),
)
