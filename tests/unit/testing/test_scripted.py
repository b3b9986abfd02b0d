"""Scripted sources: exact chunks within demand, exact times, and a note of all that was asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rxml import Chunk
from rxml.testing import (
    Barrier,
    End,
    Fail,
    Kind,
    Never,
    Probe,
    Sleep,
    Timeline,
    Watermark,
    run,
    scripted,
    settle,
)


async def all_of(flow: Any, n: int) -> list[list[Any]]:
    async with Probe(flow) as probe:
        chunks: list[list[Any]] = []
        while not (chunk := await probe.request(n)).end:
            chunks.append([*chunk.elements, *chunk.signals().items()])
        return chunks


@pytest.mark.parametrize(
    ("n", "chunks"),
    [
        (9, [[1], [2, 3, 4], [5]]),
        (2, [[1], [2, 3], [4], [5]]),
        (1, [[1], [2], [3], [4], [5]]),
    ],
)
def test_chunks_come_out_as_they_are_and_are_split_where_demand_is_smaller(
    n: int, chunks: list[list[int]]
) -> None:
    assert run(all_of(scripted(1, Chunk([2, 3, 4]), 5), n)) == chunks


def test_signals_come_between_and_behind_elements() -> None:
    flow = scripted(Chunk([1, 2], watermark=7), Watermark(8), 3, Barrier(1), End(), 4)
    assert run(all_of(flow, 1)) == [
        [1],
        [2, ("watermark", 7)],
        [("watermark", 8)],
        [3],
        [("barrier", 1)],
    ]


def test_a_wait_that_is_interrupted_goes_on_where_it_was() -> None:
    async def main() -> float:
        async with Probe(scripted(Sleep(3.0), 1)) as probe:
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(probe.request(1), 1.0)
            await probe.expect(1)
            return asyncio.get_running_loop().time()

    assert run(main()) == 3.0


def test_a_failure_is_the_very_object_and_repeats_in_each_run() -> None:
    error = KeyError("k")
    flow = scripted(1, Fail(error))

    async def main() -> None:
        for _ in range(2):
            async with Probe(flow) as probe:
                await probe.expect(1)
                assert await probe.expect_error(KeyError) is error
                error.__traceback__ = None

    run(main())


def test_contexts_are_numbered_over_chunks() -> None:
    async def main() -> list[str | None]:
        async with Probe(scripted(1, Chunk([2, 3]), contexts=True)) as probe:
            chunks = [await probe.request(9), await probe.request(1), await probe.request(1)]
        return [context.fact_id for chunk in chunks for context in chunk.contexts or ()]

    assert run(main()) == ["0", "1", "2"]


def test_a_script_can_go_on_forever_or_never_end() -> None:
    async def main() -> None:
        async with Probe(scripted(1, 2, forever=True)) as probe:
            await probe.expect(1, 2, 1, 2, 1)
        async with Probe(scripted(1, Never())) as probe:
            await probe.expect(1)
            await probe.expect_nothing()

    run(main())
    with pytest.raises(ValueError, match="at least one element"):
        _ = scripted(Sleep(1.0), forever=True)


def test_what_is_asked_is_noted_with_its_time() -> None:
    flow = scripted(1, Sleep(2.0), 2)

    async def main() -> None:
        async with Probe(flow) as probe:
            await probe.request(5)
            await probe.request(3)
            await probe.cancel()

    run(main())
    noted = [(event.time, event.kind, event.value) for event in flow.timeline.events]
    demands = [(time, n) for time, kind, n in noted if kind is Kind.REQUEST]
    assert demands == [(0.0, 5), (0.0, 3)]
    assert [kind for time, kind, _ in noted if time == 2.0] == [
        Kind.CHUNK,
        Kind.CANCEL,
        Kind.RELEASED,
    ]


def test_misuse_is_noted_as_such() -> None:
    flow = scripted(Sleep(1.0), 1)

    async def main() -> None:
        async with Probe(flow) as probe:
            first = asyncio.create_task(probe.request(1))
            await settle()
            with pytest.raises(RuntimeError, match="waiting already"):
                await probe.request(1)
            assert (await first).elements == [1]

    run(main())
    assert flow.timeline.count("source", Kind.MISUSE) == 1


def test_a_release_takes_its_time_and_raises_what_it_is_told_to() -> None:
    error = OSError("finalizer")
    flow = scripted(1, release_seconds=3.0, release_error=error)

    async def main() -> None:
        async with Probe(flow) as probe:
            await probe.expect(1)

    with pytest.raises(ExceptionGroup, match="finalizers failed") as caught:
        run(main())
    assert caught.value.exceptions == (error,)
    assert flow.timeline.events[-1].kind is Kind.RELEASED
    assert flow.timeline.events[-1].time == 3.0


def test_chunks_that_somebody_changes_are_found() -> None:
    flow = scripted(Chunk([1, 2]), 3)

    async def main() -> list[Any]:
        async with Probe(flow) as probe:
            chunk = await probe.request(2)
            assert isinstance(chunk.elements, list)
            chunk.elements.reverse()
            await probe.request(2)
        return [changed.elements for changed in flow.changed()]

    assert run(main()) == [[2, 1]]


def test_a_drain_ends_a_script() -> None:
    async def main() -> bool:
        async with scripted(1, Sleep(0), forever=True).start() as started:
            await asyncio.sleep(0)
            return await started.drain(1.0)

    assert run(main())


def test_two_sources_share_a_timeline() -> None:
    timeline = Timeline()
    one = scripted(1, timeline=timeline, lane="one")
    two = scripted(2, timeline=timeline, lane="two")
    run(all_of(one, 1))
    run(all_of(two, 1))
    assert timeline.lanes == ["one", "two"]
    assert [timeline.elements(lane) for lane in timeline.lanes] == [1, 1]
