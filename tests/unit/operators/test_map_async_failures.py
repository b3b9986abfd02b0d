"""map_async: failures, and what they leave behind."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.flow.kinds import supervised
from rxml.flow.supervision import DeadLetter, Directive, Supervisor
from rxml.testing import run
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.work import Work, outcome


@given(st.lists(st.integers(0, 4), max_size=9), st.integers(1, 5), st.integers(0, 9))
def test_an_error_comes_after_exactly_the_results_before_it(
    durations: list[int], concurrency: int, seed: int
) -> None:
    work = Work(lambda pair: pair[1], fails=tuple(enumerate(durations))[3:5])
    flow = rxml.from_iterable(list(enumerate(durations))).pipe(
        ops.map_async(work, concurrency=concurrency)
    )
    got, error = outcome(flow, seed)
    assert got == list(enumerate(durations))[:3]
    assert (None if error is None else error.args[0]) == next(iter(work.fails), None)
    assert work.running == []


def test_what_is_behind_an_error_is_cancelled_and_awaited_and_what_is_before_goes_on() -> None:
    work = Work(lambda x: {0: 5, 1: 1}.get(x, 9), fails=(1,))
    flow = rxml.range(10).pipe(ops.map_async(work, concurrency=4))
    got, error = outcome(flow)
    assert got == [0]
    assert isinstance(error, ValueError)
    assert sorted(work.cancelled) == [2, 3]
    assert sorted(work.begun) == [0, 1, 2, 3]


def test_without_order_an_error_cancels_all_others_at_once() -> None:
    work = Work(lambda x: x, fails=(2,))
    flow = rxml.of(9, 1, 2, 8).pipe(ops.map_async(work, concurrency=4, ordered=False))
    got, error = outcome(flow)
    assert got == [1]
    assert error is not None
    assert error.args == (2,)
    assert sorted(work.cancelled) == [8, 9]


def test_an_error_of_upstream_comes_after_the_results_of_what_came_before() -> None:
    source = rxml.concat(rxml.of(1, 2, 3), rxml.throw(ValueError("up")))
    got, error = outcome(source.pipe(ops.map_async(Work(lambda x: 4 - x), concurrency=3)))
    assert got == [1, 2, 3]
    assert str(error) == "up"


def test_an_error_while_it_is_cancelled_is_told_and_masks_nothing() -> None:
    async def work(x: int) -> int:
        try:
            await asyncio.sleep(1 if x == 0 else 9)
        except asyncio.CancelledError:
            raise OSError("while leaving") from None
        raise ValueError("first")

    got, error = outcome(rxml.range(2).pipe(ops.map_async(work, concurrency=2)))
    assert (got, str(error)) == ([], "first")
    assert any("while leaving" in note for note in getattr(error, "__notes__", ()))


def test_a_function_that_ignores_cancellation_is_waited_for() -> None:
    ended: list[int] = []

    async def work(x: int) -> int:
        if x == 0:
            raise ValueError(x)
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(5)
        ended.append(x)
        return x

    got, error = outcome(rxml.range(5).pipe(ops.map_async(work, concurrency=2)))
    assert (got, type(error)) == ([], ValueError)
    assert ended in ([], [1])


def test_something_cancelled_by_others_is_an_error_and_no_hang() -> None:
    async def work(x: int) -> int:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        return x + int(await future)

    got, error = outcome(rxml.range(3).pipe(ops.map_async(work, concurrency=2)))
    assert got == []
    assert isinstance(error, RuntimeError)
    assert isinstance(error.__cause__, asyncio.CancelledError)


def test_a_function_that_gives_nothing_to_await_is_named() -> None:
    wrong: Any = abs
    _, error = outcome(rxml.of(1).pipe(ops.map_async(wrong, concurrency=1)))
    assert isinstance(error, TypeError)
    assert "map takes such functions" in str(error)
    assert any("map_async(abs)" in note for note in error.__notes__)


def test_a_type_error_of_the_function_is_its_own() -> None:
    bad: Any = "a"

    async def work(x: int) -> Any:
        return x + bad

    _, error = outcome(rxml.of(1).pipe(ops.map_async(work, concurrency=1)))
    assert "unsupported operand" in str(error)


@pytest.mark.parametrize("options", [{}, {"ordered": False}, {"key": lambda x: x % 2}])
def test_a_supervisor_leaves_out_what_fails(options: dict[str, Any]) -> None:
    letters: list[DeadLetter] = []
    supervisor = Supervisor(lambda _: Directive.RESUME, letters.append)
    work = Work(lambda x: x % 3, fails=(1, 4))
    flow = rxml.range(7).pipe(
        ops.map_async(work, concurrency=3, **options), supervised("resume", supervisor)
    )
    assert sorted(run(flow.to_list())) == [0, 2, 3, 5, 6]
    assert sorted(letter.element for letter in letters) == [1, 4]
    assert all(letter.stage.startswith("map_async(") for letter in letters)


def test_a_key_that_cannot_be_had_is_the_elements_failure() -> None:
    letters: list[DeadLetter] = []
    supervisor = Supervisor(lambda _: Directive.RESUME, letters.append)
    flow = rxml.of(1, [2], 3).pipe(
        ops.map_async(Work(lambda _: 0), concurrency=2, key=lambda x: x),
        supervised("resume", supervisor),
    )
    assert run(flow.to_list()) == [1, 3]
    assert [type(letter.error) for letter in letters] == [TypeError]
