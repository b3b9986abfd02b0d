"""Body: a stage written as a coroutine with tasks of its own (the kind `boundary`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from typing_extensions import override

from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.scope import Scope, stray
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from rxml.flow.clock import Clock
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

B = TypeVar("B")


class Outlet(Generic[B]):
    """What a body sees of its run: where results go, what is wanted, time, and tasks.

    Attributes:
        channel: the bounded buffer between the body and the reader; for exact bounds, ask it for room first.
        clock: the run's clock.
    """

    def __init__(self, env: Env, node: Node, scope: Scope) -> None:
        spec = node.spec
        self.channel: Channel[B] = Channel(env.clock, max(1, spec.capacity), spec.max_bytes)
        self.clock: Clock = env.clock
        self.env = env
        self._node = node
        self._scope = scope
        self._meter = env.meter(node)

    async def wanted(self) -> int:
        """Wait until the reader wants more than is ready; returns how many more, at most `CHUNK`."""
        return min(CHUNK, await self.channel.wait_wanted())

    async def room(self) -> int:
        """Wait until the buffer has room, whether or not the reader asks; returns for how many, at most `CHUNK`."""
        return min(CHUNK, await self.channel.wait_room())

    async def send(self, chunk: Chunk[B]) -> None:
        """Hand a chunk over; waits while the buffer has no room for it."""
        await self.channel.send(chunk)

    async def emit(self, item: B, context: Context | None = None) -> None:
        """Hand one element over; waits while the buffer is full."""
        await self.channel.send(Chunk([item], None if context is None else [context]))

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a task that ends with the stage at the latest. Its errors are the body's to await."""
        return self._scope.spawn(coroutine, name=f"{self._node.spec.name}: {name}")

    def open(self, node: Node) -> Subscription[Any]:
        """Open a flow that was made while the run goes on; the body cancels it, or the stage's end does."""
        return self.env.inner().open(node)

    def dropped(self, count: int = 1) -> None:
        """Count elements that the stage's policy drops."""
        self._meter.dropped += count

    def busy(self, seconds: float) -> None:
        """Count time spent working."""
        self._meter.busy += seconds

    def failed(
        self, error: Exception, item: Any, context: Context | None = None
    ) -> Exception | None:
        """Ask the supervisor about an element that failed, which has ended; None: left out, go on; else what to raise."""
        return verdict(self.env, self._node, error, item, context)


class BodyStage(Stage[B]):
    """Runs the body in a task from the first request on; its return ends the stream, its error fails it.

    What was handed over before the error is delivered first.
    """

    immediate = True

    def __init__(
        self,
        env: Env,
        node: Node,
        body: Callable[[tuple[Subscription[Any], ...], Outlet[B]], Coroutine[Any, Any, None]],
    ) -> None:
        super().__init__(env, node)
        self._body = body
        self._scope = Scope()
        self._outlet: Outlet[B] = Outlet(env, node, self._scope)
        self._channel = self._outlet.channel
        self._inlets: tuple[Subscription[Any], ...] = ()
        self._started = False
        self.meter.gauge = self._channel.gauge

    @override
    def now(self, n: int) -> Chunk[B] | None:
        return self._channel.ready(n)

    @override
    def pull(self, n: int) -> Coroutine[Any, Any, Chunk[B]]:
        if not self._started:
            self._started = True
            self._inlets = tuple(self.env.open(source) for source in self.node.sources)
            self._scope.start(self._main(), name=self.node.spec.name)
        return self._channel.receive(n)

    @override
    async def release(self) -> None:
        self._channel.close()
        self.meter.dropped += self._channel.clear()
        cancels = [inlet.cancel for inlet in self._inlets]
        await self.release_all(self._scope.aclose, *cancels)

    async def _main(self) -> None:
        error: Exception | None = None
        try:
            await self._body(self._inlets, self._outlet)
        except Exception as raised:  # noqa: BLE001 - delivered to the reader, after what came before it
            annotate(raised, self.env.where(self.node))
            error = raised
        except asyncio.CancelledError as raised:
            error = stray(raised)
        finally:
            await self.release_all(*[inlet.cancel for inlet in self._inlets])
            self._channel.close(error)
