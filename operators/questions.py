"""Operators that answer a question about the elements with true or false."""

from __future__ import annotations

from itertools import filterfalse
from operator import eq
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import permit_function, require_function
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import fold, label
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rxml.flow.operator import Operator

A = TypeVar("A")


class _Search(Kernel[A, bool]):
    """Looks for one element that settles the question.

    Args:
        settling: of an iterator, those elements that settle it.
        answer: the answer then; without such an element it is the other.
        only: whether any element settles it, so that no more than one is asked for.
    """

    def __init__(
        self,
        settling: Callable[[Iterator[A]], Iterator[A]],
        *,
        answer: bool,
        only: bool = False,
    ) -> None:
        self._settling = settling
        self._answer = answer
        self._only = only

    @override
    def demand(self, n: int) -> int:
        return 1 if self._only else n

    @override
    def push(self, items: Iterator[A], out: list[bool]) -> None:
        for _ in self._settling(items):
            out.append(self._answer)
            self.finished = True
            return

    @override
    def flush(self) -> Iterable[bool]:
        return () if self.finished else (not self._answer,)

    @override
    def snapshot(self) -> Any:
        return self.finished

    @override
    def restore(self, state: Any) -> None:
        self.finished = state


def _question(name: str, kernel: Callable[[], Kernel[Any, bool]]) -> Operator[Any, bool]:
    return fold(name, kernel, cardinality=Cardinality.FEWER)


def all(predicate: Callable[[A], object]) -> Operator[A, bool]:  # noqa: A001 - reactivex's name
    """Whether the predicate is true for all elements.

    Marble:
        --1--2--9--4--|
        all(lambda x: x < 5)
        --------False|

    Demand: n elements for n, until the answer is known.
    Buffers: nothing.
    Emits: False at the first element for which the predicate is false; True at the end of upstream, if there was none.
    Completes: after it; upstream is closed at once.
    Fails: with upstream, or when the predicate raises, before that.
    Cancels: upstream, at once.
    Cost: one call an element, made in one loop over the chunk.

    Args:
        predicate: whatever it returns is taken for its truth.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 9, 4).pipe(ops.all(lambda x: x < 5)).to_list())
        [False]
    """
    require_function("all", predicate, "says what all elements are to be")
    return _question(
        label("all", predicate),
        lambda: _Search[Any](lambda items: filterfalse(predicate, items), answer=False),
    )


def some(predicate: Callable[[A], object] | None = None) -> Operator[A, bool]:
    """Whether the predicate is true for some element, or whether there is any element.

    Marble:
        --1--2--9--4--|
        some(lambda x: x > 5)
        --------True|

    Demand: n elements for n, until the answer is known; without a predicate one.
    Buffers: nothing.
    Emits: True at the first element for which the predicate is true; False at the end of upstream, if there was none.
    Completes: after it; upstream is closed at once.
    Fails: with upstream, or when the predicate raises, before that.
    Cancels: upstream, at once.
    Cost: one call an element, made in one loop over the chunk.

    Args:
        predicate: whatever it returns is taken for its truth; None is true for every element.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 9, 4).pipe(ops.some(lambda x: x > 5)).to_list())
        [True]
    """
    permit_function("some", predicate, "says what some element is to be")
    if predicate is None:
        return _question("some", lambda: _Search[Any](iter, answer=True, only=True))
    wanted = predicate
    return _question(
        label("some", predicate),
        lambda: _Search[Any](lambda items: filter(wanted, items), answer=True),
    )


def contains(value: A, comparer: Callable[[A, A], object] | None = None) -> Operator[A, bool]:
    """Whether some element equals the value.

    Marble:
        --1--2--9--4--|
        contains(9)
        --------True|

    Demand: n elements for n, until the answer is known.
    Buffers: nothing.
    Emits: True at the first element that equals the value; False at the end of upstream, if there was none.
    Completes: after it; upstream is closed at once.
    Fails: with upstream, or when a comparison raises, before that.
    Cancels: upstream, at once.
    Cost: a comparison an element.

    Args:
        value: what is looked for. NaN equals nothing.
        comparer: called with an element and the value, true if they are the same; None is `==`.

    Raises:
        TypeError: comparer is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 9, 4).pipe(ops.contains(9)).to_list())
        [True]
    """
    permit_function("contains", comparer, "says whether two elements are the same")
    compare = comparer or eq
    return _question(
        label("contains", value),
        lambda: _Search[Any](
            lambda items: filter(lambda item: compare(item, value), items), answer=True
        ),
    )


def is_empty() -> Operator[Any, bool]:
    """Whether there is no element.

    Marble:
        --------|
        is_empty()
        --------True|

    Demand: one element.
    Buffers: nothing.
    Emits: False at the first element, or True at the end of upstream, if there was none.
    Completes: after it; upstream is closed at once.
    Fails: with upstream, before that.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.is_empty()).to_list())
        [False]
    """
    return _question("is_empty", lambda: _Search[Any](iter, answer=False, only=True))
