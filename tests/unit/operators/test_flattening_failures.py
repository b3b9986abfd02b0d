"""flat_map, concat_map and switch_map: failures, cancellation, and signals."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.flow.kinds import supervised
from rxml.flow.supervision import DeadLetter, Directive, Supervisor
from rxml.testing import Barrier, Never, Probe, Sleep, Watermark, run, scripted
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.streams import EACH, KINDS, MAPS, Inner
from tests.unit.operators.work import outcome

if TYPE_CHECKING:
    from collections.abc import Iterator


@EACH
@pytest.mark.parametrize("upstream", [True, False])
def test_an_error_closes_all_streams_and_waits_for_them(name: str, *, upstream: bool) -> None:
    inner = Inner(seconds=1, results=3)
    error = ValueError("x")
    last = [rxml.throw(error)] if upstream else [rxml.of("bad")]
    source = rxml.concat(rxml.of(1, 2), rxml.timer(2.5).pipe(ops.ignore_elements()), *last)

    def stream(x: Any) -> Any:
        if x == "bad":
            raise error
        return inner(x)

    async def main() -> tuple[int, int]:
        with pytest.raises(ValueError, match="x") as caught:
            await source.pipe(MAPS[name](stream)).run()
        assert caught.value is error
        return len(inner.open), len(asyncio.all_tasks())

    assert run(main()) == (0, 1)


@EACH
def test_an_error_of_an_inner_stream_comes_after_what_it_gave(name: str) -> None:
    def stream(x: Any) -> Any:
        return rxml.concat(rxml.of(x), rxml.throw(ValueError(x)))

    got, error = outcome(rxml.of(1).pipe(MAPS[name](stream)))
    assert (got, str(error)) == ([1], "1")
    assert any(
        f"in stage {name}" in note or "throw" in note for note in getattr(error, "__notes__", ())
    )


@EACH
@pytest.mark.parametrize("how", ["function", "flow", "generator", "coroutine"])
def test_a_supervisor_leaves_out_the_element_and_keeps_what_came_before(
    name: str, how: str
) -> None:
    letters: list[DeadLetter] = []
    supervisor = Supervisor(lambda _: Directive.RESUME, letters.append)

    def stream(x: int) -> Any:
        if x != 2:
            return [x, x]
        streams: Any = {
            "function": lambda: 1 // 0,
            "flow": lambda: rxml.concat(rxml.of(x), rxml.throw(ValueError(x))),
            "generator": lambda: (12 // y for y in (6, 0)),
            "coroutine": failing,
        }
        return streams[how]()

    async def failing() -> Any:
        raise ValueError("x")

    source = scripted(1, Sleep(1), 2, Sleep(1), 3, Sleep(1))
    flow: Any = source.pipe(MAPS[name](stream), supervised("resume", supervisor))
    got = run(flow.to_list())
    assert got == [1, 1, *([2] if how in {"flow", "generator"} else []), 3, 3]
    assert [letter.element for letter in letters] == [2]


@EACH
def test_a_generator_that_was_begun_is_closed(name: str) -> None:
    closed: list[int] = []

    def stream(x: int) -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.append(x)

    async def main() -> None:
        async with rxml.of(1).pipe(MAPS[name](stream)).open() as subscription:
            await subscription.request(3)

    run(main())
    assert closed == [1]


@EACH
def test_a_coroutine_that_was_begun_is_cancelled_and_awaited(name: str) -> None:
    log: list[str] = []

    async def slow(_: int) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            log.append("left")

    async def main() -> None:
        async with Probe(rxml.of(1).pipe(MAPS[name](slow))) as probe:
            await probe.expect_nothing(5)

    run(main())
    assert log == ["left"]


@EACH
@pytest.mark.parametrize("kind", ["flow", "coroutine", "async generator"])
@given(st.integers(0, 25), st.integers(0, 5))
def test_it_can_be_cancelled_at_every_turn(name: str, kind: str, turns: int, seed: int) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(rxml.range(4).pipe(MAPS[name](KINDS[kind])).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    run(main(), seed=seed)


async def signals(flow: Any) -> list[Any]:
    """Elements and signals, in order."""
    seen: list[Any] = []
    async with flow.chunks(1) as chunks:
        async for chunk in chunks:
            seen += [*chunk.elements, *(f"{k}{v}" for k, v in chunk.signals().items())]
    return seen


def test_a_watermark_waits_for_the_streams_of_the_elements_before_it() -> None:
    source = scripted(1, Watermark(5), Sleep(1), 2, Watermark(6))
    slow = ops.flat_map(lambda x: rxml.timer(10 / x).pipe(ops.map(lambda _: x)))
    assert run(signals(source.pipe(slow))) == [2, 1, "watermark6"]


def test_a_barrier_keeps_out_the_elements_behind_it() -> None:
    source = scripted(1, Barrier(1), 2)
    slow = ops.flat_map(lambda x: rxml.timer(10 / x).pipe(ops.map(lambda _: x)))
    assert run(signals(source.pipe(slow))) == [1, "barrier1", 2]


def test_inner_streams_with_time_of_their_own_hold_the_watermark_at_theirs() -> None:
    inner = {
        "a": scripted("a", Watermark(5), Sleep(3), Watermark(20), Never()),
        "b": scripted("b", Sleep(1), Watermark(7), Sleep(9)),
    }
    source = scripted("a", "b", Watermark(30))

    async def main() -> list[tuple[float, int | None]]:
        marks: list[tuple[float, int | None]] = []
        loop = asyncio.get_running_loop()
        async with source.pipe(ops.flat_map(inner.__getitem__)).open() as subscription:
            while len(marks) < 3:
                chunk = await subscription.request(9)
                if chunk.watermark is not None:
                    marks.append((loop.time(), chunk.watermark))
        return marks

    assert run(main()) == [(1, 5), (3, 7), (10, 20)]
