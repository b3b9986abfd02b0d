"""Alarm: moments of the run's clock as an input."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rxml.flow.chunk import END, Chunk
from rxml.flow.timing.waiting import rung

if TYPE_CHECKING:
    from rxml.flow.clock import Clock


class Alarm:
    """A running stream of one element each time that the clock shows the moment which it is set to.

    It can be set anew while a request waits. It is read by one task, as any `Subscription`.
    """

    __slots__ = ("_changed", "_clock", "_closed", "_moment", "_rung")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = asyncio.Event()
        self._moment: float | None = None
        self._rung = 0.0
        self._closed = False

    def set(self, moment: float) -> None:
        """Ring at that moment, at once if it has passed, and at no other."""
        self._moment = moment
        self._changed.set()

    def now(self) -> float:
        """The time; never before the moment for which the alarm has rung last, however coarse the loop's timers are."""
        return max(self._clock.time(), self._rung)

    async def request(self, n: int) -> Chunk[float]:
        """Wait until it rings. See `Subscription.request`."""
        del n
        while not self._closed:
            self._changed.clear()
            moment = self._moment
            if not await rung(self._changed, moment) and moment is not None:
                self._rung = moment
                return Chunk([moment])
        return END

    async def cancel(self) -> None:
        """See `Subscription.cancel`."""
        self._closed = True
        self._changed.set()
