"""using: released exactly once, last acquired first, and told the truth."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex.disposable import Disposable

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.flow.scope import Scope
from rxml.testing.probe import Probe
from rxml.testing.script import Fail, Sleep, scripted
from rxml.testing.strategies import faults
from rxml.testing.virtual_time import run
from tests.unit.operators.live import LOOSE_RXML, record

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator


class Resource:
    """An async context manager that notes what happens to it, and takes its time."""

    def __init__(self, name: str, log: list[Any], *, seconds: float = 0.0) -> None:
        self.name, self.log, self.seconds = name, log, seconds

    async def __aenter__(self) -> str:
        await asyncio.sleep(self.seconds)
        self.log.append(f"{self.name} acquired")
        return self.name

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> bool:
        await asyncio.sleep(self.seconds)
        self.log.append((self.name, None if error is None else kind, error))
        return True


@given(
    st.sampled_from(["end", "error", "cancel", "leave", "interrupt"]),
    st.sampled_from([0.0, 1.0]),
    st.integers(0, 9),
    faults(),
)
def test_it_is_released_once_and_told_how_it_ended(
    way: str, seconds: float, seed: int, error: Exception
) -> None:
    log: list[Any] = []
    closed: list[int] = []

    def make(name: str) -> Any:
        assert name == "it"
        source = scripted(1, 2, Sleep(5), *([Fail(error)] if way == "error" else []))
        return source.pipe(ops.finally_action(lambda: closed.append(len(log))))

    flow = rxml.using(lambda: Resource("it", log, seconds=seconds), make)

    async def main() -> None:
        if way in {"end", "error"}:
            out = await record(flow)
            assert [each for _, each in out[:-1]] == [1, 2]
            assert out[-1][1] is error if way == "error" else out[-1][1] == "end"
        elif way == "leave":
            assert await flow.pipe(ops.take(1)).to_list() == [1]
        elif way == "interrupt":
            task = Scope().spawn(flow.run(), name="consumer")
            await asyncio.sleep(3)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        else:
            async with Probe(flow) as probe:
                await probe.expect(1)
                await probe.cancel()
                assert len(log) == 2

    run(main(), seed=seed)
    acquired, (name, kind, seen) = log
    assert (acquired, name) == ("it acquired", "it")
    assert closed == [1], "the flow in it is closed first"
    if way == "error":
        assert seen is error
    else:
        assert kind is (None if way == "end" else asyncio.CancelledError)


@pytest.mark.parametrize("way", ["end", "error", "cancel"])
def test_resources_are_released_last_acquired_first(way: str) -> None:
    log: list[Any] = []

    def inner(_: str) -> Any:
        last = rxml.throw(ValueError("x")) if way == "error" else rxml.of(1, 2)
        return rxml.using(lambda: Resource("inner", log, seconds=1), lambda _: last)

    flow = rxml.using(lambda: Resource("outer", log, seconds=1), inner)
    run(record(flow, most=1 if way == "cancel" else 9))
    assert [each if isinstance(each, str) else each[0] for each in log] == [
        "outer acquired",
        "inner acquired",
        "inner",
        "outer",
    ]


def test_a_flow_that_was_never_asked_acquires_nothing() -> None:
    log: list[Any] = []

    async def main() -> None:
        async with rxml.using(lambda: Resource("it", log), lambda _: rxml.of(1)).open():
            await asyncio.sleep(1)

    run(main())
    assert log == []


@pytest.mark.parametrize("stubborn", [False, True])
def test_cancelled_while_it_acquires(stubborn: bool) -> None:
    log: list[Any] = []

    @asynccontextmanager
    async def manager() -> AsyncGenerator[Any]:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log.append("interrupted")
            if not stubborn:
                raise
        log.append("acquired")
        try:
            yield 1
        finally:
            log.append("released")

    async def main() -> None:
        async with Probe(rxml.using(manager, lambda _: rxml.of(1))) as probe:
            await probe.expect_nothing(seconds=1)
            await probe.cancel()

    run(main())
    assert log == (["interrupted", "acquired", "released"] if stubborn else ["interrupted"])


def test_a_cancelled_request_goes_on_acquiring() -> None:
    log: list[Any] = []

    async def main() -> None:
        flow = rxml.using(lambda: Resource("it", log, seconds=5), lambda _: rxml.of(1, 2))
        async with Probe(flow) as probe:
            await probe.expect_nothing(seconds=2)
            await probe.expect_nothing(seconds=2)
            await probe.expect(1, 2)
            assert asyncio.get_running_loop().time() == 5

    run(main())
    assert log[0] == "it acquired"


def test_a_task_group_and_a_time_limit_may_stand_around_it() -> None:
    ticks: list[int] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            ticks.append(1)

    @asynccontextmanager
    async def manager() -> AsyncGenerator[Any]:
        async with asyncio.TaskGroup() as group, asyncio.timeout(100):
            ticker = group.create_task(tick())
            yield ticks
            ticker.cancel()

    flow = rxml.using(manager, lambda _: rxml.timer(5.5))
    assert run(flow.to_list()) == [0]
    assert len(ticks) == 5


def test_what_fails_to_acquire_fails_the_stream() -> None:
    @asynccontextmanager
    async def manager() -> AsyncGenerator[Any]:
        if asyncio.current_task() is not None:
            raise ValueError("no resource")
        yield

    error = run(record(rxml.using(manager, lambda _: rxml.of(1))))[0][1]
    assert str(error) == "no resource"
    assert "using" in error.__notes__[0]


def test_a_flow_that_cannot_be_made_releases_with_its_error() -> None:
    log: list[Any] = []
    error = run(record(LOOSE_RXML.using(lambda: Resource("it", log), lambda _: 1 // 0)))[0][1]
    assert isinstance(error, ZeroDivisionError)
    assert log[1][2] is error


def test_a_release_that_fails_hides_nothing() -> None:
    @contextmanager
    def manager() -> Generator[Any]:
        try:
            yield 1
        finally:
            raise OSError("release")

    async def main() -> None:
        with pytest.raises(ValueError, match="upstream") as caught:
            await rxml.using(manager, lambda _: rxml.throw(ValueError("upstream"))).to_list()
        assert "release" in str(caught.value.__notes__)
        with pytest.raises(BaseExceptionGroup) as group:
            await rxml.using(manager, lambda _: rxml.of(1)).to_list()
        assert [str(each) for each in group.value.exceptions] == ["release"]

    run(main())


class Closing:
    """An object with one method that releases it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._log = log
        setattr(self, name, lambda: self._log.append(name))


class AsyncClosing:
    """An object with a coroutine method that releases it."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    async def aclose(self) -> None:
        await asyncio.sleep(1)
        self._log.append("aclose")


def test_other_resources() -> None:
    log: list[str] = []

    async def eventually() -> Any:
        await asyncio.sleep(1)
        return Closing("close", log)

    async def main() -> None:
        for make in (
            lambda: Closing("close", log),
            lambda: Closing("dispose", log),
            lambda: AsyncClosing(log),
            lambda: Disposable(lambda: log.append("disposable")),
            eventually,
            lambda: None,
        ):
            assert await rxml.using(make, lambda _: rxml.of(1)).to_list() == [1]
        with pytest.raises(PipelineError, match="cannot release a dict"):
            await rxml.using(dict, lambda _: rxml.of(1)).to_list()

    run(main())
    assert log == ["close", "dispose", "aclose", "disposable", "close"]


def test_arguments_are_functions() -> None:
    with pytest.raises(PipelineError, match="makes the resource"):
        LOOSE_RXML.using(3, lambda _: rxml.of(1))
    with pytest.raises(PipelineError, match="makes the flow"):
        LOOSE_RXML.using(dict, rxml.of(1))


def gives_up() -> None:
    raise asyncio.CancelledError


@asynccontextmanager
async def held(log: list[Any], enter: Any, leave: Any) -> AsyncGenerator[None]:
    enter()
    try:
        yield
        log.append("ended")
    except BaseException as error:
        log.append(type(error))
        raise
    finally:
        leave()


@pytest.mark.parametrize(
    ("enter", "inside", "leave", "told"),
    [
        (gives_up, list, list, []),
        (list, gives_up, list, [RuntimeError]),
        (list, list, gives_up, ["ended"]),
    ],
    ids=["acquired", "used", "released"],
)
def test_a_cancellation_that_nobody_asked_for_is_an_error(
    enter: Any, inside: Any, leave: Any, told: list[Any]
) -> None:
    log: list[Any] = []

    async def main() -> None:
        flow = LOOSE_RXML.using(
            lambda: held(log, enter, leave),
            lambda _: LOOSE_RXML.of(1).pipe(ops.do_action(lambda _: inside())),
        )
        await flow.to_list()

    with pytest.raises((RuntimeError, ExceptionGroup)) as raised:
        run(main())
    error = raised.value.exceptions[0] if isinstance(raised.value, ExceptionGroup) else raised.value
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert log == told
