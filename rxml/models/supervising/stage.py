"""SupervisedStage: elements are asked of a model supervisor, several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.workers.map_async import MapAsyncStage
from rxml.models.supervising.telling import told

if TYPE_CHECKING:
    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.models.supervising.supervisor import ModelSupervisor


class SupervisedStage(MapAsyncStage):
    """Starts what the arms run in with its first request, and is one who uses it until it is released.

    Args:
        env: of the run.
        node: the stage.
        supervisor: is asked.
        concurrency: elements at once.
        ordered: answers leave in the order of the elements.
    """

    def __init__(
        self, env: Env, node: Node, supervisor: ModelSupervisor, concurrency: int, *, ordered: bool
    ) -> None:
        super().__init__(env, node, self._asked, concurrency=concurrency, ordered=ordered, key=None)
        self._supervisor = supervisor
        self._predicts = any(seat.signature is not None for seat in supervisor.seats)
        self._entered = False
        env.prepare(lambda: supervisor.ready)

    async def _asked(self, item: Any) -> Any:
        return told(await self._supervisor.ask(item), predicts=self._predicts)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if not self._entered:
            self._entered = True
            self._supervisor.enter()
        return await super().pull(n)

    @override
    async def release(self) -> None:
        leave = [self._supervisor.leave] if self._entered else []
        await self.release_all(super().release, *leave)
