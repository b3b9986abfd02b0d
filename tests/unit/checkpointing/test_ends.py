"""What is never said to be done: runs that were ended from outside, states that nobody saves, inputs that have shrunk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, PipelineError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.flow.kernel import Step
from rxml.flow.kinds import fold
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rxml import Run


async def stop(running: Run[Any]) -> None:
    await running.stop()


async def drain_in_vain(running: Run[Any]) -> None:
    assert not await running.drain(0.1)


async def leave(_: Run[Any]) -> None:
    pass


@pytest.mark.parametrize("end", [stop, drain_in_vain, leave])
def test_a_run_that_was_ended_early_is_not_complete(end: Callable[[Run[Any]], Any]) -> None:
    store, out = MemoryStore(), list[int]()

    async def slowly(x: int) -> int:
        await asyncio.sleep(0.5)
        return x

    flow = rxml.range(6).pipe(ops.map_async(slowly, concurrency=1), ops.do_action(out.append))
    checkpoint = Checkpoint(store, every=None, elements=2)

    async def main() -> None:
        async with flow.start(checkpoint=checkpoint) as running:
            await asyncio.sleep(0.7)
            await end(running)
        assert (out, store.numbers) == ([0], [])
        await flow.run(checkpoint=checkpoint)

    run(main())
    assert out == [0, 0, 1, 2, 3, 4, 5]


class Left(Step[int, int]):
    """Leaves out three elements; its state is None when it has."""

    def __init__(self) -> None:
        self._left: int | None = 3

    @override
    def step(self, item: int, emit: Callable[[int], None]) -> None:
        if self._left is None:
            emit(item)
        else:
            self._left = self._left - 1 or None

    @override
    def snapshot(self) -> int | None:
        return self._left

    @override
    def restore(self, state: int | None) -> None:
        self._left = state


def test_none_is_a_state_like_any_other() -> None:
    store, out = MemoryStore(2), list[int]()
    flow = rxml.range(8).pipe(fold("left", Left), ops.do_action(out.append))
    with pytest.raises(Died):
        run(flow.run(checkpoint=Checkpoint(store, every=None, elements=2)))
    run(flow.run(checkpoint=Checkpoint(store, every=None, elements=2)))
    assert out == [3, 4, 5, 6, 7]


class Forgets(Step[int, int]):
    """Has a state, and says nothing of it."""

    def __init__(self) -> None:
        self._total = 0

    @override
    def step(self, item: int, emit: Callable[[int], None]) -> None:
        self._total += item
        emit(self._total)


class SavesOnly(Forgets):
    @override
    def snapshot(self) -> int:
        return self._total


class Doubles(Forgets):
    stateless = True

    @override
    def step(self, item: int, emit: Callable[[int], None]) -> None:
        emit(2 * item)


@pytest.mark.parametrize("kernel", [Forgets, SavesOnly])
def test_a_kernel_whose_state_nobody_saves_is_refused(kernel: type[Forgets]) -> None:
    store, flow = MemoryStore(), rxml.range(3).pipe(fold("total", kernel))
    message = rf"total, built at .*: give {kernel.__name__} both snapshot and restore"
    with pytest.raises(PipelineError, match=message):
        run(flow.run(checkpoint=store))
    assert (store.kept, store.open) == ({}, 0)


def test_a_kernel_may_say_that_it_has_no_state() -> None:
    store, out = MemoryStore(1), list[int]()
    flow = rxml.range(4).pipe(fold("doubles", Doubles), ops.do_action(out.append))
    with pytest.raises(Died):
        run(flow.run(checkpoint=Checkpoint(store, every=None, elements=2)))
    run(flow.run(checkpoint=Checkpoint(store, every=None, elements=2)))
    assert out == [0, 2, 4, 6]


def test_an_iterator_that_has_shrunk_is_told() -> None:
    store, sizes = MemoryStore(2), iter([6, 1])

    async def numbers() -> AsyncIterator[int]:
        for number in range(next(sizes)):
            yield number

    flow = rxml.from_async_iterable(numbers)
    with pytest.raises(Died):
        run(flow.run(checkpoint=Checkpoint(store, every=None, elements=2)))
    with pytest.raises(CheckpointError, match="has 1 elements, but 4 had been read"):
        run(flow.run(checkpoint=Checkpoint(store, every=None, elements=2)))
