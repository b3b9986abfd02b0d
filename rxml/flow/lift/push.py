"""Push: the elements of a flow to an observer, as reactivex does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any, cast

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.internal import default_error, noop
from reactivex.observer import AutoDetachObserver
from typing_extensions import override

from rxml.flow.chunk import CHUNK
from rxml.flow.clock import Quota
from rxml.flow.lift.scheduler import RunScheduler
from rxml.flow.run import Run
from rxml.flow.scope import detached_task

if TYPE_CHECKING:
    from reactivex.abc import ObserverBase, SchedulerBase
    from reactivex.abc.observer import OnCompleted, OnError, OnNext

    from rxml.flow.node import Node


def observable(node: Node) -> Observable[Any]:
    """A cold observable: each subscription is a run, on the loop that runs at that time."""

    def subscribe_(
        observer: ObserverBase[Any], scheduler: SchedulerBase | None = None
    ) -> DisposableBase:
        return subscribe(node, observer, None, None, scheduler)

    return Observable(subscribe_)


def subscribe(
    node: Node,
    on_next: ObserverBase[Any] | OnNext[Any] | None,
    on_error: OnError | None,
    on_completed: OnCompleted | None,
    scheduler: SchedulerBase | None,
) -> DisposableBase:
    """Start a task that pushes; disposing ends it.

    An operator of reactivex in a pipe of rxml gives its scheduler along: there the flow is fed as far as there is demand.
    """
    if hasattr(on_next, "on_next"):
        whole = cast("ObserverBase[Any]", on_next)
        on_next, on_error, on_completed = whole.on_next, whole.on_error, whole.on_completed
    callback: Any = on_next
    if isinstance(scheduler, RunScheduler) and scheduler.feeding is not None:
        return scheduler.feeding.observe(
            node, callback or noop, on_error or default_error, on_completed or noop
        )
    return Push(node, AutoDetachObserver(callback, on_error, on_completed))


class Push(DisposableBase):
    """A run whose elements go to an observer.

    What the observer itself raises ends the run and goes to the loop's exception handler, never back into the stream.

    Raises:
        RuntimeError: no loop is running.
    """

    def __init__(self, node: Node, observer: AutoDetachObserver[Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._node = node
        self._observer = observer
        self._ending = False
        self._task = detached_task(self._run(), name=f"push {node.spec.name}")
        observer.subscription = self

    @override
    def dispose(self) -> None:
        """Push nothing more, and end the run; safe from other threads."""
        self._observer.is_stopped = True
        if get_ident() == self._thread:
            self._cancel()
        else:
            with suppress(RuntimeError):  # the loop is closed, and the run with it
                self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        # A run that ends already is left to it. An observer that disposes while it is called stops the push itself.
        if not self._ending and _running() is not self._task:
            self._task.cancel()

    async def _run(self) -> None:
        error: Exception | None = None
        try:
            async with Run[Any](self._node) as run:
                error = await self._push(run)
                self._ending = True
        except _ObserverError as raised:
            return self._report(raised)
        except Exception as raised:  # noqa: BLE001 - finalizers failed: the observer is told
            error = raised
        try:
            if error is None:
                self._observer.on_completed()
            else:
                self._observer.on_error(error)
        except Exception as raised:  # noqa: BLE001 - the observer's own
            self._report(raised)

    async def _push(self, run: Run[Any]) -> Exception | None:
        """Push until the end; returns what the stream failed with."""
        observer, quota, clock = self._observer, Quota(CHUNK), run.clock
        while not observer.is_stopped:
            try:
                chunk = await run.subscription.request(quota.of(CHUNK))
            except Exception as error:  # noqa: BLE001 - the observer is told when the run has ended
                return error
            if chunk.end:
                break
            began = clock.busy()
            try:
                for element in chunk.elements:
                    observer.on_next(element)
            except Exception as error:
                raise _ObserverError from error
            quota.record(len(chunk.elements), clock.busy() - began)
        return None

    def _report(self, error: BaseException) -> None:
        self._observer.is_stopped = True
        self._loop.call_exception_handler(
            {
                "message": f"an observer of {self._node.spec.name} has raised; its run has ended",
                "exception": error.__cause__ if isinstance(error, _ObserverError) else error,
                "task": self._task,
            }
        )


class _ObserverError(Exception):
    """The observer has raised its cause."""


def _running() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # the loop does not run
        return None
