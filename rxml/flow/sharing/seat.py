"""Seat: the place of one subscriber of a shared flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.errors import BufferOverflowError
from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import Chunk
from rxml.flow.context_joining import split
from rxml.flow.dropping import dropped

if TYPE_CHECKING:
    from rxml.flow.clock import Clock
    from rxml.flow.sharing.sharing import Sharing
    from rxml.flow.statistics import Meter


class Seat:
    """One subscriber's buffer.

    Attributes:
        clock: that of the subscriber's run, which has one: so it tells runs apart.
        channel: what the subscriber has not read yet.
        drained: its run is drained.
    """

    __slots__ = ("_meter", "_sharing", "channel", "clock", "drained")

    def __init__(self, clock: Clock, sharing: Sharing, meter: Meter) -> None:
        self.clock: Clock = clock
        self.channel: Channel[Any] = Channel(clock, sharing.lag)
        self.drained: bool = False
        self._sharing = sharing
        self._meter = meter
        meter.gauge = self.channel.gauge

    def take_in(self, chunk: Chunk[Any]) -> None:
        """Add a chunk; where it does not fit, do as the policy says."""
        over = len(chunk.elements) - self.channel.room
        if over > 0:
            chunk = self._made_fit(chunk, over)
        if len(chunk.elements) or chunk.signalled:
            self.channel.put(chunk)
        if over > 0:
            self._let_go()

    def _made_fit(self, chunk: Chunk[Any], over: int) -> Chunk[Any]:
        channel, count = self.channel, len(chunk.elements)
        if self._sharing.policy == "drop_oldest":
            for _ in range(min(over, channel.size)):
                self._drop(channel.evict())
            late = max(0, count - channel.capacity)
            self._drop(chunk.part(0, late))
            return chunk.part(late, count)
        self._drop(chunk.part(channel.room, count))
        return chunk.part(0, channel.room)

    def _let_go(self) -> None:
        """End the stream of a subscriber that lags too far behind, behind what it holds, if that is the policy."""
        sharing = self._sharing
        if sharing.policy == "error":
            self.channel.close(
                BufferOverflowError(
                    f"{sharing.name}: this subscriber lags behind by more than {sharing.lag} elements"
                )
            )
        elif sharing.policy == "detach":
            self.channel.close()

    async def clear(self) -> None:
        """The subscriber has gone: what it has not read ends, for it, as dropped."""
        self._meter.dropped += self.channel.clear()

    def _drop(self, chunk: Chunk[Any]) -> None:
        """Count elements that this subscriber misses; for it, they end as dropped."""
        self._meter.dropped += dropped(chunk)


def deliver(chunk: Chunk[Any], seats: list[Seat]) -> None:
    """Give a chunk to all: an element has ended when it has for each of them."""
    if chunk.contexts is None or len(seats) == 1:
        for seat in seats:
            seat.take_in(chunk)
        return
    rows = zip(*(split(context, len(seats)) for context in chunk.contexts), strict=True)
    copies = [Chunk(chunk.elements, list(row), **chunk.signals()) for row in rows]
    for seat, copy in zip(seats, copies or [chunk] * len(seats), strict=True):
        seat.take_in(copy)
