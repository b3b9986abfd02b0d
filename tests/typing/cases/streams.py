"""What type checkers see where streams are split, joined, flattened and composed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, reveal_type

import rxml
from rxml import operators as ops

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    import reactivex


def is_odd(x: int) -> bool:
    return x % 2 == 1


def text(x: int) -> str:
    return str(x)


def length(x: str) -> int:
    return len(x)


def loaded(x: int) -> Any:
    return x


def flow(x: int) -> rxml.Flowable[str]:
    return rxml.of(str(x))


def observable(x: int) -> reactivex.Observable[str]: ...  # type: ignore[empty-body]


def listed(x: int) -> list[str]:
    return [str(x)]


async def fetch(x: int) -> str:
    return str(x)


def called(x: int) -> Awaitable[str]:
    return fetch(x)


async def generate(x: int) -> AsyncIterator[str]:
    yield str(x)


numbers = rxml.of(1, 2, 3)
words = rxml.of("one")

# Split: with `through`, since a step that gives no flow would leave `pipe` undecided about steps of type Any.
odd, even = numbers.through(ops.partition(is_odd))
reveal_type(odd)  # both: Flowable[int]
reveal_type(numbers.through(ops.partition(lambda x: x > 1)))  # both: list[Flowable[int]]
reveal_type(numbers.pipe(ops.map(text)).through(ops.partition(len)))  # both: list[Flowable[str]]

# Joined.
reveal_type(numbers.pipe(ops.merge(words)))  # both: Flowable[int | str]
reveal_type(numbers.pipe(ops.merge(words, rxml.of(b""))))  # both: Flowable[int | str | bytes]
reveal_type(numbers.pipe(ops.merge(numbers, numbers, numbers)))  # both: Flowable[int]
reveal_type(rxml.of(numbers).pipe(ops.merge(max_concurrent=2)))  # both: Flowable[int]
reveal_type(rxml.merge(numbers, words))  # both: Flowable[int | str]
reveal_type(rxml.merge(numbers, words, rxml.of(b"")))  # both: Flowable[int | str | bytes]
reveal_type(rxml.merge(numbers, numbers))  # both: Flowable[int]
reveal_type(rxml.merge(numbers, numbers, numbers, numbers))  # both: Flowable[int]
reveal_type(rxml.merge(*[numbers, numbers]))  # both: Flowable[int]
reveal_type(rxml.concat(numbers))  # both: Flowable[int]
reveal_type(rxml.concat(numbers, words))  # both: Flowable[int | str]
reveal_type(rxml.concat(numbers, words, rxml.of(b"")))  # both: Flowable[int | str | bytes]
reveal_type(numbers.pipe(ops.take(1), ops.concat(words)))  # both: Flowable[int | str]
reveal_type(numbers.pipe(ops.map(text), ops.concat(words), ops.map(length)))  # both: Flowable[int]

# Flattened: whatever stands for a stream.
reveal_type(numbers.pipe(ops.flat_map(flow)))  # both: Flowable[str]
reveal_type(numbers.pipe(ops.flat_map(observable)))  # both: Flowable[str]
reveal_type(numbers.pipe(ops.flat_map(listed)))  # both: Flowable[str]
reveal_type(numbers.pipe(ops.flat_map(fetch)))  # both: Flowable[str]
reveal_type(numbers.pipe(ops.flat_map(generate)))  # both: Flowable[str]
reveal_type(numbers.pipe(ops.flat_map(called)))  # both: Flowable[str]
reveal_type(numbers.pipe(ops.flat_map(loaded)))  # both: Flowable[Any]
reveal_type(numbers.pipe(ops.concat_map(flow), ops.map(length)))  # both: Flowable[int]
reveal_type(numbers.pipe(ops.switch_map(flow)))  # both: Flowable[str]
reveal_type(rxml.of(numbers).pipe(ops.switch_map()))  # both: Flowable[int]
reveal_type(numbers.through(ops.concat_map(lambda x: rxml.of(x + 1))))  # both: Flowable[int]
neither = numbers.pipe(ops.flat_map(is_odd))  # both: error

# Composed, and named.
step: rxml.Operator[int, int] = rxml.compose(ops.map(text), ops.map(length))
reveal_type(step)  # both: Operator[int, int]
reveal_type(numbers.pipe(rxml.compose(ops.map(text), ops.take(1))))  # both: Flowable[str]
reveal_type(numbers.pipe(step, rxml.compose(ops.map(text))))  # both: Flowable[str]
wrong = words.pipe(step)  # both: error

# A coroutine function is refused when the pipeline is built; to a checker its results are coroutines, which the next
# operator does not take.
awaited = numbers.pipe(ops.map(fetch), ops.map(length))  # both: error
