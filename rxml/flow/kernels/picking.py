"""Kernels that pick elements by their place: shared by the operators that give one element or a default."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import CHUNK
from rxml.flow.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

A = TypeVar("A")


class Nth(Kernel[A, A]):
    """The element of this index, and then nothing.

    Args:
        index: counted from 0.
        missing: makes the error for a stream that ends before; None: such a stream is empty.
    """

    def __init__(self, index: int, missing: Callable[[], Exception] | None = None) -> None:
        self._left = index
        self._missing = missing

    @override
    def demand(self, n: int) -> int:
        return self._left + 1

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        self._left -= len(list(islice(items, self._left)))
        for item in items:
            out.append(item)
            self.finished: bool = True
            return

    @override
    def flush(self) -> Iterable[A]:
        if self._missing is not None and not self.finished:
            raise self._missing()
        return ()

    @override
    def snapshot(self) -> Any:
        return [self._left, self.finished]

    @override
    def restore(self, state: Any) -> None:
        self._left, self.finished = state


class Last(Kernel[A, A]):
    """The last element, when the stream ends.

    Args:
        missing: makes the error for a stream without elements; None: such a stream is empty.
    """

    def __init__(self, missing: Callable[[], Exception] | None = None) -> None:
        self._held: deque[A] = deque(maxlen=1)
        self._missing = missing

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        self._held.extend(items)

    @override
    def flush(self) -> Iterable[A]:
        if self._missing is not None and not self._held:
            raise self._missing()
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


class OrDefault(Kernel[A, A]):
    """The elements, or the default if there are none."""

    def __init__(self, default: A) -> None:
        self._default = default
        self._seen = False

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        out.extend(items)
        self._seen = self._seen or bool(out)

    @override
    def flush(self) -> Iterable[A]:
        return () if self._seen else (self._default,)

    @override
    def snapshot(self) -> Any:
        return self._seen

    @override
    def restore(self, state: Any) -> None:
        self._seen = state
