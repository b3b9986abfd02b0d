"""Scope: the only place that makes tasks. A scope that is closed has none left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

T = TypeVar("T")


class Scope:
    """Owns tasks. Closing it cancels them and waits until each has ended, however often it is interrupted."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Start a task that ends with this scope at the latest."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def start(self, coroutine: Coroutine[Any, Any, Any], *, name: str) -> None:
        """`spawn` for a task that nobody awaits: it reports what happens to it by other means."""
        self.spawn(coroutine, name=name)  # type: ignore[unused-awaitable]

    async def aclose(self) -> None:
        """Cancel all tasks but the calling one, and wait until they have ended."""
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await settled(tasks)


async def finished(work: asyncio.Future[Any]) -> None:
    """Wait until the work has ended, however; it goes on if this is cancelled. `asyncio.wait` takes three times as long."""
    if work.done():
        return
    bell: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ring(_: object) -> None:
        if not bell.done():
            bell.set_result(None)

    work.add_done_callback(ring)
    try:
        await bell
    finally:
        work.remove_done_callback(ring)


async def settled(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until all have ended, even if the waiting task is cancelled meanwhile; then say so."""
    pending: set[asyncio.Future[Any]] = {task for task in tasks if not task.done()}
    interruption: asyncio.CancelledError | None = None
    while pending:
        try:
            _, pending = await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            interruption = error
            pending = {task for task in pending if not task.done()}
    if interruption is not None:
        try:
            raise interruption
        finally:
            del interruption  # or the error and this frame hold one another


async def in_turn(
    finalizers: Iterable[Callable[[], Awaitable[None]]], report: Callable[[Exception], None]
) -> None:
    """Run all finalizers, whatever each of them does; an interruption is passed on at the end.

    Args:
        finalizers: awaited one after the other.
        report: takes their errors, so that they mask nothing.
    """
    interruption: asyncio.CancelledError | None = None
    for finalizer in finalizers:
        try:
            await finalizer()
        except Exception as error:  # noqa: BLE001 - reported
            report(error)
        except asyncio.CancelledError as error:
            interruption = error
    if interruption is not None:
        try:
            raise interruption
        finally:
            del interruption


def stray(error: asyncio.CancelledError) -> RuntimeError:
    """The error of something awaited that had been cancelled by somebody else.

    A stream that is cancelled ends without an error, so this must not look as if it had been.

    Raises:
        CancelledError: the given one, since it is meant for the current task.
    """
    task = asyncio.current_task()
    if task is None or task.cancelling():
        try:
            raise error
        finally:
            del error
    return unasked(error)


def unasked(error: asyncio.CancelledError) -> RuntimeError:
    """What a stream fails with when a CancelledError came that was not meant for it."""
    message = "a CancelledError came out of what was awaited, though nobody cancelled the stream"
    wrapped = RuntimeError(message)
    wrapped.__cause__ = error
    return wrapped


def calm(task: asyncio.Task[Any]) -> None:
    """Take back what users' code has cancelled of a task that goes on, as a timeout does that does not clean up."""
    while task.cancelling():
        task.uncancel()


async def uninterrupted(coroutine: Coroutine[Any, Any, T], *, name: str) -> T:
    """Run a finalizer to its end even if the waiting task is cancelled meanwhile."""
    task = asyncio.create_task(coroutine, name=name)
    await settled([task])
    return task.result()


_DETACHED: set[asyncio.Task[Any]] = set()


def detached_task(coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start a task that owns itself: a whole run that nobody awaits. It is kept alive until it has ended."""
    task = asyncio.create_task(coroutine, name=name)
    _DETACHED.add(task)
    task.add_done_callback(_DETACHED.discard)
    return task


def detached(finalizer: Callable[[], Coroutine[Any, Any, None]], *, name: str) -> None:
    """Run a finalizer from where nothing can be awaited; without a running loop there is nothing left to end."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    detached_task(finalizer(), name=name)  # type: ignore[unused-awaitable]
