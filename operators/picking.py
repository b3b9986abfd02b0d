"""Operators that give one element, and fail where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from rxml.flow.check import permit_function, require_count
from rxml.flow.compose import compose
from rxml.flow.empty import NoElementsError, OutOfRangeError
from rxml.flow.kernels.picking import Last, Nth
from rxml.flow.kinds import fold, label, select
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.kernel import Kernel
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same

A = TypeVar("A")


@overload
def first(predicate: None = None) -> Same: ...


@overload
def first(predicate: Callable[[A], object]) -> Operator[A, A]: ...


def first(predicate: Callable[[Any], object] | None = None) -> Operator[Any, Any] | Same:
    """The first element, or the first for which the predicate is true, and then the end.

    Marble:
        --1--2--3--|
        first(lambda x: x > 1)
        -----2|

    Demand: one element; with a predicate, n elements for n.
    Buffers: nothing.
    Emits: that element.
    Completes: with it; upstream is closed at once.
    Fails: with upstream, when the predicate raises, or with NoElementsError when upstream ends without such an element.
    Cancels: upstream, at once.
    Cost: a call an element where there is a predicate.

    Args:
        predicate: whatever it returns is taken for its truth; None takes the very first element.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.first(lambda x: x > 1)).to_list())
        [2]
    """
    permit_function("first", predicate, "says which element is meant")
    return _one("first", lambda name: Nth[Any](0, lambda: NoElementsError(name)), predicate)


@overload
def last(predicate: None = None) -> Same: ...


@overload
def last(predicate: Callable[[A], object]) -> Operator[A, A]: ...


def last(predicate: Callable[[Any], object] | None = None) -> Operator[Any, Any] | Same:
    """The last element, or the last for which the predicate is true, once the stream has ended.

    Marble:
        --1--2--3--|
        last(lambda x: x < 3)
        -----------2|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: one element.
    Emits: that element, after the end of upstream.
    Completes: after it.
    Fails: with upstream, when the predicate raises, or with NoElementsError when upstream ends without such an element.
    Cancels: upstream, at once.
    Cost: a call an element where there is a predicate.

    Args:
        predicate: whatever it returns is taken for its truth; None takes the very last element.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.last(lambda x: x < 3)).to_list())
        [2]
    """
    permit_function("last", predicate, "says which element is meant")
    return _one("last", lambda name: Last[Any](lambda: NoElementsError(name)), predicate, held=1)


def _one(
    name: str,
    kernel: Callable[[str], Kernel[A, A]],
    predicate: Callable[[A], object] | None,
    held: int = 0,
) -> Operator[A, A]:
    """The kernel, behind a filter where there is a predicate, as in reactivex."""
    whole = name if predicate is None else label(name, predicate)
    picked: Operator[A, A] = fold(
        name,
        lambda: kernel(whole),
        cardinality=Cardinality.AT_MOST_ONE,
        capacity=held,
        opaque=True,
        passes=True,
    )
    return picked if predicate is None else compose(select(whole, predicate), picked)


def element_at(index: int) -> Same:
    """The element of this index, and then the end.

    Marble:
        --1--2--3--|
        element_at(1)
        -----2|

    Demand: as many elements as are missing up to that one.
    Buffers: nothing.
    Emits: that element.
    Completes: with it; upstream is closed at once.
    Fails: with upstream, or with OutOfRangeError when upstream ends before that element.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Args:
        index: counted from 0.

    Raises:
        CountError: a negative index (a ValueError).
        TypeError: not an int.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of("a", "b", "c").pipe(ops.element_at(1)).to_list())
        ['b']
    """
    place, name = require_count("element_at", index), label("element_at", index)
    return fold(
        name,
        lambda: Nth[Any](place, lambda: OutOfRangeError(name)),
        cardinality=Cardinality.AT_MOST_ONE,
        opaque=True,
        passes=True,
    )
