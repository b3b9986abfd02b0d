"""PumpedStage: a stage whose own task asks its input, whether or not the reader asks."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import CHUNK
from rxml.flow.scope import Scope, stray
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate
from rxml.flow.timing.waiting import rung

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


class PumpedStage(Stage[T]):
    """Runs `pump` in a task from the first request on; `pull` hands out what the task has left.

    Attributes:
        over: the task has ended.
        error: what it ended with.
        news: set whenever `pull` should look again.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.over: bool = False
        self.error: Exception | None = None
        self.news: asyncio.Event = asyncio.Event()
        self._scope = Scope()
        self._inlet: Subscription[Any] | None = None

    @abstractmethod
    async def pump(self, inlet: Subscription[Any]) -> None:
        """Ask the inlet until it ends, keep what it gives, and set `news`."""

    async def keep(
        self,
        inlet: Subscription[Any],
        put: Callable[[Chunk[Any]], Awaitable[None]],
        signal: Callable[[dict[str, Any]], None],
    ) -> None:
        """A `pump` that asks for whole chunks, and lets others run between two of them.

        Args:
            inlet: is asked until it ends.
            put: keeps the elements of a chunk.
            signal: keeps the signals behind them.
        """
        clock = self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            chunk = await inlet.request(CHUNK)
            if chunk.end:
                return
            await put(chunk)
            if chunk.signalled:
                signal(chunk.signals())
                self.news.set()

    def start(self) -> None:
        """Open the input and start the task, once."""
        if self._inlet is None:
            self._inlet = self.env.open(self.node.sources[0])
            self._scope.start(self._run(self._inlet), name=self.node.spec.name)

    async def wait_news(self, moment: float | None = None) -> None:
        """Wait for news, or until the clock shows `moment`."""
        self.news.clear()
        await rung(self.news, moment)

    @override
    async def release(self) -> None:
        cancels = [] if self._inlet is None else [self._inlet.cancel]
        await self.release_all(self._scope.aclose, *cancels)

    async def _run(self, inlet: Subscription[Any]) -> None:
        try:
            await self.pump(inlet)
        except Exception as error:  # noqa: BLE001 - raised by `pull`
            annotate(error, self.env.where(self.node))
            self.error = error
        except asyncio.CancelledError as error:
            self.error = stray(error)
        finally:
            await self.guard(inlet.cancel)
            self.over = True
            self.news.set()
