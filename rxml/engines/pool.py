"""Pool: the worker processes of one model, supervised and as many as are needed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from itertools import count
from math import inf
from random import Random
from typing import TYPE_CHECKING, Final

from rxml.engines.child import Child
from rxml.errors import ModelError, WorkerLostError
from rxml.flow.scope import Scope, settled, uninterrupted
from rxml.resilience.intensity import Intensity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.batch import Batch
    from rxml.engines.elastic import Elastic
    from rxml.models.model import Recipe
    from rxml.models.scoring.place import Done

_LOG: Final = logging.getLogger("rxml.engines")


@dataclass(frozen=True, slots=True)
class How:
    """What each process is like; see `processes`."""

    threads: int
    cores: Sequence[int]
    timeout: float
    shared_bytes: int


class Pool:
    """Worker processes (a `Workers`). Each place is kept by a task: when its process dies, the next one is started.

    Args:
        recipe: of the model.
        how: each process is.
        least: processes.
        elastic: says when there should be more or fewer.
        ready: called when one becomes idle.
    """

    def __init__(
        self, recipe: Recipe, how: How, least: int, elastic: Elastic, ready: Callable[[], None]
    ) -> None:
        self._recipe = recipe
        self._how = how
        self._least = least
        self._elastic = elastic
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._scope = Scope()
        self._free: list[Child] = []
        self._children: set[Child] = set()
        self._places = 0
        self._leaving = 0
        self._numbers = count(1)
        self._intensity = Intensity(restarts=10, seconds=30.0)
        self._random = Random()  # noqa: S311 - jitter
        self._broken: Exception | None = None
        self._under_way: set[asyncio.Future[None]] = set()
        self._shrinking: asyncio.TimerHandle | None = None
        self._closing = False
        self.hold: float = inf

    @property
    def idle(self) -> int:
        """See `Workers.idle`; who cannot be helped is told at once."""
        return len(self._free) if self._broken is None else 1

    @property
    def count(self) -> int:
        """See `Workers.count`."""
        return len(self._children)

    @property
    def pids(self) -> list[int]:
        """Of the processes that are ready."""
        return [child.pid for child in self._children]

    async def open(self) -> None:
        """Start as many as there must be at least.

        Raises:
            ModelError: the model cannot be made there.
        """
        firsts = [self._place() for _ in range(self._least)]
        try:
            await asyncio.gather(*firsts)
        except BaseException:
            await self.close()
            raise

    def _place(self) -> asyncio.Future[None]:
        """One process more; done when the first is there."""
        first: asyncio.Future[None] = self._loop.create_future()
        number = self._places
        self._places += 1
        self._scope.start(self._keep(number, first), name=f"worker {number}")
        return first

    async def _keep(self, number: int, first: asyncio.Future[None]) -> None:
        cores = self._how.cores
        core = cores[number % len(cores)] if cores else -1
        try:
            while not self._closing:
                child = Child(
                    f"worker {next(self._numbers)}", self._how.shared_bytes, self._how.timeout
                )
                try:
                    await child.start(self._recipe, self._how.threads, core)
                    self._came(child, first)
                    await child.lost
                except Exception as error:  # noqa: BLE001 - told to who opens, else logged
                    if not first.done():
                        first.set_exception(error)
                        return
                    _LOG.warning("%s cannot be started: %s", child.name, error)
                finally:
                    self._forget(child)
                    await uninterrupted(child.close(), name=f"{child.name} ends")
                if self._leaving:
                    self._leaving -= 1
                    return
                await self._pause(child)
        finally:
            self._places -= 1

    def _came(self, child: Child, first: asyncio.Future[None]) -> None:
        self._broken = None
        self._children.add(child)
        self._free.append(child)
        if not first.done():
            first.set_result(None)
        self._loop.call_soon(self._ready)

    def _forget(self, child: Child) -> None:
        self._children.discard(child)
        if child in self._free:
            self._free.remove(child)
        if not self._closing:
            self._loop.call_soon(self._ready)

    async def _pause(self, child: Child) -> None:
        """Before the next is started; once too many have died, those who ask are told so meanwhile."""
        if self._closing:
            return
        wait = self._intensity.failed(self._loop.time(), self._random)
        if wait is None:
            wait = 10.0
            if not self._children:
                self._broken = ModelError(
                    "worker processes die again and again; the last is tried anew in 10 s"
                )
                self._loop.call_soon(self._ready)
        _LOG.warning("%s has ended; the next one is started in %.3g s", child.name, wait)
        await asyncio.sleep(wait)

    def start(self, batch: Batch, done: Done) -> None:
        """See `Workers.start`."""
        if self._broken is not None and not self._free:
            return done(self._broken, 0.0)
        child = self._free.pop()
        ended: asyncio.Future[None] = self._loop.create_future()
        self._under_way.add(ended)
        child.score(batch, partial(self._came_back, child, ended, done))
        return None

    def _came_back(
        self,
        child: Child,
        ended: asyncio.Future[None],
        done: Done,
        result: Batch | Exception,
        seconds: float,
    ) -> None:
        self._under_way.discard(ended)
        ended.set_result(None)
        if not isinstance(result, WorkerLostError) and child in self._children:
            self._free.append(child)
            self._watch_shrinking()
        done(result, seconds)

    def pressure(self, oldest: float) -> None:
        """See `Workers.pressure`."""
        if not self._closing and self._elastic.grows(oldest, self._places, self._loop.time()):
            _LOG.info("rows wait %.3g s: one worker more", oldest)
            self._place().add_done_callback(_seen)

    def _watch_shrinking(self) -> None:
        if self._places > self._least and self._shrinking is None and not self._closing:
            self._shrinking = self._loop.call_later(self._elastic.shrink_after, self._shrink)

    def _shrink(self) -> None:
        self._shrinking = None
        if self._elastic.shrinks(len(self._children), len(self._free), self._loop.time()):
            child = self._free.pop(0)
            self._leaving += 1
            child.kill()
        self._watch_shrinking()

    async def close(self) -> None:
        """See `Workers.close`."""
        await settled(self._under_way)
        self._closing = True
        if self._shrinking is not None:
            self._shrinking.cancel()
        await self._scope.aclose()


def _seen(first: asyncio.Future[None]) -> None:
    """One that was to help could not be started: that is logged, and the others go on."""
    if not first.cancelled() and (error := first.exception()) is not None:
        _LOG.warning("one worker more cannot be started: %s", error)
