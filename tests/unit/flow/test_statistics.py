"""What a run tells of its stages: each use of a flow counts, and nothing that is made on the way is lost."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

import rxml
from rxml.flow.chunk import END, Chunk
from rxml.flow.graph import openings
from rxml.flow.kinds import source
from rxml.flow.stage import Stage
from rxml.flow.statistics import Meter, RunStatistics, StageStatistics
from rxml.testing.virtual_time import run
from tests.unit.operators.loose import ops

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node


def overflowing(_: object = None) -> Any:
    """Ten elements at once, of which two are held and eight dropped."""

    def register(emitter: rxml.Emitter[int]) -> None:
        for number in range(10):
            emitter.on_next(number)
        emitter.on_completed()

    return rxml.from_callback(register, capacity=2, overflow="drop_oldest")


async def statistics(flow: Any) -> RunStatistics:
    async with rxml.Run[Any](flow) as running:
        while not (await running.subscription.request(9)).end:
            pass
        return running.statistics()


@pytest.mark.parametrize(
    ("flow", "stage"),
    [
        (rxml.defer(overflowing), 0),
        (rxml.defer(lambda: rxml.defer(overflowing)), 0),
        (rxml.using(lambda: None, overflowing), 0),
        (rxml.of(1).pipe(ops.flat_map(overflowing)), 1),
        (rxml.of(1).pipe(ops.concat_map(overflowing)), 1),
        (rxml.of(1).pipe(ops.switch_map(overflowing)), 1),
        (rxml.throw("first").pipe(ops.catch(lambda error, flow: overflowing())), 1),
        (rxml.defer(lambda: overflowing().pipe(ops.share())), 0),
    ],
)
def test_what_a_flow_made_on_the_way_drops_counts_where_it_was_made(flow: Any, stage: int) -> None:
    counted = run(statistics(flow)).stages
    assert [each.dropped for each in counted] == [
        8 if at == stage else 0 for at in range(stage + 1)
    ]


@pytest.mark.parametrize("operator", [ops.flat_map, ops.concat_map, ops.switch_map])
def test_what_fails_and_is_left_out_in_a_flow_made_on_the_way_counts(operator: Any) -> None:
    inner = rxml.of(1, 0, 2, 0).pipe(ops.map(lambda x: 1 / x))
    flow = rxml.of("a").pipe(operator(lambda _: inner), ops.supervise("resume"))
    assert run(statistics(flow)).stages[1].failed == 2


def test_what_is_made_on_the_way_is_counted_even_if_it_runs_elsewhere_in_the_same_run() -> None:
    flow = overflowing()
    both = rxml.concat(flow, rxml.of(1).pipe(ops.flat_map(lambda _: flow)))
    counted = run(statistics(both))
    assert counted.stages[0].dropped == 8
    assert counted.stages[2].dropped == 8


def test_attempts_add_up() -> None:
    flow = overflowing().pipe(ops.repeat(3))
    source_ = run(statistics(flow)).stages[0]
    assert (source_.emitted, source_.dropped) == (6, 24)


class Holding(Stage[int]):
    """Gives one element; holds so many."""

    def __init__(self, env: Env, node: Node, alive: weakref.WeakSet[Holding]) -> None:
        super().__init__(env, node)
        self._left = 1
        self.meter.gauge = lambda: (5, float(self._left))
        alive.add(self)

    @override
    async def pull(self, n: int) -> Chunk[int]:
        self._left -= 1
        return END if self._left < 0 else Chunk([1])


def holding(alive: weakref.WeakSet[Holding]) -> Any:
    return source("holding", lambda env, node: Holding(env, node, alive), capacity=5)


def test_nothing_of_an_attempt_is_kept_but_what_it_has_counted() -> None:
    alive: weakref.WeakSet[Holding] = weakref.WeakSet()

    async def main() -> tuple[int, int, int]:
        async with rxml.Run[Any](holding(alive).pipe(ops.repeat())) as running:
            for _ in range(50):
                await running.subscription.request(1)
            gc.collect()
            stage = running.statistics().stages[0]
            return len(alive), stage.emitted, stage.buffered

    assert run(main()) == (1, 50, 5)


def test_a_flow_that_is_used_twice_holds_twice_as_much() -> None:
    async def main() -> StageStatistics:
        flow = holding(weakref.WeakSet())
        async with rxml.Run[Any](rxml.zip(flow, flow.pipe(ops.map(lambda x: x)))) as running:
            await running.subscription.request(1)
            return running.statistics().stages[0]

    stage = run(main())
    assert (stage.name, stage.buffered, stage.capacity, stage.emitted) == ("holding", 10, 10, 2)
    assert stage.oldest_seconds == 0.0


def test_the_budget_counts_each_use() -> None:
    once = rxml.range(9).pipe(ops.prefetch(10_000, max_bytes=10**9))
    twice = rxml.merge(once, once)
    held = {edge.stage: (edge.elements, edge.bytes) for edge in twice.budget(element_bytes=8).edges}
    assert held["prefetch(10000)"] == (20_000, 160_000)
    assert twice.budget().passing == 2 * once.budget().passing + 1024
    bounded = rxml.range(9).pipe(ops.prefetch(10_000, max_bytes=100))
    assert rxml.merge(bounded, bounded).budget(element_bytes=8).edges[1].bytes == 200
    assert "≤ 20,000" in twice.draw()


@pytest.mark.parametrize(("operator", "kept"), [(ops.share(lag=7), 0), (ops.replay(5, lag=7), 5)])
def test_what_is_shared_lags_for_each_reader_and_is_fed_once(operator: Any, kept: int) -> None:
    shared = rxml.range(9).pipe(ops.prefetch(100), operator)
    flow = rxml.zip(shared, shared.pipe(ops.map(str)), shared)
    held = {edge.stage: edge.elements for edge in flow.budget().edges if edge.elements}
    assert held["prefetch(100)"] == 100
    assert held[shared.spec.name] == 3 * 7 + kept


def test_a_share_behind_a_share_is_one_of_its_readers() -> None:
    first = rxml.range(9).pipe(ops.prefetch(100), ops.share(lag=7))
    second = first.pipe(ops.share(lag=3))
    flow = rxml.zip(second, second, first)
    assert [edge.elements for edge in flow.budget().edges[:4]] == [0, 100, 2 * 7, 2 * 3]


def test_uses_are_counted_quickly_and_without_recursion() -> None:
    diamonds = bottom = rxml.of(1)
    for _ in range(200):
        diamonds = rxml.merge(diamonds, diamonds)
    assert dict(openings(diamonds))[bottom] == 2**200
    chain = bottom
    for _ in range(20_000):
        chain = chain.pipe(ops.prefetch(1))
    assert chain.budget().edges[-1].elements == 1


def test_what_a_stage_counts_its_owners_count_too() -> None:
    first = Meter("first", 0)
    second = Meter("second", 0, first)
    third = Meter("third", 0, second)
    third.dropped += 2
    second.dropped += 3
    third.failed += 1
    third.dropped += 4
    assert [each.dropped for each in (first, second, third)] == [9, 9, 6]
    assert [each.failed for each in (first, second, third)] == [1, 1, 1]
