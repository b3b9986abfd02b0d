"""prefetch: what is taken ahead, how much of it, and what a reader sees of that (nothing)."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.flow.buffers.weigh import weigh
from rxml.flow.chunk import Chunk
from rxml.testing import Kind, Probe, Sleep, Watermark, run, scripted
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.work import impatient, outcome


def test_source_and_reader_work_at_the_same_time() -> None:
    async def main(*operators: Any) -> float:
        slow = scripted(*(step for x in range(10) for step in (Sleep(1), x)))
        async for _ in slow.pipe(*operators):
            await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    assert run(main()) == 20
    assert run(main(ops.prefetch(1))) == 11


@pytest.mark.parametrize("capacity", [1, 2, 3, 7, 64, 5000])
def test_a_reader_that_stops_stops_the_source_at_the_bound(capacity: int) -> None:
    source = scripted(Chunk(list(range(100))), forever=True)

    async def main() -> None:
        async with Probe(source.pipe(ops.prefetch(capacity))) as probe:
            taken = len(await probe.request(3))
            await asyncio.sleep(10)
            held = source.timeline.elements("source") - taken
            assert capacity * 3 / 4 < held <= capacity
            assert probe.statistics().stages[-1].buffered == held

    run(main())


@given(
    st.lists(st.lists(st.integers(), min_size=1, max_size=5), max_size=8),
    st.integers(1, 6),
    st.lists(st.integers(0, 1), max_size=30),
    st.integers(0, 9),
)
def test_it_never_holds_or_asks_for_more_than_the_bound(
    chunks: list[list[int]], capacity: int, waits: list[int], seed: int
) -> None:
    source = scripted(*(step for chunk in chunks for step in (Chunk(chunk), Sleep(0))))
    given_, asked, got = 0, 0, [0]

    def watch(event: Any) -> None:
        nonlocal given_, asked
        if event.kind is Kind.REQUEST and event.lane == "source":
            asked = min(event.value, 10**6)
        if event.kind is Kind.CHUNK and event.lane == "source":
            given_, asked = given_ + len(event.value), 0
            assert given_ - got[0] <= capacity + 2  # the reader's own demand is 2

    source.timeline.watch = watch
    counted = source.pipe(
        ops.prefetch(capacity), ops.do_action(lambda _: got.__setitem__(0, got[0] + 1))
    )
    assert run(impatient(counted, waits), seed=seed) == [x for chunk in chunks for x in chunk]


def test_it_is_refilled_when_a_quarter_is_free() -> None:
    source = scripted(Chunk(list(range(100))), forever=True)

    async def main() -> list[int]:
        async with Probe(source.pipe(ops.prefetch(40))) as probe:
            for _ in range(35):
                await probe.request(1)
                await asyncio.sleep(1)
        return [event.value for event in source.timeline.of("source", Kind.REQUEST)]

    asked = run(main())
    assert asked[:2] == [1, 40]
    assert set(asked[2:]) == {10}


def test_a_reader_alone_asks_the_source_itself() -> None:
    async def main() -> int:
        before = asyncio.all_tasks()
        async with rxml.range(1000).pipe(ops.prefetch(4)).open() as subscription:
            got = [len(await subscription.request(1)) for _ in range(500)]
            assert len(asyncio.all_tasks() - before) <= 1
        return sum(got)

    assert run(main()) == 500


@given(st.integers(1, 5), st.lists(st.integers(0, 1), max_size=40), st.integers(0, 9))
def test_a_request_that_is_given_up_loses_nothing(
    capacity: int, waits: list[int], seed: int
) -> None:
    source = scripted(*(step for i in range(8) for step in (Chunk([i, -i]), Sleep(i % 2))))
    got = run(impatient(source.pipe(ops.prefetch(capacity)), waits), seed=seed)
    assert got == [x for i in range(8) for x in (i, -i)]


@given(st.integers(0, 30), st.integers(0, 9))
def test_it_can_be_cancelled_at_every_turn(turns: int, seed: int) -> None:
    source = scripted(Chunk([1, 2]), Sleep(0), 3, Sleep(0), Chunk([4, 5]), forever=True)

    async def main() -> None:
        task = asyncio.ensure_future(source.pipe(ops.prefetch(3)).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    run(main(), seed=seed)
    count = source.timeline.count
    assert count("source", Kind.OPENED) == count("source", Kind.RELEASED)


@pytest.mark.parametrize("capacity", [1, 3, 9])
def test_an_error_comes_after_what_was_taken_ahead(capacity: int) -> None:
    error = ValueError("x")
    source = rxml.concat(rxml.of(1, 2, 3, 4, 5), rxml.throw(error))
    got, raised = outcome(source.pipe(ops.prefetch(capacity)))
    assert (got, raised) == ([1, 2, 3, 4, 5], error)


def test_contexts_and_signals_keep_their_places() -> None:
    source = scripted(Chunk([1, 2]), Watermark(1), 3, Watermark(2), contexts=True)

    async def main() -> list[Any]:
        seen: list[Any] = []
        async with source.pipe(ops.prefetch(10)).open() as subscription:
            first = await subscription.request(1)
            seen.append((list(first.elements), [c.fact_id for c in first.contexts or ()]))
            await asyncio.sleep(1)
            while not (chunk := await subscription.request(9)).end:
                seen.append(
                    (
                        list(chunk.elements),
                        [c.fact_id for c in chunk.contexts or ()],
                        chunk.watermark,
                    )
                )
        return seen

    assert run(main()) == [([1], ["0"]), ([2], ["1"], 1), ([3], ["2"], 2)]


def test_small_chunks_that_wait_come_out_as_one() -> None:
    source = scripted(*(step for x in range(10) for step in (Sleep(1), x)))

    async def main() -> list[int]:
        async with source.pipe(ops.prefetch(100)).open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(20)
            return list((await subscription.request(100)).elements)

    assert run(main()) == list(range(1, 10))


# --- bytes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 100, 1000, 10_000])
def test_bytes_are_bounded(size: int) -> None:
    item = b"x" * size
    source = scripted(Chunk([item] * 100), forever=True)
    bound = 20_000

    async def main() -> None:
        async with Probe(source.pipe(ops.prefetch(500, max_bytes=bound))) as probe:
            for _ in range(50):
                taken = len(await probe.request(7))
                assert taken
                await asyncio.sleep(1)
            held = probe.statistics().stages[-1].buffered
            assert held * weigh([item]) <= bound
            assert held >= min(500, bound // weigh([item])) // 2

    run(main())


def test_an_element_that_is_larger_than_the_bound_passes_alone() -> None:
    items = [b"x" * n for n in (10, 5000, 20, 6000, 30)]

    async def main() -> None:
        flow = rxml.from_iterable(items).pipe(ops.prefetch(9, max_bytes=1000))
        async with Probe(flow) as probe:
            await asyncio.sleep(1)
            for item in items:
                await probe.expect(item)
                await asyncio.sleep(1)
                assert probe.statistics().stages[-1].buffered <= 2
            await probe.expect_end()

    run(main())


@pytest.mark.parametrize(
    ("arguments", "options"), [((0,), {}), ((-1,), {}), ((1,), {"max_bytes": 0}), ((1.5,), {})]
)
def test_bounds_are_at_least_one(arguments: Any, options: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"prefetch.* wants an int >= 1"):
        ops.prefetch(*arguments, **options)


def test_the_bounds_are_in_the_budget() -> None:
    budget = rxml.of(1).pipe(ops.prefetch(7, max_bytes=100)).budget()
    (edge,) = [edge for edge in budget.edges if edge.elements]
    assert (edge.stage, edge.elements, edge.bytes) == ("prefetch(7)", 7, 100)
