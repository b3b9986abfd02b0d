"""PrefetchStage: a buffer that is filled while its reader is busy with something else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.channel import Channel
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class PrefetchStage(Stage[Any]):
    """A task fills the buffer ahead of demand, a quarter of it at a time at least.

    When the buffer is empty and the task is not asking, the reader asks upstream itself: the hand-over then costs no
    switch of tasks. One of the two asks at a time, so the order holds and the bound covers what is under way.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        capacity = node.spec.capacity
        self._channel: Channel[Any] = Channel(env.clock, capacity, node.spec.max_bytes)
        self._most = min(capacity, CHUNK)
        self._scope = Scope()
        self._head: Subscription[Any] | None = None
        self._filling = False
        self._asking = False
        self._asked: asyncio.Future[None] | None = None
        self.meter.gauge = self._channel.gauge

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        if self._channel.size or self._asking or self._channel.closed:
            return await self._channel.receive(n)
        self._asking = True
        try:
            chunk = await self._head.request(min(n, self._most))
        finally:
            self._release_turn()
        if not chunk.end and not self._filling:
            self._filling = True
            self._scope.start(self._fill(self._head), name=self.node.spec.name)
        return chunk

    @override
    async def release(self) -> None:
        self._channel.close()
        self._channel.clear()
        cancels = [] if self._head is None else [self._head.cancel]
        await self.release_all(self._scope.aclose, *cancels)

    def _release_turn(self) -> None:
        self._asking = False
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    async def _fill(self, head: Subscription[Any]) -> None:
        channel = self._channel
        try:
            while not channel.closed:
                room = await channel.wait_refill()
                await self._turn()
                chunk = await head.request(min(room, CHUNK))
                if chunk.end:
                    break
                self._asking = False
                channel.put(chunk)
        except Exception as error:  # noqa: BLE001 - raised behind what came before it
            channel.close(error)
        channel.close()

    async def _turn(self) -> None:
        """Wait until the reader is not asking; then it is the filler's turn."""
        while self._asking:
            self._asked = asyncio.get_running_loop().create_future()
            await self._asked
        self._asking = True

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if clock.held:
            await clock.breathe()
        head = self._head
        if head is None:
            self._head = head = self.env.open(self.node.sources[0])
            self._scope.spawn(self._fill(head), name=f"{self.node.spec.name}: ahead")
        if not self._ready and self._asking:
            await self._filled()
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

    async def _filled(self) -> None:
        while self._asking and not self._ready:
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell

    def _serve(self, n: int) -> Chunk[Any]:
        chunk = self._ready.take(n)
        if self._max_bytes is not None:
            self._bytes = self._bytes - weigh(chunk.elements) if self._ready else 0
        self._refill()
        return chunk

    def _refill(self) -> None:
        """Wake the task that takes ahead, if it is worth it."""
        rest = self._rest
        if rest is not None and not rest.done() and self._room() >= self._low:
            rest.set_result(None)

    def _room(self) -> int:
        """Elements to take ahead now; 0 if there is no room."""
        room = self._capacity - self._ready.size
        if self._max_bytes is None or not self._ready:
            return room
        return min(room, (self._max_bytes - self._bytes) // max(1, self._heaviest))

    @override
    async def release(self) -> None:
        self._ready.clear()
        cancels = [] if self._head is None else [self._head.cancel]
        await self.release_all(self._scope.aclose, *cancels)

    async def _fill(self, head: Subscription[Any]) -> None:
        loop = asyncio.get_running_loop()
        while not self._over:
            while self._asking or self._room() < self._low:
                self._rest = loop.create_future()
                await self._rest
            self._asking = True
            try:
                self._put(await head.request(self._ask()))
            except Exception as error:  # noqa: BLE001 - raised behind what was taken before
                self._error = error
                self._over = True
            finally:
                self._asking = False
                if self._bell is not None and not self._bell.done():
                    self._bell.set_result(None)
