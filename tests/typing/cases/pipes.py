"""What type checkers see in pipelines. Each line names what both reveal, or what each of them does."""

from __future__ import annotations

from typing import reveal_type

from reactivex import operators as rx

import rxml
from rxml import operators as ops
from rxml.flow.flowable import Flowable, Operator


def double(x: int) -> int:
    return x * 2


def text(x: int) -> str:
    return str(x)


def length(x: str) -> int:
    return len(x)


def add(x: int, y: int) -> int:
    return x + y


async def fetch(x: int) -> str:
    return str(x)


numbers = rxml.of(1, 2, 3)
reveal_type(numbers)  # both: Flowable[int]
reveal_type(numbers.pipe(ops.map(double), ops.map(text)))  # both: Flowable[str]
reveal_type(numbers.through(ops.map(lambda x: x + 1)))  # both: Flowable[int]
reveal_type(numbers.pipe(ops.scan(add)))  # both: Flowable[int]
reveal_type(rxml.range(3))  # both: Flowable[int]

reveal_type(numbers.pipe(rx.map(double), ops.map(text)))  # both: Flowable[str]

objects: Flowable[object] = numbers  # both: ok (covariant)
shouting: Operator[str, int] = ops.map(length)  # both: ok
wrong = numbers.pipe(ops.map(length))  # both: error


async def consume() -> None:
    reveal_type(await numbers)  # both: int
    reveal_type(await numbers.to_list())  # both: list[int]
    async for number in numbers:
        reveal_type(number)  # both: int
    async with numbers.open() as subscription:
        reveal_type((await subscription.request(1)).elements)  # both: Sequence[int]
    reveal_type(numbers.pipe(ops.map_async(fetch, concurrency=2)))  # both: Flowable[str]


flat = numbers.pipe(ops.map(text), ops.share(), ops.skip(1), ops.buffer(3))
reveal_type(flat)  # both: Flowable[list[str]]
pairs = flat.pipe(ops.unbatch(), ops.first(), ops.pairwise())
reveal_type(pairs)  # both: Flowable[tuple[str, str]]
reveal_type(numbers.pipe(ops.map(text), ops.count()))  # both: Flowable[int]
reveal_type(numbers.pipe(ops.retry(), ops.delay(1.0), ops.max()))  # both: Flowable[int]

# A generic operator, then one that a named function determines, then a generic one again: mypy gives up there.
sandwich = numbers.pipe(ops.take(9), ops.map(text), ops.share())  # mypy: error
two_pipes = numbers.pipe(ops.take(9), ops.map(text)).pipe(ops.share())
reveal_type(two_pipes)  # both: Flowable[str]
