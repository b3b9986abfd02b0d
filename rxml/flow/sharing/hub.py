"""Hub: what is shared of one flow, on each event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from rxml.flow.sharing.broadcast import Broadcast
from rxml.flow.totals import Totals

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.sharing.seat import Seat
    from rxml.flow.sharing.sharing import Sharing


class Place:
    """What is shared on one event loop. It must not hold the loop, which would then never be collected.

    Attributes:
        totals: the counters of all broadcasts.
        live: the broadcast that the next subscriber joins; None: it begins one.
    """

    __slots__ = ("live", "totals")

    def __init__(self, source: Node) -> None:
        self.totals: Totals = Totals(source, apart=True)
        self.live: Broadcast | None = None


class Hub:
    """The broadcasts of one shared flow, one for each event loop that has subscribers (a `rxml.flow.node.Shared`)."""

    def __init__(self, source: Node, sharing: Sharing) -> None:
        self._source = source
        self._sharing = sharing
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, Place] = WeakKeyDictionary()

    @property
    def kept(self) -> int:
        """See `Shared.kept`."""
        return self._sharing.replay

    def counted(self) -> Totals:
        """See `Shared.counted`."""
        return self._here().totals

    def _here(self) -> Place:
        loop = asyncio.get_running_loop()
        place = self._places.get(loop)
        if place is None:
            self._sweep()
            place = self._places[loop] = Place(self._source)
        return place

    def _sweep(self) -> None:
        """Forget loops that are closed: an error that is replayed holds the frames of whoever raised it last, and so a loop."""
        for loop in [each for each in self._places if each.is_closed()]:
            del self._places[loop]

    def join(self, seat: Seat, env: Env) -> Broadcast:
        """Put a subscriber into the broadcast that is under way, or begin one.

        One that has ended is begun anew for the next subscriber, unless it replays what it was.
        """
        place = self._here()
        live = place.live
        if live is None or self._past(live):
            live = place.live = Broadcast(self._source, self._sharing, place.totals)
        live.join(seat, env)
        return live

    def _past(self, broadcast: Broadcast) -> bool:
        return broadcast.ended and (broadcast.broken or not self._sharing.replay)

    async def leave(self, broadcast: Broadcast, seat: Seat) -> None:
        """Let a subscriber go; what nobody follows any more is forgotten, unless it has ended and is replayed."""
        unfinished = broadcast.deserted_without(seat) and not broadcast.ended
        if unfinished or self._past(broadcast):
            self._forget(broadcast)
        await broadcast.leave(seat)

    def _forget(self, broadcast: Broadcast) -> None:
        place = self._here()
        if place.live is broadcast:
            place.live = None
