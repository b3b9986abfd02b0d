"""Demand crosses operators of reactivex: a reader that stalls stops the source within the bound."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from reactivex.scheduler.eventloop import AsyncIOScheduler
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.errors import BufferOverflowError
from rxml.flow.chunk import CHUNK, END, UNBOUNDED, Chunk
from rxml.flow.kinds import source
from rxml.flow.run import Run
from rxml.flow.stage import Stage
from rxml.rx import lift
from rxml.testing import virtual_time
from tests.lift.untyped import R, rx, schedulers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Endless:
    """Counts for ever, and how far it was asked to."""

    def __init__(self) -> None:
        self.made = 0

    def __iter__(self) -> Iterator[int]:
        while True:
            self.made += 1
            yield self.made

    async def every_second(self) -> AsyncIterator[int]:
        for number in self:
            await asyncio.sleep(1)
            yield number


ROWS = {
    "map": [R.map(str)],
    "buffer_with_count": [R.buffer_with_count(10)],
    "delay": [R.delay(1.0)],
    "debounce": [R.debounce(1.0)],
    "buffer_with_time": [R.buffer_with_time(1.0)],
    "window_with_time": [R.window_with_time(1.0), R.flat_map(lambda w: w.pipe(R.count()))],
    "buffer": [R.buffer(rx.interval(1.0))],
    "sample": [R.sample(0.02)],
    "flat_map": [R.flat_map(lambda x: rx.timer(1.0).pipe(R.map(lambda _: x)))],
    "concat_map": [R.concat_map(lambda x: rx.timer(1.0).pipe(R.map(lambda _: x)))],
    "delay_with_mapper": [R.delay_with_mapper(lambda _: rx.timer(1.0))],
    "filter, map, scan": [R.filter(lambda x: x % 2), R.map(str), R.scan(lambda a, _: a)],
}
NOT_COUNTED = {"sample"}
"""Passes over most elements and keeps none: how many go by in a second is not bounded."""


@pytest.mark.parametrize("row", ROWS)
def test_a_stalled_reader_stops_the_source_within_the_bound(row: str) -> None:
    async def main() -> None:
        source = Endless()
        async with rxml.from_iterable(source).pipe(*ROWS[row]).open() as subscription:
            chunk = await subscription.request(1)
            assert len(chunk.elements) == 1
            made = source.made
            assert row in NOT_COUNTED or made <= 2 * CHUNK
            await virtual_time.advance(100)
            assert source.made == made

    virtual_time.run(main())


@pytest.mark.parametrize("row", ROWS)
def test_nothing_is_made_before_anyone_asks(row: str) -> None:
    async def main() -> None:
        source = Endless()
        async with rxml.from_iterable(source).pipe(*ROWS[row]).open():
            await virtual_time.advance(100)
            assert source.made == 0

    virtual_time.run(main())


@pytest.mark.parametrize("row", ROWS)
def test_a_smaller_bound_is_kept(row: str) -> None:
    async def main() -> None:
        source = Endless()
        flow = rxml.from_iterable(source).pipe(lift(*ROWS[row], bound=16))
        async with flow.open() as subscription:
            await subscription.request(1)
            assert row in NOT_COUNTED or source.made <= 2 * 16

    virtual_time.run(main())


def test_operators_without_a_memory_take_exactly_what_is_wanted() -> None:
    async def main() -> None:
        source = Endless()
        async with (
            rxml.from_iterable(source).pipe(R.map(str), R.scan(lambda a, b: b)).open() as reader
        ):
            for n in (1, 5, 2):
                before = source.made
                assert len((await reader.request(n)).elements) == n
                assert source.made - before == n

    virtual_time.run(main())


def test_what_one_element_brings_about_beyond_the_demand_is_held_and_nothing_more_goes_in() -> None:
    async def main() -> None:
        source = Endless()
        flow = rxml.from_iterable(source).pipe(R.flat_map(lambda x: rx.from_iterable([x] * 10)))
        async with flow.open() as reader:
            taken = [(await reader.request(1)).elements[0] for _ in range(25)]
        assert taken == [x for x in (1, 2, 3) for _ in range(10)][:25]
        assert source.made == 3

    virtual_time.run(main())


@pytest.mark.parametrize("bound", [1, 16, 1024])
def test_elements_kept_are_never_more_than_the_bound(bound: int) -> None:
    async def main() -> None:
        kept = most = 0

        def goes_in(_: int) -> None:
            nonlocal kept, most
            kept += 1
            most = max(most, kept)

        def comes_out(_: int) -> None:
            nonlocal kept
            kept -= 1

        row = lift(R.do_action(goes_in), R.delay(1.0), R.do_action(comes_out), bound=bound)
        flow = rxml.from_iterable(Endless()).pipe(row, R.take(3 * bound), R.count())
        assert await flow == 3 * bound
        assert most <= bound

    virtual_time.run(main())


@pytest.mark.parametrize(
    "row",
    [
        [R.reduce(lambda a, b: a + b)],
        [R.filter(lambda x: x < 0)],
        [R.timeout(10.0), R.count()],
        [R.take_until(rx.timer(3600.0)), R.filter(lambda x: x == 4999)],
        [R.take_with_time(3600.0), R.last()],
    ],
)
def test_operators_that_swallow_are_fed_on(row: list[Any]) -> None:
    async def main() -> float:
        await rxml.range(5000).pipe(*row).to_list()
        return asyncio.get_running_loop().time()

    assert virtual_time.run(main()) < 1.0


def test_swallowing_takes_few_turns_however_little_is_wanted() -> None:
    asked: list[int] = []

    class Asked(Stage[int]):
        @override
        async def pull(self, n: int) -> Chunk[int]:
            asked.append(n)
            return Chunk([1] * n) if sum(asked) < 5000 else END

    async def main() -> None:
        flow: Any = source("asked", Asked)
        async with flow.pipe(R.count()).open() as reader:
            await reader.request(1)
        assert len(asked) < 20

    virtual_time.run(main())


def test_a_buffer_by_time_is_full_each_time() -> None:
    async def main() -> None:
        flow = rxml.from_iterable(Endless()).pipe(R.buffer_with_time(1.0), R.map(len), R.take(3))
        assert await flow.to_list() == [CHUNK] * 3

    virtual_time.run(main())


def test_debounce_behind_a_source_that_is_always_ready_comes_to_an_answer() -> None:
    async def main() -> list[int]:
        return await rxml.from_iterable(Endless()).pipe(R.debounce(1.0), R.take(2)).to_list()

    assert virtual_time.run(main()) == [CHUNK, 2 * CHUNK]


def test_timers_are_held_back_while_the_reader_stalls_and_go_on_afterwards() -> None:
    async def main() -> None:
        flow = rxml.of(7).pipe(R.merge(rx.interval(0.1).pipe(R.map(str))))
        async with Run[Any](flow) as run:
            await run.subscription.request(1)
            await virtual_time.advance(1000)
            held = run.statistics()["reactivex(merge)"].buffered
            assert CHUNK <= held <= CHUNK + 1
            taken = 0
            while taken <= 2 * CHUNK:
                taken += len((await run.subscription.request(100)).elements)

    virtual_time.run(main())


@pytest.mark.parametrize(
    "inner", [rx.repeat_value(1), rx.generate(0, lambda _: True, lambda x: x + 1)]
)
def test_an_endless_observable_inside_is_bounded_too(inner: Any) -> None:
    async def main() -> None:
        flow = rxml.of(7).pipe(R.flat_map(lambda _: inner))
        async with Run[Any](flow) as run:
            await run.subscription.request(1)
            await virtual_time.advance(1)
            assert run.statistics()["reactivex(flat_map)"].buffered <= 4 * CHUNK

    virtual_time.run(main())


def test_a_burst_beyond_its_bound_is_an_error_that_says_so() -> None:
    async def main() -> None:
        flow = rxml.of(7).pipe(
            lift(R.flat_map(lambda _: rx.from_iterable(Endless())), bound=4, burst=50)
        )
        async with flow.open() as reader:
            taken = [(await reader.request(1)).elements[0] for _ in range(50)]
            assert taken == list(range(1, 51))
            with pytest.raises(BufferOverflowError, match="more than 50 results"):
                await reader.request(1)

    virtual_time.run(main())


@pytest.mark.parametrize(
    "make", [schedulers.EventLoopScheduler, lambda: schedulers.ThreadPoolScheduler(2)]
)
def test_another_thread_is_not_flooded(make: Any) -> None:
    async def main() -> None:
        source, arrived, most = Endless(), 0, 0

        def arrive(_: int) -> None:
            nonlocal arrived, most
            arrived += 1
            most = max(most, source.made - arrived)

        row = lift(R.observe_on(make()), R.do_action(arrive), R.take(2000), R.count(), bound=100)
        loop: Any = asyncio.get_running_loop()
        with loop.external_work():
            assert await rxml.from_iterable(source).pipe(row) == 2000
        assert most <= 200

    virtual_time.run(main())


def test_a_scheduler_of_the_same_loop_is_counted_as_well() -> None:
    async def main() -> None:
        source = Endless()
        row = R.observe_on(AsyncIOScheduler(asyncio.get_running_loop()))
        async with (
            rxml.from_iterable(source).pipe(row, R.filter(lambda x: x > 10_000)).open() as reader
        ):
            assert (await reader.request(1)).elements == [10_001]
            assert source.made <= 10_001 + CHUNK

    virtual_time.run(main())


@pytest.mark.parametrize("make", [lambda flow: flow, lambda flow: flow.to_rx()])
def test_a_flow_that_an_operator_is_given_keeps_its_demand_too(make: Any) -> None:
    async def main() -> None:
        one, two = Endless(), Endless()
        other = make(rxml.from_iterable(two).pipe(ops.map(str)))
        async with rxml.from_iterable(one).pipe(R.merge(other)).open() as reader:
            taken: list[Any] = []
            while len(taken) < 2000:
                taken += (await reader.request(100)).elements
            await virtual_time.advance(100)
        assert {type(element) for element in taken} == {int, str}
        assert one.made + two.made <= 2000 + 4 * CHUNK

    virtual_time.run(main())


def test_flows_inside_are_closed_with_the_run() -> None:
    async def main() -> None:
        log: list[str] = []

        async def source() -> AsyncIterator[int]:
            log.append("open")
            try:
                while True:
                    await asyncio.sleep(1)
                    yield 1
            finally:
                log.append("close")

        inner = rxml.from_async_iterable(source).to_rx()
        assert await rxml.range(3).pipe(R.flat_map(lambda _: inner), R.take(4), R.count()) == 4
        assert sorted(log) == ["close"] * 3 + ["open"] * 3

    virtual_time.run(main())


def test_the_budget_names_both_bounds() -> None:
    budget = rxml.range(3).pipe(lift(R.map(str), bound=16, burst=100)).budget()
    assert [edge.elements for edge in budget.edges] == [0, 116]


@pytest.mark.parametrize(("bound", "burst"), [(0, 10), (-1, 10), (20, 10)])
def test_bounds_that_make_no_sense_are_refused(bound: int, burst: int) -> None:
    with pytest.raises(ValueError, match=f"bound={bound} and burst={burst}"):
        lift(R.map(str), bound=bound, burst=burst)


def test_a_source_without_end_does_not_starve_the_loop() -> None:
    async def main() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        def takes_a_tenth_of_a_millisecond(_: int) -> None:
            for _ in range(10):
                loop.cpu_time()

        loop: Any = asyncio.get_running_loop()
        task = asyncio.create_task(other())
        flow = rxml.range(5_000).pipe(R.do_action(takes_a_tenth_of_a_millisecond), R.count())
        async with flow.open() as reader:
            await reader.request(UNBOUNDED)
        task.cancel()
        return turns

    assert virtual_time.run(main()) >= 500 / 8
