"""Relay: a task that asks on behalf of its reader, so that very long pipelines use constant stack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage
from rxml.flow.statistics import Meter

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class Relay(Stage[Any]):
    """Passes each request on unchanged and holds nothing: no demand is added."""

    def __init__(self, env: Env, node: Node, head: Subscription[Any]) -> None:
        super().__init__(env, node)
        # What passes here has been counted by the stage itself; only what is lost here has not.
        self._of_node: Meter = self.meter
        self.meter: Meter = Meter(node.spec.name, CHUNK)
        self._head = head
        self._scope = Scope()
        self._channel: Channel[Any] = Channel(env.clock, CHUNK)
        self._started = False

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if not self._started:
            self._started = True
            self._scope.start(self._serve(), name=f"relay {self.node.spec.name}")
        return await self._channel.receive(n)

    @override
    async def release(self) -> None:
        self._channel.close()
        self._of_node.dropped += self._channel.clear()
        await self.release_all(self._scope.aclose, partial(self.finalize, self._head.cancel))

    async def _serve(self) -> None:
        try:
            while True:
                wanted = await self._channel.wait_wanted()
                chunk = await self._head.request(min(wanted, CHUNK))
                if chunk.end:
                    return self._channel.close()
                self._channel.put(chunk)
        except Exception as error:  # noqa: BLE001 - handed to the reader
            self._channel.close(error)
