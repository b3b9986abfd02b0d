"""Wrapping: what stands around stages in a run with checkpoints, and is not there in one without."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from rxml.flow.chunk import END, Chunk

if TYPE_CHECKING:
    from rxml.flow.checkpointing.slot import Slot
    from rxml.flow.clock import Clock
    from rxml.flow.stage import Stage
    from rxml.flow.subscription import Subscription


class Barriers(Protocol):
    """What the ends of a pipeline need of the coordinator; see there."""

    pending: int | None
    draining: bool
    elements: int | None

    def begin(self) -> None:
        """See `Coordinator.begin`."""
        ...

    def start(self) -> None:
        """See `Coordinator.start`."""
        ...

    async def arrived(self, barrier: int) -> bool:
        """See `Coordinator.arrived`."""
        ...

    async def ended(self) -> None:
        """See `Coordinator.ended`."""
        ...


class Ended:
    """A stage, or a run, that had ended when it was saved."""

    __slots__ = ("_stage",)

    def __init__(self, stage: Stage[Any] | None) -> None:
        self._stage = stage

    async def request(self, n: int) -> Chunk[Any]:
        """See `Subscription.request`."""
        del n
        return END

    async def cancel(self) -> None:
        """See `Subscription.cancel`."""
        if self._stage is not None:
            await self._stage.cancel()


class Watching:
    """A stage with inputs: keeps its state, if it has any, when it lets a barrier pass, and notes its end."""

    __slots__ = ("_saves", "_slot", "_stage")

    def __init__(self, slot: Slot, stage: Stage[Any], *, saves: bool) -> None:
        self._slot = slot
        self._stage = stage
        self._saves = saves

    @property
    def immediate(self) -> bool:
        """See `Stage`."""
        return self._stage.immediate

    def take(self, n: int) -> Chunk[Any] | None:
        """See `Stage.take`."""
        chunk = self._stage.take(n)
        return None if chunk is None else self._seen(chunk)

    async def request(self, n: int) -> Chunk[Any]:
        """See `Subscription.request`."""
        try:
            chunk = await self._stage.request(n)
        except Exception:
            self._slot.leave()
            raise
        return self._seen(chunk)

    def _seen(self, chunk: Chunk[Any]) -> Chunk[Any]:
        if chunk.end:
            self._slot.leave()
        elif chunk.barrier is not None:
            state = self._slot.named(self._stage.snapshot) if self._saves else None
            self._slot.keep(chunk.barrier, self._stage.version, state)
        return chunk

    async def cancel(self) -> None:
        """See `Subscription.cancel`."""
        self._slot.leave()
        await self._stage.cancel()


class Injecting:
    """A source: gives a barrier between two chunks as soon as one is due, even while it waits for elements.

    A request that is interrupted for a barrier loses nothing: the next one gets what was on its way.

    Attributes:
        parked: nothing follows the barrier that it gave last.
    """

    __slots__ = (
        "_barriers",
        "_clock",
        "_count",
        "_given",
        "_limit",
        "_parking",
        "_slot",
        "_stage",
        "parked",
    )

    def __init__(self, barriers: Barriers, slot: Slot, stage: Stage[Any], clock: Clock) -> None:
        self.parked: bool = False
        self._barriers = barriers
        self._slot = slot
        self._stage = stage
        self._clock = clock
        self._given = 0
        self._count = 0
        self._limit: asyncio.Timeout | None = None
        self._parking: asyncio.Future[None] | None = None

    @property
    def still(self) -> bool:
        """Nothing comes any more."""
        return self.parked or self._slot.ended

    def ring(self) -> None:
        """A barrier is due: end the wait for elements."""
        if self._limit is not None:
            self._limit.reschedule(self._clock.time())
        self._unpark()

    @property
    def immediate(self) -> bool:
        """See `Stage`."""
        return self._stage.immediate

    def take(self, n: int) -> Chunk[Any] | None:
        """See `Stage.take`."""
        if self._slot.ended:
            return None
        barrier = self._due()
        if barrier is not None:
            return self._barrier(barrier)
        if self.parked:
            return None
        chunk = self._stage.take(self._wanted(n))
        if chunk is not None:
            self._count += len(chunk.elements)
        return chunk

    async def request(self, n: int) -> Chunk[Any]:
        """See `Subscription.request`."""
        while True:
            if self._slot.ended:
                return END
            barrier = self._due()
            if barrier is not None:
                return self._barrier(barrier)
            if self.parked:
                await self._park()
                continue
            chunk = await self._asked(self._wanted(n))
            if chunk is not None:
                self._count += len(chunk.elements)
                return chunk

    def _due(self) -> int | None:
        """The barrier to be given now, if there is one."""
        barriers, most = self._barriers, self._barriers.elements
        if most is not None and self._count >= most and barriers.pending is None:
            barriers.start()
        pending = barriers.pending
        return pending if pending is not None and pending > self._given else None

    def _barrier(self, barrier: int) -> Chunk[Any]:
        self._slot.keep(barrier, self._stage.version, self._stage.position())
        self._given, self._count = barrier, 0
        self.parked = self._barriers.draining
        return Chunk((), barrier=barrier)

    def _wanted(self, n: int) -> int:
        """The demand, cut so that a barrier that is due by count comes behind just so many elements."""
        most = self._barriers.elements
        return n if most is None or most <= self._count else min(n, most - self._count)

    async def _asked(self, n: int) -> Chunk[Any] | None:
        """What the source gives; None if a barrier is due before."""
        chunk = self._stage.take(n) if self._stage.immediate else None
        if chunk is not None:
            if chunk.elements.__class__ is range:
                chunk.elements = list(chunk.elements)
            return chunk
        try:
            chunk = await self._until_rung(n)
        except Exception:
            self._slot.leave()
            raise
        if chunk is not None and chunk.end:
            self._slot.leave()
        return chunk

    async def _until_rung(self, n: int) -> Chunk[Any] | None:
        failure: Exception | None = None
        chunk: Chunk[Any] | None = None
        try:
            async with asyncio.timeout(None) as self._limit:
                # A failure is kept out of the limit's sight, which would take a TimeoutError for its own.
                try:
                    chunk = await self._stage.request(n)
                except Exception as error:  # noqa: BLE001 - raised again below
                    failure = error
        except TimeoutError:
            return None
        finally:
            self._limit = None
        if failure is not None:
            raise failure
        return chunk

    async def _park(self) -> None:
        """Wait until the run is ended, or another barrier is due: other sources may not have been still for this one."""
        self._parking = asyncio.get_running_loop().create_future()
        await self._parking

    def _unpark(self) -> None:
        if self._parking is not None and not self._parking.done():
            self._parking.set_result(None)

    async def cancel(self) -> None:
        """See `Subscription.cancel`."""
        self._slot.leave()
        self._unpark()
        await self._stage.cancel()


class Gate:
    """The end of the pipeline: a barrier that has come so far is committed before anything else is taken."""

    __slots__ = ("_barriers", "_inner", "_over")

    def __init__(self, barriers: Barriers, inner: Subscription[Any]) -> None:
        self._barriers = barriers
        self._inner = inner
        self._over = False

    async def request(self, n: int) -> Chunk[Any]:
        """See `Subscription.request`."""
        if self._over:
            return END
        self._barriers.begin()
        chunk = await self._inner.request(n)
        if chunk.end:
            await self._end()
        elif chunk.barrier is not None and await self._barriers.arrived(chunk.barrier):
            self._over = True
            await self._inner.cancel()
        return chunk

    async def _end(self) -> None:
        if not self._over:  # else it was cancelled meanwhile, which is no end of the input
            await self._barriers.ended()

    async def cancel(self) -> None:
        """See `Subscription.cancel`."""
        self._over = True
        await self._inner.cancel()
