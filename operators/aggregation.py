"""Operators that make one result of all elements."""

from __future__ import annotations

from collections import deque
from itertools import accumulate, chain
from operator import add
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import permit_function, require_function
from rxml.flow.chunk import CHUNK
from rxml.flow.empty import NoElementsError
from rxml.flow.kernel import Kernel
from rxml.flow.kernels.folding import ABSENT, Fold
from rxml.flow.kinds import fold, label
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rxml.flow.operator import Operator

A = TypeVar("A")
B = TypeVar("B")


def reduce(accumulator: Callable[[B, A], B], seed: B = ABSENT) -> Operator[A, B]:
    """Fold the elements and emit the result at the end.

    Marble:
        --1--2--3--|
        reduce(lambda total, x: total + x)
        -----------6|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: the accumulation, which does not grow unless the accumulator lets it.
    Emits: the accumulation, after the end of upstream; the seed if there were no elements.
    Completes: after it.
    Fails: with upstream, when the accumulator raises, or with NoElementsError where there is neither element nor seed.
    Cancels: upstream, at once.
    Cost: one call an element, made in one loop over the chunk. The result answers for all elements that came with a
        context: where somebody waits to be told how they end, one reference is kept for each.

    Args:
        accumulator: called with the accumulation so far and the element.
        seed: the accumulation before the first element; must not be mutated, since every run begins with it. Without one,
            the first element is the first accumulation.

    Raises:
        TypeError: accumulator is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.reduce(lambda total, x: total + x)).to_list())
        [6]
    """
    require_function("reduce", accumulator, "takes the accumulation and an element")
    name = label("reduce", accumulator)
    return _all_to_one(name, lambda: Fold[Any, Any](name, accumulator, seed))


def _all_to_one(name: str, kernel: Callable[[], Kernel[Any, Any]]) -> Operator[Any, Any]:
    return fold(name, kernel, cardinality=Cardinality.FEWER)


def sum(key_mapper: Callable[[A], Any] | None = None) -> Operator[A, Any]:  # noqa: A001 - reactivex's name
    """Add up all elements.

    Marble:
        --1--2--3--|
        sum()
        -----------6|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: the sum.
    Emits: 0 plus each element in turn, by `+`, after the end of upstream; 0 if there were none. Floats are not compensated:
        the error grows with the number of elements.
    Completes: after it.
    Fails: with upstream, or when the mapper or an addition raises.
    Cancels: upstream, at once.
    Cost: an addition an element, made in one loop over the chunk.

    Args:
        key_mapper: makes what is added of an element; None: the element itself.

    Raises:
        TypeError: key_mapper is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.sum()).to_list())
        [6]
    """
    permit_function("sum", key_mapper, "makes a number of an element")
    name = "sum" if key_mapper is None else label("sum", key_mapper)
    return _all_to_one(name, lambda: Fold[Any, Any](name, add, 0, key_mapper))


class _Average(Kernel[A, float]):
    """Holds the sum and the count."""

    def __init__(self, name: str, mapper: Callable[[A], Any]) -> None:
        self._name = name
        self._mapper = mapper
        self._count = 0
        self._total: Any = 0

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[float]) -> None:
        totals = accumulate(chain((self._total,), map(self._mapper, items)), add)
        newest: deque[tuple[int, Any]] = deque(((self._count, self._total),), maxlen=1)
        try:
            newest.extend(enumerate(totals, self._count))
        finally:
            self._count, self._total = newest[0]

    @override
    def flush(self) -> Iterable[float]:
        if not self._count:
            raise NoElementsError(self._name)
        return (self._total / float(self._count),)

    @override
    def snapshot(self) -> Any:
        return [self._count, self._total]

    @override
    def restore(self, state: Any) -> None:
        self._count, self._total = state


def average(key_mapper: Callable[[A], Any] | None = None) -> Operator[A, float]:
    """The arithmetic mean of all elements.

    Marble:
        --1--2--6--|
        average()
        -----------3.0|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: the sum and the count.
    Emits: the sum over the count, after the end of upstream.
    Completes: after it.
    Fails: with upstream, when an element is no number, or with NoElementsError if there was none.
    Cancels: upstream, at once.
    Cost: a call and an addition an element, made in one loop over the chunk.

    Args:
        key_mapper: makes a number of an element; None is `float`.

    Raises:
        TypeError: key_mapper is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 6).pipe(ops.average()).to_list())
        [3.0]
    """
    permit_function("average", key_mapper, "makes a number of an element")
    name = "average" if key_mapper is None else label("average", key_mapper)
    return _all_to_one(name, lambda: _Average[Any](name, key_mapper or float))


class _Count(Kernel[A, int]):
    """Counts those that pass."""

    def __init__(self, predicate: Callable[[A], object] | None) -> None:
        self._predicate = predicate
        self._count = 0

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[int]) -> None:
        passing = items if self._predicate is None else filter(self._predicate, items)
        newest: deque[tuple[int, A]] = deque(maxlen=1)
        try:
            newest.extend(enumerate(passing, self._count + 1))
        finally:
            if newest:
                self._count = newest[0][0]

    @override
    def flush(self) -> Iterable[int]:
        return (self._count,)

    @override
    def snapshot(self) -> Any:
        return self._count

    @override
    def restore(self, state: Any) -> None:
        self._count = state


def count(predicate: Callable[[A], object] | None = None) -> Operator[A, int]:
    """Count the elements, or those for which the predicate is true.

    Marble:
        --1--2--3--|
        count(lambda x: x > 1)
        -----------2|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: a number.
    Emits: the count, after the end of upstream; 0 if there were none.
    Completes: after it.
    Fails: with upstream, or when the predicate raises.
    Cancels: upstream, at once.
    Cost: a call an element where there is a predicate, made in one loop over the chunk.

    Args:
        predicate: whatever it returns is taken for its truth; None counts all.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.count(lambda x: x > 1)).to_list())
        [2]
    """
    permit_function("count", predicate, "says which elements count")
    name = "count" if predicate is None else label("count", predicate)
    return _all_to_one(name, lambda: _Count(predicate))
