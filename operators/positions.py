"""Operators that let some elements through, by their place in the stream."""

from __future__ import annotations

import sys
from collections import deque
from itertools import islice, repeat, starmap
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import fold, label
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same

A = TypeVar("A")


class _Take(Kernel[A, A]):
    """Counts down and finishes at 0."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.finished = count == 0

    @override
    def demand(self, n: int) -> int:
        return min(n, self._left)

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        before = len(out)
        out.extend(islice(items, self._left))
        self._left -= len(out) - before
        self.finished = self._left == 0

    @override
    def snapshot(self) -> Any:
        return self._left

    @override
    def restore(self, state: Any) -> None:
        self._left, self.finished = state, state == 0


def take(count: int) -> Same:
    """Let the first elements through, then end.

    Marble:
        --1--2--3--4--|
        take(2)
        --1--2|

    Demand: n elements for n, and never more than are left to take.
    Buffers: nothing.
    Emits: the first `count` elements.
    Completes: with upstream, or with the last element that it takes; upstream is closed at once. `take(0)` never opens it.
    Fails: with upstream, before that.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Args:
        count: elements to take, >= 0.

    Raises:
        CountError: a negative count (a ValueError).
        TypeError: not an int.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(1_000_000).pipe(ops.take(2)).to_list())
        [0, 1]
    """
    left = require_count("take", count)
    return _positional("take", count, lambda: _Take[Any](left))


class _Skip(Kernel[A, A]):
    """Counts down and passes all from 0 on."""

    def __init__(self, count: int) -> None:
        self._left = count

    @override
    def demand(self, n: int) -> int:
        return n + self._left

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        if self._left:
            self._left -= len(list(islice(items, self._left)))
        out.extend(items)

    @override
    def snapshot(self) -> Any:
        return self._left

    @override
    def restore(self, state: Any) -> None:
        self._left = state


def skip(count: int) -> Same:
    """Leave the first elements out.

    Marble:
        --1--2--3--4--|
        skip(2)
        --------3--4--|

    Demand: n elements for n, and those still to be left out.
    Buffers: nothing.
    Emits: all elements after the first `count`.
    Completes: with upstream.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Args:
        count: elements to leave out, >= 0.

    Raises:
        CountError: a negative count (a ValueError).
        TypeError: not an int.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(5).pipe(ops.skip(3)).to_list())
        [3, 4]
    """
    left = require_count("skip", count)
    return _positional("skip", count, lambda: _Skip[Any](left))


class _TakeLast(Kernel[A, A]):
    """Keeps the newest elements."""

    def __init__(self, count: int) -> None:
        self._held: deque[A] = deque(maxlen=count)

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        self._held.extend(items)

    @override
    def flush(self) -> Iterable[A]:
        held, self._held = self._held, deque()
        return held

    @override
    def held(self) -> int:
        return len(self._held)

    @override
    def snapshot(self) -> Any:
        return list(self._held)

    @override
    def restore(self, state: Any) -> None:
        self._held.extend(state)


def take_last(count: int) -> Same:
    """Let through the last elements, once the stream has ended.

    Marble:
        --1--2--3--4--|
        take_last(2)
        --------------3-4|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: `count` elements, the newest.
    Emits: after the end of upstream, its last `count` elements in order.
    Completes: after them.
    Fails: with upstream, without them.
    Cancels: upstream, at once.
    Cost: next to nothing an element; memory for `count` elements.

    Args:
        count: elements to keep; a negative count keeps none, as in reactivex.

    Raises:
        TypeError: not an int.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(5).pipe(ops.take_last(2)).to_list())
        [3, 4]
    """
    kept = max(0, require_count("take_last", count, least=-sys.maxsize))
    return _positional("take_last", count, lambda: _TakeLast[Any](kept), kept, holds=True)


class _SkipLast(Kernel[A, A]):
    """Holds the newest elements back."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held: deque[A] = deque()

    @override
    def demand(self, n: int) -> int:
        return n + self._count - len(self._held)

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        held = self._held
        held.extend(items)
        out.extend(starmap(held.popleft, repeat((), max(0, len(held) - self._count))))

    @override
    def held(self) -> int:
        return len(self._held)

    @override
    def snapshot(self) -> Any:
        return list(self._held)

    @override
    def restore(self, state: Any) -> None:
        self._held.extend(state)


def skip_last(count: int) -> Same:
    """Leave out the last elements.

    Marble:
        --1--2--3--4--|
        skip_last(2)
        --------1--2--|

    Demand: n elements for n, and until `count` are held, those too.
    Buffers: `count` elements, the newest.
    Emits: each element as soon as `count` others have come after it.
    Completes: with upstream, without those that are held.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: next to nothing an element; memory for `count` elements.

    Args:
        count: elements to leave out; a negative count leaves out none, as in reactivex.

    Raises:
        TypeError: not an int.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(5).pipe(ops.skip_last(2)).to_list())
        [0, 1, 2]
    """
    kept = max(0, require_count("skip_last", count, least=-sys.maxsize))
    return _positional("skip_last", count, lambda: _SkipLast[Any](kept), kept)


def _positional(
    name: str, count: int, kernel: Callable[[], Kernel[A, A]], held: int = 0, *, holds: bool = False
) -> Operator[A, A]:
    """A stage that moves, keeps or drops elements without looking at them."""
    return fold(
        label(name, count),
        kernel,
        cardinality=Cardinality.AT_MOST_ONE,
        capacity=held,
        holds=holds,
        opaque=True,
        passes=True,
    )
