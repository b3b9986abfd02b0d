"""WatchedStage: passes its input on while a task of its own looks out for a reason to cut it off."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.scope import Scope, stray
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


class WatchedStage(Stage[T]):
    """Runs `watch` in a task from the first request on.

    Attributes:
        inputs: once they are open.
        error: what the watching task failed with; the input is cut off then.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.error: Exception | None = None
        self._scope = Scope()
        self.inputs: tuple[Subscription[Any], ...] = ()

    @abstractmethod
    async def watch(self, *others: Subscription[Any]) -> None:
        """Look out; called with all inputs but the first."""

    def inlet(self) -> Subscription[T]:
        """The first input; the inputs are opened and the task started at the first call."""
        if not self.inputs:
            self.inputs = tuple(self.env.open(source) for source in self.node.sources)
            self._scope.start(self._watch(), name=self.node.spec.name)
        return self.inputs[0]

    async def cut(self) -> None:
        """Cancel the first input: a request that waits there gets the end."""
        await self.inputs[0].cancel()

    @override
    async def release(self) -> None:
        await self.release_all(self._scope.aclose, *(each.cancel for each in self.inputs))

    async def _watch(self) -> None:
        try:
            await self.watch(*self.inputs[1:])
        except Exception as error:  # noqa: BLE001 - raised by `pull`
            await self._fallen(error)
        except asyncio.CancelledError as error:
            await self._fallen(stray(error))

    async def _fallen(self, error: Exception) -> None:
        annotate(error, self.env.where(self.node))
        self.error = error
        await self.cut()
