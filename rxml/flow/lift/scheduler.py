"""RunScheduler: the scheduler of reactivex, on the loop and the clock of a run."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from datetime import timedelta
from threading import get_ident
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Protocol

from reactivex.abc import DisposableBase
from reactivex.internal.constants import UTC_ZERO
from reactivex.scheduler.periodicscheduler import PeriodicScheduler
from typing_extensions import override

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime

    from reactivex.abc.scheduler import AbsoluteTime, RelativeTime, SchedulerBase

    from rxml.flow.node import Node

    Action = Callable[[SchedulerBase, Any], DisposableBase | None]

QUEUES: Final = frozenset({"reactivex.observer.scheduledobserver", "reactivex.operators._delay"})
"""Modules that keep elements until their timer fires, and then let go of one or more of them."""

BATCHES: Final = frozenset(
    {
        "reactivex.operators._debounce",
        "reactivex.operators._windowwithtime",
        "reactivex.operators._windowwithtimeorcount",
    }
)
"""Modules that keep, or swallow, elements until their timer fires, and then let go of all of them."""


WATCHES: Final = frozenset(
    f"reactivex.operators._{name}"
    for name in (
        "timeout",
        "takewithtime",
        "takeuntilwithtime",
        "skipwithtime",
        "skipuntilwithtime",
    )
)
"""Modules whose timers bring no element about."""


class Host(Protocol):
    """What the scheduler asks of the stage that it works for."""

    def turn_soon(self) -> None:
        """Have what is due run behind the current element, or else in a turn of its own."""
        ...

    def turn_now(self) -> None:
        """Run what is due; called by the loop."""
        ...

    def moved(self, owner: str | None) -> None:
        """Take note that a timer of this module has done its work, or (None) was cancelled."""
        ...


def owner(action: Any) -> str:
    """The module that has scheduled the action; some of reactivex's stand in the wrapper of a lock."""
    module: str = getattr(action, "__module__", None) or ""
    if module == "reactivex.internal.concurrency" and isinstance(action, FunctionType):
        inner = dict(zip(action.__code__.co_freevars, action.__closure__ or (), strict=True)).get(
            "fn"
        )
        return module if inner is None else owner(inner.cell_contents)
    return module


class Feeding(Protocol):
    """A host that can feed an observer from a flow as far as there is demand."""

    def observe(
        self,
        node: Node,
        on_next: Callable[[Any], object],
        on_error: Callable[[Exception], object],
        on_completed: Callable[[], object],
    ) -> DisposableBase:
        """Start to feed the observer; disposing ends the run of the flow."""
        ...


class Work(DisposableBase):
    """One scheduled action; disposing it cancels it, or disposes what it has returned.

    Attributes:
        owner: the module that has scheduled it.
        disposed: it will not run, or what it brought about is disposed.
        running: its action is at work; one that sets its own next timer disposes itself meanwhile.
        timer: the loop's handle, if it has to wait.
    """

    __slots__ = (
        "_action",
        "_result",
        "_scheduler",
        "_state",
        "disposed",
        "owner",
        "running",
        "timer",
    )

    def __init__(self, scheduler: RunScheduler, action: Action, state: Any) -> None:
        self._scheduler = scheduler
        self._action = action
        self._state = state
        self._result: DisposableBase | None = None
        self.owner: str = owner(action)
        self.disposed: bool = False
        self.running: bool = False
        self.timer: asyncio.TimerHandle | None = None

    def run(self) -> None:
        """Run the action, unless it was disposed."""
        if self.disposed:
            return
        self.running = True
        try:
            result = self._action(self._scheduler, self._state)
        finally:
            self.running = False
            if self.timer is not None:
                self._scheduler.retire(self, self.owner)
        if isinstance(result, DisposableBase):
            self._result = result
            self._check()

    def _check(self) -> None:
        """It may have been disposed while it ran."""
        if self.disposed and self._result is not None:
            self._result.dispose()

    @override
    def dispose(self) -> None:
        self.disposed = True
        self._scheduler.forget(self)
        self._check()


class RunScheduler(PeriodicScheduler):
    """Runs what is due at once right behind the element that brought it about; timers are the loop's.

    So the result does not depend on how many elements came in one chunk. Safe to use from other threads.

    Attributes:
        feeding: its host, if that one feeds flows that operators are given beside the one in front.
        ready: what is due, in order; the host runs it.
        keepers: timers of those who keep elements, this scheduler's and foreign ones.
        suspicious: every timer counts as one of those who keep elements.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, host: Host, feeding: Feeding | None = None
    ) -> None:
        super().__init__()
        self._loop = loop
        self._thread = get_ident()
        self._host = host
        self.feeding = feeding
        self._timers: set[object] = set()
        # As in Clock: under virtual time nothing may depend on the clock on the wall.
        virtual = hasattr(loop, "cpu_time")
        self._origin = UTC_ZERO if virtual else super().now - timedelta(seconds=loop.time())
        self.ready: deque[Work] = deque()
        self.keepers: set[object] = set()
        self._watches: set[object] = set()
        self.suspicious = False

    @property
    def holding(self) -> bool:
        """Some timer may still bring an element about."""
        return len(self._timers) > len(self._watches)

    @property
    @override
    def now(self) -> datetime:
        """UTC at the start of the run, moved on by the loop's clock; under virtual time, virtual time since 1970."""
        return self._origin + timedelta(seconds=self._loop.time())

    @property
    def pending(self) -> int:
        """Timers that have not done their work, this scheduler's and foreign ones."""
        return len(self._timers)

    @override
    def schedule(self, action: Action, state: Any = None) -> DisposableBase:
        """Run the action right behind what runs now."""
        work = Work(self, action, state)
        self.near(self._due, work)
        return work

    @override
    def schedule_relative(
        self, duetime: RelativeTime, action: Action, state: Any = None
    ) -> DisposableBase:
        """Run the action in so many seconds; at once if they are <= 0."""
        seconds = self.to_seconds(duetime)
        if seconds <= 0:
            return self.schedule(action, state)
        work = Work(self, action, state)
        self.near(self._later, self._loop.time() + seconds, work)
        return work

    @override
    def schedule_absolute(
        self, duetime: AbsoluteTime, action: Action, state: Any = None
    ) -> DisposableBase:
        """Run the action when the clock shows `duetime` (UTC)."""
        return self.schedule_relative(self.to_datetime(duetime) - self.now, action, state)

    def near(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call the function on the loop's own thread: now, or as soon as it can."""
        if get_ident() == self._thread:
            function(*arguments)
        else:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to whom it matters
                self._loop.call_soon_threadsafe(function, *arguments)

    def expect(self, timer: object, owner: str) -> None:
        """Count a timer."""
        self._timers.add(timer)
        if owner in WATCHES:
            self._watches.add(timer)
        if self.suspicious or owner in QUEUES or owner in BATCHES:
            self.keepers.add(timer)

    def retire(self, timer: object, owner: str | None) -> None:
        """Count it no more: it has done its work, or (owner None) was cancelled."""
        if timer in self._timers:
            self._timers.discard(timer)
            self.keepers.discard(timer)
            self._watches.discard(timer)
            self._host.moved(owner)

    def forget(self, work: Work) -> None:
        """Take a timer back."""
        if work.timer is not None and not work.running:
            self.near(self._forget, work)

    def close(self) -> None:
        """Forget everything that has not run."""
        for work in self._timers:
            if isinstance(work, Work) and work.timer is not None:
                work.timer.cancel()
        self._timers.clear()
        self.keepers.clear()
        self._watches.clear()
        self.ready.clear()

    def _forget(self, work: Work) -> None:
        if work.timer is not None:
            work.timer.cancel()
        self.retire(work, None)

    def _due(self, work: Work) -> None:
        self.ready.append(work)
        self._host.turn_soon()

    def _later(self, moment: float, work: Work) -> None:
        if not work.disposed:
            self.expect(work, work.owner)
            work.timer = self._loop.call_at(moment, self._fire, work)

    def _fire(self, work: Work) -> None:
        self.ready.append(work)
        self._host.turn_now()
