"""Threads as workers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from rxml.errors import ModelError, WorkerLostError
from rxml.flow.scope import settled
from rxml.models.scoring.hand import Hand
from rxml.models.scoring.on_loop import timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.models.model import Model
    from rxml.models.scoring.place import Done

_LOG: Final = logging.getLogger("rxml.models")


@dataclass(frozen=True, slots=True)
class ThreadLimits:
    """How many threads there are, and when one is given up; see `threads`."""

    least: int
    most: int
    target: float
    timeout: float
    lost: int = 8
    """Threads that may be given up and not come back, before there are fewer."""


class ThreadWorkers:
    """Threads that all have the same model.

    They are daemons: one that hangs can be waited for by nobody, and is replaced.

    Args:
        model: is called by several threads at once, if there are several.
        limits: how many there are, and when one is given up.
        ready: see `Place.open`.
    """

    def __init__(self, model: Model, limits: ThreadLimits, ready: Callable[[], None]) -> None:
        self._model = model
        self._limits = limits
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._free: list[Hand] = []
        self._busy: dict[Hand, Duty] = {}
        self._lost = 0
        self._wanted = limits.least
        self.hold: float = inf

    @property
    def count(self) -> int:
        """See `Workers.count`: fewer than are wanted once too many were given up."""
        return max(0, self._wanted - max(0, self._lost - self._limits.lost))

    @property
    def idle(self) -> int:
        """See `Workers.idle`; where no thread is left, who asks is told at once."""
        count = self.count
        return max(0, count - len(self._busy)) if count else 1

    def start(self, batch: Batch, done: Done) -> None:
        """See `Workers.start`."""
        if not self.count:
            return done(
                ModelError(f"the model hangs in {self._lost} threads: no more are begun"), 0.0
            )
        hand = self._free.pop() if self._free else Hand()
        timer = self._loop.call_later(self._limits.timeout, self._hangs, hand)
        self._busy[hand] = Duty(done, timer, self._loop.create_future())
        work = self._loop.run_in_executor(hand, timed, self._model, batch)
        work.add_done_callback(partial(self._ended, hand))
        return None

    def _ended(self, hand: Hand, work: asyncio.Future[tuple[Batch | Exception, float]]) -> None:
        task = self._busy.pop(hand, None)
        if task is None:  # it was given up, and has come back all the same
            self._lost -= 1
            self._loop.call_soon(self._ready)
            return hand.shutdown()
        task.timer.cancel()
        if self._wanted > self._limits.least and len(self._busy) < self.count - 1:
            self._wanted -= 1  # two were idle: one is enough
            hand.shutdown()
        else:
            self._free.append(hand)
        task.ended.set_result(None)
        task.done(*work.result())
        return None

    def _hangs(self, hand: Hand) -> None:
        task = self._busy.pop(hand)
        self._lost += 1
        _LOG.warning("a model has held a thread for %g s: it is given up", self._limits.timeout)
        task.ended.set_result(None)
        message = f"a model has not come back within {self._limits.timeout:g} s"
        task.done(WorkerLostError(message), self._limits.timeout)

    def pressure(self, oldest: float) -> None:
        """One more thread works if a row has waited too long."""
        if oldest > self._limits.target and self.count > 0 and self._wanted < self._limits.most:
            self._wanted += 1
            self._loop.call_soon(self._ready)

    async def close(self) -> None:
        """See `Workers.close`."""
        await settled([task.ended for task in self._busy.values()])
        while self._free:
            self._free.pop().shutdown()


class Duty(NamedTuple):
    """A batch that a thread has."""

    done: Done
    timer: asyncio.TimerHandle
    ended: asyncio.Future[None]
