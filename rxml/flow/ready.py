"""Ready: what a stage has at hand for its reader, in order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import Chunk

if TYPE_CHECKING:
    from rxml.flow.context import Context


class Ready:
    """Chunks in order, taken in portions of any size. It has no bound of its own: its owner asks for no more than fits.

    Attributes:
        size: elements held.
    """

    __slots__ = ("_chunks", "size")

    def __init__(self) -> None:
        self._chunks: deque[Chunk[Any]] = deque()
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def gauge(self) -> tuple[int, float | None]:
        """Elements held; their age is not known."""
        return self.size, None

    def put(self, chunk: Chunk[Any]) -> None:
        """Add what follows; a chunk without elements or signals is nothing."""
        count = len(chunk.elements)
        if count or chunk.signalled:
            self.size += count
            self._chunks.append(chunk)

    def clear(self) -> list[Context]:
        """Throw everything away; returns the contexts of what was thrown away."""
        thrown = [context for chunk in self._chunks for context in chunk.contexts or ()]
        self._chunks.clear()
        self.size = 0
        return thrown

    def take(self, n: int) -> Chunk[Any]:
        """The next chunk: 1..n elements, as many as can be had without waiting, or none with a signal."""
        first = self._next(n)
        if len(first.elements) >= n or not self._chunks or not _open(first):
            return first
        return self._filled(first, n)

    def _next(self, n: int) -> Chunk[Any]:
        chunk = self._chunks.popleft()
        if len(chunk.elements) > n:
            chunk, rest = chunk.split(n)
            self._chunks.appendleft(rest)
        self.size -= len(chunk.elements)
        return chunk

    def _filled(self, first: Chunk[Any], n: int) -> Chunk[Any]:
        """The first chunk, and what follows it and can stand in the same one."""
        elements = list(first.elements)
        contexts = None if first.contexts is None else list(first.contexts)
        last = first
        while self._chunks and len(elements) < n and _open(last):
            if not _alike(first, self._chunks[0]):
                break
            last = self._next(n - len(elements))
            elements += last.elements
            if contexts is not None:
                contexts += last.contexts or ()
        return Chunk(elements, contexts, **last.signals())


def _open(chunk: Chunk[Any]) -> bool:
    """True if more elements may follow in the same chunk: a list, behind which no signal stands."""
    return not chunk.signalled and chunk.elements.__class__ is list


def _alike(chunk: Chunk[Any], following: Chunk[Any]) -> bool:
    if not len(following.elements):
        return True
    fits = following.elements.__class__ is list
    return fits and (chunk.contexts is None) == (following.contexts is None)
