"""Operators that collect all elements: bounded."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.errors import BufferOverflowError
from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import fold
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rxml.flow.shapes import Listed

A = TypeVar("A")


class _ToList(Kernel[A, list[A]]):
    """Collects, up to a bound."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: list[A] = []

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[list[A]]) -> None:
        self._held.extend(islice(items, self._most - len(self._held)))
        for _ in items:
            message = (
                f"to_list: more than max_elements={self._most} elements; raise it, or use buffer"
            )
            raise BufferOverflowError(message)

    @override
    def flush(self) -> Iterable[list[A]]:
        held, self._held = self._held, []
        return (held,)

    @override
    def held(self) -> int:
        return len(self._held)

    @override
    def snapshot(self) -> Any:
        return list(self._held)

    @override
    def restore(self, state: Any) -> None:
        self._held = list(state)


def to_list(*, max_elements: int = 1_000_000) -> Listed:
    """Collect all elements in one list.

    Marble:
        --1--2--3--|
        to_list()
        -----------[1,2,3]|

    Demand: chunk after chunk until upstream ends, for any demand.
    Buffers: `max_elements` elements.
    Emits: the list, after the end of upstream; an empty one if there were no elements.
    Completes: after it.
    Fails: with upstream, or with BufferOverflowError at the first element that is too many.
    Cancels: upstream, at once.
    Cost: next to nothing an element; memory for all of them.

    Args:
        max_elements: elements to collect at most, >= 0.

    Raises:
        CountError: a negative max_elements (a ValueError).
        TypeError: not an int.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(3).pipe(ops.to_list()).to_list())
        [[0, 1, 2]]
    """
    most = require_count("to_list(max_elements)", max_elements)
    return fold("to_list", lambda: _ToList[Any](most), cardinality=Cardinality.FEWER, capacity=most)
