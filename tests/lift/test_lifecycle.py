"""Errors, subscriptions, cancellation, contexts and signals across operators of reactivex."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

import rxml
from rxml.errors import StreamClosedError
from rxml.flow.chunk import UNBOUNDED, Chunk
from rxml.flow.context import Context
from rxml.flow.kinds import source
from rxml.flow.stage import Stage
from rxml.testing import virtual_time
from tests.lift.untyped import R, Subject, rx, schedulers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node


def external_work() -> Any:
    loop: Any = asyncio.get_running_loop()
    return loop.external_work()


def failing(n: int, error: Exception) -> Flowable[int]:
    def make() -> Iterator[int]:
        yield from range(n)
        raise error

    return rxml.from_iterable(make)


async def outcome(flow: Flowable[Any], n: int = UNBOUNDED) -> tuple[list[Any], Exception | None]:
    taken: list[Any] = []
    async with flow.open() as reader:
        try:
            while not (chunk := await reader.request(n)).end:
                taken += chunk.elements
        except Exception as error:  # noqa: BLE001 - compared
            return taken, error
    return taken, None


@given(st.integers(0, 40), st.integers(1, 50))
def test_an_error_of_the_source_is_the_same_object_after_the_images_of_all_before(
    n: int, demand: int
) -> None:
    boom = ValueError("boom")
    taken, error = virtual_time.run(outcome(failing(n, boom).pipe(R.map(str)), demand))
    assert taken == [str(x) for x in range(n)]
    assert error is boom


@given(st.integers(0, 40), st.integers(1, 50))
def test_an_error_of_a_function_is_the_same_object_and_says_where(n: int, demand: int) -> None:
    boom = ValueError("boom")

    def function(x: int) -> int:
        if x == n:
            raise boom
        return x

    taken, error = virtual_time.run(outcome(rxml.range(50).pipe(R.map(function)), demand))
    assert taken == list(range(n))
    assert error is boom
    assert "in stage reactivex(map), in range(50)" in boom.__notes__[0]
    assert __file__ in boom.__notes__[0]


def test_what_an_operator_raises_instead_of_signalling_fails_the_stream() -> None:
    def build(observable: Any) -> Any:
        def subscribe(observer: Any, scheduler: Any) -> Any:
            def on_next(x: int) -> None:
                if x == 3:
                    raise KeyError(x)
                observer.on_next(x)

            return observable.subscribe(
                on_next, observer.on_error, observer.on_completed, scheduler=scheduler
            )

        return rx.Observable(subscribe)

    taken, error = virtual_time.run(outcome(rxml.range(50).pipe(build)))
    assert (taken, repr(error)) == ([0, 1, 2], "KeyError(3)")


def test_what_a_timer_raises_fails_the_stream() -> None:
    def fail(_: Any, __: Any) -> None:
        raise KeyError("late")

    def build(observable: Any) -> Any:
        def subscribe(observer: Any, scheduler: Any) -> Any:
            return scheduler.schedule_relative(1.0, fail)

        return rx.Observable(subscribe)

    assert repr(virtual_time.run(outcome(rxml.range(50).pipe(build)))[1]) == "KeyError('late')"


class Resource:
    """A source that says when it is opened and closed."""

    def __init__(self, fails: int, closing: float = 1.0) -> None:
        self.left = fails
        self.closing = closing
        self.log: list[str] = []

    async def __aiter__(self) -> AsyncIterator[int]:
        self.log.append("open")
        try:
            yield 1
            await asyncio.sleep(1)
            self.left -= 1
            if self.left >= 0:
                raise ValueError(self.left)
            yield 2
        finally:
            if self.closing:
                await asyncio.sleep(self.closing)
            self.log.append("close")


@pytest.mark.parametrize("operator", [R.retry(5), R.catch(rx.throw(KeyError())), R.repeat(2)])
def test_a_flow_is_closed_before_it_is_opened_again(operator: Any) -> None:
    resource = Resource(2)
    flow = rxml.from_async_iterable(lambda: aiter(resource)).pipe(operator)
    virtual_time.run(outcome(flow))
    assert resource.log == ["open", "close"] * (len(resource.log) // 2)
    assert resource.log


def test_retry_gives_what_each_attempt_gave() -> None:
    resource = Resource(1)
    flow = rxml.from_async_iterable(lambda: aiter(resource)).pipe(R.retry(3))
    assert virtual_time.run(outcome(flow)) == ([1, 1, 2], None)


def test_operators_that_need_no_more_close_the_source_at_once() -> None:
    async def main() -> None:
        resource = Resource(0)
        flow = rxml.from_async_iterable(lambda: aiter(resource)).pipe(R.take(1))
        async with flow.open() as reader:
            assert (await reader.request(5)).elements == [1]
            await virtual_time.advance(1)
            assert resource.log == ["open", "close"]

    virtual_time.run(main())


@given(st.integers(0, 12), st.integers(1, 4))
def test_cancelling_at_any_moment_disposes_everything(tenths: int, demand: int) -> None:
    async def main() -> None:
        resource, disposed = Resource(0, closing=0), list[str]()
        loop = asyncio.get_running_loop()
        flow = rxml.from_async_iterable(lambda: aiter(resource)).pipe(
            R.delay(0.5),
            R.finally_action(lambda: disposed.append("done")),
            R.merge(rx.interval(0.1)),
        )

        async def read() -> None:
            async with flow.open() as reader:
                while not (await reader.request(demand)).end:
                    pass

        task = loop.create_task(read())
        await asyncio.sleep(tenths / 10)
        task.cancel()
        await asyncio.wait([task])
        assert resource.log.count("open") == resource.log.count("close")
        assert disposed == ["done"] * len(disposed)
        assert len(disposed) == 1 or tenths == 0

    virtual_time.run(main())


def test_a_request_that_is_cancelled_loses_nothing() -> None:
    async def main() -> list[Any]:
        taken: list[Any] = []
        async with rxml.range(10).pipe(R.delay(1.0)).open() as reader:
            while True:
                try:
                    chunk = await asyncio.wait_for(reader.request(3), 0.3)
                except TimeoutError:
                    continue
                if chunk.end:
                    return taken
                taken += chunk.elements

    assert virtual_time.run(main()) == list(range(10))


def test_what_disposing_raises_is_told_at_the_end_of_the_run() -> None:
    def fail() -> None:
        raise KeyError("mine")

    async def main() -> None:
        async with (
            rxml.range(10).pipe(R.map(str), R.finally_action(fail), R.take(1)).open() as reader
        ):
            await reader.request(1)

    with pytest.raises(BaseExceptionGroup) as raised:
        virtual_time.run(main())
    assert repr(raised.value.exceptions[0]) == "KeyError('mine')"


@pytest.mark.parametrize(
    "row", [[R.share()], [R.publish(), R.ref_count()], [R.publish()], [R.scan(max)], [R.delay(1.0)]]
)
def test_runs_do_not_know_each_other(row: list[Any]) -> None:
    async def main() -> None:
        flow = rxml.range(5).pipe(*row)
        both = await asyncio.gather(flow.to_list(), flow.to_list())
        assert [*both, await flow.to_list()] == [list(range(5))] * 3

    virtual_time.run(main())


def test_two_subscriptions_to_the_flow_inside_one_operator_are_two_runs_of_it() -> None:
    flow: Any = rxml.range(4).pipe(lambda s: rx.zip(s, s.pipe(R.skip(1))))
    assert virtual_time.run(outcome(flow, 1)) == ([(0, 1), (1, 2), (2, 3)], None)


def test_a_run_leaves_nothing_behind() -> None:
    class Element:
        pass

    async def main() -> list[weakref.ref[Any]]:
        flow = rxml.repeat_value(0).pipe(
            R.map(lambda _: Element()),
            R.delay(1.0),
            R.merge(rx.interval(0.1).pipe(R.ignore_elements())),
            R.take(3),
        )
        elements = await flow.to_list()
        return [weakref.ref(element) for element in elements]

    refs = virtual_time.run(main())
    gc.collect()
    assert [ref() for ref in refs] == [None] * 3


def test_other_threads_may_push_and_fail() -> None:
    async def main() -> None:
        boom = ValueError("boom")
        row: list[Any] = [
            R.observe_on(schedulers.EventLoopScheduler()),
            R.map(lambda x: 1 // (3 - x)),
        ]
        with external_work():
            taken, error = await outcome(rxml.range(10).pipe(*row))
            assert (taken, type(error)) == ([0, 0, 1], ZeroDivisionError)
            taken, error = await outcome(failing(3, boom).pipe(row[0]))
            assert (taken, error) == ([0, 1, 2], boom)
            taken, error = await outcome(
                rxml.range(3).pipe(R.subscribe_on(schedulers.EventLoopScheduler()))
            )
            assert (taken, error) == ([0, 1, 2], None)

    virtual_time.run(main())


def test_a_subject_of_the_users_pushes_when_it_likes() -> None:
    async def main() -> None:
        subject = Subject()
        async with rxml.never().pipe(R.merge(subject)).open() as reader:
            loop = asyncio.get_running_loop()
            loop.call_later(1, subject.on_next, 7)
            assert (await reader.request(5)).elements == [7]
            subject.on_next(8)
            subject.on_next(9)
            assert (await reader.request(5)).elements == [8, 9]
            loop.call_later(1, subject.on_error, KeyError("over"))
            with pytest.raises(KeyError, match="over"):
                await reader.request(5)

    virtual_time.run(main())


def test_futures_inside_are_waited_for_and_cancelled() -> None:
    async def main() -> None:
        cancelled: list[int] = []

        async def work(x: int) -> int:
            try:
                await asyncio.sleep(x)
            except asyncio.CancelledError:
                cancelled.append(x)
                raise
            return x

        def start(x: int) -> Any:
            return rx.from_future(asyncio.get_running_loop().create_task(work(x)))

        flow = rxml.of(3, 1, 2, 9).pipe(R.flat_map(start), R.take(3))
        assert await flow.to_list() == [1, 2, 3]
        await virtual_time.settle()
        assert cancelled == [9]

    virtual_time.run(main())


def test_a_future_that_is_cancelled_fails_the_stream_and_cancels_nobody() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1, future.cancel)
        with pytest.raises(StreamClosedError, match="was cancelled"):
            await rxml.of(1).pipe(R.flat_map(lambda _: rx.from_future(future))).to_list()

    virtual_time.run(main())


class Chunks(Stage[Any]):
    """Gives these chunks."""

    def __init__(self, env: Env, node: Node, chunks: list[Chunk[Any]]) -> None:
        super().__init__(env, node)
        self.chunks = iter(chunks)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        return next(self.chunks, Chunk((), end=True))


def read(chunks: list[Chunk[Any]], *operators: Any) -> list[Chunk[Any]]:
    async def main() -> list[Chunk[Any]]:
        flow: Flowable[Any] = source("chunks", lambda env, node: Chunks(env, node, chunks))
        out: list[Chunk[Any]] = []
        async with flow.pipe(*operators).open() as reader:
            while not (chunk := await reader.request(UNBOUNDED)).end:
                out.append(chunk)
        return out

    return virtual_time.run(main())


def test_results_take_the_context_of_the_element_that_brought_them_about() -> None:
    one, two, three = (Context(fact_id=name) for name in ("one", "two", "three"))
    out = read(
        [Chunk([1, 2, 3], [one, two, three])],
        R.filter(lambda x: x != 2),
        R.flat_map(lambda x: rx.of(x, -x)),
    )
    assert [element for chunk in out for element in chunk.elements] == [1, -1, 3, -3]
    assert [context for chunk in out for context in chunk.contexts or ()] == [
        one,
        one,
        three,
        three,
    ]


def test_results_of_timers_have_a_context_that_says_nothing() -> None:
    out = read([Chunk([1], [Context(fact_id="one")])], R.delay(1.0))
    assert [(chunk.elements, chunk.contexts) for chunk in out] in (
        [([1], None)],
        [([1], [Context()])],
    )


def test_signals_come_behind_what_the_elements_before_them_brought_about() -> None:
    out = read([Chunk([1, 2], watermark=7), Chunk((), barrier=3), Chunk([3])], R.map(str))
    seen = [(list(chunk.elements), chunk.signals()) for chunk in out]
    assert seen == [(["1", "2"], {"watermark": 7, "barrier": 3}), (["3"], {})]


def test_signals_do_not_overtake_what_is_kept() -> None:
    out = read([Chunk([1, 2], watermark=7), Chunk([3], watermark=9)], R.delay(1.0))
    flat = [
        *((e, None) for chunk in out for e in chunk.elements),
        *(s for chunk in out for s in chunk.signals().items()),
    ]
    assert flat == [(1, None), (2, None), (3, None), ("watermark", 9)]
    assert out[-1].watermark == 9
