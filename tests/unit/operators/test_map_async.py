"""map_async: order, bounds, keys, and what travels along."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import supervised
from rxml.flow.supervision import Directive, Supervisor
from rxml.testing import Probe, Watermark, run, scripted
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.work import Work, moments


def test_results_come_in_order_and_at_most_so_many_are_worked_on() -> None:
    work = Work(lambda x: (7 - x) % 5)
    flow = rxml.range(20).pipe(ops.map_async(work, concurrency=4))
    assert run(flow.to_list()) == list(range(20))
    assert work.most == 4


def test_there_is_no_task_for_an_element_but_so_many_workers() -> None:
    work = Work(lambda _: 1)
    run(rxml.range(100).pipe(ops.map_async(work, concurrency=3)).run())
    assert len(work.tasks) == 3


def test_no_more_workers_begin_than_there_is_work() -> None:
    work = Work(lambda _: 1)
    run(rxml.range(2).pipe(ops.map_async(work, concurrency=50)).run())
    assert len(work.tasks) == 2


def test_a_hundred_that_sleep_take_as_long_as_so_many_rounds() -> None:
    async def main() -> float:
        await rxml.range(1000).pipe(ops.map_async(Work(lambda _: 1), concurrency=100)).run()
        return asyncio.get_running_loop().time()

    assert run(main()) == 10


def test_without_order_results_come_as_they_are_done() -> None:
    flow = rxml.of(3, 1, 2).pipe(ops.map_async(Work(float), concurrency=3, ordered=False))
    assert run(moments(flow)) == [(1, 1), (2, 2), (3, 3)]


def test_one_that_is_slow_holds_up_the_others_once_the_room_is_used_up() -> None:
    work = Work(lambda x: 10 if x == 0 else 1)

    async def begun(capacity: int | None) -> list[int]:
        flow = rxml.range(20).pipe(ops.map_async(work, concurrency=2, capacity=capacity))
        async with flow.start():
            await asyncio.sleep(9)
            return sorted(work.begun)

    assert run(begun(None)) == [0, 1]
    work.begun.clear()
    assert run(begun(5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("options", [{}, {"ordered": False}, {"key": abs}, {"capacity": 7}])
def test_a_reader_that_stops_stops_the_source_at_the_bound(options: dict[str, Any]) -> None:
    source = scripted(Chunk([1, 2, 3]), forever=True)

    async def main() -> None:
        flow = source.pipe(ops.map_async(Work(lambda x: x), concurrency=3, **options))
        async with Probe(flow) as probe:
            first = await probe.request(1)
            await asyncio.sleep(1000)
            most = 12 if "key" in options else options.get("capacity", 3)
            assert source.timeline.elements("source") - len(first) == most

    run(main())


def test_nothing_is_taken_before_the_first_request() -> None:
    source = scripted(1, 2)

    async def main() -> None:
        async with Probe(source.pipe(ops.map_async(Work(float), concurrency=3))):
            await asyncio.sleep(10)
            assert source.timeline.elements("source") == 0

    run(main())


@given(
    st.lists(st.integers(0, 5), max_size=12),
    st.integers(1, 4),
    st.integers(0, 3),
    st.sampled_from(["ordered", "unordered", "key"]),
    st.integers(0, 9),
)
def test_it_is_map_whatever_the_durations(
    elements: list[int], concurrency: int, more: int, form: str, seed: int
) -> None:
    numbered = list(enumerate(elements))
    work = Work(lambda pair: pair[1] * 0.5)
    form_options: Any = {"unordered": {"ordered": False}, "key": {"key": kind}}.get(form, {})
    options = {"capacity": concurrency + more, **form_options}
    flow = rxml.from_iterable(numbered).pipe(
        ops.map_async(work, concurrency=concurrency, **options)
    )
    got = run(flow.to_list(), seed=seed)
    assert sorted(got) == numbered
    assert work.most <= concurrency
    if form == "ordered":
        assert got == numbered
    if form == "key":
        for key in range(2):
            assert [pair for pair in got if kind(pair) == key] == [
                p for p in numbered if kind(p) == key
            ]


def kind(pair: tuple[int, int]) -> int:
    return pair[1] % 2


def test_elements_of_one_key_are_worked_on_one_after_the_other_and_keys_side_by_side() -> None:
    at_once: list[dict[str, int]] = []
    running: Counter[str] = Counter()

    async def work(x: str) -> str:
        running[x[0]] += 1
        at_once.append(dict(running))
        await asyncio.sleep(1)
        running[x[0]] -= 1
        return x

    flow = rxml.of("a1", "a2", "b1", "a3", "b2").pipe(
        ops.map_async(work, concurrency=3, key=lambda x: x[0])
    )
    got = run(moments(flow))
    assert [x for _, x in got if x[0] == "a"] == ["a1", "a2", "a3"]
    assert [x for _, x in got if x[0] == "b"] == ["b1", "b2"]
    assert max(count for each in at_once for count in each.values()) == 1
    assert {"a": 1, "b": 1} in at_once
    assert got[-1][0] == 3


def test_a_slow_key_holds_up_others_only_when_its_elements_have_used_up_the_room() -> None:
    def seconds(x: str) -> float:
        return 100 if x[0] == "s" else 1

    elements = ["s1", "s2", "s3", *(f"{key}{n}" for n in range(3) for key in "abc")]
    flow = rxml.from_iterable(elements).pipe(
        ops.map_async(Work(seconds), concurrency=2, key=lambda x: x[0])
    )
    got = run(moments(flow))
    assert [x for at, x in got if at < 100] == [x for x in elements if x[0] != "s"]
    crowded = rxml.from_iterable([f"s{n}" for n in range(8)] + ["a1"]).pipe(
        ops.map_async(Work(seconds), concurrency=2, key=lambda x: x[0])
    )
    assert {x: at for at, x in run(moments(crowded))}["a1"] > 100


def test_a_busy_key_does_not_keep_its_worker() -> None:
    elements = ["a1", "a2", "a3", "b1", "b2"]
    work = Work(lambda _: 1)
    flow = rxml.from_iterable(elements).pipe(
        ops.map_async(work, concurrency=1, key=lambda x: x[0], capacity=5)
    )
    run(flow.run())
    assert work.begun == ["a1", "b1", "a2", "b2", "a3"]


@pytest.mark.parametrize("options", [{}, {"ordered": False}, {"key": lambda x: x % 2}])
def test_contexts_stay_with_their_elements(options: dict[str, Any]) -> None:
    settled: list[tuple[Any, Outcome]] = []

    def context(x: int) -> Context:
        return Context(fact_id=str(x), settle=lambda outcome: settled.append((x, outcome)))

    numbers = list(range(8))
    source = scripted(Chunk(numbers, [context(x) for x in numbers]))
    supervisor = Supervisor(lambda _: Directive.RESUME)
    work = Work(lambda x: (5 * x) % 7, fails=(3,))
    flow: Any = source.pipe(
        ops.map_async(work, concurrency=3, **options), supervised("r", supervisor)
    )

    async def main() -> None:
        seen: list[int] = []
        async with flow.chunks(3) as chunks:
            async for chunk in chunks:
                assert chunk.contexts is not None
                assert [c.fact_id for c in chunk.contexts] == [str(x) for x in chunk.elements]
                seen.extend(chunk.elements)
        assert sorted(seen) == [0, 1, 2, 4, 5, 6, 7]

    run(main())
    assert settled == [(3, Outcome.DEAD_LETTERED)]


def test_a_watermark_waits_for_the_elements_before_it() -> None:
    source = scripted(Chunk([3, 1]), Watermark(10), Chunk([2]))

    async def main() -> list[Any]:
        flow = source.pipe(ops.map_async(Work(float), concurrency=3, ordered=False))
        seen: list[Any] = []
        async with flow.chunks(1) as chunks:
            async for chunk in chunks:
                seen += [*chunk.elements, *([] if chunk.watermark is None else ["mark"])]
        return seen

    assert run(main()) == [1, 2, 3, "mark"]


def test_the_statistics_tell_how_busy_the_workers_were() -> None:
    async def main() -> None:
        flow = rxml.range(10).pipe(ops.map_async(Work(lambda _: 1), concurrency=2))
        async with flow.start() as started:
            await started.wait()
            stage = started.statistics().stages[-1]
            assert stage.busy_seconds == pytest.approx(5)
            assert (stage.emitted, stage.capacity, stage.buffered) == (10, 2, 0)

    run(main())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency=.* wants an int >= 1, got 0"),
        ({"concurrency": 4, "capacity": 3}, "capacity=.* wants an int >= 4, got 3"),
        ({"concurrency": 4, "key": abs, "ordered": False}, "contradicts"),
        ({"concurrency": 1.5}, "wants an int"),
        ({"concurrency": 1, "key": 3}, "wants a function"),
    ],
)
def test_arguments_are_checked_when_it_is_built(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ops.map_async(Work(float), **options)
