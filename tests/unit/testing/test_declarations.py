"""What an author says of an operator, and what a report says that helps."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest

from rxml import operators as ops
from rxml.flow.kinds import elementwise
from rxml.testing import LawBroken, RunawayError, check_operator, run
from tests.unit.testing.broken import stages

if TYPE_CHECKING:
    from collections.abc import Iterable

SMALL = st.integers(0, 5)


def same(xs: list[Any]) -> Iterable[Any]:
    return xs


async def slowly(x: int) -> int:
    await asyncio.sleep(0.01)
    return x


def sleep(x: int) -> int:
    time.sleep(0.02)
    return x


class Box:
    """Says nothing of what is equal."""

    def __init__(self, value: int) -> None:
        self.value = value


def test_an_operator_may_say_how_long_it_takes() -> None:
    options: dict[str, Any] = {"model": same, "elements": SMALL}
    op = lambda: ops.map_async(slowly, concurrency=2)  # noqa: E731
    check_operator(op, **options, ahead=2, takes=0.01, max_examples=10)
    with pytest.raises(LawBroken, match=r"L11 .*\n.*\n\n.*say takes=\.\.\."):
        check_operator(op, **options, ahead=2, laws=["liveness"])
    with pytest.raises(ValueError, match="takes must be a finite number of seconds >= 0, got -1"):
        check_operator(op, **options, takes=-1)


@pytest.mark.allow_blocking("that is what is to be found")
def test_a_stage_that_sleeps_is_found_at_once() -> None:
    began = time.perf_counter()
    with pytest.raises(LawBroken, match=r"L11 \(yielding\)"):
        check_operator(
            lambda: elementwise("sleeps", sleep),
            model=same,
            elements=SMALL,
        )
    assert time.perf_counter() - began < 10


@pytest.mark.allow_blocking("that is what is to be found")
def test_a_loop_that_is_slow_is_told_from_one_that_is_endless() -> None:
    async def work() -> None:
        for _ in range(10):
            time.sleep(0.03)  # noqa: ASYNC251 - the mistake that is to be found
            await asyncio.sleep(0)

    async def spin() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    with pytest.raises(RunawayError, match=r"It is slow: a turn held the loop for 0\.0[3-9]"):
        run(work(), limit_seconds=0.1)
    with pytest.raises(RunawayError, match="It is endless: a loop that never waits"):
        run(spin(), limit_seconds=0.1)


def test_results_that_do_not_compare_are_reported_as_such() -> None:
    with pytest.raises(LawBroken, match=r"two Box are equal only if they are one object"):
        check_operator(
            lambda: ops.map(Box), model=lambda xs: map(Box, xs), elements=SMALL, max_examples=10
        )


def test_a_model_that_changes_its_elements_is_given_copies() -> None:
    def mark(rows: list[dict[str, int]]) -> Iterable[dict[str, int]]:
        for row in rows:
            row["x"] += 1
        return rows

    check_operator(
        lambda: ops.map(lambda row: {"x": row["x"] + 1}),
        model=mark,
        elements=st.fixed_dictionaries({"x": SMALL}),
        max_examples=10,
    )


@pytest.mark.parametrize("kind", [float, bool])
def test_an_integer_is_no_float_and_no_bool(kind: type) -> None:
    with pytest.raises(LawBroken, match="L22"):
        check_operator(lambda: ops.map(kind), model=same, elements=st.integers(0, 1), laws=["L22"])


def test_rows_come_as_batches_to_operators_that_take_any() -> None:
    with pytest.raises(LawBroken, match="as a batch: then AttributeError"):
        check_operator(
            lambda: stages.by_hand(stages.CopiesLists), model=same, elements=SMALL, laws=["L16"]
        )
