"""TickStage: puts a mark into a stream every so often, so that windows tell what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.eventtime.windows.kernel import TICK
from rxml.flow.chunk import Chunk
from rxml.flow.stage import Stage
from rxml.flow.timing.waiting import request_until

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class TickStage(Stage[Any]):
    """Passes chunks on; between them comes a mark, by the run's clock, while anybody asks.

    The time to the next mark begins when the last one has been dealt with: however long that takes, chunks come between.

    Args:
        env: of the run.
        node: this stage.
        seconds: from one mark to the next.
    """

    def __init__(self, env: Env, node: Node, seconds: float) -> None:
        super().__init__(env, node)
        self._seconds = seconds
        self._next: float | None = None  # None: a mark has been given, and nobody has asked since
        self._head: Subscription[Any] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        if clock.held:
            await clock.breathe()
        if self._next is None:
            self._next = clock.time() + self._seconds
        if clock.time() < self._next:
            chunk = await request_until(self._head, n, self._next)
            if chunk is not None:
                return chunk
        self._next = None
        return Chunk([TICK])

    @override
    async def release(self) -> None:
        if self._head is not None:
            await self.release_all(self._head.cancel)
