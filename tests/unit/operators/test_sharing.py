"""One run for many: who gets what, who waits for whom, and that the run ends with its last subscriber."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.errors import BufferOverflowError, PipelineError
from rxml.testing.virtual_time import run


def counted(flow: rxml.Flowable[Any], log: list[str]) -> rxml.Flowable[Any]:
    """The flow, with a line in the log for each time that it is run and each time that such a run ends."""

    def begin(_scheduler: object = None) -> rxml.Flowable[Any]:
        log.append("run")
        return flow.pipe(ops.finally_action(lambda: log.append("ended")))

    return rxml.defer(begin)


def test_subscribers_at_the_same_time_share_one_run() -> None:
    log: list[str] = []

    async def main() -> Any:
        shared = counted(rxml.range(100), log).pipe(ops.share())
        return await asyncio.gather(*(shared.to_list() for _ in range(5)))

    assert run(main()) == [list(range(100))] * 5
    assert log == ["run", "ended"]


def test_after_the_end_the_next_subscriber_begins_anew() -> None:
    log: list[str] = []

    async def main() -> list[int]:
        shared = counted(rxml.of(1, 2), log).pipe(ops.share())
        return await shared.to_list() + await shared.to_list()

    assert run(main()) == [1, 2, 1, 2]
    assert log == ["run", "ended"] * 2


def test_the_run_ends_before_the_last_subscriber_has_left() -> None:
    log: list[str] = []

    async def main() -> None:
        shared = counted(rxml.range(10**9), log).pipe(ops.share(lag=4))
        async with shared.open() as first:
            await first.request(2)
            async with shared.open() as second:
                await asyncio.gather(first.request(1), second.request(1))
            assert log == ["run"]
        assert log == ["run", "ended"]

    run(main())


def test_nothing_is_asked_while_nobody_wants_anything() -> None:
    seen: list[int] = []

    async def main() -> None:
        shared = rxml.range(100).pipe(ops.do_action(seen.append), ops.share(lag=50))
        async with shared.open() as one:
            await one.request(3)
            await asyncio.sleep(10)

    run(main())
    assert seen == [0, 1, 2]


def test_all_wait_for_the_slowest_by_default() -> None:
    async def main() -> None:
        shared = rxml.range(100).pipe(ops.share(lag=4))
        async with shared.open() as fast, shared.open() as slow:
            await asyncio.gather(fast.request(1), slow.request(1))
            got = [await fast.request(1) for _ in range(4)]
            assert [chunk.elements[0] for chunk in got] == [1, 2, 3, 4]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(fast.request(1), 5)
            assert (await slow.request(9)).elements[0] == 1
            assert list((await fast.request(1)).elements) == [5]

    run(main())


@given(st.integers(1, 5), st.lists(st.integers(1, 6), max_size=6))
def test_a_slow_subscriber_misses_the_oldest(lag: int, steps: list[int]) -> None:
    async def main() -> None:
        shared = rxml.range(10**6).pipe(ops.share(lag=lag, policy="drop_oldest"))
        async with shared.open() as fast, shared.open() as slow:
            (first, _) = await asyncio.gather(fast.request(1), slow.request(1))
            model: deque[int] = deque(maxlen=lag)
            assert list(first.elements) == [0]
            for n in steps:
                model.extend((await fast.request(n)).elements)
            held: list[int] = []
            while len(held) < len(model):
                held.extend((await slow.request(lag)).elements)
            assert held == list(model)

    run(main())


@pytest.mark.parametrize(("policy", "error"), [("error", BufferOverflowError), ("detach", None)])
def test_a_slow_subscriber_is_let_go_and_the_others_go_on(
    policy: str, error: type[Exception] | None
) -> None:
    async def rest(subscription: Any) -> list[int]:
        got: list[int] = []
        while not (chunk := await subscription.request(10)).end:
            got.extend(chunk.elements)
        return got

    async def main() -> None:
        shared = rxml.range(50).pipe(ops.share(lag=3, policy=policy))
        async with shared.open() as fast, shared.open() as slow:
            await asyncio.gather(fast.request(1), slow.request(1))
            assert await rest(fast) == list(range(1, 50))
            if error is None:
                assert await rest(slow) == [1, 2, 3]
            else:
                assert list((await slow.request(10)).elements) == [1, 2, 3]
                with pytest.raises(error, match="more than 3"):
                    await slow.request(1)

    run(main())


def test_an_error_reaches_all_as_the_same_object() -> None:
    boom = ValueError("boom")

    async def main() -> Any:
        shared = rxml.throw(boom).pipe(ops.share())
        return await asyncio.gather(shared.to_list(), shared.to_list(), return_exceptions=True)

    assert [error is boom for error in run(main())] == [True, True]


def test_one_operator_in_two_pipes_shares_nothing() -> None:
    operator: Any = ops.share()

    async def main() -> tuple[list[int], list[int]]:
        one, other = rxml.of(1).pipe(operator), rxml.of(2).pipe(operator)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(one.to_list())
            second = group.create_task(other.to_list())
        return first.result(), second.result()

    assert run(main()) == ([1], [2])


def test_late_subscribers_get_the_last_elements_first() -> None:
    async def main() -> None:
        shared = rxml.range(100).pipe(ops.replay(2))
        async with shared.open() as first:
            await first.request(10)
            async with shared.open() as late:
                assert list((await late.request(1)).elements) == [8]
                assert list((await late.request(5)).elements) == [9]
        assert await shared.pipe(ops.take(1)).to_list() == [0], "an unfinished run was remembered"

    run(main())


def test_what_is_too_old_is_not_replayed() -> None:
    async def main() -> None:
        source = rxml.interval(1.0).pipe(ops.take(6), ops.replay(10, 2.5))
        async with source.start() as one:
            await asyncio.sleep(5.2)
            assert await source.pipe(ops.take(3)).to_list() == [2, 3, 4]
            await one.wait()

    run(main())


def test_a_shared_flow_on_one_loop_and_then_on_another() -> None:
    shared = rxml.of(1, 2, 3).pipe(ops.share())
    assert [run(shared.to_list()) for _ in range(2)] == [[1, 2, 3]] * 2


def test_nothing_is_held_once_all_have_left() -> None:
    class Element:
        pass

    async def main() -> weakref.ref[Element]:
        shared = rxml.from_iterable(lambda: (Element() for _ in range(9))).pipe(ops.share())
        async with shared.open() as one:
            chunk = await one.request(1)
            held = weakref.ref(chunk.elements[0])
            del chunk
        return held

    held = run(main())
    gc.collect()
    assert held() is None


@pytest.mark.parametrize("make", [ops.share, ops.replay])
def test_wrong_arguments_say_what_is_right(make: Any) -> None:
    with pytest.raises(PipelineError, match="slowest"):
        make(policy="fastest")
    with pytest.raises(ValueError, match="lag"):
        make(lag=0)
