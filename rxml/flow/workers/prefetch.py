"""PrefetchStage: takes elements ahead while its reader is busy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.buffers.ready import Ready
from rxml.flow.buffers.weigh import weigh
from rxml.flow.chunk import END, Chunk
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class PrefetchStage(Stage[Any]):
    """A task fills the buffer; a reader who finds it empty and the task at rest asks the input itself.

    So nothing is handed from task to task but what was really taken ahead. What is held and what the task has asked for
    are together never more than the capacity; it refills when a quarter is free.

    Bytes are known only once elements are there: the task asks for as many as would fit if each were as heavy as the
    heaviest so far, for one at first, and for at most twice as many as the time before.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._capacity = node.spec.capacity
        self._low = max(1, self._capacity // 4)
        self._max_bytes = node.spec.max_bytes
        self._bytes = 0
        self._heaviest = 0
        self._most = 1
        self._head: Subscription[Any] | None = None
        self._scope = Scope()
        self._ready = Ready()
        self._asking = False
        self._over = False
        self._error: Exception | None = None
        self._bell: asyncio.Future[None] | None = None
        self._rest: asyncio.Future[None] | None = None
        self.meter.gauge = self._ready.gauge

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if clock.held:
            await clock.breathe()
        head = self._head
        if head is None:
            self._head = head = self.env.open(self.node.sources[0])
            self._scope.start(self._fill(head), name=f"{self.node.spec.name}: ahead")
        while self._asking and not self._ready:
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell
        if self._ready:
            return self._serve(n)
        if self._error is not None:
            raise self._error
        if self._over:
            return END
        self._asking = True
        try:
            return await head.request(n)
        finally:
            self._asking = False
            self._refill()

    def _serve(self, n: int) -> Chunk[Any]:
        chunk = self._ready.take(n)
        if self._max_bytes is not None:
            self._bytes = max(0, self._bytes - weigh(chunk.elements)) if self._ready else 0
        self._refill()
        return chunk

    def _refill(self) -> None:
        """Wake the task that takes ahead, if there is room enough."""
        rest = self._rest
        if rest is not None and not rest.done() and self._room():
            rest.set_result(None)

    def _room(self) -> int:
        """Elements to take ahead now; 0 if that is not worth it yet."""
        room = self._capacity - self._ready.size
        if room < self._low:
            return 0
        if self._max_bytes is None:
            return room
        if self._bytes > self._max_bytes * 3 // 4:
            return 0
        fits = (self._max_bytes - self._bytes) // max(1, self._heaviest)
        return min(room, self._most, fits if self._ready else max(1, fits))

    @override
    async def release(self) -> None:
        cancels = [] if self._head is None else [self._head.cancel]
        await self.release_all(self._scope.aclose, self._let_go, *cancels)

    async def _let_go(self) -> None:
        """What was taken ahead ends as dropped."""
        self.meter.dropped += self._ready.clear()

    async def _fill(self, head: Subscription[Any]) -> None:
        loop = asyncio.get_running_loop()
        while not self._over:
            while self._asking or not (room := self._room()):
                self._rest = loop.create_future()
                await self._rest
            self._asking = True
            try:
                self._put(await head.request(room))
            except Exception as error:  # noqa: BLE001 - raised behind what was taken before
                self._error = error
                self._over = True
            finally:
                self._asking = False
                if self._bell is not None and not self._bell.done():
                    self._bell.set_result(None)

    def _put(self, chunk: Chunk[Any]) -> None:
        self._over = chunk.end
        self._ready.put(chunk)
        if self._max_bytes is not None and len(chunk.elements):
            weights = [weigh((element,)) for element in chunk.elements]
            self._bytes += sum(weights)
            self._heaviest = max(self._heaviest, *weights)
            self._most = max(self._most, 2 * len(weights))
