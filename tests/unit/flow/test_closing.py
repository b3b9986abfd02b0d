"""Closing: everything is released, however deep the pipeline and whenever it is interrupted."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportPrivateUsage=false, reportArgumentType=false

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.flow.kinds import source
from rxml.flow.lift.mailbox import Mailbox
from rxml.flow.stage import Stage
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.operator import Operator


def piped(source: rxml.Flowable[Any], *operators: Operator[Any, Any]) -> rxml.Flowable[Any]:
    return source.pipe(*operators)


def noted(log: list[str]) -> rxml.Flowable[int]:
    """Two elements, then nothing for ever; notes when it is closed."""
    return rxml.concat(rxml.of(1, 2), rxml.never()).pipe(
        ops.finally_action(lambda: log.append("closed"))
    )


@pytest.mark.parametrize("moment", [0.5, 1.0, 1.05])
def test_a_cancellation_that_comes_while_a_run_is_closed_leaves_nothing(moment: float) -> None:
    log: list[str] = []

    async def slow() -> None:
        await asyncio.sleep(0.1)

    async def user() -> None:
        async with noted(log).pipe(ops.finally_action(slow)).start():
            await asyncio.sleep(1)

    async def main() -> None:
        task = asyncio.create_task(user())
        await asyncio.sleep(moment)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run(main())  # fails if a task is left
    assert log == ["closed"]


@pytest.mark.parametrize("ticks", range(5))
def test_cancelled_twice_in_a_row_it_still_closes(ticks: int) -> None:
    log: list[str] = []

    async def user() -> None:
        async with noted(log).pipe(ops.prefetch(1), ops.merge(rxml.never())).start():
            await asyncio.sleep(9)

    async def main() -> None:
        task = asyncio.create_task(user())
        await asyncio.sleep(1)
        task.cancel()
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    run(main())
    assert log == ["closed"]


async def same(x: int) -> int:
    return x


DEEP: dict[str, Callable[[], Operator[Any, Any]]] = {
    "prefetch": lambda: ops.prefetch(1),
    "map_async": lambda: ops.map_async(same, concurrency=1),
    "merge": lambda: ops.merge(rxml.empty()),
    "concat": lambda: ops.concat(rxml.empty()),
    "flat_map": lambda: ops.flat_map(lambda x: [x]),
    "retry": lambda: ops.retry(2),
    "finally_action": lambda: ops.finally_action(lambda: None),
}


@pytest.mark.parametrize(
    ("name", "ending"),
    # 400 times two attempts of two attempts of ... would not end
    [(n, e) for n in DEEP for e in ("early", "error") if (n, e) != ("retry", "error")],
)
def test_a_deep_pipeline_closes(name: str, ending: str) -> None:
    log: list[str] = []

    def fail(x: int) -> int:
        raise ValueError(x)

    flow = noted(log) if ending == "early" else noted(log).pipe(ops.map(fail))
    deep = piped(flow, *[DEEP[name]() for _ in range(400)])

    async def main() -> None:
        if ending == "early":
            assert await deep.pipe(ops.take(1)).to_list() == [1]
        else:
            with pytest.raises(ValueError, match="1"):
                await deep.to_list()

    run(main())
    assert log == ["closed"]


def cancelling(x: int) -> int:
    if x == 2:
        raise asyncio.CancelledError
    return x


STRAY: dict[str, Callable[[], Operator[Any, Any]]] = {
    "map": lambda: ops.map(lambda x: x),
    "on_overflow": lambda: ops.on_overflow("drop_oldest", capacity=9),
    "map_async": lambda: ops.map_async(same, concurrency=2),
    "delay": lambda: ops.delay(1),
    "buffer": lambda: ops.buffer(2, seconds=1),
    "prefetch": lambda: ops.prefetch(2),
    "merge": lambda: ops.merge(rxml.of(7)),
}


@pytest.mark.parametrize("name", STRAY)
def test_a_cancellation_that_nobody_asked_for_is_an_error(name: str) -> None:
    flow = piped(rxml.range(5), ops.map(cancelling), STRAY[name]())
    with pytest.raises(RuntimeError, match="nobody cancelled the stream") as caught:
        run(flow.to_list())
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


def test_so_it_is_in_an_async_iterable() -> None:
    async def elements() -> Any:
        yield 1
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    with pytest.raises(RuntimeError, match="nobody cancelled the stream"):
        run(rxml.from_async_iterable(elements).to_list())


class Misleading(Stage[int]):
    """Raises what an `async for` would take for the end."""

    @override
    async def pull(self, n: int) -> rxml.Chunk[int]:
        if self.meter.emitted:
            raise StopAsyncIteration("no end")
        return rxml.Chunk([1])


@pytest.mark.parametrize("by", ["source", "throw", "function"])
def test_what_would_be_taken_for_an_end_is_an_error(by: str) -> None:
    def mislead(x: int) -> int:
        raise StopAsyncIteration("no end")

    flow: rxml.Flowable[int] = {
        "source": source("misleading", Misleading),
        "throw": rxml.concat(rxml.of(1), rxml.throw(StopAsyncIteration("no end"))),
        "function": rxml.concat(rxml.of(1), rxml.of(2).pipe(ops.map(mislead))),
    }[by]

    async def main() -> None:
        elements = aiter(flow)
        assert await anext(elements) == 1
        with pytest.raises(RuntimeError, match="StopAsyncIteration") as caught:
            await anext(elements)
        assert isinstance(caught.value.__cause__, StopAsyncIteration)

    run(main())


@pytest.mark.parametrize("error", [StopAsyncIteration(), ValueError("x")])
def test_an_async_iterator_is_closed_to_the_end_before_the_reader_knows(error: Exception) -> None:
    log: list[str] = []

    class Numbers:
        def __aiter__(self) -> Numbers:
            return self

        async def __anext__(self) -> int:
            raise error

        async def aclose(self) -> None:
            await asyncio.sleep(1)
            log.append("closed")

    async def main() -> None:
        async with rxml.from_async_iterable(Numbers).open() as subscription:
            try:
                chunk = await subscription.request(1)
            except ValueError:
                chunk = rxml.END
            assert (chunk.end, log) == (True, ["closed"])

    run(main())


def test_no_wake_up_is_lost_between_threads() -> None:
    """A thread is switched out between its append and its look at the queue, where another one posts."""

    async def main() -> None:
        got: list[str] = []
        box = Mailbox(asyncio.get_running_loop(), 9, lambda: None, lambda: box.take())  # noqa: PLW0108 - bound later

        class Switching(deque[Any]):
            @override
            def append(self, call: Any) -> None:
                super().append(call)
                if len(self) == 1:
                    other = threading.Thread(target=box.post, args=(got.append, "second"))
                    other.start()
                    other.join()

        box._calls = Switching()
        await asyncio.to_thread(box.post, got.append, "first")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert got == ["first", "second"]

    asyncio.run(main())


def test_an_error_thrown_in_many_runs_collects_no_frames() -> None:
    error = KeyError("z")

    def depth() -> int:
        trace, count = error.__traceback__, 0
        while trace is not None:
            trace, count = trace.tb_next, count + 1
        return count

    depths: set[int] = set()
    flow = rxml.throw(error)
    for _ in range(3):
        with pytest.raises(KeyError):
            asyncio.run(flow.to_list())
        depths.add(depth())
    assert len(depths) == 1


def test_a_drain_that_fails_says_so() -> None:
    def fail(x: int) -> int:
        raise ValueError(x)

    async def main() -> None:
        async with rxml.timer(1).pipe(ops.map(fail)).start() as running:
            await asyncio.sleep(2)
            assert not await running.drain(1)

    with pytest.raises(ValueError, match="0"):
        run(main())


def test_an_error_of_the_body_mentions_that_the_run_failed() -> None:
    async def main() -> None:
        async with rxml.throw(KeyError("lost")).start():
            await asyncio.sleep(1)
            raise RuntimeError("body")

    with pytest.raises(RuntimeError, match="body") as caught:
        run(main())
    assert caught.value.__notes__ == ["the run failed, too: KeyError('lost')"]


async def forgets_to_uncancel(x: int) -> int:
    """As a timeout does that cancels the task it runs in and does not clean up."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    if x == 7:
        raise ValueError(x)
    return x


FLATTENING: dict[str, Callable[[], Operator[Any, Any]]] = {
    "map_async": lambda: ops.map_async(forgets_to_uncancel, concurrency=1),
    "map_async, keyed": lambda: ops.map_async(forgets_to_uncancel, concurrency=2, key=lambda x: x),
    "flat_map": lambda: ops.flat_map(forgets_to_uncancel, concurrency=1),
    "concat_map": lambda: ops.concat_map(forgets_to_uncancel),
}


@pytest.mark.parametrize("name", FLATTENING)
def test_a_function_that_cancels_its_own_task_stops_nothing(name: str) -> None:
    assert run(piped(rxml.range(5), FLATTENING[name]()).to_list()) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="7"):
        run(piped(rxml.of(7, 8), FLATTENING[name]()).to_list())
