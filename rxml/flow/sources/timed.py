"""Sources that time drives, and the one that nothing drives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import label, source
from rxml.flow.node import Checkpointing
from rxml.flow.stage import Stage
from rxml.flow.timing.duration import seconds_of
from rxml.flow.timing.waiting import rung

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.timing.duration import Duration

T = TypeVar("T")


def interval(period: Duration) -> Flowable[int]:
    """0, 1, 2, … one each period, the first after one period.

    A tick that nobody waits for is handed over as soon as somebody asks, and the next one comes at the next multiple of
    the period: ticks do not pile up, their numbers have no gaps, and they do not drift.

    Args:
        period: seconds, or a timedelta; 0 gives as many as are asked for.

    Raises:
        ValueError: the period is negative or not a number.
    """
    every = seconds_of(period, "interval(period)")
    return source(label("interval", period), lambda env, node: TickStage(env, node, every, every))


def timer(duetime: Duration, period: Duration | None = None) -> Flowable[int]:
    """0 after `duetime`, then the end; with a period 1, 2, … follow, one each period, without end.

    Args:
        duetime: seconds, or a timedelta, from the first request on.
        period: seconds, or a timedelta; as in `interval`.

    Raises:
        ValueError: a duration is negative or not a number.
    """
    first = seconds_of(duetime, "timer(duetime)")
    every = None if period is None else seconds_of(period, "timer(period)")
    arguments = (duetime,) if period is None else (duetime, period)
    name = label("timer", *arguments)
    return source(name, lambda env, node: TickStage(env, node, first, every))


def never() -> Flowable[Any]:
    """No element and no end, until the run is drained or ends."""
    return source("never", NeverStage[Any], checkpointing=Checkpointing.PASSES)


class NeverStage(Stage[T]):
    """Waits until the run is drained."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.drained: asyncio.Event = asyncio.Event()
        self._delist = env.enlist(self.drained.set, endless=True)

    @override
    async def pull(self, n: int) -> Chunk[T]:
        del n
        await self.drained.wait()
        return END

    @override
    async def release(self) -> None:
        self._delist()


class TickStage(NeverStage[int]):
    """Counts moments: one tick for each request, at its moment.

    Args:
        first: seconds from the first request to the first tick.
        period: seconds between ticks; None: only one tick.
    """

    def __init__(self, env: Env, node: Node, first: float, period: float | None) -> None:
        super().__init__(env, node)
        self._first = first
        self._period = period
        self._origin: float | None = None
        self._at = 0
        self._count = 0

    @override
    async def pull(self, n: int) -> Chunk[int]:
        clock = self.env.clock
        if self._origin is None:
            self._origin = clock.time() + self._first
        if self._period is None and self._count:
            return END
        if clock.held:
            await clock.breathe()
        due = self._origin + self._at * (self._period or 0.0)
        while not self.drained.is_set() and clock.time() < due:
            await rung(self.drained, due)
        if self.drained.is_set():
            return END
        return self._tick(clock.time() - self._origin)

    def _tick(self, passed: float) -> Chunk[int]:
        if self._period:
            self._at = max(self._at, int(passed // self._period)) + 1
        number, self._count = self._count, self._count + 1
        return Chunk([number])
