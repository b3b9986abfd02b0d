"""Threads as workers."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from math import inf
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar

from typing_extensions import override

from rxml.errors import WorkerLostError
from rxml.flow.scope import settled
from rxml.models.scoring.on_loop import timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.models.model import Model
    from rxml.models.scoring.place import Done

P = ParamSpec("P")
T = TypeVar("T")

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
        self._busy: dict[Hand, Task] = {}
        self._lost = 0
        self.count: int = limits.least
        self.hold: float = inf

    @property
    def idle(self) -> int:
        """See `Workers.idle`."""
        return max(0, self.count - len(self._busy))

    def start(self, batch: Batch, done: Done) -> None:
        """See `Workers.start`."""
        hand = self._free.pop() if self._free else Hand()
        timer = self._loop.call_later(self._limits.timeout, self._hangs, hand)
        self._busy[hand] = Task(done, timer, self._loop.create_future())
        work = self._loop.run_in_executor(hand, timed, self._model, batch)
        work.add_done_callback(partial(self._ended, hand))

    def _ended(self, hand: Hand, work: asyncio.Future[tuple[Batch | Exception, float]]) -> None:
        task = self._busy.pop(hand, None)
        if task is None:  # it was given up, and has come back all the same
            self._lost -= 1
            return hand.shutdown()
        task.timer.cancel()
        if self.count > self._limits.least and len(self._busy) < self.count - 1:
            self.count -= 1  # two were idle: one is enough
            hand.shutdown()
        else:
            self._free.append(hand)
        task.ended.set_result(None)
        task.done(*work.result())
        return None

    def _hangs(self, hand: Hand) -> None:
        task = self._busy.pop(hand)
        self._lost += 1
        if self._lost > self._limits.lost:
            self.count = max(0, self.count - 1)
        _LOG.warning("a model has held a thread for %g s: it is given up", self._limits.timeout)
        task.ended.set_result(None)
        message = f"a model has not come back within {self._limits.timeout:g} s"
        task.done(WorkerLostError(message), self._limits.timeout)

    def pressure(self, oldest: float) -> None:
        """One more thread works if a row has waited too long."""
        if oldest > self._limits.target and 0 < self.count < self._limits.most:
            self.count += 1
            self._loop.call_soon(self._ready)

    async def close(self) -> None:
        """See `Workers.close`."""
        await settled([task.ended for task in self._busy.values()])
        while self._free:
            self._free.pop().shutdown()


class Task(NamedTuple):
    """A batch that a thread has."""

    done: Done
    timer: asyncio.TimerHandle
    ended: asyncio.Future[None]


class Hand(Executor):
    """One daemon thread, which does one thing after the other.

    An executor, so that the event loop knows that it waits for a thread; a `ThreadPoolExecutor` would be waited for when
    the interpreter ends, even where its thread hangs.
    """

    def __init__(self) -> None:
        self._work: Queue[tuple[Future[Any], Callable[[], Any]] | None] = Queue(2)
        Thread(target=self._run, name="score", daemon=True).start()

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._work.put_nowait((future, partial(fn, *args, **kwargs)))
        return future

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """The thread ends when it has nothing to do; it is not waited for."""
        del wait, cancel_futures
        self._work.put_nowait(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, call = work
            future.set_result(call())
            del work, future, call  # nothing is kept while there is nothing to do
