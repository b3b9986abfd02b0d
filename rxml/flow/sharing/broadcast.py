"""Broadcast: one run of a flow for many subscribers, which may belong to different runs of the same event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from rxml.errors import StreamClosedError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.run import Run
from rxml.flow.scope import detached_task, settled, stray
from rxml.flow.sharing.jam import Jam
from rxml.flow.sharing.seat import deliver
from rxml.flow.totals import Stint

if TYPE_CHECKING:
    from types import TracebackType

    from rxml.flow.clock import Clock
    from rxml.flow.node import Env, Node
    from rxml.flow.sharing.seat import Seat
    from rxml.flow.sharing.sharing import Sharing
    from rxml.flow.statistics import Meter
    from rxml.flow.supervision import Supervisor
    from rxml.flow.totals import Totals


class Broadcast:
    """One run of the source, from its first subscriber to its last or to the source's end.

    One that has ended keeps nothing of its run or of its event loop, but what it replays.

    Args:
        source: what is shared.
        sharing: how.
        totals: take the counters of the source.

    Attributes:
        ended: nothing follows what has been replayed.
        broken: it was not the source that ended it.
    """

    def __init__(self, source: Node, sharing: Sharing, totals: Totals) -> None:
        self._source = source
        self._sharing = sharing
        self._stint = Stint(totals)
        self._run: Run[Any] | None = None
        self._seats: list[Seat] = []
        self._bell: asyncio.Future[None] | None = None
        self._past: deque[tuple[float, Any]] = deque(maxlen=sharing.replay)
        self._error: Exception | None = None
        self._trace: TracebackType | None = None
        self._unreported: list[BaseException] = []
        self._pump: asyncio.Task[None] | None = None
        self.ended: bool = False
        self.broken: bool = False

    def deserted_without(self, seat: Seat) -> bool:
        """True if nobody but this subscriber is there."""
        return all(other is seat for other in self._seats)

    def join(self, seat: Seat, env: Env) -> None:
        """Let a subscriber in: first it gets what is replayed, then what comes from now on.

        The supervisor of the first one is that of the source.
        """
        past = self._remembered(seat.clock)
        if past:
            seat.channel.put(Chunk(past))
        if self.ended:
            seat.channel.close(self._error)
            return
        self._seats.append(seat)
        if self._pump is None:
            work = self._work(
                env.supervisor, env.owner
            )  # not the rest of it: the first one may leave
            self._pump = detached_task(work, name=f"share {self._source.spec.name}")

    async def leave(self, seat: Seat) -> None:
        """Let a subscriber go; the last one ends the source's run, and waits until it has ended."""
        if seat in self._seats:
            self._seats.remove(seat)
        pump = self._pump
        if pump is None or self._seats:
            self._drain_source()
            self.ring()
            return
        self.ended = True
        pump.cancel()
        await settled([pump])

    def drain(self, seat: Seat) -> None:
        """A subscriber's run is drained; once all are, the source is let end."""
        seat.drained = True
        self._drain_source()

    def _drain_source(self) -> None:
        if self._run is not None and self._seats and all(seat.drained for seat in self._seats):
            self._run.finish()

    def errors(self) -> list[BaseException]:
        """What finalizers of the source's run have raised, for whoever asks first."""
        unreported, self._unreported = self._unreported, []
        return unreported

    def as_it_came(self, error: Exception) -> Exception:
        """The error that a subscriber is about to raise, without the frames of those who have raised it before."""
        return error.with_traceback(self._trace) if error is self._error else error

    def ring(self) -> None:
        """Tell the pump that somebody wants more, or has room again."""
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    def _remembered(self, clock: Clock) -> list[Any]:
        seconds = self._sharing.seconds
        if seconds is None:
            return [item for _, item in self._past]
        oldest = clock.time() - seconds
        return [item for at, item in self._past if at >= oldest]

    def _unseat(self) -> None:
        """Take away the seats of those who have been let go."""
        if any(seat.channel.closed for seat in self._seats):
            self._seats = [seat for seat in self._seats if not seat.channel.closed]
            self._drain_source()

    def _wanted(self) -> int:
        """As much as somebody wants and has room for; -1 if somebody does, but under `slowest` not all have room."""
        channels = [seat.channel for seat in self._seats]
        most = max([channel.wanted for channel in channels if not channel.size], default=0)
        if most and self._sharing.policy == "slowest":
            most = min(most, *[channel.room for channel in channels]) or -1
        return min(most, self._sharing.lag, CHUNK)

    async def _demand(self) -> int:
        """Wait until somebody wants something that may be asked for; how much."""
        loop, jam = asyncio.get_running_loop(), None
        while (n := self._wanted()) < 1:
            timer = None
            if n:
                jam = jam or Jam(self._sharing)
                timer = self._timer(jam)
            self._bell = loop.create_future()
            try:
                await self._bell
            finally:
                if timer is not None:
                    timer.cancel()
        return n

    def _timer(self, jam: Jam) -> asyncio.TimerHandle | None:
        """Rings when the patience of a subscriber will be over, if it waits for one of its own run."""
        moment = jam.look(self._seats)
        self._unseat()
        loop = asyncio.get_running_loop()
        return None if moment is None else loop.call_at(moment, self.ring)

    async def _work(self, supervisor: Supervisor, owner: Meter | None) -> None:
        error: Exception | None = None
        try:
            self._run = run = Run[Any](
                self._source, supervisor=supervisor, stint=self._stint, owner=owner
            )
            self._drain_source()
            await self._follow(run)
        except Exception as raised:  # noqa: BLE001 - handed to each subscriber
            error = raised
        except asyncio.CancelledError as raised:
            try:
                error = stray(raised)
            except asyncio.CancelledError:
                await self._finish(self._cancelled())
                raise
        await self._finish(error)

    async def _follow(self, run: Run[Any]) -> None:
        while True:
            chunk = await run.subscription.request(await self._demand())
            if chunk.end:
                return
            if self._sharing.replay:
                now = run.clock.time()
                self._past.extend((now, item) for item in chunk.elements)
            deliver(chunk, self._seats)
            del chunk  # its elements must not be kept while nobody wants more
            self._unseat()

    def _cancelled(self) -> Exception:
        """The error for those who are still there, if there are any."""
        self.broken = True
        return StreamClosedError(f"{self._sharing.name}: the run of what is shared was cancelled")

    async def _finish(self, error: Exception | None) -> None:
        try:
            await self._end()
        finally:
            self._close(error)

    async def _end(self) -> None:
        """Close the source's run, even if that raises: subscribers wait for what comes after."""
        run = self._run
        if run is None:  # a stage of it could not be opened
            return
        try:
            await run.aclose()
        except Exception as raised:  # noqa: BLE001 - reported by whoever asks first
            self._unreported.append(raised)
        finally:
            self._unreported.extend(run.errors)

    def _close(self, error: Exception | None) -> None:
        """Tell all that nothing follows, and let go of the run."""
        self.ended, self._error = True, error
        self._stint.close()
        if error is not None:
            self._trace = error.__traceback__
        self._run = self._pump = self._bell = None
        seats, self._seats = self._seats, []
        for seat in seats:
            seat.channel.close(error)
