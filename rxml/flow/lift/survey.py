"""Survey: what a row of reactivex operators is made of, where that bears on how much of it may be fed."""

from __future__ import annotations

from contextlib import suppress
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

from reactivex import Observable
from reactivex.abc import SchedulerBase
from reactivex.disposable import CompositeDisposable, Disposable
from reactivex.scheduler import ImmediateScheduler, TrampolineScheduler
from reactivex.scheduler.periodicscheduler import PeriodicScheduler
from typing_extensions import override

from rxml.flow.lift.scheduler import RunScheduler, owner

if TYPE_CHECKING:
    from datetime import datetime

    from reactivex.abc import DisposableBase
    from reactivex.abc.scheduler import AbsoluteTime, RelativeTime

    from rxml.flow.lift.scheduler import Action

_WINDOWS: Final = "reactivex.operators._window"
_MERGE: Final = "reactivex.operators._merge"


class Watched(PeriodicScheduler):
    """A scheduler that the user has given, of another thread perhaps: counts what it has still to do.

    It lives as long as the run for which it counts.
    """

    def __init__(self, scheduler: SchedulerBase, counter: RunScheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._counter = counter

    @property
    @override
    def now(self) -> datetime:
        return self._scheduler.now

    @override
    def schedule(self, action: Action, state: Any = None) -> DisposableBase:
        counted = _Counted(self, self._counter, action)
        return counted.started(self._scheduler.schedule(counted, state))

    @override
    def schedule_relative(
        self, duetime: RelativeTime, action: Action, state: Any = None
    ) -> DisposableBase:
        counted = _Counted(self, self._counter, action)
        return counted.started(self._scheduler.schedule_relative(duetime, counted, state))

    @override
    def schedule_absolute(
        self, duetime: AbsoluteTime, action: Action, state: Any = None
    ) -> DisposableBase:
        counted = _Counted(self, self._counter, action)
        return counted.started(self._scheduler.schedule_absolute(duetime, counted, state))


class _Counted:
    """An action that counts until it has run or was disposed."""

    def __init__(self, scheduler: Watched, counter: RunScheduler, action: Action) -> None:
        self._scheduler = scheduler
        self._counter = counter
        self._action = action
        self._owner = owner(action)
        counter.near(counter.expect, self, self._owner)

    def __call__(self, _: SchedulerBase, state: Any = None) -> DisposableBase | None:
        try:
            return self._action(self._scheduler, state)
        finally:
            # Behind the action: what it has scheduled in turn is counted already.
            self._counter.near(self._counter.retire, self, self._owner)

    def started(self, given: DisposableBase) -> DisposableBase:
        """What disposes the action."""
        forget = Disposable(lambda: self._counter.near(self._counter.retire, self, None))
        return CompositeDisposable(given, forget)


def survey(built: Observable[Any], proxy: Observable[Any], scheduler: RunScheduler) -> bool:
    """Look through the operators between `proxy` and `built`; count on the schedulers that they were given.

    Only objects that were made for this run are changed: those from which the proxy can be reached.

    Returns:
        True if some of them cut windows at the signals of other observables.
    """
    seen: dict[int, bool] = {id(proxy): True}
    windows = False

    def reaches(thing: Any) -> bool:
        nonlocal windows
        if id(thing) not in seen:
            seen[id(thing)] = False
            cells = _cells(thing)
            parts = [*_parts(thing), *(cell.cell_contents for cell in cells)]
            seen[id(thing)] = any([reaches(part) for part in parts])  # noqa: C419 - all of them
            if seen[id(thing)]:
                windows = windows or (bool(cells) and thing.__module__ == _WINDOWS)
                scheduler.suspicious = scheduler.suspicious or windows or _queues(thing)
                for cell in cells:
                    _watch(cell, scheduler)
        return seen[id(thing)]

    with suppress(RecursionError):  # a row that long would not run either
        reaches(built)
    return windows


def _cells(thing: Any) -> list[CellType]:
    """The variables of a function of reactivex."""
    if not isinstance(thing, FunctionType) or not thing.__module__.startswith("reactivex."):
        return []
    return [cell for cell in thing.__closure__ or () if _assigned(cell)]


def _assigned(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _parts(thing: Any) -> list[Any]:
    if isinstance(thing, list | tuple):
        parts = cast("list[Any]", thing)
        return [part for part in parts if isinstance(part, Observable)]
    return list(vars(thing).values()) if isinstance(thing, Observable) else []


def _queues(thing: Any) -> bool:
    """True for `merge(max_concurrent=...)`, which keeps the inner observables that have to wait."""
    return (
        isinstance(thing, FunctionType)
        and thing.__module__ == _MERGE
        and "max_concurrent" in thing.__code__.co_freevars
    )


def _watch(cell: CellType, scheduler: RunScheduler) -> None:
    given = cell.cell_contents
    own = ImmediateScheduler | TrampolineScheduler | RunScheduler | Watched
    if isinstance(given, SchedulerBase) and not isinstance(given, own):
        cell.cell_contents = Watched(given, scheduler)
