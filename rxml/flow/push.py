"""Push: the elements of a flow to an observer, as reactivex does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from reactivex.disposable import Disposable
from reactivex.observer import AutoDetachObserver

from rxml.flow.chunk import UNBOUNDED
from rxml.flow.run import Run
from rxml.flow.scope import detached_task

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
    from reactivex.abc.observer import OnCompleted, OnError, OnNext

    from rxml.flow.node import Node


def subscribe(
    node: Node,
    on_next: ObserverBase[Any] | OnNext[Any] | None,
    on_error: OnError | None,
    on_completed: OnCompleted | None,
    scheduler: SchedulerBase | None,
) -> DisposableBase:
    """Start a task that pushes; disposing ends it."""
    del scheduler  # a run lives on the loop that it was started on
    loop = asyncio.get_running_loop()
    observer = _observer(on_next, on_error, on_completed)
    task = detached_task(_push(node, observer), name=f"push {node.spec.name}")

    def dispose() -> None:
        loop.call_soon_threadsafe(task.cancel)

    disposable = Disposable(dispose)
    observer.subscription = disposable
    return disposable


def _observer(
    on_next: ObserverBase[Any] | OnNext[Any] | None,
    on_error: OnError | None,
    on_completed: OnCompleted | None,
) -> AutoDetachObserver[Any]:
    if hasattr(on_next, "on_next"):
        whole = cast("ObserverBase[Any]", on_next)
        return AutoDetachObserver(whole.on_next, whole.on_error, whole.on_completed)
    return AutoDetachObserver(cast("OnNext[Any] | None", on_next), on_error, on_completed)


async def _push(node: Node, observer: AutoDetachObserver[Any]) -> None:
    """An error of the observer itself ends the run and goes to the loop, never back into the stream."""
    try:
        async with Run[Any](node) as run:
            request = run.subscription.request
            while not (chunk := await _requested(request, observer)).end:
                for element in chunk.elements:
                    observer.on_next(element)
    except _DeliveredError:
        return
    observer.on_completed()


class _DeliveredError(Exception):
    """The stream failed, and the observer knows."""


async def _requested(request: Any, observer: AutoDetachObserver[Any]) -> Any:
    try:
        return await request(UNBOUNDED)
    except Exception as error:
        observer.on_error(error)
        raise _DeliveredError from error
