"""Operators that give a default where there is nothing to give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from rxml.flow.check import permit_function, require_count
from rxml.flow.compose import compose
from rxml.flow.kernels.picking import Last, Nth, OrDefault
from rxml.flow.kinds import fold, label, select
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.kernel import Kernel
    from rxml.flow.operator import Operator

A = TypeVar("A")
B = TypeVar("B")


@overload
def default_if_empty() -> Operator[A, A | None]: ...


@overload
def default_if_empty(default_value: B) -> Operator[A, A | B]: ...


def default_if_empty(default_value: Any = None) -> Operator[Any, Any]:
    """The elements, or a default if there are none.

    Marble:
        ------|
        default_if_empty(0)
        ------0|

    Demand: n elements for n.
    Buffers: nothing.
    Emits: each element; if upstream ends without any, the default.
    Completes: with upstream, or after the default.
    Fails: with upstream; never with the default.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Args:
        default_value: what a stream without elements gives.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.empty().pipe(ops.default_if_empty(0)).to_list())
        [0]
    """
    return _or_default(label("default_if_empty", default_value), default_value)


@overload
def first_or_default(predicate: Callable[[A], object] | None = None) -> Operator[A, A | None]: ...


@overload
def first_or_default(
    predicate: Callable[[A], object] | None = None, *, default_value: B
) -> Operator[A, A | B]: ...


@overload
def first_or_default(
    predicate: Callable[[A], object] | None, default_value: B
) -> Operator[A, A | B]: ...


def first_or_default(
    predicate: Callable[[Any], object] | None = None, default_value: Any = None
) -> Operator[Any, Any]:
    """The first element, or the first for which the predicate is true, or a default if there is none.

    Marble:
        --1--2--3--|
        first_or_default(lambda x: x > 9, 0)
        -----------0|

    Demand: one element; with a predicate, n elements for n.
    Buffers: nothing.
    Emits: that element, or after the end of upstream the default.
    Completes: with it; upstream is closed at once.
    Fails: with upstream, or when the predicate raises.
    Cancels: upstream, at once.
    Cost: a call an element where there is a predicate.

    Args:
        predicate: whatever it returns is taken for its truth; None takes the very first element.
        default_value: what comes where there is no such element.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.first_or_default(lambda x: x > 9, 0)).to_list())
        [0]
    """
    permit_function("first_or_default", predicate, "says which element is meant")
    return _picked("first_or_default", lambda: Nth[Any](0), default_value, predicate)


@overload
def last_or_default(*, predicate: Callable[[A], object] | None = None) -> Operator[A, A | None]: ...


@overload
def last_or_default(
    default_value: B, predicate: Callable[[A], object] | None = None
) -> Operator[A, A | B]: ...


def last_or_default(
    default_value: Any = None, predicate: Callable[[Any], object] | None = None
) -> Operator[Any, Any]:
    """The last element, or the last for which the predicate is true, or a default if there is none.

    Marble:
        --1--2--3--|
        last_or_default(0, lambda x: x > 9)
        -----------0|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: one element.
    Emits: that element or the default, after the end of upstream.
    Completes: after it.
    Fails: with upstream, or when the predicate raises.
    Cancels: upstream, at once.
    Cost: a call an element where there is a predicate.

    Args:
        default_value: what comes where there is no such element.
        predicate: whatever it returns is taken for its truth; None takes the very last element.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.last_or_default(0, lambda x: x > 9)).to_list())
        [0]
    """
    permit_function("last_or_default", predicate, "says which element is meant")
    return _picked("last_or_default", Last[Any], default_value, predicate, held=1)


@overload
def element_at_or_default(index: int) -> Operator[A, A | None]: ...


@overload
def element_at_or_default(index: int, default_value: B) -> Operator[A, A | B]: ...


def element_at_or_default(index: int, default_value: Any = None) -> Operator[Any, Any]:
    """The element of this index, or a default if the stream ends before it.

    Marble:
        --1--2--3--|
        element_at_or_default(9, 0)
        -----------0|

    Demand: as many elements as are missing up to that one.
    Buffers: nothing.
    Emits: that element, or after the end of upstream the default.
    Completes: with it; upstream is closed at once.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Args:
        index: counted from 0.
        default_value: what comes where there is no such element.

    Raises:
        CountError: a negative index (a ValueError).
        TypeError: not an int.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.element_at_or_default(9, 0)).to_list())
        [0]
    """
    place = require_count("element_at_or_default", index)
    return _picked(label("element_at_or_default", index), lambda: Nth[Any](place), default_value)


def _picked(
    name: str,
    kernel: Callable[[], Kernel[Any, Any]],
    default_value: Any,
    predicate: Callable[[Any], object] | None = None,
    held: int = 0,
) -> Operator[Any, Any]:
    """A filter where there is a predicate, then the kernel, then the default."""
    pick: Operator[Any, Any] = fold(
        name, kernel, cardinality=Cardinality.AT_MOST_ONE, capacity=held, opaque=True, passes=True
    )
    default = _or_default("or default", default_value)
    if predicate is None:
        return compose(pick, default)
    return compose(select(label(name, predicate), predicate), pick, default)


def _or_default(name: str, default_value: Any) -> Operator[Any, Any]:
    """Aligned, since result i belongs to element i, and the default comes where there is none."""
    return fold(name, lambda: OrDefault(default_value), cardinality=Cardinality.MANY, aligned=True)
