"""What is kept of keys whose time has run out, and of elements at hand when a stream is cancelled: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

import rxml
from rxml import operators as ops
from rxml.batch import Batch, Field, Schema
from rxml.flow.kinds import source
from rxml.learning.facade import LearningConfig, ModelLearning
from rxml.testing.virtual_time import run
from tests.unit.flow.test_supervised_rows import Told
from tests.unit.learning.facade_scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.operator import Operator


class Counted:
    """A model that can be counted."""

    alive: WeakSet[Counted]

    def __init__(self, alive: WeakSet[Counted]) -> None:
        self.inputs: Schema = Schema([Field("x", np.float64)])
        self.alive = alive
        alive.add(self)

    def predict(self, batch: Batch) -> Batch:
        return Batch({"value": np.zeros(len(batch))})

    def learn(self, batch: Batch, labels: Sequence[Any]) -> None:
        """Nothing is learned."""

    def copied(self) -> Counted:
        return Counted(self.alive)

    def snapshot(self) -> Any:
        return None

    def restore(self, state: Any) -> None:
        """Nothing was kept."""


def test_models_of_keys_whose_time_has_run_out_are_let_go() -> None:
    alive: WeakSet[Counted] = WeakSet()
    found: list[int] = []

    def count(_: Any) -> None:
        found.append(len(alive))

    rows = [{"id": at, "x": 0.0, "k": at, "at": 0} for at in range(20)]
    rows += [{"id": 20 + at, "x": 0.0, "k": 99, "at": 1000 + at} for at in range(3)]
    clock: Operator[Any, Any] = ops.with_event_time("at", unit="ns")
    keyed: Operator[Any, Any] = ops.key_by("k", ttl=100e-9)
    learned: Any = ops.learn(Counted(alive))
    flow = rxml.from_iterable(rows).pipe(clock, keyed, learned, ops.do_action(count))

    async def main() -> None:
        async with flow.open() as subscription:
            while not (await subscription.request(1)).end:
                pass

    run(main())
    assert max(found) > 20
    assert found[-1] == 2


def test_an_element_that_is_to_be_judged_when_a_stream_is_cancelled_is_dropped() -> None:
    log: dict[str, str] = {}
    config = LearningConfig("shop:train", timeout=100.0)

    def inverse(x: int) -> float:
        return 1 / (1 - x)

    async def main() -> list[Any]:
        async with ModelLearning(launch=Scripted([])) as learning:
            told: Any = source("told", lambda env, node: Told(env, node, [[0, 1, 2]], log))
            flow = told.pipe(ops.retrain(learning, config, when=inverse))
            async with flow.open() as subscription:
                return list((await subscription.request(100)).elements)

    assert run(main()) == [0]
    assert log == {"1": "dropped", "2": "dropped"}
