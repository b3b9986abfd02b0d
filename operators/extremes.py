"""Operators that give the least or the greatest element."""

from __future__ import annotations

from operator import gt, lt
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import permit_function
from rxml.flow.chunk import CHUNK
from rxml.flow.empty import NoElementsError
from rxml.flow.kernel import Kernel
from rxml.flow.kernels.folding import ABSENT
from rxml.flow.kinds import fold, label
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rxml.flow.shapes import Same

A = TypeVar("A")


class _Extreme(Kernel[A, A]):
    """Holds the best element so far; an equal one that comes later is not better."""

    def __init__(self, name: str, better: Callable[[A, A], object]) -> None:
        self._name = name
        self._better = better
        self._best: Any = ABSENT

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        better, best = self._better, self._best
        if best is ABSENT:
            best = next(items, ABSENT)
        try:
            for item in items:
                if better(item, best):
                    best = item
        finally:
            self._best = best

    @override
    def flush(self) -> Iterable[A]:
        if self._best is ABSENT:
            raise NoElementsError(self._name)
        return (self._best,)

    @override
    def snapshot(self) -> Any:
        return [] if self._best is ABSENT else [self._best]

    @override
    def restore(self, state: Any) -> None:
        self._best = state[0] if state else ABSENT


def _extreme(
    name: str, comparer: Callable[[Any, Any], Any] | None, better: Callable[[Any, Any], object]
) -> Same:
    permit_function(name, comparer, "compares two elements")
    whole = name if comparer is None else label(name, comparer)
    return fold(
        whole, lambda: _Extreme[Any](whole, better), cardinality=Cardinality.FEWER, passes=True
    )


def min(comparer: Callable[[Any, Any], Any] | None = None) -> Same:  # noqa: A001 - reactivex's name
    """The least element.

    Marble:
        --3--1--2--|
        min()
        -----------1|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: one element.
    Emits: the first of the least elements, after the end of upstream. NaN is never less than anything.
    Completes: after it.
    Fails: with upstream, when a comparison raises, or with NoElementsError if there was no element.
    Cancels: upstream, at once.
    Cost: a comparison an element.

    Args:
        comparer: called with two elements: > 0 if the first is the greater, < 0 if it is the less; None is `<`.

    Raises:
        TypeError: comparer is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(3, 1, 2).pipe(ops.min()).to_list())
        [1]
    """
    compare = comparer
    return _extreme(
        "min", comparer, lt if compare is None else lambda x, best: -compare(x, best) > 0
    )


def max(comparer: Callable[[Any, Any], Any] | None = None) -> Same:  # noqa: A001 - reactivex's name
    """The greatest element.

    Marble:
        --3--1--2--|
        max()
        -----------3|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: one element.
    Emits: the first of the greatest elements, after the end of upstream. NaN is never greater than anything.
    Completes: after it.
    Fails: with upstream, when a comparison raises, or with NoElementsError if there was no element.
    Cancels: upstream, at once.
    Cost: a comparison an element.

    Args:
        comparer: called with two elements: > 0 if the first is the greater, < 0 if it is the less; None is `>`.

    Raises:
        TypeError: comparer is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(3, 1, 2).pipe(ops.max()).to_list())
        [3]
    """
    compare = comparer
    return _extreme(
        "max", comparer, gt if compare is None else lambda x, best: compare(x, best) > 0
    )
