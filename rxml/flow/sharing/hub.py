"""Hub: one run of a flow for many subscribers, which may belong to different runs of the same event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from rxml.errors import BufferOverflowError
from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.context import Outcome
from rxml.flow.context_joining import split
from rxml.flow.run import Run
from rxml.flow.scope import detached_task, settled

if TYPE_CHECKING:
    from rxml.flow.clock import Clock
    from rxml.flow.context import Context
    from rxml.flow.node import Node
    from rxml.flow.statistics import Meter
    from rxml.flow.subscription import Subscription

POLICIES = ("slowest", "drop_oldest", "drop_newest", "detach", "error")
"""What happens when a subscriber lags behind by more than its buffer holds."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How a flow is shared.

    Attributes:
        lag: elements that each subscriber may be behind.
        policy: one of `POLICIES`.
        replay: elements that a late subscriber gets first.
        seconds: how old these may be, or None.
    """

    lag: int
    policy: str
    replay: int = 0
    seconds: float | None = None


class Seat:
    """One subscriber's place: its buffer."""

    __slots__ = ("channel", "drained", "meter")

    def __init__(self, clock: Clock, capacity: int, meter: Meter) -> None:
        self.channel: Channel[Any] = Channel(clock, capacity)
        self.meter = meter
        self.drained = False
        meter.gauge = self.channel.gauge

    def take_in(self, chunk: Chunk[Any], policy: str) -> None:
        """Add a chunk; where it does not fit, do as the policy says."""
        channel = self.channel
        over = len(chunk.elements) - channel.room
        if over > 0:
            chunk = self._make_fit(chunk, over, policy)
        if len(chunk.elements) or chunk.signalled:
            channel.put(chunk)

    def _make_fit(self, chunk: Chunk[Any], over: int, policy: str) -> Chunk[Any]:
        channel = self.channel
        if policy == "drop_oldest":
            for _ in range(min(over, channel.size)):
                self._drop(channel.evict().contexts, 1)
            late = max(0, len(chunk.elements) - channel.capacity)
            self._drop(chunk.part(0, late).contexts, late)
            return chunk.part(late, len(chunk.elements))
        kept = chunk.part(0, channel.room)
        self._drop(chunk.part(channel.room, len(chunk.elements)).contexts, over)
        if policy == "error":
            lag = channel.capacity
            error = BufferOverflowError(
                f"share: this subscriber lags behind by more than {lag} elements"
            )
            channel.put(kept)
            channel.close(error)
        elif policy == "detach":
            channel.put(kept)
            channel.close()
        return kept

    def _drop(self, contexts: list[Context] | None, count: int) -> None:
        """Count elements that this subscriber misses; for it, they end as dropped."""
        self.meter.dropped += count
        for context in contexts or ():
            context.settled(Outcome.DROPPED)


def _copies(chunk: Chunk[Any], count: int) -> list[Chunk[Any]]:
    """The chunk for each subscriber: an element has ended when it has for all of them."""
    if chunk.contexts is None or count == 1:
        return [chunk] * count
    rows = zip(*(split(context, count) for context in chunk.contexts), strict=True)
    return [Chunk(chunk.elements, list(row), **chunk.signals()) for row in rows] or [chunk] * count


class Broadcast:
    """One run of the source, from its first subscriber to its last or to the source's end."""

    def __init__(self, source: Node, sharing: Sharing, clock: Clock) -> None:
        self._source = source
        self._sharing = sharing
        self._clock = clock
        self._seats: list[Seat] = []
        self._bell: asyncio.Future[None] | None = None
        self._past: deque[tuple[float, Any]] = deque(maxlen=sharing.replay)
        self._error: Exception | None = None
        self._unreported: list[BaseException] = []
        self._source_run: Run[Any] | None = None
        self._pump: asyncio.Task[None] | None = None
        self.ended = False

    def deserted_without(self, seat: Seat) -> bool:
        """True if nobody but this subscriber is there."""
        return all(other is seat for other in self._seats)

    def join(self, seat: Seat) -> None:
        """Let a subscriber in: first it gets what is replayed, then what comes from now on."""
        past = self._remembered()
        if past:
            seat.channel.put(Chunk(past))
        if self.ended:
            seat.channel.close(self._error)
            return
        self._seats.append(seat)
        if self._pump is None:
            self._pump = detached_task(self._run(), name=f"share {self._source.spec.name}")

    async def leave(self, seat: Seat) -> None:
        """Let a subscriber go; the last one ends the source's run, and waits until it has ended."""
        if seat in self._seats:
            self._seats.remove(seat)
        if self._seats or self._pump is None:
            if self._seats:
                self._drain_source()
            self.ring()
            return
        self.ended = True
        self._pump.cancel()
        await settled([self._pump])

    def drain(self, seat: Seat) -> None:
        """A subscriber's run is drained; once all are, the source is let end."""
        seat.drained = True
        self._drain_source()

    def _drain_source(self) -> None:
        if self._source_run is not None and all(seat.drained for seat in self._seats):
            self._source_run.finish()

    def errors(self) -> list[BaseException]:
        """What finalizers of the source's run have raised, for whoever asks first."""
        unreported, self._unreported = self._unreported, []
        return unreported

    def ring(self) -> None:
        """Tell the pump that somebody wants more, or has room again."""
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    def _remembered(self) -> list[Any]:
        seconds = self._sharing.seconds
        if seconds is None:
            return [item for _, item in self._past]
        oldest = self._clock.time() - seconds
        return [item for at, item in self._past if at >= oldest]

    def _wanted(self) -> int:
        """What to ask of the source: as much as somebody wants, and one who waits, or all under `slowest`, have room for."""
        channels = [seat.channel for seat in self._seats if not seat.channel.closed]
        most = max((channel.wanted for channel in channels if not channel.size), default=0)
        if self._sharing.policy == "slowest":
            most = min(most, min((channel.room for channel in channels), default=0))
        return min(most, self._sharing.lag, CHUNK)

    async def _run(self) -> None:
        run = self._source_run = Run[Any](self._source)
        self._drain_source()
        error: Exception | None = None
        try:
            await self._follow(run.subscription)
        except Exception as raised:  # noqa: BLE001 - handed to each subscriber
            error = raised
        finally:
            await self._end(run)
        self._close(error)

    async def _end(self, run: Run[Any]) -> None:
        """Close the source's run, even if that raises: subscribers wait for what comes after."""
        try:
            await run.aclose()
        except Exception as raised:  # noqa: BLE001 - reported by whoever asks first
            self._unreported.append(raised)
        self._unreported.extend(run.errors)

    async def _follow(self, subscription: Subscription[Any]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while (n := self._wanted()) < 1:
                self._bell = loop.create_future()
                await self._bell
            chunk = await subscription.request(n)
            if chunk.end:
                return
            self._deliver(chunk)
            del chunk  # its elements must not be kept while nobody wants more

    def _deliver(self, chunk: Chunk[Any]) -> None:
        if self._sharing.replay:
            now = self._clock.time()
            self._past.extend((now, item) for item in chunk.elements)
        copies = _copies(chunk, len(self._seats))
        for seat, copy in zip(self._seats, copies, strict=True):
            seat.take_in(copy, self._sharing.policy)

    def _close(self, error: Exception | None) -> None:
        self.ended, self._error = True, error
        for seat in self._seats:
            seat.channel.close(error)


class Hub:
    """The broadcasts of one shared flow, one for each event loop that has subscribers."""

    def __init__(self, source: Node, sharing: Sharing) -> None:
        self._source = source
        self._sharing = sharing
        self._live: WeakKeyDictionary[asyncio.AbstractEventLoop, Broadcast] = WeakKeyDictionary()

    def join(self, seat: Seat, clock: Clock) -> Broadcast:
        """Put a subscriber into the broadcast that is under way, or begin one.

        One that has ended is begun anew for the next subscriber, unless it replays what it was.
        """
        loop = asyncio.get_running_loop()
        live = self._live.get(loop)
        if live is None or (live.ended and not self._sharing.replay):
            live = self._live[loop] = Broadcast(self._source, self._sharing, clock)
        live.join(seat)
        return live

    async def leave(self, broadcast: Broadcast, seat: Seat) -> None:
        """Let a subscriber go; an unfinished broadcast that nobody follows any more is forgotten."""
        finished = broadcast.ended
        if broadcast.deserted_without(seat) and not finished:
            self._forget(broadcast)
        await broadcast.leave(seat)

    def _forget(self, broadcast: Broadcast) -> None:
        loop = asyncio.get_running_loop()
        if self._live.get(loop) is broadcast:
            del self._live[loop]
