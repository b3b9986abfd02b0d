"""Lifted: a row of reactivex operators at work as one stage, with demand.

Elements go in only while the reader wants what has not come out yet. Two bounds keep small what is under way:

- `bound`: elements that the operators may keep until a timer of theirs fires, timers that may be pending at once, and
  results that may lie ready before timers are held back.
- `burst`: results that one element or one timer may bring about at once.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from reactivex.disposable import CompositeDisposable

from rxml.errors import BufferOverflowError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.clock import HOLD
from rxml.flow.context import Context
from rxml.flow.lift.demand import Demand
from rxml.flow.lift.failing import afresh, flood, raisable
from rxml.flow.lift.feeder import Feeder, Proxy
from rxml.flow.lift.mailbox import Mailbox
from rxml.flow.lift.scheduler import RunScheduler
from rxml.flow.lift.survey import survey
from rxml.flow.scope import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import DisposableBase

    from rxml.flow.body import Outlet
    from rxml.flow.node import Node
    from rxml.flow.subscription import Subscription


class Lifted:
    """One run of a row of operators: the observer at their end, and the host of their scheduler.

    Args:
        build: puts the operators behind an observable.
        source: what feeds them; opened again for each further subscription, as `retry` makes.
        inlet: the running source, for the first subscription.
        outlet: where results go.
        bound: see above.
        burst: see above.

    Attributes:
        alarm: not empty if something has to be looked at before the next element goes in.
    """

    def __init__(
        self,
        build: Callable[[Observable[Any]], Observable[Any]],
        source: Node,
        inlet: Subscription[Any],
        outlet: Outlet[Any],
        *,
        bound: int,
        burst: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._build = build
        self._source = source
        self._inlet: Subscription[Any] | None = inlet
        self._burst = burst
        self._done = self._loop.create_future()
        self._over = False
        self._failure: Exception | None = None
        self._out: list[Any] = []
        self._contexts: list[Context] | None = None
        self._signal: Chunk[Any] | None = None
        self._plenty, self._missing = 1, 0
        self._turning = self._soon = self._opening = self._closing = False
        self._drained = asyncio.Event()
        self.outlet = outlet
        self.bound = bound
        self.alarm: list[None] = []
        self.scheduler: RunScheduler = RunScheduler(self._loop, self, self)
        self.demand: Demand = Demand(outlet, self.scheduler, bound)
        self._mailbox = Mailbox(self._loop, burst, self._flooded, self._arrive)

    async def run(self) -> None:
        """Subscribe, and wait until the operators have ended or failed; disposes them in any case."""
        subscription = CompositeDisposable()
        delist = self.outlet.env.enlist(self._drained.set, endless=True)
        try:
            self.turn(lambda: self._subscribe(subscription))
            await self._done
        finally:
            delist()
            self._over = True
            self._mailbox.close()
            self.scheduler.close()
            self._dispose(subscription)
        self._flush()
        if self._failure is not None:
            raise afresh(self._failure, Lifted.run.__code__)

    def _subscribe(self, subscription: CompositeDisposable) -> None:
        proxy = Proxy(self)
        built = self._build(proxy)
        self.demand.windows = survey(built, proxy, self.scheduler)
        scheduler = self.scheduler
        subscription.add(built.subscribe(self.emit, self.fail, self.finish, scheduler=scheduler))
        connect: Callable[..., DisposableBase | None] | None = getattr(built, "connect", None)
        connection = None if connect is None else connect(scheduler)
        if connection is not None:
            subscription.add(connection)

    def _dispose(self, subscription: DisposableBase) -> None:
        try:
            subscription.dispose()
        except Exception as error:  # noqa: BLE001 - kept for the end of the run
            self.outlet.env.report(error)

    def feed(self, feeder: Feeder, node: Node | None) -> None:
        """Start a subscription of the operators to their source, or to another flow that they were given."""
        if self._over or feeder.stopped:
            return
        inlet = None
        if node is None:
            if self._inlet is None and self._drained.is_set():
                self._closing = True  # `repeat` would open the source over and over
                self.turn_soon()
                return
            node, inlet, self._inlet = self._source, self._inlet, None
        feeding = partial(feeder.run, inlet or self.outlet.open(node))
        feeder.task = self.outlet.spawn(in_turn([feeding], self.outlet.env.report), "feed")

    def left(self) -> None:
        """A feeder feeds no more."""
        self.demand.feeders -= 1
        if self._closing:
            self.turn_soon()

    def observe(
        self,
        node: Node,
        on_next: Callable[[Any], object],
        on_error: Callable[[Exception], object],
        on_completed: Callable[[], object],
    ) -> DisposableBase:
        """Feed an observer from a flow that an operator was given: with demand, and as a part of this run."""
        feeder = Feeder(self, on_next, on_error, on_completed)
        self.scheduler.near(self.feed, feeder, node)
        return feeder

    def emit(self, value: Any) -> None:
        """Take a result (`on_next`)."""
        if self._mailbox.abroad():
            return self._mailbox.post(self.emit, value)
        self._out.append(value)
        if len(self._out) >= self._plenty:
            self._enough()
        return None

    def finish(self) -> None:
        """Take the end (`on_completed`)."""
        if self._mailbox.abroad():
            self._mailbox.post(self.finish)
        elif not self._over:
            self._over = True
            self._plenty = 0
            self.alarm.append(None)
            self._done.set_result(None)

    def fail(self, error: Exception) -> None:
        """Take a failure (`on_error`)."""
        if self._mailbox.abroad():
            self._mailbox.post(self.fail, error)
        elif not self._over:
            self._failure = raisable(error)
            self.finish()

    def _enough(self) -> None:
        """As many results are there as are wanted, or as can be held."""
        held = self.outlet.channel.size + len(self._out)
        if not self._over and held > self._burst:
            self._flooded()
        if self._over:
            self._out.pop()
            if isinstance(self._failure, BufferOverflowError):
                raise self._failure  # ends the loop of a source that does not ask whether it was disposed
            return
        self._plenty = max(len(self._out) + 1, self._burst - self.outlet.channel.size)
        self.turn_soon()

    def _flooded(self) -> None:
        self.fail(flood(self._burst))

    def _arrive(self) -> None:
        self.turn(self._mailbox.take)

    def turn(self, work: Callable[[], None]) -> None:
        """Do some work with the operators, then what has become due by it, and hand over what came out."""
        channel, busy = self.outlet.channel, self.outlet.clock.busy
        began = busy()
        missing = self._missing = channel.wanted - channel.size
        self._turning = True
        if not self._over:
            self._plenty = missing if missing > 0 else self._burst - channel.size
        try:
            work()
            self.settle(began)
        except Exception as error:  # noqa: BLE001 - an operator raised instead of signalling
            self._raised(error)
        self._turning = False
        self._flush()
        if not self._over:
            self._plenty = 1
        self.alarm.clear()
        self.outlet.busy(busy() - began)
        self._go_on()

    def _raised(self, error: Exception) -> None:
        if not self._over:
            self.fail(error)
        elif error is not self._failure:
            self.outlet.env.report(error)  # raised by what was disposed at the end

    def settle(self, began: float | None = None) -> None:
        """Run what is due, unless the reader stalls or the turn has become long."""
        ready, busy = self.scheduler.ready, self.outlet.clock.busy
        began = busy() if began is None else began
        self.alarm.clear()
        while ready and not self._over and not self._stalled() and busy() - began <= HOLD:
            ready.popleft().run()

    def enough(self) -> bool:
        """True if no further element is to go in during this turn."""
        return self._over or len(self._out) >= self._missing or bool(self.scheduler.ready)

    def turn_soon(self) -> None:
        """Have what is due run behind the current element, or else in a turn of its own."""
        if self._turning:
            self.alarm.append(None)
        elif not self._soon:
            self._soon = True
            self._loop.call_soon(self.turn_now)

    def turn_now(self) -> None:
        """Run what is due."""
        self._soon = False
        self.turn(lambda: None)

    def moved(self, owner: str | None) -> None:
        """Take note that a timer of this module has done its work, or (None) was cancelled."""
        self.demand.moved(owner, fruitful=bool(self._out))

    def beside(self, context: Context) -> None:
        """What came out since the last call takes this context."""
        if self._contexts is None:
            self._contexts = []
        self._contexts.extend([context] * (len(self._out) - len(self._contexts)))

    def signal(self, chunk: Chunk[Any]) -> None:
        """Pass on the signals of a chunk, behind what is kept; later ones replace those that wait."""
        waiting = {} if self._signal is None else self._signal.signals()
        self._signal = Chunk((), **{**waiting, **chunk.signals()})

    def _stalled(self) -> bool:
        channel = self.outlet.channel
        return channel.size + len(self._out) - channel.wanted >= self.bound

    def _go_on(self) -> None:
        if not self.scheduler.ready:
            if self._closing and not self.scheduler.holding and not self.demand.feeders:
                self.finish()
            self.demand.wake()
        elif self._over:
            self.scheduler.ready.clear()
        elif not self._stalled():
            self.turn_soon()
        elif not self._opening:
            self._opening = True
            _ = self.outlet.spawn(self._open(), "wait for the reader")

    async def _open(self) -> None:
        channel = self.outlet.channel
        await channel.wait_room(channel.capacity - self.bound + 1)
        self._opening = False
        self.turn_soon()

    def _flush(self) -> None:
        out, contexts, put = self._out, self._contexts, self.outlet.channel.put
        if out:
            self._out, self._contexts = [], None
            self.demand.came_out(len(out))
            if contexts is not None:
                contexts.extend([Context()] * (len(out) - len(contexts)))
            for at in range(0, len(out), CHUNK):
                put(Chunk(out[at : at + CHUNK], contexts and contexts[at : at + CHUNK]))
        if self._signal is not None and (self._over or not self.scheduler.keepers):
            put(self._signal)
            self._signal = None
