"""AsyncIterableStage: an async iterable, read by demand in a task of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.clock import HOLD
from rxml.flow.scope import Scope, stray
from rxml.flow.sources.iterables import shrunk
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine

    from rxml.flow.node import Env, Node

T = TypeVar("T")


class AsyncIterableStage(Stage[T]):
    """Calls `anext` only while elements are wanted.

    The iterator lives in one task, because an async generator must be run and closed by the same one, and because a
    request that is cancelled must not cancel it.
    """

    immediate = True

    def __init__(self, env: Env, node: Node, make: Callable[[], AsyncIterable[T]]) -> None:
        super().__init__(env, node)
        self._make = make
        self._scope = Scope()
        self._channel: Channel[T] = Channel(env.clock, CHUNK)
        self._started = False
        self._begin = 0
        self._reading: asyncio.Task[None] | None = None
        self._delist = env.enlist(self._finish)
        self.meter.gauge = self._channel.gauge

    def _finish(self) -> None:
        """End where it waits: an element that is not there yet is not taken, so none is lost."""
        if self._reading is not None:
            self._reading.cancel()
        else:
            self._channel.close()

    @override
    def position(self) -> int:
        """Elements given so far, by all runs together."""
        return self._begin + self.meter.emitted

    @override
    def seek(self, position: int) -> None:
        self._begin = position

    @override
    def now(self, n: int) -> Chunk[T] | None:
        return self._channel.ready(n)

    @override
    def pull(self, n: int) -> Coroutine[Any, Any, Chunk[T]]:
        if not self._started:
            self._started = True
            self._reading = self._scope.spawn(self._read(), name=self.node.spec.name)
        return self._channel.receive(n)

    @override
    async def release(self) -> None:
        self._delist()
        self._channel.close()
        await self._scope.aclose()

    async def _read(self) -> None:
        """Hand over what comes; the reader sees the end, or the error, when the iterator has been closed."""
        error: Exception | None = None
        iterator: AsyncIterator[T] | None = None
        try:
            iterator = aiter(self._make())
            await self._pass_on(iterator)
        except StopAsyncIteration:
            pass
        except Exception as raised:  # noqa: BLE001 - handed to the reader
            error = raised
        except asyncio.CancelledError as raised:
            error = self._cancelled(raised)
        close = getattr(iterator, "aclose", None)
        try:
            if close is not None:
                await self.finalize(close)
        finally:
            self._channel.close(error)

    def _cancelled(self, raised: asyncio.CancelledError) -> Exception | None:
        """None if it was `_finish` or `release` that ended the wait."""
        try:
            return stray(raised)
        except asyncio.CancelledError:
            return None

    async def _skip(self, iterator: AsyncIterator[T]) -> None:
        """Leave out what was given before the checkpoint."""
        clock = self.env.clock
        for given in range(self._begin):
            try:
                await anext(iterator)
            except StopAsyncIteration:
                raise shrunk(self.node, self._begin, self._begin - given) from None
            if clock.busy() - clock.yielded > HOLD:
                await clock.breathe()

    async def _pass_on(self, iterator: AsyncIterator[T]) -> None:
        channel, clock = self._channel, self.env.clock
        await self._skip(iterator)
        while True:
            if channel.missing < 1:
                await channel.wait_wanted()
            if clock.busy() - clock.yielded > HOLD:
                await clock.breathe()
            if channel.closed:
                break
            channel.put(Chunk([await anext(iterator)]))
