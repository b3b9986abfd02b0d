"""Stages that ask models about elements, several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from rxml.flow.workers.map_async import MapAsyncStage
from rxml.models.supervising.telling import told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.models.supervising.supervisor import ModelSupervisor


class Asked(Protocol):
    """Models that are entered before they are asked, and left afterwards."""

    @property
    def ready(self) -> bool:
        """Whether one can answer."""
        ...

    def enter(self) -> None:
        """Start what they run in, unless that was done."""
        ...

    async def leave(self) -> None:
        """As often as `enter`; the last one ends it."""
        ...


class AskingStage(MapAsyncStage):
    """Enters models with its first request, and is one who uses them until it is released.

    Args:
        env: of the run.
        node: the stage.
        ask: gives the result for an element.
        models: that are asked.
        concurrency: elements at once.
        ordered: answers leave in the order of the elements.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        ask: Callable[[Any], Awaitable[Any]],
        models: Asked,
        *,
        concurrency: int,
        ordered: bool,
    ) -> None:
        super().__init__(env, node, ask, concurrency=concurrency, ordered=ordered, key=None)
        self._models = models
        self._entered = False
        env.prepare(lambda: models.ready)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if not self._entered:
            self._entered = True
            self._models.enter()
        return await super().pull(n)

    @override
    async def release(self) -> None:
        leave = [self._models.leave] if self._entered else []
        await self.release_all(super().release, *leave)


class SupervisedStage(AskingStage):
    """Asks a model supervisor.

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
        super().__init__(
            env, node, self._asked, supervisor, concurrency=concurrency, ordered=ordered
        )
        self._supervisor = supervisor
        self._predicts = any(seat.signature is not None for seat in supervisor.seats)

    async def _asked(self, item: Any) -> Any:
        return told(await self._supervisor.ask(item), predicts=self._predicts)
