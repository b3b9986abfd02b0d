"""Channel: a bounded hand-over from tasks to one reader.

Waits carry no data: a reader or writer that is cancelled while it waits has taken nothing and given nothing. Bounds are
strict because a writer asks for room before it asks for elements.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from rxml.flow.buffers.weigh import weigh
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.dropping import dropped

if TYPE_CHECKING:
    from rxml.flow.clock import Clock

T = TypeVar("T")


class Channel(Generic[T]):
    """Chunks on their way from writers to one reader.

    Args:
        clock: dates the chunks.
        capacity: elements held at most.
        max_bytes: bytes held at most, except that one element larger than that may pass alone; None: not weighed.
    """

    __slots__ = (
        "_bytes",
        "_chunks",
        "_clock",
        "_error",
        "_loop",
        "_reader",
        "_weights",
        "_writers",
        "capacity",
        "closed",
        "max_bytes",
        "size",
        "wanted",
    )

    def __init__(self, clock: Clock, capacity: int, max_bytes: int | None = None) -> None:
        self._clock = clock
        self.capacity: int = capacity
        self.max_bytes: int | None = max_bytes
        self.size: int = 0
        self.wanted: int = 0
        self.closed: bool = False
        self._error: Exception | None = None
        self._bytes = 0
        self._chunks: deque[tuple[Chunk[T], float]] = deque()
        self._weights: deque[int] = deque()
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Future[None] | None = None
        self._writers: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return self.size

    def gauge(self) -> tuple[int, float | None]:
        """Elements held, and the age of the oldest in seconds."""
        oldest = self._clock.time() - self._chunks[0][1] if self._chunks else None
        return self.size, oldest

    @property
    def room(self) -> int:
        """Elements that may be put now."""
        if self.max_bytes is not None and self._bytes >= self.max_bytes:
            return 0
        return self.capacity - self.size

    async def wait_room(self, least: int = 1) -> int:
        """Wait until at least `least` elements may be put; returns how many may."""
        while (room := self.room) < least and not self.closed:
            await self._wait_writable()
        return room

    async def wait_wanted(self) -> int:
        """Wait until the reader wants more than is held; returns how many more.

        An empty channel takes a whole chunk, since that passes through; one that holds something, no more than its
        capacity, however much is wanted.
        """
        while (missing := self.missing) < 1 and not self.closed:
            await self._wait_writable()
        return missing

    @property
    def missing(self) -> int:
        """Elements that the reader wants beyond those that are held, as `wait_wanted` counts them; may be negative."""
        if not self._chunks:
            return min(self.wanted, CHUNK)
        return min(self.wanted, self.capacity) - self.size

    async def _wait_writable(self) -> None:
        waiter = self._loop.create_future()
        self._writers.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self._writers:
                self._writers.remove(waiter)
            raise

    def _wake_writers(self) -> None:
        if self._writers:
            waiters, self._writers = self._writers, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def put(self, chunk: Chunk[T]) -> None:
        """Add a chunk. The caller has made sure of room. Signals alone join the last chunk, so that they need none.

        What comes after `close` ends as dropped.
        """
        if self.closed:
            dropped(chunk)
            return
        count = len(chunk.elements)
        if not count and self._chunks and self._joined(chunk):
            return
        self._chunks.append((chunk, self._clock.time()))
        self.size += count
        if self.max_bytes is not None:
            weight = weigh(chunk.elements)
            self._weights.append(weight)
            self._bytes += weight
        self._wake_reader()

    def _joined(self, signals: Chunk[T]) -> bool:
        last, since = self._chunks[-1]
        if last.barrier is not None and signals.barrier is not None:
            return False
        both = {**last.signals(), **signals.signals()}
        self._chunks[-1] = Chunk(last.elements, last.contexts, **both), since
        return True

    async def send(self, chunk: Chunk[T]) -> None:
        """Wait for room for the whole chunk (or for an empty channel), then add it; what is too late is dropped."""
        try:
            await self.wait_room(min(len(chunk.elements), self.capacity) or 1)
        except asyncio.CancelledError:
            if self.closed:
                dropped(chunk)
            raise
        self.put(chunk)

    def evict(self) -> Chunk[T]:
        """Take the oldest element away, for policies that drop it; returns it with its context."""
        chunk, _ = self._chunks[0]
        head, _rest = chunk.split(1)
        self._take(1)
        return head

    def close(self, error: Exception | None = None) -> None:
        """No more is coming; the reader gets what is held, then the error or the end. Idempotent."""
        if not self.closed:
            self.closed = True
            self._error = error
            self._wake_reader()
            self._wake_writers()

    def clear(self) -> int:
        """Throw away what is held: it ends as dropped. Returns how many elements that were, to be counted."""
        thrown, self._chunks = self._chunks, deque()
        self._weights.clear()
        self.size = self._bytes = 0
        return dropped(*(chunk for chunk, _ in thrown))

    def ready(self, n: int) -> Chunk[T] | None:
        """1..n elements if they are here and other tasks have had their turn; else None: wait in `receive`."""
        if not self._chunks or self._clock.held:
            return None
        chunk = self._take(n)
        self._wake_writers()
        return chunk

    async def receive(self, n: int) -> Chunk[T]:
        """Wait for 1..n elements; after `close`, the rest and then the end or the error."""
        if self._chunks and self._clock.held:
            await self._clock.breathe()
        self.wanted = n
        try:
            while not self._chunks:
                if self.closed:
                    return self._last()
                self._wake_writers()
                self._reader = self._loop.create_future()
                await self._reader
        finally:
            self.wanted = 0
            self._reader = None
        chunk = self._take(n)
        self._wake_writers()
        return chunk

    def _last(self) -> Chunk[T]:
        if self._error is not None:
            raise self._error
        return END

    def _take(self, n: int) -> Chunk[T]:
        chunk, since = self._chunks.popleft()
        weight = self._weights.popleft() if self.max_bytes is not None else 0
        count = len(chunk.elements)
        if count > n:
            chunk, rest = chunk.split(n)
            kept = weight * (count - n) // count
            self._chunks.appendleft((rest, since))
            if self.max_bytes is not None:
                self._weights.appendleft(kept)
            weight -= kept
            count = n
        self.size -= count
        self._bytes -= weight
        return chunk
