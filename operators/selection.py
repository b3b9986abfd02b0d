"""Operators that let some elements through, by what they are."""

from __future__ import annotations

from collections import deque
from itertools import dropwhile
from operator import eq
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import permit_function, require_function
from rxml.flow.chunk import CHUNK
from rxml.flow.kernel import Kernel
from rxml.flow.kernels.folding import ABSENT
from rxml.flow.kinds import fold, label, select
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same

A = TypeVar("A")
K = TypeVar("K")


def filter(predicate: Callable[[A], object]) -> Operator[A, A]:  # noqa: A001 - reactivex's name
    """Let through the elements for which the predicate is true.

    Marble:
        --1--2--3--4--|
        filter(lambda x: x % 2)
        --1-----3-----|

    Demand: n elements for n; asks again while none of them passed.
    Buffers: nothing.
    Emits: the elements that pass, in order.
    Completes: with upstream.
    Fails: with upstream, or when the predicate raises, after all elements that passed before.
    Cancels: upstream, at once.
    Cost: one call an element, made in one loop over the chunk.

    Args:
        predicate: whatever it returns is taken for its truth.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(5).pipe(ops.filter(lambda x: x % 2)).to_list())
        [1, 3]
    """
    require_function("filter", predicate, "says which elements pass")
    return select(label("filter", predicate), predicate)


class _TakeWhile(Kernel[A, A]):
    """Finishes at the first element that does not pass."""

    def __init__(self, predicate: Callable[[A], object], *, inclusive: bool) -> None:
        self._predicate = predicate
        self._inclusive = inclusive

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        predicate, append = self._predicate, out.append
        for item in items:
            if predicate(item):
                append(item)
                continue
            if self._inclusive:
                append(item)
            self.finished = True
            return

    @override
    def snapshot(self) -> Any:
        return self.finished

    @override
    def restore(self, state: Any) -> None:
        self.finished = state


def take_while(predicate: Callable[[A], object], inclusive: bool = False) -> Operator[A, A]:  # noqa: FBT001, FBT002 - reactivex's
    """Let elements through until the predicate is false for one, then end.

    Marble:
        --1--2--3--1--|
        take_while(lambda x: x < 3)
        --1--2--|

    Demand: n elements for n.
    Buffers: nothing.
    Emits: the elements before the first that does not pass; that one too, if `inclusive`.
    Completes: with upstream, or at the first element that does not pass; upstream is closed at once.
    Fails: with upstream, or when the predicate raises, after all elements before.
    Cancels: upstream, at once.
    Cost: one call an element.

    Args:
        predicate: whatever it returns is taken for its truth; not called again once it was false.
        inclusive: whether the first element that does not pass comes out as the last.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3, 1).pipe(ops.take_while(lambda x: x < 3)).to_list())
        [1, 2]
    """
    require_function("take_while", predicate, "says how long elements pass")
    return fold(
        label("take_while", predicate),
        lambda: _TakeWhile(predicate, inclusive=inclusive),
        cardinality=Cardinality.AT_MOST_ONE,
        passes=True,
    )


class _SkipWhile(Kernel[A, A]):
    """Passes everything from the first element on for which the predicate is false."""

    def __init__(self, predicate: Callable[[A], object]) -> None:
        self._predicate = predicate
        self._passing = False

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        before = len(out)
        out.extend(items if self._passing else dropwhile(self._predicate, items))
        self._passing = self._passing or len(out) > before

    @override
    def snapshot(self) -> Any:
        return self._passing

    @override
    def restore(self, state: Any) -> None:
        self._passing = state


def skip_while(predicate: Callable[[A], object]) -> Operator[A, A]:
    """Leave elements out until the predicate is false for one, then let all through.

    Marble:
        --1--2--3--1--|
        skip_while(lambda x: x < 3)
        --------3--1--|

    Demand: n elements for n; asks again while all are left out.
    Buffers: nothing.
    Emits: the first element that does not fulfil the predicate, and all after it.
    Completes: with upstream.
    Fails: with upstream, or when the predicate raises.
    Cancels: upstream, at once.
    Cost: one call an element while elements are left out, made in one loop over the chunk; none after.

    Args:
        predicate: whatever it returns is taken for its truth; not called again once it was false.

    Raises:
        TypeError: predicate is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3, 1).pipe(ops.skip_while(lambda x: x < 3)).to_list())
        [3, 1]
    """
    require_function("skip_while", predicate, "says how long elements are left out")
    name = label("skip_while", predicate)
    return fold(
        name, lambda: _SkipWhile(predicate), cardinality=Cardinality.AT_MOST_ONE, passes=True
    )


class _Changed(Kernel[A, A]):
    """Remembers the key that was emitted last."""

    def __init__(
        self, mapper: Callable[[A], Any] | None, comparer: Callable[[Any, Any], object]
    ) -> None:
        self._mapper = mapper
        self._comparer = comparer
        self._current: Any = ABSENT

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        mapper, comparer, append = self._mapper, self._comparer, out.append
        for item in items:
            key = item if mapper is None else mapper(item)
            current = self._current
            if current is ABSENT or not comparer(current, key):
                self._current = key
                append(item)

    @override
    def snapshot(self) -> Any:
        return [] if self._current is ABSENT else [self._current]

    @override
    def restore(self, state: Any) -> None:
        self._current = state[0] if state else ABSENT


def distinct_until_changed(
    key_mapper: Callable[[A], K] | None = None, comparer: Callable[[K, K], object] | None = None
) -> Same:
    """Leave out elements that are equal to the one let through last.

    Marble:
        --1--1--2--1--|
        distinct_until_changed()
        --1-----2--1--|

    Demand: n elements for n; asks again while all are left out.
    Buffers: one key.
    Emits: the first element, and each whose key differs from that of the element emitted before it.
    Completes: with upstream.
    Fails: with upstream, or when a function or a comparison raises, after the elements before.
    Cancels: upstream, at once.
    Cost: a comparison an element, and a call where there is a key_mapper.

    Args:
        key_mapper: what is compared; None: the element. NaN equals nothing, so each one comes out.
        comparer: called with the key emitted last and the new one, true if they are the same; None is `==`.

    Raises:
        TypeError: an argument is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 1, 2, 1).pipe(ops.distinct_until_changed()).to_list())
        [1, 2, 1]
    """
    permit_function("distinct_until_changed", key_mapper, "makes the key of an element")
    permit_function("distinct_until_changed", comparer, "says whether two keys are the same")
    return fold(
        "distinct_until_changed",
        lambda: _Changed[Any](key_mapper, comparer or eq),
        cardinality=Cardinality.AT_MOST_ONE,
        passes=True,
    )


class _Nothing(Kernel[A, A]):
    """Takes all and gives nothing."""

    stateless = True

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        deque(items, maxlen=0)


def ignore_elements() -> Same:
    """Let nothing through but the end or the failure.

    Marble:
        --1--2--3--|
        ignore_elements()
        -----------|

    Demand: chunk after chunk, for any demand.
    Buffers: nothing.
    Completes: with upstream.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(5).pipe(ops.ignore_elements()).to_list())
        []
    """
    return fold(
        "ignore_elements",
        _Nothing[Any],
        cardinality=Cardinality.AT_MOST_ONE,
        opaque=True,
        passes=True,
    )
