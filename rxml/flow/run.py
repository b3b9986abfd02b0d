"""Run: one execution of a flow. All tasks and resources belong to it; when it has ended none is left."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from rxml.flow.chunk import UNBOUNDED
from rxml.flow.clock import Clock
from rxml.flow.env import RunEnv, Setting
from rxml.flow.scope import Scope, in_turn
from rxml.flow.supervision import STOP
from rxml.flow.totals import Stint, Totals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from rxml.flow.checkpointing.checkpoint import Guarantee
    from rxml.flow.checkpointing.coordinator import Coordinator
    from rxml.flow.node import Node
    from rxml.flow.statistics import Meter, RunStatistics
    from rxml.flow.subscription import Subscription
    from rxml.flow.supervision import Supervisor

T = TypeVar("T")


class Run(Generic[T]):
    """One execution: clock, tasks, counters.

    Args:
        node: what runs.
        fuse: False gives each kernel a stage of its own: slower, same results (for tests of that law).
        supervisor: decides about errors where the flow itself does not say who does.
        stint: takes the counters, for a run that is a part of others; None: its own.
        owner: counts what is dropped and what fails, too.
        coordinator: of its checkpoints; it is closed with the run. None: there are none.

    Attributes:
        subscription: the running flow; whoever requests drives it.
        errors: what finalizers raised.
        coordinator: see above.
    """

    def __init__(
        self,
        node: Node,
        *,
        fuse: bool = True,
        supervisor: Supervisor = STOP,
        stint: Stint | None = None,
        owner: Meter | None = None,
        coordinator: Coordinator | None = None,
    ) -> None:
        self.fuse = fuse
        self.coordinator: Coordinator | None = coordinator
        self.clock: Clock = Clock(asyncio.get_running_loop())
        self.errors: list[BaseException] = []
        stint = stint or Stint(Totals(node))
        self._totals = stint.totals
        self._finishers: dict[int, Callable[[], None]] = {}
        self._endings: dict[int, Callable[[], Awaitable[None]]] = {}
        self._unready: dict[object, Callable[[], bool]] = {}
        self._draining = False
        self._scope = Scope()
        self._driver: asyncio.Task[None] | None = None
        env = RunEnv(self, supervisor, Setting(stint, owner))
        opening = partial(env.open, node)
        self.subscription: Subscription[T] = (
            opening() if coordinator is None else coordinator.whole(opening)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
        self._conclude(error)

    def drive(self) -> None:
        """Start a task that takes all elements for their effects; `wait` tells how it ended."""
        self._driving()  # type: ignore[unused-awaitable]

    def _driving(self) -> asyncio.Task[None]:
        if self._driver is None:
            self._driver = self._scope.spawn(self._drive(), name="run")
        return self._driver

    async def wait(self) -> None:
        """Wait until the flow has ended; raises what it failed with."""
        await asyncio.shield(self._driving())

    async def drain(self, seconds: float) -> bool:
        """Let sources end and what is in flight come through, for at most `seconds`; then stop.

        Returns:
            True if everything came through in time.
        """
        self.finish()
        done, _ = await asyncio.wait([self._driving()], timeout=seconds)
        await self.stop()
        return any(not driver.cancelled() and driver.exception() is None for driver in done)

    @property
    def guarantee(self) -> Guarantee | None:
        """What holds for the results if the run dies and is started again; None without checkpoints."""
        return None if self.coordinator is None else self.coordinator.guarantee

    def finish(self) -> None:
        """Let sources end; what is in flight still comes through.

        With checkpoints no source ends, since its end is not what it stands for: the run ends behind a last barrier, and
        the next one goes on there.
        """
        if self.coordinator is not None:
            self.coordinator.drain()
            return
        self._draining = True
        for finish in list(self._finishers.values()):
            finish()

    async def stop(self) -> None:
        """The kill switch: end the run now; nothing more comes out and nothing is left."""
        await self._close()
        if self._driver is not None:
            await asyncio.wait([self._driver])

    async def aclose(self) -> None:
        """Stop, and end all tasks."""
        try:
            await self._close()
        finally:
            await in_turn([self._scope.aclose, self._leave], self.errors.append)

    async def _leave(self) -> None:
        if self.coordinator is not None:
            await self.coordinator.close()

    async def _close(self) -> None:
        """Cancel the flow, then what outlived the stages that began it."""
        await in_turn([self.subscription.cancel, self._end_others], self.errors.append)

    async def _end_others(self) -> None:
        while self._endings:
            endings, self._endings = list(self._endings.values()), {}
            await in_turn(endings, self.errors.append)

    def statistics(self) -> RunStatistics:
        """What each stage has done and holds, sources first."""
        return self._totals.read()

    @property
    def meters(self) -> Mapping[int, Meter]:
        """The counters of each stage, by the identity of its node, sources first."""
        return self._totals.stages

    def enlist(self, finish: Callable[[], None]) -> Callable[[], None]:
        """Have `finish` called by `drain`, at once if that has begun already; returns what takes it back."""
        if self._draining:
            finish()
        key = id(finish)
        self._finishers[key] = finish

        def delist() -> None:
            self._finishers.pop(key, None)

        return delist

    @property
    def ready(self) -> bool:
        """Whether all stages that have been opened have what they need to work."""
        return all(ready() for ready in self._unready.values())

    def prepare(self, ready: Callable[[], bool] | None = None) -> Callable[[], None]:
        """See `Env.prepare`."""
        mark = object()
        self._unready[mark] = ready or _not_yet

        def prepared() -> None:
            self._unready.pop(mark, None)

        return prepared

    def at_end(self, ending: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """See `Env.at_end`."""
        key = id(ending)
        self._endings[key] = ending

        def undo() -> None:
            self._endings.pop(key, None)

        return undo

    async def _drive(self) -> None:
        request = self.subscription.request
        while not (await request(UNBOUNDED)).end:
            pass

    def _conclude(self, error: BaseException | None) -> None:
        """The error of the body first, then that of the driver, then those of finalizers; none hides another."""
        driven = self._driven()
        if error is not None:
            if driven is not None and driven is not error:
                error.add_note(f"the run failed, too: {driven!r}")
            self._mention(error)
        elif driven is not None:
            self._mention(driven)
            raise driven
        elif self.errors:
            message = "finalizers failed"
            raise BaseExceptionGroup(message, self.errors)

    def _driven(self) -> BaseException | None:
        """What the driver failed with, if there is one and it did."""
        driver = self._driver
        if driver is None or not driver.done() or driver.cancelled():
            return None
        return driver.exception()

    def _mention(self, error: BaseException) -> None:
        for other in self.errors:
            error.add_note(f"a finalizer failed, too: {other!r}")


def _not_yet() -> bool:
    return False
