"""AsyncIterableStage: an async iterable, read by demand in a task of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterable, Callable

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
    def now(self, n: int) -> Chunk[T] | None:
        return self._channel.ready(n)

    @override
    async def pull(self, n: int) -> Chunk[T]:
        if not self._started:
            self._started = True
            self._reading = self._scope.spawn(self._read(), name=self.node.spec.name)
        return await self._channel.receive(n)

    @override
    async def release(self) -> None:
        self._delist()
        self._channel.close()
        await self._scope.aclose()

    async def _read(self) -> None:
        channel = self._channel
        try:
            iterator = aiter(self._make())
        except Exception as error:  # noqa: BLE001 - handed to the reader
            annotate(error, self.env.where(self.node))
            return channel.close(error)
        try:
            while True:
                await channel.wait_wanted()
                if self.env.clock.held:
                    await self.env.clock.breathe()
                if channel.closed:
                    break
                channel.put(Chunk([await anext(iterator)]))
        except StopAsyncIteration:
            channel.close()
        except Exception as error:  # noqa: BLE001 - handed to the reader
            annotate(error, self.env.where(self.node))
            channel.close(error)
        finally:
            close: Any = getattr(iterator, "aclose", None)
            try:
                if close is not None:
                    await self.guard(close)
            finally:
                channel.close()
