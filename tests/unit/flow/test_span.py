"""Rows of kernels without state, as one Python loop: who failed, with what, and what each stage counts."""

from __future__ import annotations

import asyncio
import traceback
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.flow.fusion.loop import KEEP, MAP, culprit, loop, pays

if TYPE_CHECKING:
    from rxml.flow.supervision import DeadLetter


def increment(x: int) -> int:
    return x + 1


def is_odd(x: int) -> bool:
    return x % 2 == 1


def inverse(x: int) -> float:
    return 60 / x


def test_a_loop_does_what_its_functions_do_item_by_item() -> None:
    out: list[Any] = []
    loop(MAP + KEEP + MAP, [increment, is_odd, str])(iter(range(6)), out)
    assert out == ["1", "3", "5"]


def less_three(x: int) -> int:
    return x - 3


@pytest.mark.parametrize("last", [MAP, KEEP])
def test_the_culprit_is_known_and_what_came_before_it_is_kept(last: str) -> None:
    rest, out = iter([10, 20, 2, 30]), list[Any]()
    with pytest.raises(ZeroDivisionError) as caught:
        loop(MAP + MAP + last, [less_three, increment, inverse])(rest, out)
    assert tuple(culprit(caught.value)) == (2, 0)
    assert (len(out), list(rest)) == (2, [30])


def test_it_pays_for_functions_written_in_python() -> None:
    assert pays([increment, is_odd])
    assert pays([increment, float])
    assert not pays([float, str])
    assert not pays([increment])
    assert not pays([itemgetter(0), str, increment])


def test_a_traceback_shows_the_step_that_failed() -> None:
    flow = rxml.of(*range(9, -1, -1)).pipe(ops.map(increment), ops.map(fail_at_one))

    async def main() -> None:
        async with flow.open() as subscription:
            await subscription.request(3)
            while True:
                await subscription.request(3)

    with pytest.raises(ValueError, match="1") as caught:
        asyncio.run(main())
    assert "x = f1(x)" in "".join(traceback.format_exception(caught.value))


def fail_at_one(x: int) -> int:
    if x == 1:
        raise ValueError(x)
    return x


def is_positive(x: float) -> bool:
    return x > 0


def shifted(x: float) -> float:
    return 60 / (x - 0.5)


def test_elements_left_out_are_those_of_single_stages() -> None:
    letters: list[DeadLetter] = []
    flow = rxml.range(-300, 300).pipe(
        ops.map(inverse),
        ops.filter(is_positive),
        ops.map(shifted),
        ops.supervise("resume", dead_letters=letters.append),
    )

    async def main() -> None:
        async with rxml.Run[Any](flow) as running:
            found: list[Any] = []
            while not (chunk := await running.subscription.request(64)).end:
                found += chunk.elements
            stages = running.statistics().stages
        assert len(found) == 298
        assert [(letter.element, letter.stage) for letter in letters] == [
            (0, "map(inverse)"),
            (0.5, stages[3].name),
        ]
        assert [stage.emitted for stage in stages[:4]] == [600, 599, 299, 298]
        assert [stage.failed for stage in stages[:4]] == [0, 1, 0, 1]

    asyncio.run(main())


def test_the_slow_one_of_a_row_is_the_bottleneck() -> None:
    def slow(x: int) -> int:
        return sum(range(2000)) * 0 + x

    flow = rxml.range(3000).pipe(ops.map(increment), ops.map(slow), ops.filter(is_odd))

    async def main() -> None:
        async with rxml.Run[int](flow) as running:
            while not (await running.subscription.request(100)).end:
                pass
            assert running.statistics().bottleneck.name == "map(slow)"

    asyncio.run(main())
