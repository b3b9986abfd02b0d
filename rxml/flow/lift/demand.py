"""Demand: when the next element may go into operators of reactivex."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from rxml.flow.lift.scheduler import BATCHES, QUEUES

if TYPE_CHECKING:
    from rxml.flow.body import Outlet
    from rxml.flow.lift.scheduler import RunScheduler

PAUSE: Final = 0.001
"""Seconds between chunks that bring about nothing while timers are pending: endless sources leave time its course."""


class Demand:
    """Lets elements in while the reader wants what has not come out, and while few are kept inside.

    What operators keep cannot be seen. But those of reactivex that keep elements for a time have a timer pending
    meanwhile, and none pending when they keep nothing; so what went in since then and did not come out is the bound.
    Operators that keep elements without a timer (`to_list`, `reduce`) are never slowed down.

    Args:
        outlet: tells what the reader wants.
        scheduler: tells which timers are pending.
        bound: elements that may be kept, and timers that may be pending.

    Attributes:
        feeders: how many feed; they take turns.
        windows: elements are kept until some observable cuts a window, and then none.
    """

    def __init__(self, outlet: Outlet[object], scheduler: RunScheduler, bound: int) -> None:
        self._outlet = outlet
        self._scheduler = scheduler
        self._bound = bound
        self._kept = 0
        self._barren = 0
        self._last: object = None
        self.feeders = 0
        self._movement: asyncio.Future[None] | None = None
        self.windows = False

    def went_in(self, count: int, feeder: object) -> None:
        """Count elements that were fed."""
        self._last = feeder
        self._kept += count
        self._barren += count

    def came_out(self, count: int) -> None:
        """Count results."""
        self._kept = 0 if self.windows else max(0, self._kept - count)
        self._barren = 0

    def moved(self, owner: str | None, *, fruitful: bool) -> None:
        """Take note that a timer of this module has done its work, with or without a result, or (None) was cancelled."""
        if owner is not None and (self.windows or owner in BATCHES):
            self._kept = 0
        elif owner in QUEUES and not fruitful:
            self._kept = max(0, self._kept - 1)
        self.wake()

    async def allowance(self, feeder: object) -> int:
        """Wait until elements of this feeder may go in; returns how many at most. 0 when the reader is gone.

        While nothing comes out, each further turn takes as many as all before it.
        """
        channel, clock = self._outlet.channel, self._outlet.clock
        while True:
            missing = await channel.wait_wanted()
            if channel.closed:
                return 0
            if clock.held:
                await clock.breathe()
            if self.feeders > 1 and self._last is feeder:
                self._last = None
                await clock.breathe()  # who waits as well comes first
                continue
            if self._full() or self._scheduler.ready:
                await self._wait()
            elif self._idle():
                self._barren = 0
                await clock.sleep(PAUSE)
            else:
                return min(max(missing, self._barren), self._bound - self._kept)

    def _idle(self) -> bool:
        """Elements are passed over while something waits for its time."""
        scheduler = self._scheduler
        return self._barren >= self._bound and scheduler.pending > len(scheduler.keepers) == 0

    def _full(self) -> bool:
        if not self._scheduler.keepers:
            self._kept = 0
        return self._kept >= self._bound or self._scheduler.pending >= self._bound

    async def _wait(self) -> None:
        if self._movement is None or self._movement.done():
            self._movement = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._movement)

    def wake(self) -> None:
        """Have those who wait look again."""
        if self._movement is not None and not self._movement.done():
            self._movement.set_result(None)
