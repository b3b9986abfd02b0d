"""retrain: a flow that asks for trainings, in runs that are saved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning.facade import LearningConfig, ModelLearning
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.facade_scripted import Scripted, made

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONFIG = LearningConfig("shop:train", timeout=10.0)
DAY = 86_400.0


async def late() -> AsyncIterator[int]:
    await asyncio.sleep(DAY)
    yield 1


async def failing() -> AsyncIterator[int]:
    yield 1
    raise RuntimeError("gone")


ASKING: list[Any] = [
    rxml.from_async_iterable(late),
    rxml.from_async_iterable(failing),
    rxml.from_iterable([1, 2, 3]),
]


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("deaths", [(), (2, 4)])
def test_a_flow_that_asks_is_saved_with_the_elements(asking: Any, deaths: tuple[int, ...]) -> None:
    out: list[int] = []

    async def main() -> tuple[list[int], float]:
        store = MemoryStore(*deaths)
        async with ModelLearning(launch=Scripted([made()] * 9)) as learning:
            retrained = ops.retrain(learning, CONFIG, when=asking)
            flow = rxml.from_iterable(range(6)).pipe(retrained, ops.do_action(out.append))
            while True:
                try:
                    await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
                except Died:
                    continue
                return store.numbers, asyncio.get_running_loop().time()

    numbers, seconds = run(main())
    assert numbers[:6] == [1, 2, 3, 4, 5, 6]
    assert sorted(set(out)) == list(range(6))
    assert seconds < DAY
