"""Runs with checkpoints: where they go on, what they refuse, and what they never say was done."""

from __future__ import annotations

import asyncio
import itertools
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, CheckpointVersionError, PipelineError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.flow.kernel import Step
from rxml.flow.kinds import fold
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rxml import Flowable


def add(a: int, b: int) -> int:
    return a + b


def each(store: MemoryStore, elements: int) -> Checkpoint:
    return Checkpoint(store, every=None, elements=elements)


async def until_over(flow: Callable[[], Flowable[Any]], checkpoint: Checkpoint) -> None:
    while True:
        try:
            return await flow().run(checkpoint=checkpoint)
        except Died:
            continue


def test_a_run_goes_on_behind_the_last_checkpoint(caplog: pytest.LogCaptureFixture) -> None:
    store, seen = MemoryStore(), list[int]()

    def take(total: int) -> None:
        if total == 28 and seen.count(21) == 1:
            raise RuntimeError
        seen.append(total)

    flow = rxml.range(10).pipe(ops.scan(add), ops.do_action(take))
    with pytest.raises(RuntimeError):
        run(flow.run(checkpoint=each(store, 3)))
    assert seen == [0, 1, 3, 6, 10, 15, 21]
    with caplog.at_level(logging.INFO, "rxml.checkpointing"):
        run(flow.run(checkpoint=each(store, 3)))
    assert seen[7:] == [21, 28, 36, 45]  # 21 came behind the last barrier: again
    assert store.numbers == [1, 2, 3, 4]
    assert caplog.messages == ["pipeline 'main' goes on from checkpoint 2"]
    assert store.open == 0


def test_a_run_that_came_to_its_end_has_nothing_left_to_do() -> None:
    store, opened = MemoryStore(), list[int]()

    def numbers() -> list[int]:
        opened.append(1)
        return [1, 2, 3]

    flow = rxml.from_iterable(numbers)
    run(flow.run(checkpoint=store))
    run(flow.run(checkpoint=store))
    assert (opened, store.numbers) == ([1], [1])


@pytest.mark.parametrize("fuse", [True, False])
def test_fusing_is_none_of_a_checkpoints_business(fuse: bool) -> None:
    store, out = MemoryStore(1, 2), list[int]()
    flow = rxml.range(9).pipe(ops.scan(add), ops.skip(1), ops.do_action(out.append))

    async def main() -> None:
        for fused in (fuse, not fuse, fuse):
            try:
                async with flow.start(fuse=fused, checkpoint=each(store, 3)) as running:
                    await running.wait()
            except Died:
                pass

    run(main())
    assert out == [1, 3, 6, 10, 15, 21, 28, 36]


def test_a_source_that_waits_gives_barriers_all_the_same() -> None:
    store = MemoryStore(3)
    flow = rxml.merge(rxml.range(5), rxml.never())

    async def main() -> float:
        with pytest.raises(Died):
            await flow.run(checkpoint=Checkpoint(store, every=2.0))
        return asyncio.get_running_loop().time()

    assert run(main()) == 6.0
    assert store.numbers == [1, 2, 3]


@pytest.mark.parametrize("death", range(1, 7))
def test_a_branch_that_had_ended_stays_so(death: int) -> None:
    """Neither is its input read again, nor does what it gave at its end come twice."""
    store, out = MemoryStore(death), list[int]()

    async def slowly() -> AsyncIterator[int]:
        for number in range(100, 105):
            await asyncio.sleep(1)
            yield number

    def flow() -> Flowable[Any]:
        return rxml.merge(
            rxml.range(4).pipe(ops.take(3), ops.sum()),
            rxml.empty().pipe(ops.default_if_empty(7)),
            rxml.from_async_iterable(slowly),
        ).pipe(ops.do_action(out.append))

    run(until_over(flow, Checkpoint(store, every=0.9)))
    assert sorted(out) == [3, 7, 100, 101, 102, 103, 104]


@pytest.mark.parametrize("death", range(1, 6))
def test_one_flow_after_the_other(death: int) -> None:
    store, out = MemoryStore(death), list[int]()

    def flow() -> Flowable[int]:
        both = rxml.concat(rxml.range(4).pipe(ops.scan(add)), rxml.from_iterable([7, 8, 9]))
        return both.pipe(ops.prefetch(2), ops.do_action(out.append))

    run(until_over(flow, each(store, 2)))
    assert out == [0, 1, 3, 6, 7, 8, 9]


@pytest.mark.parametrize("death", range(1, 5))
def test_inner_streams_end_before_a_barrier_passes(death: int) -> None:
    store, out = MemoryStore(death), list[int]()

    async def later(x: int) -> int:
        await asyncio.sleep(10 - x)
        return x

    def flow() -> Flowable[int]:
        return rxml.range(8).pipe(
            ops.flat_map(lambda x: rxml.of(x).pipe(ops.delay(3)), concurrency=4),
            ops.map_async(later, concurrency=3, ordered=False),
            ops.do_action(out.append),
        )

    run(until_over(flow, each(store, 2)))
    assert sorted(out) == list(range(8))


@example(sizes=[5, 1], every=1, deaths={1}, seed=0)
@example(sizes=[2, 3], every=1, deaths={1}, seed=0)
@example(sizes=[2, 4, 1], every=1, deaths={2, 3}, seed=0)
@example(sizes=[4, 10, 4], every=2, deaths={2, 3}, seed=0)
@given(
    sizes=st.lists(st.integers(0, 20), min_size=2, max_size=3),
    every=st.integers(1, 5),
    deaths=st.sets(st.integers(1, 8), max_size=3),
    seed=st.integers(0, 999),
)
def test_zip_pairs_the_same_whoever_is_ahead(
    sizes: list[int], every: int, deaths: set[int], seed: int
) -> None:
    """An input that comes to its barrier early goes on, and one that has ended gives nothing again."""

    async def at_a_pace(size: int, seconds: float) -> AsyncIterator[int]:
        for number in range(size):
            if number % 3 == 0:
                await asyncio.sleep(seconds)
            yield number

    def flow() -> Flowable[Any]:
        paced = [
            rxml.from_async_iterable(partial(at_a_pace, size, 0.1 * place)).pipe(ops.prefetch(4))
            for place, size in enumerate(sizes)
        ]
        return rxml.zip(*paced).pipe(ops.do_action(out.append))

    out = list[tuple[int, ...]]()
    run(until_over(flow, each(MemoryStore(*deaths), every)), seed=seed)
    assert out == [(number,) * len(sizes) for number in range(min(sizes))]


def test_draining_saves_what_stages_hold_instead_of_giving_it_out() -> None:
    store, out = MemoryStore(), list[list[int]]()

    async def endless() -> AsyncIterator[int]:
        for number in itertools.count():
            await asyncio.sleep(1)
            yield number

    flow = rxml.from_async_iterable(endless).pipe(ops.buffer(3), ops.do_action(out.append))

    async def main(seconds: float) -> None:
        async with flow.start(checkpoint=Checkpoint(store, every=None)) as running:
            await asyncio.sleep(seconds)
            assert await running.drain(5)

    run(main(5.5))
    assert (out, store.numbers) == ([[0, 1, 2]], [1])
    run(main(7.5))  # five were read before, these are read again and left out, two come
    assert (out, store.numbers) == ([[0, 1, 2], [3, 4, 5]], [1, 2])


def test_an_element_that_failed_is_not_said_to_be_done() -> None:
    """Its barrier may stand in the same chunk."""
    store, out = MemoryStore(), list[int]()

    def take(x: int) -> None:
        if x == 4 and len(out) == 4:
            raise RuntimeError
        out.append(x)

    flow = rxml.range(7).pipe(ops.prefetch(64), ops.do_action(take))
    with pytest.raises(RuntimeError):
        run(flow.run(checkpoint=each(store, 6)))
    assert store.numbers == []
    run(flow.run(checkpoint=each(store, 6)))
    assert out == [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6]


class Counter(Step[Any, int]):
    def __init__(self, version: int) -> None:
        self.version: int = version
        self._count: Any = 0

    @override
    def step(self, item: Any, emit: Callable[[int], None]) -> None:
        self._count += 1
        emit(self._count)

    @override
    def snapshot(self) -> Any:
        return self._count

    @override
    def restore(self, state: Any) -> None:
        self._count = state


def test_a_state_of_another_version_is_refused() -> None:
    store = MemoryStore(1)

    def flow(version: int) -> Flowable[Any]:
        return rxml.range(5).pipe(fold("counter", lambda: Counter(version)))

    with pytest.raises(Died):
        run(flow(1).run(checkpoint=each(store, 2)))
    kept = dict(store.kept)
    with pytest.raises(CheckpointVersionError, match=r"counter.* version 1 .* version 2"):
        run(flow(2).run(checkpoint=each(store, 2)))
    assert (store.kept, store.open) == (kept, 0)
    run(flow(1).run(checkpoint=each(store, 2)))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            lambda: rxml.range(5).pipe(ops.scan(add)),
            r"stage 1 is filter\(bool\), here it is scan\(add\)",
        ),
        (lambda: rxml.range(5), r"stage 1 is filter\(bool\), here it is missing"),
        (
            lambda: rxml.range(5).pipe(ops.filter(bool), ops.count()),
            r"stage 2 is missing, here it is count",
        ),
    ],
)
def test_a_checkpoint_of_another_pipeline_is_refused(
    other: Callable[[], Flowable[Any]], message: str
) -> None:
    store = MemoryStore(1)
    with pytest.raises(Died):
        run(rxml.range(5).pipe(ops.filter(bool)).run(checkpoint=each(store, 2)))
    kept = dict(store.kept)
    with pytest.raises(CheckpointError, match=message):
        run(other().run(checkpoint=each(store, 2)))
    assert store.kept == kept
    run(other().run(checkpoint=Checkpoint(store, name="another")))


def test_a_state_that_is_no_plain_value_is_refused_by_name() -> None:
    flow = rxml.range(5).pipe(ops.map(lambda _: object()), ops.take_last(2))
    with pytest.raises(CheckpointError, match=r"take_last\(2\): its state cannot be stored"):
        run(flow.run(checkpoint=each(MemoryStore(), 2)))


@pytest.mark.parametrize("batches", [False, True])
def test_an_input_that_has_shrunk_is_told(batches: bool) -> None:
    store, numbers = MemoryStore(2), list(range(6))
    flow = rxml.from_batches([numbers]) if batches else rxml.from_iterable(numbers)
    with pytest.raises(Died):
        run(flow.run(checkpoint=each(store, 2)))
    del numbers[1:]
    with pytest.raises(CheckpointError, match="has 1 elements, but 4 had been read"):
        run(flow.run(checkpoint=each(store, 2)))


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (rxml.interval(1), r"interval\(1\), built at .*test_runs.py:\d+, has no position"),
        (rxml.range(3).pipe(ops.debounce(1)), r"debounce\(1\), built at .* cannot be saved"),
        (rxml.range(3).pipe(ops.share()), "share.* cannot be saved"),
    ],
)
def test_what_cannot_be_saved_is_refused_at_the_beginning(
    flow: Flowable[Any], message: str
) -> None:
    store = MemoryStore()
    with pytest.raises(PipelineError, match=message):
        run(flow.run(checkpoint=store))
    assert store.kept == {}


def test_a_stage_that_stands_in_two_places_is_refused() -> None:
    flow = rxml.range(3)
    with pytest.raises(PipelineError, match=r"range\(3\).* 2 times"):
        run(rxml.merge(flow, flow).run(checkpoint=MemoryStore()))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"every": 0}, ValueError, "every.* > 0, got 0"),
        ({"every": -1.5}, ValueError, ">= 0, got -1.5"),
        ({"elements": 0}, ValueError, "elements.* >= 1, got 0"),
        ({"elements": True}, ValueError, "elements.* got True"),
        ({"name": ""}, PipelineError, "name"),
    ],
)
def test_a_checkpoint_says_what_is_wrong(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Checkpoint(MemoryStore(), **arguments)


def test_a_store_that_is_none_is_told() -> None:
    bad: Any = "facts.db"
    with pytest.raises(PipelineError, match=r"wants a store, .* got 'facts.db'"):
        run(rxml.range(3).run(checkpoint=bad))


def test_without_a_sink_that_joins_results_may_come_again() -> None:
    flow = rxml.range(3)
    checkpoint = Checkpoint(MemoryStore())

    async def main() -> None:
        async with flow.start(checkpoint=checkpoint) as running:
            assert running.guarantee == checkpoint.guarantee(flow) == "at_least_once"
            await running.wait()
        async with flow.start() as running:
            assert running.guarantee is None
            await running.wait()

    run(main())


def test_names_do_not_depend_on_where_objects_lie() -> None:
    class Function:
        def __call__(self, x: int) -> int:
            return x

    store = MemoryStore(1)
    with pytest.raises(Died):
        run(rxml.range(5).pipe(ops.map(Function())).run(checkpoint=each(store, 2)))
    run(rxml.range(5).pipe(ops.map(Function())).run(checkpoint=each(store, 2)))
    assert store.numbers == [1, 2, 3]
