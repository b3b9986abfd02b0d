"""Inner: a running stream, of whatever a user's function gives for an element."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from typing_extensions import override

from rxml.flow.adopt import adopted
from rxml.flow.chunk import END, Chunk
from rxml.flow.scope import Scope, stray
from rxml.flow.sources.create import from_async_iterable, from_iterable
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from reactivex.abc import ObservableBase

    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

B = TypeVar("B")

Streamed: TypeAlias = "ObservableBase[B] | Awaitable[B] | AsyncIterable[B] | Iterable[B]"
"""What stands for a stream where a function gives one for an element: a Flowable or an Observable, an awaitable, an iterable."""


class AwaitedStage(Stage[Any]):
    """The result of one awaitable.

    It is awaited in the task that asks, which must not be cancelled for any other reason than the end of the stream: so
    it fits behind a `FanIn`, whose tasks are cancelled for no other.
    """

    def __init__(self, env: Env, node: Node, awaitable: Awaitable[Any]) -> None:
        super().__init__(env.inner(), node)
        self._awaitable: Awaitable[Any] | None = awaitable

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        awaitable, self._awaitable = self._awaitable, None
        return END if awaitable is None else Chunk([await awaitable])

    @override
    async def release(self) -> None:
        awaitable, self._awaitable = self._awaitable, None
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        elif isinstance(awaitable, asyncio.Future):
            awaitable.cancel()


class TaskStage(AwaitedStage):
    """The result of one awaitable, which a task of its own waits for: a request can be cancelled without harm."""

    def __init__(self, env: Env, node: Node, awaitable: Awaitable[Any]) -> None:
        super().__init__(env, node, awaitable)
        self._scope = Scope()
        self._task: asyncio.Task[Chunk[Any]] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._task is None:
            self._task = self._scope.spawn(super().pull(n), name=f"{self.node.spec.name}: one")
        await asyncio.wait([self._task])
        task, self._task = self._task, None
        try:
            return task.result()
        except asyncio.CancelledError as error:
            raise stray(error)  # noqa: B904 - its cause is the error

    @override
    async def release(self) -> None:
        await self.release_all(self._scope.aclose, super().release)


def opened(
    env: Env, node: Node, value: Any, awaited: type[AwaitedStage] = AwaitedStage
) -> Subscription[Any]:
    """A running stream of a Flowable, an Observable, an awaitable, an async iterable or an iterable.

    Args:
        env: of the run.
        node: the stage that opens it.
        value: what a user's function gave.
        awaited: what waits for an awaitable.

    Raises:
        TypeError: the value is nothing of that kind; the message names the stage.
    """
    flow = adopted(value)
    if flow is not None:
        return env.inner().open(flow)
    if _is(value, concurrent.futures.Future):
        value = asyncio.wrap_future(value)
    if _is(value, Awaitable):
        return awaited(env, node, value)
    if _is(value, AsyncIterable):
        return env.inner().open(from_async_iterable(value))
    if _is(value, Iterable):
        return env.inner().open(from_iterable(value))
    message = (
        f"{node.spec.name} wants a function that gives a Flowable, an Observable, an awaitable, or an iterable "
        f"(async or not), but it gave a {type(value).__name__}"
    )
    raise TypeError(message)


def plain(value: Any) -> Iterable[Any] | None:
    """The value if it is an iterable and nothing else that `opened` knows; it can be read without waiting."""
    if _is(value, list) or _is(value, tuple):
        return cast("Iterable[Any]", value)
    other = _is(value, Awaitable) or _is(value, AsyncIterable) or adopted(value) is not None
    return cast("Iterable[Any]", value) if _is(value, Iterable) and not other else None


def _is(value: object, kind: type[object]) -> bool:
    """`isinstance`, which leaves what is known of the value as it was."""
    return isinstance(value, kind)
