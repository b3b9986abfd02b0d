"""SharedStage: one subscriber of a shared flow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.flowable import Flowable
from rxml.flow.node import Cardinality, StageSpec
from rxml.flow.sharing.hub import Hub
from rxml.flow.sharing.seat import Seat
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.flow.sharing.broadcast import Broadcast
    from rxml.flow.sharing.sharing import Sharing
    from rxml.flow.subscription import Subscription


class SharedStage(Stage[Any]):
    """Joins the broadcast at its first request, and leaves it at its end."""

    def __init__(self, env: Env, node: Node, hub: Hub, sharing: Sharing) -> None:
        super().__init__(env, node)
        self._hub = hub
        self._seat = Seat(env.clock, sharing, self.meter)
        self._broadcast: Broadcast | None = None
        self._undo: list[Callable[[], None]] = []

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        broadcast = self._broadcast or self._join()
        broadcast.ring()
        try:
            chunk = await self._seat.channel.receive(n)
        except Exception as error:  # noqa: BLE001 - raised again
            raise broadcast.as_it_came(error)  # noqa: B904 - it is that error itself
        broadcast.ring()
        return chunk

    def _join(self) -> Broadcast:
        self._broadcast = broadcast = self._hub.join(self._seat, self.env)
        drain = partial(broadcast.drain, self._seat)
        self._undo = [self.env.enlist(drain, endless=True), self.env.follow(self.node)]
        return broadcast

    @override
    async def release(self) -> None:
        if self._broadcast is not None:
            leave = partial(self._hub.leave, self._broadcast, self._seat)
            await self.release_all(leave, self._seat.clear, partial(self._let_go, self._broadcast))

    async def _let_go(self, broadcast: Broadcast) -> None:
        for undo in self._undo:
            undo()
        for error in broadcast.errors():
            self.env.report(error)


class Share:
    """The operator: each flow that it is applied to gets a hub of its own."""

    __slots__ = ("_sharing",)

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing

    def __call__(self, source: Flowable[Any]) -> Flowable[Any]:
        """A flow that many may run while the source runs once."""
        sharing = self._sharing
        hub = Hub(source, sharing)

        def open_(env: Env, node: Node) -> Subscription[Any]:
            return SharedStage(env, node, hub, sharing)

        spec = StageSpec(
            name=sharing.name,
            open=open_,
            cardinality=Cardinality.ONE,
            capacity=sharing.lag,
            shared=hub,
            passes=True,
        )
        return Flowable(spec, (source,))

    @override
    def __repr__(self) -> str:
        return self._sharing.name
