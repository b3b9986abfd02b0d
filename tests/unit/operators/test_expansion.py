"""unbatch: how little it opens, and that it closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.testing import run

if TYPE_CHECKING:
    from collections.abc import Iterator


class Opened:
    """An endless iterable that knows whether it is open."""

    def __init__(self) -> None:
        self.given = 0
        self.closed = False

    def __iter__(self) -> Iterator[int]:
        try:
            while True:
                self.given += 1
                yield self.given
        finally:
            self.closed = True


def test_an_endless_expansion_is_taken_as_far_as_it_is_asked_for_and_closed() -> None:
    first, second = Opened(), Opened()

    async def main() -> list[int]:
        async with rxml.of(first, second).pipe(ops.unbatch()).open() as subscription:
            return [
                *(await subscription.request(3)).elements,
                *(await subscription.request(2)).elements,
            ]

    assert run(main()) == [1, 2, 3, 4, 5]
    assert (first.given, first.closed) == (5, True)
    assert (second.given, second.closed) == (0, False)


def test_upstream_is_asked_for_one_element_first() -> None:
    asked: list[int] = []

    def lists() -> Iterator[list[int]]:
        for index in range(100):
            asked.append(index)
            yield [index] * 50

    async def main() -> None:
        async with rxml.from_iterable(lists).pipe(ops.unbatch()).open() as subscription:
            await subscription.request(40)
            assert len(asked) == 1
            for _ in range(5):
                await subscription.request(100)
            assert len(asked) <= 12

    run(main())


def test_what_cannot_be_iterated_fails_after_what_came_before() -> None:
    given: Any = rxml.of([1], 2)

    async def main() -> list[Any]:
        async with given.pipe(ops.unbatch()).open() as subscription:
            found = (await subscription.request(5)).elements
            with pytest.raises(TypeError, match="not iterable"):
                await subscription.request(5)
        return list(found)

    assert run(main()) == [1]


def test_the_error_of_closing_an_expansion_is_told_and_upstream_closed_all_the_same() -> None:
    closed: list[str] = []

    def shut() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            raise LookupError("while closing")

    def source() -> Iterator[Any]:
        try:
            yield shut()
            yield []
        finally:
            closed.append("source")

    async def main() -> None:
        async with rxml.from_iterable(source).pipe(ops.unbatch()).open() as subscription:
            await subscription.request(1)

    with pytest.raises(BaseExceptionGroup, match="finalizers failed"):
        run(main())
    assert closed == ["source"]
