"""Ready: what a stage has at hand for its reader, in order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import Chunk
from rxml.flow.dropping import dropped

if TYPE_CHECKING:
    from rxml.flow.context import Context


class Ready:
    """Chunks in order, taken in portions of any size. It has no bound of its own: its owner asks for no more than fits.

    Attributes:
        size: elements held.
    """

    __slots__ = ("_chunks", "_grown", "_tail", "size")

    def __init__(self) -> None:
        self._chunks: deque[Chunk[Any]] = deque()
        self._tail: Chunk[Any] | None = None
        self._grown: list[Any] = []
        self.size: int = 0

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def gauge(self) -> tuple[int, float | None]:
        """Elements held; their age is not known."""
        return self.size, None

    def put(self, chunk: Chunk[Any]) -> None:
        """Add what follows; a chunk without elements or signals is nothing.

        Watermarks that nobody takes do not pile up: a later one takes the place of the one before.
        """
        count = len(chunk.elements)
        if count:
            self.size += count
            self._chunks.append(chunk)
        elif chunk.signalled:
            last = self._chunks[-1] if self._chunks else None
            if last is not None and last.barrier is None:
                chunk = Chunk(last.elements, last.contexts, **(last.signals() | chunk.signals()))
                self._chunks.pop()
            self._chunks.append(chunk)

    def append(self, element: Any, context: Context | None) -> None:
        """Add one element."""
        tail = self._tail
        if tail is None or not self._grows(tail, context):
            self._grown = []
            tail = self._tail = Chunk(self._grown, None if context is None else [])
            self._chunks.append(tail)
        self._grown.append(element)
        if context is not None and tail.contexts is not None:
            tail.contexts.append(context)
        self.size += 1

    def _grows(self, tail: Chunk[Any], context: Context | None) -> bool:
        """True if an element may be added to the chunk that was added to before."""
        last = bool(self._chunks) and self._chunks[-1] is tail
        return last and not tail.signalled and (tail.contexts is None) == (context is None)

    def clear(self) -> int:
        """Throw everything away: it ends as dropped. Returns how many elements that were, to be counted."""
        thrown, self._chunks = self._chunks, deque()
        self._tail, self._grown = None, []
        self.size = 0
        return dropped(*thrown)

    def take(self, n: int) -> Chunk[Any]:
        """The next chunk: 1..n elements, as many as can be had without waiting, or none with a signal."""
        first = self._next(n)
        if len(first.elements) >= n or not self._chunks or not _open(first):
            return first
        return self._filled(first, n)

    def _next(self, n: int) -> Chunk[Any]:
        chunk = self._chunks.popleft()
        if chunk is self._tail:
            self._tail, self._grown = None, []  # nobody may be kept from collecting what was taken
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
