"""The virtual-time event loop: an asyncio loop whose clock jumps to the next timer when it is idle."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import math
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple, cast

from typing_extensions import override

from rxml.virtual.errors import DeadlockError, LeakError, RunawayError
from rxml.virtual.selecting import PollingSelector, SelectorLoop
from rxml.virtual.stopwatch import HELD_SECONDS, Stopwatch
from rxml.virtual.turns import VirtualTimer, permute
from rxml.virtual.waiting import report

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Executor, Future
    from contextvars import Context
    from types import AsyncGeneratorType

    from rxml.virtual.selecting import Events

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

TICK_SECONDS: Final = 1e-5
LIMIT_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 1e-3
MOST_REPORTED: Final = 100


class VirtualLoop(SelectorLoop):
    """An asyncio loop in which waiting takes no time.

    The clock stands still while anything is ready, and jumps exactly to the next timer when nothing is:
    timers are never early nor late, and those of one moment run in the order in which they were set.
    Threads of `run_in_executor` and work announced by `external_work` are waited for in reality, and the
    clock stands meanwhile. Watched sockets are given `GRACE_SECONDS` of reality before each jump.
    """

    _closed = True  # of a loop whose arguments were refused; asyncio's __del__ asks

    def __init__(
        self,
        *,
        seed: int | None = None,
        schedule: Callable[[int], int] | None = None,
        start_seconds: float = 0.0,
        limit_seconds: float = LIMIT_SECONDS,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        """Build.

        Args:
            seed: of the order in which ready tasks take their turns; None keeps asyncio's own (FIFO).
            schedule: instead of a seed: given the number k >= 2 of tasks that may run next, says which,
                0..k-1; always 0 is FIFO. Callbacks that are not steps of a task keep their order among
                themselves, as asyncio promises, and count as one candidate together.
            start_seconds: what the clock shows at first; finite.
            limit_seconds: real seconds that one run may take before it ends with `RunawayError`; > 0.
            stopwatch: measures how long each turn of the loop takes in reality.

        Raises:
            ValueError: both `seed` and `schedule`, or a number out of its bounds.
        """
        if seed is not None and schedule is not None:
            raise ValueError(
                "got both seed and schedule: the order of tasks has one source, give one of them"
            )
        if not math.isfinite(start_seconds):
            raise ValueError(f"start_seconds must be finite, got {start_seconds}")
        if not limit_seconds > 0:
            raise ValueError(f"limit_seconds must be > 0, got {limit_seconds}")
        self._now = float(start_seconds)
        self._ticks = self._turns = self._outstanding = 0
        self._limit_seconds, self._began = limit_seconds, time.perf_counter()
        self._schedule = random.Random(seed).randrange if seed is not None else schedule  # noqa: S311
        self._numbers = itertools.count()
        self._settling: list[asyncio.Future[None]] = []
        self._abandoned: set[str] = set()
        self._unhandled: dict[str, BaseException | None] = {}
        self._stopwatch = Stopwatch() if stopwatch is None else stopwatch
        super().__init__(PollingSelector(self.poll, self._stopwatch))
        # Timers are collected here, by comparison with the clock and no tolerance.
        self._clock_resolution = 0.0
        self.set_exception_handler(self._take_unhandled)

    @override
    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def cpu_time(self) -> float:
        """Seconds of a made-up processor clock that ticks 10 microseconds a call: busy times that repeat."""
        self._ticks += 1
        return self._ticks * TICK_SECONDS

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio, but timers of one moment run in the order in which they were set."""
        if math.isnan(when):
            raise ValueError(f"a timer needs a moment in seconds, got {when}")
        self._check_closed()
        timer = VirtualTimer(when, callback, args, self, context)
        timer.enter(next(self._numbers))
        heapq.heappush(self._scheduled, timer)
        return timer

    @override
    def run_forever(self) -> None:
        """As in asyncio; the limit in real seconds begins anew."""
        self._began = time.perf_counter()
        super().run_forever()

    @override
    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As in asyncio; until the work is done, the clock stands and waiting is no deadlock."""
        self._check_closed()
        work = (self._pool() if executor is None else executor).submit(func, *args)
        future = asyncio.wrap_future(work, loop=self)
        self._outstanding += 1
        # Registered after wrap_future's own callback, so the result is on its way before the count falls.
        work.add_done_callback(self._work_done)
        return future

    def _pool(self) -> ThreadPoolExecutor:
        self._check_default_executor()
        if self._default_executor is None:
            self.set_default_executor(ThreadPoolExecutor(thread_name_prefix="virtual-loop"))
        return cast("ThreadPoolExecutor", self._default_executor)

    def _work_done(self, _: Future[Any]) -> None:
        # The loop may have been closed without waiting for its threads.
        with contextlib.suppress(RuntimeError):
            self.call_soon_threadsafe(self._external_done)

    def _external_done(self) -> None:
        self._outstanding -= 1

    @contextlib.contextmanager
    def external_work(self) -> Generator[None]:
        """Announce work that will report by `call_soon_threadsafe`: a thread of one's own, a child process."""
        self._outstanding += 1
        try:
            yield
        finally:
            self._outstanding -= 1

    @override
    async def shutdown_default_executor(self, *args: Any) -> None:
        """As in asyncio."""
        with self.external_work():
            await super().shutdown_default_executor(*args)

    async def settle(self) -> None:
        """Wait until nothing is ready and no outside work is outstanding; the clock does not move."""
        future = self.create_future()
        self._settling.append(future)
        await future

    async def advance(self, seconds: float) -> None:
        """Let virtual time pass, running all that falls due, the last moment included.

        Args:
            seconds: how long, >= 0 and finite; 0 is `settle`.

        Raises:
            ValueError: if `seconds` is negative or not finite.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError(
                f"time can advance by 0 or more seconds and by finitely many, got {seconds}"
            )
        await asyncio.sleep(seconds)
        await self.settle()

    def leaks(self) -> list[str]:
        """What is left now and should not be: pending tasks, open async generators, errors nobody took."""
        tasks = asyncio.all_tasks(self)
        opened = [agen.__qualname__ for agen in self._asyncgens if agen.ag_frame is not None]
        found = [f"{len(tasks)} pending tasks:{report(tasks)}"] if tasks else []
        found += [f"async generator not closed: {name}" for name in sorted(opened)]
        found += [
            f"async generator left to the collector: {name}" for name in sorted(self._abandoned)
        ]
        return found + [f"error that nobody took: {text}" for text in self._unhandled]

    def timers(self) -> list[str]:
        """The timers that are set now and have not been cancelled."""
        return [repr(timer) for timer in self._scheduled if not timer.cancelled()]

    def check_leaks(self) -> None:
        """Raise `LeakError` if anything of `leaks()` is left; its cause is the first error nobody took."""
        if found := self.leaks():
            causes = (error for error in self._unhandled.values() if error is not None)
            raise LeakError("the run left " + "; ".join(found)) from next(causes, None)

    def _take_unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error: BaseException | None = context.get("exception")
        if len(self._unhandled) < MOST_REPORTED:
            self._unhandled[f"{context.get('message')}: {error!r}"] = error

    @override
    def _asyncgen_finalizer_hook(self, agen: AsyncGeneratorType[Any, Any]) -> None:
        self._abandoned.add(agen.__qualname__)
        super()._asyncgen_finalizer_hook(agen)

    @override
    def _process_events(self, event_list: Events) -> None:
        super()._process_events(event_list)
        while self._scheduled and self._scheduled[0].when() <= self._now:
            timer = heapq.heappop(self._scheduled)
            timer.leave()
            self._ready.append(timer)
        if self._schedule is not None and len(self._ready) > 1:
            try:
                permute(self._ready, self._schedule)
            except BaseException:
                self._schedule = (
                    None  # what has failed once shall not stand in the way of cleaning up
                )
                raise

    def poll(self, timeout: float | None, wait: Callable[[float], Events]) -> Events:
        """What the selector asks: the events there are, else wait for real, else move the clock.

        Args:
            timeout: seconds that the loop wants to wait; None is for ever.
            wait: waits so many real seconds for descriptors.
        """
        self._turns += 1
        remaining = self._remaining()
        events = wait(0)
        if events or self._ready or (timeout is not None and timeout <= 0):
            return events
        signals = getattr(self, "_signal_handlers", None)  # a Unix loop has them
        watched = len(self._selector.get_map()) > 1 or bool(signals)
        timer = self._next_timer()
        if self._outstanding or (watched and timer is None and not self._settling):
            return wait(remaining)
        events = wait(GRACE_SECONDS) if watched else []
        if not events and not self._ready:
            self._pass_on(timer)
        return events

    def _pass_on(self, timer: float | None) -> None:
        """Nothing happens at this moment any more: say so, or go to the next one."""
        if self._settling:
            for future in self._settling:
                if not future.done():
                    future.set_result(None)
            self._settling.clear()
        elif timer is not None:
            self._now = self.reached(timer)
        else:
            raise DeadlockError(
                f"deadlock at {self._now} s: nothing is ready or scheduled, and no thread or socket is "
                f"awaited, yet these tasks wait:{report(asyncio.all_tasks(self))}"
            )

    def reached(self, moment: float) -> float:
        """What the clock shows when nothing is left to do before a later moment: that moment, at once."""
        return moment

    def _next_timer(self) -> float | None:
        """When the next timer is due; None if there is none, or only one at infinity."""
        if not self._scheduled or self._scheduled[0].when() == math.inf:
            return None
        return self._scheduled[0].when()

    def _remaining(self) -> float:
        """Real seconds left to this run, > 0."""
        remaining = self._limit_seconds - (time.perf_counter() - self._began)
        if remaining > 0:
            return min(remaining, 3600.0)
        if self._turns * HELD_SECONDS < self._limit_seconds:
            why = f"slow: a turn held the loop for {self._stopwatch.longest:.3g} s, in which nothing else could run"
        else:
            why = "endless: a loop that never waits, a timer that always re-arms, or outside work that does not end"
        raise RunawayError(
            f"still at work after {self._limit_seconds} real seconds ({self._turns} turns of the loop, virtual "
            f"clock at {self._now} s). It is {why}. Tasks:{report(asyncio.all_tasks(self))}"
        )
