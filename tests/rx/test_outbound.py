"""to_rx and subscribe: the elements of a flow, pushed."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import reactivex
from reactivex.abc import ObserverBase
from typing_extensions import override

import rxml
from rxml.flow.sources.create import from_async_iterable
from rxml.rx import to_rx
from rxml.testing import virtual_time
from tests.lift.untyped import R, rx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Log(ObserverBase[Any]):
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.signals: list[Any] = []

    @override
    def on_next(self, value: Any) -> None:
        self.signals.append(value)

    @override
    def on_error(self, error: Exception) -> None:
        self.signals.append(error)

    @override
    def on_completed(self) -> None:
        self.signals.append("end")


class Handler:
    """What goes to the loop's exception handler."""

    def __init__(self) -> None:
        self.contexts: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.contexts.append(context)
        )


def test_it_is_an_observable_with_all_that_reactivex_has() -> None:
    async def main() -> None:
        observable: Any = rxml.range(5).to_rx()
        assert isinstance(observable, reactivex.Observable)
        assert await observable.pipe(R.map(str), R.to_list()) == ["0", "1", "2", "3", "4"]
        assert await observable.filter(lambda x: x % 2).to_list() == [1, 3]
        assert await to_rx(rxml.range(5)) == 4
        merged = await rx.merge(observable, rx.of(9)).pipe(R.to_list())
        assert sorted(merged) == [0, 1, 2, 3, 4, 9]

    virtual_time.run(main())


def test_a_flow_stands_where_reactivex_wants_an_observable() -> None:
    async def main() -> None:
        flow: Any = rxml.range(3)
        assert await rx.concat(flow, rx.of(9)).pipe(R.to_list()) == [0, 1, 2, 9]
        assert await rx.of(1, 2).pipe(R.flat_map(lambda _: flow.to_rx()), R.count()) == 6

    virtual_time.run(main())


def test_each_subscription_is_a_run() -> None:
    async def main() -> None:
        runs: list[int] = []

        def source() -> Any:
            runs.append(1)
            return iter(range(3))

        observable: Any = rxml.from_iterable(source).to_rx()
        assert runs == []
        assert await observable.pipe(R.to_list()) == await observable.pipe(R.to_list()) == [0, 1, 2]
        assert len(runs) == 2

    virtual_time.run(main())


def test_an_observer_gets_elements_and_the_end() -> None:
    async def main() -> None:
        log = Log()
        rxml.of(1, None, 3).subscribe(log)
        await virtual_time.settle()
        assert log.signals == [1, None, 3, "end"]

    virtual_time.run(main())


def test_an_observer_gets_elements_and_the_error_when_all_is_closed() -> None:
    async def main() -> None:
        boom, closed = ValueError("boom"), list[int]()

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                raise boom
            finally:
                await asyncio.sleep(5)
                closed.append(1)

        log = Log()

        def failed(error: Exception) -> None:
            log.signals.append((error, len(closed)))

        from_async_iterable(source).subscribe(log.on_next, failed)
        await asyncio.sleep(10)
        assert log.signals == [1, (boom, 1)]

    virtual_time.run(main())


def test_what_an_observer_raises_ends_the_run_and_is_never_told_to_the_observer() -> None:
    async def main() -> None:
        handler, log, closed = Handler(), Log(), list[int]()

        def source() -> Any:
            try:
                yield from range(100)
            finally:
                closed.append(1)

        def fail(value: int) -> None:
            log.on_next(value)
            if value == 2:
                raise KeyError("mine")

        rxml.from_iterable(source).subscribe(fail, log.on_error, log.on_completed)
        await virtual_time.settle()
        assert (log.signals, closed) == ([0, 1, 2], [1])
        (context,) = handler.contexts
        assert repr(context["exception"]) == "KeyError('mine')"
        assert "an observer of from_iterable has raised" in context["message"]

    virtual_time.run(main())


@pytest.mark.parametrize("handles", [True, False])
def test_what_is_raised_about_the_end_goes_to_the_loop(handles: bool) -> None:
    async def main() -> None:
        handler = Handler()

        def fail(*_: Any) -> None:
            raise KeyError("mine")

        if handles:
            rxml.range(3).subscribe(None, None, fail)
        else:
            rxml.throw(KeyError("mine")).subscribe(lambda _: None)
        await virtual_time.settle()
        assert [repr(context["exception"]) for context in handler.contexts] == ["KeyError('mine')"]

    virtual_time.run(main())


def test_an_observer_may_dispose_while_it_is_called() -> None:
    async def main() -> None:
        log, closed = Log(), list[int]()

        def source() -> Any:
            try:
                yield from range(100)
            finally:
                closed.append(1)

        def take(value: int) -> None:
            log.on_next(value)
            if value == 2:
                subscription.dispose()

        subscription = rxml.from_iterable(source).subscribe(take, log.on_error, log.on_completed)
        await virtual_time.settle()
        assert (log.signals, closed) == ([0, 1, 2], [1])

    virtual_time.run(main())


def test_disposing_cancels_from_any_thread_and_more_than_once() -> None:
    async def main() -> None:
        log = Log()
        near, far = (rxml.never().subscribe(log) for _ in range(2))
        await virtual_time.settle()
        near.dispose()
        near.dispose()
        thread = threading.Thread(target=far.dispose)
        thread.start()
        await asyncio.get_running_loop().run_in_executor(None, thread.join)
        await virtual_time.settle()
        assert len(asyncio.all_tasks()) == 1
        assert log.signals == []

    virtual_time.run(main())


def test_disposing_before_the_first_step_runs_nothing() -> None:
    async def main() -> None:
        def source() -> Any:
            raise AssertionError("ran")

        rxml.from_iterable(source).subscribe(lambda _: None).dispose()
        await virtual_time.settle()

    virtual_time.run(main())


def test_nothing_holds_an_observer_that_was_disposed() -> None:
    async def main() -> weakref.ref[Any]:
        log = Log()
        subscription = rxml.never().subscribe(log)
        await virtual_time.settle()
        subscription.dispose()
        await virtual_time.settle()
        return weakref.ref(log)

    ref = virtual_time.run(main())
    gc.collect()
    assert ref() is None


def test_without_a_loop_there_is_no_run() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        rxml.range(3).subscribe(lambda _: None)


def test_what_finalizers_raise_is_told_to_the_observer() -> None:
    async def main() -> None:
        async def source() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                raise KeyError("close")

        log = Log()
        from_async_iterable(source).subscribe(log)
        await virtual_time.settle()
        assert log.signals[0] == 1
        assert isinstance(log.signals[1], KeyError | ExceptionGroup)

    virtual_time.run(main())
