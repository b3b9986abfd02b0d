"""Running: one run of a supervision tree."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from rxml.errors import EscalatedError
from rxml.flow.scope import Scope, in_turn, settled, unasked
from rxml.flow.supervising.happening import Happening
from rxml.flow.supervising.news import UtcClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from rxml.flow.supervising.happening import What
    from rxml.flow.supervising.news import News
    from rxml.flow.supervising.supervised import Supervised
    from rxml.resilience.intensity import Intensity

_LOG: Final = logging.getLogger("rxml.supervising")


@dataclass(frozen=True, slots=True)
class Rules:
    """How a tree deals with failures; see `SupervisionTree`."""

    name: str
    strategy: str
    intensity: Intensity


class Running:
    """Starts children, waits for one to end, and sees to it.

    Args:
        children: in the order in which they are started.
        rules: what follows a failure.
        random: draws jitter.
        news: hears of everything.

    Attributes:
        begun: done when each child has been started once.
    """

    def __init__(
        self,
        children: Sequence[Supervised],
        rules: Rules,
        random: Random,
        news: News[Happening],
    ) -> None:
        self._children = children
        self._rules = rules
        self._random = random
        self._news = news
        self._loop = asyncio.get_running_loop()
        self._clock = UtcClock()
        self._scope = Scope()
        self._tasks: dict[Supervised, asyncio.Task[None]] = {}
        self._due: dict[Supervised, float] = {}
        self._unready: dict[Supervised, Exception] = {}
        self._over: set[Supervised] = set()
        self.begun: asyncio.Future[None] = self._loop.create_future()

    @property
    def alive(self) -> tuple[str, ...]:
        """The children that run, in order."""
        return tuple(each.name for each in self._children if each in self._tasks)

    async def run(self) -> None:
        """Until all have ended for good.

        Raises:
            EscalatedError: children have failed too often.
        """
        try:
            for child in self._children:
                await self._start(child)
            self.begun.set_result(None)
            while self._tasks or self._due:
                await self._wait()
                for child in self._ended():
                    if child in self._tasks:
                        await self._see_to(child)
                await self._start_due()
        finally:
            await self._stop(self._children, "the tree ends")

    async def _start(self, child: Supervised) -> None:
        self._tasks[child] = task = self._scope.spawn(child.run(), name=child.name)
        self._tell(child, "started")
        if child.ready is not None:
            await self._readied(child, task)

    async def _readied(self, child: Supervised, task: asyncio.Task[None]) -> None:
        """Wait until it is ready, or has ended before it was."""
        ready = self._scope.spawn(_awaited(child), name=f"{child.name}: ready")
        try:
            await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            await settled([ready])
        error = None if ready.cancelled() else ready.exception()
        if isinstance(error, Exception):
            self._unready[child] = error
            task.cancel()
            await settled([task])

    async def _wait(self) -> None:
        """Until a child ends or is due."""
        seconds = None
        if self._due:
            seconds = max(0.0, min(self._due.values()) - self._loop.time())
        if self._tasks:
            await asyncio.wait(
                self._tasks.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        else:
            await asyncio.sleep(seconds or 0.0)

    def _ended(self) -> list[Supervised]:
        return [each for each in self._children if each in self._tasks and self._tasks[each].done()]

    async def _see_to(self, child: Supervised) -> None:
        error = self._outcome(child, self._tasks.pop(child))
        self._tell(child, "ended" if error is None else "failed", _told(error))
        if not child.returns(error):
            return
        wait = self._rules.intensity.failed(self._loop.time(), self._random)
        if wait is None:
            self._tell(child, "escalated", _told(error))
            raise EscalatedError(
                f"{self._rules.name}: {child.name} {_told(error) or 'has ended'}, and children have failed too often"
            ) from error
        await self._again(child, wait)

    async def _again(self, child: Supervised, wait: float) -> None:
        """Have it started after the wait, and with it those that the strategy says."""
        others = [each for each in self._with(child) if each in self._tasks or each in self._due]
        await self._stop(others, f"{child.name} has ended")
        staying = [each for each in others if each.lasting != "temporary"]
        again = [child, *(each for each in staying if each not in self._over)]
        due = self._loop.time() + wait
        for each in (each for each in self._children if each in again):
            self._due[each] = max(due, self._due.get(each, due))
            self._tell(each, "restarting", "" if each is child else f"{child.name} has ended", wait)

    def _with(self, child: Supervised) -> Sequence[Supervised]:
        """Those that are stopped with it."""
        if self._rules.strategy == "one_for_one":
            return ()
        place = self._children.index(child)
        if self._rules.strategy == "rest_for_one":
            return self._children[place + 1 :]
        return [each for each in self._children if each is not child]

    async def _start_due(self) -> None:
        now = self._loop.time()
        for child in [each for each in self._children if self._due.get(each, now + 1) <= now]:
            del self._due[child]
            await self._start(child)

    async def _stop(self, children: Sequence[Supervised], why: str) -> None:
        """In reverse; each has ended before the next is told."""
        stops = [partial(self._end, each, why) for each in reversed(children)]
        await in_turn(stops, _log)

    async def _end(self, child: Supervised, why: str) -> None:
        task = self._tasks.get(child)
        if task is None:
            return
        stopped = not task.done()
        task.cancel()
        try:
            await settled([task])
        finally:
            error = self._outcome(child, self._tasks.pop(child), stopped=stopped)
            if error is not None:
                self._tell(child, "failed", _told(error))
            elif stopped or child.returns(None):
                self._tell(child, "stopped", why)
            else:  # it had come to its end in the moment in which another failed
                self._over.add(child)
                self._tell(child, "ended")

    def _outcome(
        self, child: Supervised, task: asyncio.Task[None], *, stopped: bool = False
    ) -> Exception | None:
        """What it has failed with; a child that somebody else has cancelled has failed, too."""
        unready = self._unready.pop(child, None)
        if unready is not None:
            return unready
        if task.cancelled():
            return None if stopped else unasked(asyncio.CancelledError())
        error = task.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        return error

    def _tell(self, child: Supervised, what: What, reason: str = "", wait: float = 0.0) -> None:
        level = logging.WARNING if what == "failed" else logging.INFO
        _LOG.log(level, "%s: %s %s %s", self._rules.name, child.name, what, reason)
        self._news.tell(
            Happening(self._clock.now(), self._rules.name, child.name, what, reason, wait)
        )


async def _awaited(child: Supervised) -> None:
    if child.ready is not None:
        await child.ready()


def _told(error: BaseException | None) -> str:
    return "" if error is None else f"{type(error).__name__}: {error}"


def _log(error: Exception) -> None:
    _LOG.error("a child could not be stopped: %r", error)
