"""What happens beside a stream: in which order, and how often."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.testing import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription


def piped(flow: rxml.Flowable[Any], *operators: Operator[Any, Any]) -> rxml.Flowable[Any]:
    return flow.pipe(*operators)


def broken(x: int) -> float:
    return 1 / x


# --- do_action ---------------------------------------------------------------------------------


def test_each_function_is_called_for_what_it_is_there_for() -> None:
    log: list[Any] = []
    watch: Operator[Any, Any] = ops.do_action(
        log.append, lambda error: log.append(type(error)), lambda: log.append("end")
    )
    run(piped(rxml.of(1, 2), watch).run())
    assert log == [1, 2, "end"]
    log.clear()
    with pytest.raises(ZeroDivisionError):
        run(piped(rxml.of(1, 0), ops.map(broken), watch).run())
    assert log == [1.0, ZeroDivisionError]


def test_an_error_of_on_next_is_not_told_to_on_error() -> None:
    told: list[Exception] = []
    with pytest.raises(ZeroDivisionError):
        run(piped(rxml.of(0), ops.do_action(broken, told.append)).run())
    assert told == []


def test_what_on_error_raises_takes_the_place_of_the_error() -> None:
    def raising(_: Exception) -> None:
        raise LookupError("in on_error")

    with pytest.raises(LookupError, match="in on_error") as caught:
        run(piped(rxml.throw(ValueError("first")), ops.do_action(None, raising)).run())
    assert isinstance(caught.value.__cause__, ValueError)


def test_what_on_completed_raises_fails_the_stream_after_its_elements() -> None:
    found: list[int] = []
    flow = piped(
        rxml.of(1), ops.do_action(None, None, lambda: broken(0)), ops.do_action(found.append)
    )
    with pytest.raises(ZeroDivisionError):
        run(flow.run())
    assert found == [1]


def test_on_completed_is_not_called_when_nobody_wants_more() -> None:
    ends: list[str] = []
    flow = piped(rxml.of(1, 2), ops.do_action(None, None, lambda: ends.append("end")), ops.take(1))
    assert run(flow.to_list()) == [1]
    assert ends == []


# --- finally_action ----------------------------------------------------------------------------


async def end(subscription: Subscription[Any]) -> None:
    while not (await subscription.request(1)).end:
        pass


async def cancel(subscription: Subscription[Any]) -> None:
    await subscription.request(1)
    await subscription.cancel()
    await subscription.cancel()


async def leave(subscription: Subscription[Any]) -> None:
    await subscription.request(1)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("way", [end, cancel, leave])
@pytest.mark.parametrize("behind", [ops.map(), ops.take(1), ops.map(broken)], ids=str)
def test_the_action_runs_once_however_the_stream_ends(
    behind: Operator[Any, Any], way: Callable[[Any], Awaitable[None]], asynchronous: bool
) -> None:
    log: list[str] = []

    def now() -> None:
        log.append("closed")

    async def later() -> None:
        await asyncio.sleep(5)
        log.append("closed")

    async def main() -> None:
        flow = piped(rxml.of(1, 0), ops.finally_action(later if asynchronous else now), behind)
        async with flow.open() as subscription:
            with suppress(ZeroDivisionError):
                await way(subscription)
            assert log == ([] if way is leave and "take" not in str(behind) else ["closed"])

    run(main())
    assert log == ["closed"]


def test_the_action_runs_to_its_end_although_the_task_that_closes_is_cancelled() -> None:
    log: list[str] = []

    async def later() -> None:
        log.append("begun")
        await asyncio.sleep(5)
        log.append("done")

    async def main() -> None:
        async with piped(rxml.of(1, 2), ops.finally_action(later)).open() as subscription:
            await subscription.request(1)
            async with asyncio.timeout(1):
                await subscription.cancel()

    with pytest.raises(TimeoutError):
        run(main())
    assert log == ["begun", "done"]


def test_of_a_run_that_was_never_begun_nothing_is_to_be_closed() -> None:
    log: list[str] = []

    async def main() -> None:
        async with rxml.of(1).pipe(ops.finally_action(lambda: log.append("closed"))).open():
            pass

    run(main())
    assert log == []


def test_inner_actions_run_before_outer_ones() -> None:
    log: list[str] = []
    first: Operator[Any, Any] = ops.finally_action(lambda: log.append("inner"))
    second: Operator[Any, Any] = ops.finally_action(lambda: log.append("outer"))
    run(piped(rxml.of(1), first, second).run())
    assert log == ["inner", "outer"]


def test_what_the_action_raises_hides_nothing_and_is_told() -> None:
    def raising() -> None:
        raise LookupError("in the action")

    with pytest.raises(BaseExceptionGroup, match="finalizers failed") as group:
        run(piped(rxml.of(1), ops.finally_action(raising)).run())
    assert [type(error) for error in group.value.exceptions] == [LookupError]
    with pytest.raises(ZeroDivisionError) as caught:
        run(piped(rxml.of(0), ops.map(broken), ops.finally_action(raising)).run())
    assert any("in the action" in note for note in caught.value.__notes__)
