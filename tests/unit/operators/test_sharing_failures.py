"""share: errors, cancellations that nobody asked for, and what is kept when all is over."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import gc
import traceback
import weakref
from typing import Any

import pytest

from rxml.errors import StreamClosedError
from rxml.flow.kinds import source
from rxml.testing import VirtualLoop, run
from tests.unit.operators.loose import ops, rxml


def used(flow: Any) -> weakref.ref[Any]:
    """Runs the flow on an event loop of its own; the loop."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(asyncio.wait([loop.create_task(flow.to_list())]))
    finally:
        loop.close()
    return weakref.ref(loop)


def fails(x: int) -> int:
    if x == 2:
        raise ValueError("two")
    return x


@pytest.mark.parametrize(
    "flow",
    [
        rxml.of(1).pipe(ops.share()),
        rxml.of(1).pipe(ops.replay(3)),
        rxml.of(1).pipe(ops.replay(3, 10.0)),
        rxml.of(1, 2).pipe(ops.map(fails), ops.prefetch(3), ops.share()),
        rxml.of(1).pipe(ops.share(), ops.share(), ops.replay(2)),
        rxml.range(9).pipe(ops.replay(3), ops.take(2)),
    ],
)
def test_a_shared_flow_keeps_no_event_loop(flow: Any) -> None:
    loops = [used(flow) for _ in range(2)]
    gc.collect()
    assert [each() for each in loops] == [None, None]


def test_an_error_that_is_replayed_keeps_one_event_loop_at_most() -> None:
    flow = rxml.of(1, 2).pipe(ops.map(fails), ops.prefetch(3), ops.replay(3))
    loops = [used(flow) for _ in range(4)]
    gc.collect()
    assert [each() for each in loops[:-1]] == [None] * 3


@pytest.mark.parametrize("operator", [ops.share(), ops.replay(3)])
def test_an_error_that_many_raise_has_the_frames_of_none_of_the_others(operator: Any) -> None:
    shared = rxml.of(1, 2).pipe(ops.map(fails), operator)

    async def main() -> list[list[str]]:
        found: list[list[str]] = []
        seen: list[ValueError] = []

        async def read() -> None:
            try:
                await shared.to_list()
            except ValueError as error:
                seen.append(error)
                found.append([frame.name for frame in traceback.extract_tb(error.__traceback__)])

        await asyncio.gather(read(), read(), read())
        for _ in range(5):
            await read()
        assert len(set(map(id, seen))) == (1 if "replay" in repr(operator) else 6)
        return found

    traces = run(main())
    assert all(trace.count("read") == 1 and trace[-1] == "fails" for trace in traces)
    assert len({len(trace) for trace in traces}) == 1


def gives_up(x: int) -> int:
    raise asyncio.CancelledError


async def cancelled(x: int) -> int:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future
    return x


@pytest.mark.parametrize("operator", [ops.share(), ops.replay(3)])
@pytest.mark.parametrize("stage", [ops.map(gives_up), ops.map_async(cancelled, concurrency=2)])
def test_a_cancellation_that_nobody_asked_for_fails_the_stream(operator: Any, stage: Any) -> None:
    shared = rxml.of(1, 2).pipe(stage, operator)

    async def main() -> Any:
        return await asyncio.gather(shared.to_list(), shared.to_list(), return_exceptions=True)

    one, other = run(main())
    assert one is other
    assert isinstance(one, RuntimeError)
    assert isinstance(one.__cause__, asyncio.CancelledError)


def test_if_the_shared_run_itself_is_cancelled_its_readers_are_told_and_the_next_begins_anew() -> (
    None
):
    shared = rxml.interval(1).pipe(ops.replay(3), ops.take(2))

    async def main() -> Any:
        reader = asyncio.create_task(shared.to_list())
        await asyncio.sleep(1.5)
        for task in asyncio.all_tasks():
            if task.get_name().startswith("share "):
                task.cancel()
        with pytest.raises(StreamClosedError, match="cancelled"):
            await reader
        return await shared.to_list()

    assert run(main()) == [0, 1]


def test_a_source_that_cannot_be_opened_fails_all() -> None:
    boom = ValueError("no source")

    def open_(env: Any, node: Any) -> Any:
        raise boom

    async def main() -> Any:
        shared = source("broken", open_).pipe(ops.share())
        return await asyncio.gather(shared.to_list(), shared.to_list(), return_exceptions=True)

    assert run(main()) == [boom, boom]
