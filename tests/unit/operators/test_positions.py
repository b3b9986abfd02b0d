"""Places in a stream: what is asked for, and when upstream is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import BufferOverflowError
from rxml.testing import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.operator import Operator


class Counted:
    """Numbers from 0 on, that knows how many were taken and whether it is closed."""

    def __init__(self) -> None:
        self.taken = 0
        self.closed = False

    def numbers(self) -> Iterator[int]:
        try:
            while True:
                yield self.taken
                self.taken += 1
        finally:
            self.closed = True


def small(x: int) -> bool:
    return x < 4


def large(x: int) -> bool:
    return x >= 4


ENDING: list[tuple[Operator[Any, Any], list[Any], int]] = [
    (ops.take(3), [0, 1, 2], 3),
    (ops.first(), [0], 1),
    (ops.element_at(4), [4], 5),
    (ops.is_empty(), [False], 1),
    (ops.some(), [True], 1),
    (ops.take_while(small), [0, 1, 2, 3], 5),
    (ops.first(large), [4], 5),
    (ops.some(large), [True], 5),
    (ops.all(small), [False], 5),
    (ops.contains(4), [True], 5),
    (ops.first_or_default(large), [4], 5),
    (ops.element_at_or_default(2), [2], 3),
]


@pytest.mark.parametrize(("operator", "wanted", "taken"), ENDING, ids=str)
def test_upstream_is_closed_with_the_result_not_one_request_later(
    operator: Operator[Any, Any], wanted: list[Any], taken: int
) -> None:
    source = Counted()
    silent = "take_while" in str(operator)  # what ends it does not come out

    def source_is_closed() -> bool:
        return source.closed

    async def main() -> list[Any]:
        found: list[Any] = []
        flow: rxml.Flowable[Any] = rxml.from_iterable(source.numbers).pipe(operator)
        async with flow.open() as subscription:
            while not source.closed:
                found.extend((await subscription.request(1)).elements)
                assert silent or source_is_closed() or len(found) < len(wanted)
            assert (await subscription.request(1)).end
        return found

    assert run(main()) == wanted
    assert source.taken == taken - 1


def test_take_nothing_never_opens_upstream() -> None:
    opened: list[int] = []

    def numbers() -> Iterator[int]:
        opened.append(1)
        yield 1

    assert run(rxml.from_iterable(numbers).pipe(ops.map(), ops.take(0)).to_list()) == []
    assert opened == []


def test_what_was_taken_last_comes_out_as_it_is_asked_for() -> None:
    async def main() -> list[int]:
        flow = rxml.range(100_000).pipe(ops.take_last(50_000))
        async with flow.start() as running:
            await running.wait()
        found: list[int] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(7)).end:
                found.append(len(chunk))
        return found

    lengths = run(main())
    assert set(lengths[:-1]) == {7}
    assert sum(lengths) == 50_000


def test_what_a_stage_holds_is_told() -> None:
    async def main() -> list[int]:
        flow = rxml.range(10).pipe(ops.skip_last(3), ops.map())
        async with rxml.Run[Any](flow) as running:
            held: list[int] = []
            for n in (1, 2, 100, 100):
                await running.subscription.request(n)
                held.append(running.statistics()["skip_last(3)"].buffered)
            return held

    assert run(main()) == [3, 3, 3, 3]


def test_a_list_that_is_too_long_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(BufferOverflowError, match=r"max_elements=3.*use buffer"):
        run(rxml.range(4).pipe(ops.to_list(max_elements=3)).to_list())
    assert run(rxml.range(3).pipe(ops.to_list(max_elements=3)).to_list()) == [[0, 1, 2]]


def test_budget_shows_what_may_be_held() -> None:
    flow = rxml.range(9).pipe(
        ops.take_last(5), ops.distinct(max_keys=7), ops.to_list(max_elements=2)
    )
    held = {edge.stage: edge.elements for edge in flow.budget().edges if edge.elements}
    assert held == {"take_last(5)": 5, "distinct": 7, "to_list": 2}


def test_the_values_of_start_with_come_before_upstream_is_asked() -> None:
    asked: list[int] = []

    def numbers() -> Iterator[int]:
        asked.append(1)
        yield 3

    async def main() -> None:
        async with rxml.from_iterable(numbers).pipe(ops.start_with(1, 2)).open() as subscription:
            assert list((await subscription.request(5)).elements) == [1, 2]
            assert asked == []
            assert list((await subscription.request(5)).elements) == [3]

    run(main())
