"""Operators that make one element of another."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rxml.flow.kernel import Kernel
from rxml.flow.kinds import elementwise, fold, label
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.operator import Operator

A = TypeVar("A")
B = TypeVar("B")

_NONE: Any = object()


def map(mapper: Callable[[A], B]) -> Operator[A, B]:  # noqa: A001 - reactivex's name
    """Apply a function to each element.

    Marble:
        --1--2--3--|
        map(lambda x: x * 10)
        --10-20-30-|

    Demand: n elements for n.
    Buffers: nothing.
    Emits: for each element, its image, in order.
    Completes: with upstream.
    Fails: with upstream, or when the function raises, after the images of all elements before.
    Cancels: upstream, at once.
    Cost: one call an element, made in one loop over the chunk.

    Args:
        mapper: a function; a coroutine function is refused, since `map_async` is what runs those.

    Raises:
        TypeError: mapper is a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.map(lambda x: x * 10)).to_list())
        [10, 20, 30]
    """
    refuse_coroutine_function("map", mapper)
    return elementwise(label("map", mapper), mapper)


def refuse_coroutine_function(name: str, function: Callable[..., Any]) -> None:
    """Raise a TypeError that names `map_async` if calling the function would only give a coroutine."""
    called = getattr(function, "__call__", None)  # noqa: B004 - objects with an async __call__
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        shown = getattr(function, "__name__", repr(function))
        message = f"{name}({shown}): a coroutine function; use map_async({shown}, concurrency=...)"
        raise TypeError(message)


class _Scan(Kernel[A, B]):
    """Folds and emits each accumulation."""

    def __init__(self, accumulator: Callable[[B, A], B], seed: B) -> None:
        self._accumulator = accumulator
        self._state = seed

    def push(self, items: Iterator[A], out: list[B]) -> None:
        accumulator, append = self._accumulator, out.append
        for item in items:
            state = self._state
            self._state = state = cast("B", item) if state is _NONE else accumulator(state, item)
            append(state)

    def snapshot(self) -> Any:
        return [] if self._state is _NONE else [self._state]

    def restore(self, state: Any) -> None:
        self._state = state[0] if state else _NONE


def scan(accumulator: Callable[[B, A], B], seed: B = _NONE) -> Operator[A, B]:
    """Fold the elements and emit each intermediate result.

    Marble:
        --1--2--3--|
        scan(lambda total, x: total + x)
        --1--3--6--|

    Demand: n elements for n.
    Buffers: the accumulation, which does not grow unless the accumulator lets it.
    Emits: for each element, the accumulation up to it; without a seed the first element is the first accumulation.
    Completes: with upstream.
    Fails: with upstream, or when the accumulator raises, after the accumulations of all elements before.
    Cancels: upstream, at once.
    Cost: one call an element.

    Args:
        accumulator: called with the accumulation so far and the element.
        seed: the accumulation before the first element; must not be mutated, since every run begins with it.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.scan(lambda total, x: total + x)).to_list())
        [1, 3, 6]
    """
    refuse_coroutine_function("scan", accumulator)
    return fold(
        label("scan", accumulator), lambda: _Scan(accumulator, seed), cardinality=Cardinality.ONE
    )
