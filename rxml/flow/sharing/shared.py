"""SharedStage: one subscriber of a shared flow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.flowable import Flowable
from rxml.flow.node import Cardinality, StageSpec
from rxml.flow.sharing.hub import Hub, Seat
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.flow.sharing.hub import Broadcast, Sharing
    from rxml.flow.subscription import Subscription


class SharedStage(Stage[Any]):
    """Joins the broadcast at its first request, and leaves it at its end."""

    def __init__(self, env: Env, node: Node, hub: Hub) -> None:
        super().__init__(env, node)
        self._hub = hub
        self._seat: Seat | None = None
        self._broadcast: Broadcast | None = None
        self._delist: Callable[[], None] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._seat is None or self._broadcast is None:
            self._seat = Seat(self.env.clock, self.node.spec.capacity, self.meter)
            self._broadcast = self._hub.join(self._seat, self.env.clock)
            self._delist = self.env.enlist(partial(self._broadcast.drain, self._seat), endless=True)
        self._broadcast.ring()
        chunk = await self._seat.channel.receive(n)
        self._broadcast.ring()
        return chunk

    @override
    async def release(self) -> None:
        if self._delist is not None:
            self._delist()
        if self._seat is not None and self._broadcast is not None:
            try:
                await self._hub.leave(self._broadcast, self._seat)
            finally:
                for error in self._broadcast.errors():
                    self.env.report(error)


class Share:
    """The operator: each flow that it is applied to gets a hub of its own."""

    __slots__ = ("_name", "_sharing")

    def __init__(self, name: str, sharing: Sharing) -> None:
        self._name = name
        self._sharing = sharing

    def __call__(self, source: Flowable[Any]) -> Flowable[Any]:
        """A flow that many may run while the source runs once."""
        hub = Hub(source, self._sharing)

        def open_(env: Env, node: Node) -> Subscription[Any]:
            return SharedStage(env, node, hub)

        spec = StageSpec(
            name=self._name,
            open=open_,
            cardinality=Cardinality.ONE,
            capacity=self._sharing.lag + self._sharing.replay,
        )
        return Flowable(spec, (source,))

    @override
    def __repr__(self) -> str:
        return self._name
