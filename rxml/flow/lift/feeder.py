"""Feeder: the elements of a flow, on their way into operators of reactivex."""

from __future__ import annotations

import asyncio
from operator import length_hint
from typing import TYPE_CHECKING, Any, Protocol

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.internal import default_error, noop
from typing_extensions import override

from rxml.flow.chunk import CHUNK
from rxml.flow.clock import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reactivex.abc import SchedulerBase

    from rxml.flow.body import Outlet
    from rxml.flow.chunk import Chunk
    from rxml.flow.context import Context
    from rxml.flow.lift.demand import Demand
    from rxml.flow.lift.scheduler import RunScheduler
    from rxml.flow.node import Node
    from rxml.flow.subscription import Subscription


class Host(Protocol):
    """The stage that feeders work for (`rxml.flow.lift.lifted.Lifted`).

    Attributes:
        alarm: not empty if something has to be looked at before the next element goes in.
        bound: elements that may go in at once.
    """

    alarm: list[None]
    bound: int
    demand: Demand
    outlet: Outlet[Any]
    scheduler: RunScheduler

    def feed(self, feeder: Feeder, node: Node | None) -> None:
        """Start the feeder, with the flow in front of the operators or another one."""
        ...

    def left(self) -> None:
        """A feeder feeds no more."""
        ...

    def turn(self, work: Callable[[], None]) -> None:
        """Do some work with the operators, then what has become due by it, and hand over what came out."""
        ...

    def settle(self) -> None:
        """Run what is due."""
        ...

    def enough(self) -> bool:
        """True if no further element is to go in during this turn."""
        ...

    def beside(self, context: Context) -> None:
        """What came out since the last call takes this context."""
        ...

    def signal(self, chunk: Chunk[Any]) -> None:
        """Pass on the signals of a chunk."""
        ...


class Proxy(Observable[Any]):
    """Stands for the flow in front of the operators; each subscription to it runs the flow."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    @override
    def subscribe(
        self,
        on_next: Any = None,
        on_error: Any = None,
        on_completed: Any = None,
        *,
        scheduler: SchedulerBase | None = None,
    ) -> DisposableBase:
        """Start to feed an observer; disposing ends the run of the flow."""
        if hasattr(on_next, "on_next"):
            whole = on_next
            on_next, on_error, on_completed = whole.on_next, whole.on_error, whole.on_completed
        feeder = Feeder(
            self._host, on_next or noop, on_error or default_error, on_completed or noop
        )
        self._host.scheduler.near(self._host.feed, feeder, None)
        return feeder


class Feeder(DisposableBase):
    """One subscription of the operators to the flow.

    Attributes:
        stopped: the operators want no more.
        task: asks the flow and feeds.
    """

    def __init__(
        self,
        host: Host,
        on_next: Callable[[Any], object],
        on_error: Callable[[Exception], object],
        on_completed: Callable[[], object],
    ) -> None:
        self._host = host
        self._on_next = on_next
        self._on_error = on_error
        self._on_completed = on_completed
        self._rest: Iterator[Any] = iter(())
        self._contexts: Iterator[Context] | None = None
        self._signal: Chunk[Any] | None = None
        self._quota = Quota(min(CHUNK, host.bound))
        self.stopped: bool = False
        self.task: asyncio.Task[None] | None = None

    @override
    def dispose(self) -> None:
        """Feed no more, and end the run of the flow."""
        self.stopped = True
        self._host.scheduler.near(self._stop)

    def _stop(self) -> None:
        self._host.alarm.append(None)
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()

    async def run(self, upstream: Subscription[Any]) -> None:
        """Feed until the flow has ended or failed, or the operators want no more."""
        self._host.demand.feeders += 1
        try:
            while not self.stopped and (count := await self._host.demand.allowance(self)):
                if self._signal is not None or length_hint(self._rest):
                    self._turn()
                elif not await self._ask(upstream, count):
                    return
        finally:
            self._host.left()
            await upstream.cancel()

    async def _ask(self, upstream: Subscription[Any], count: int) -> bool:
        """Take the next chunk in hand; False if there is none."""
        try:
            chunk = await upstream.request(self._quota.of(count))
        except Exception as error:  # noqa: BLE001 - the operators decide
            failure = error
            self._host.turn(lambda: self._end(failure))
            return False
        if chunk.end:
            self._host.turn(lambda: self._end(None))
            return False
        elements = chunk.elements
        self._rest = iter(elements if isinstance(elements, list) else list(elements))
        self._contexts = None if chunk.contexts is None else iter(chunk.contexts)
        self._signal = chunk if chunk.signalled else None
        return True

    def _turn(self) -> None:
        busy = self._host.outlet.clock.busy
        before, began = length_hint(self._rest), busy()
        self._host.turn(self._work)
        if count := before - length_hint(self._rest):
            self._quota.record(count, busy() - began)

    def _work(self) -> None:
        before = length_hint(self._rest)
        if self._contexts is None:
            self._feed()
        else:
            self._feed_beside(self._contexts)
        self._host.demand.went_in(before - length_hint(self._rest), self)
        self._pass_on()

    def _feed(self) -> None:
        host, alarm, on_next = self._host, self._host.alarm, self._on_next
        for element in self._rest:
            on_next(element)
            if alarm:
                host.settle()
                if self.stopped or host.enough():
                    return

    def _feed_beside(self, contexts: Iterator[Context]) -> None:
        """What an element brings about at once takes its context."""
        host = self._host
        for element, context in zip(self._rest, contexts, strict=False):
            self._on_next(element)
            host.settle()
            host.beside(context)
            if self.stopped or host.enough():
                return

    def _pass_on(self) -> None:
        """Signals come behind what the elements before them brought about."""
        if self._signal is not None and not length_hint(self._rest):
            self._host.signal(self._signal)
            self._signal = None

    def _end(self, failure: Exception | None) -> None:
        if self.stopped:
            return
        self.stopped = True
        if failure is None:
            self._on_completed()
        else:
            self._on_error(failure)
