"""using: a resource that lives as long as the flow that needs it."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.flow.check import require_callable
from rxml.flow.kinds import source
from rxml.flow.placing import flowable
from rxml.flow.scope import Scope, settled, stray
from rxml.flow.stage import Stage, State
from rxml.flow.supervision import annotate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


def using(
    resource_factory: Callable[[], Any], flow_factory: Callable[[Any], Flowable[T]]
) -> Flowable[T]:
    """A flow that is made of a resource, which is released exactly once when the flow ends, fails or is cancelled.

    The resource is acquired at the first request and released after everything in the flow has been closed. It lives in
    one task, so that task groups and time limits may stand around it. A context manager is told truthfully how the flow
    ended: with nothing, with the error, or with a `CancelledError` if the flow was closed before its end. It cannot
    turn a failure into an end.

    Args:
        resource_factory: gives, or is a coroutine function that gives, an async or sync context manager (what entering
            it returns is the resource), an object with `aclose`, `close` or `dispose`, or None.
        flow_factory: makes the flow of the resource.

    Raises:
        PipelineError: an argument is not callable; or, when run, the resource cannot be released, or the second
            function gives something else than a Flowable.
    """
    require_callable("using", resource_factory, "makes the resource")
    require_callable("using", flow_factory, "makes the flow")
    return source("using", lambda env, node: UsingStage(env, node, resource_factory, flow_factory))


class UsingStage(Stage[T]):
    """Has a task of its own hold the resource until the flow in it is closed."""

    def __init__(
        self,
        env: Env,
        node: Node,
        acquire: Callable[[], Any],
        make: Callable[[Any], Flowable[T]],
    ) -> None:
        super().__init__(env, node)
        self._acquire = acquire
        self._make = make
        self._scope = Scope()
        self._holder: asyncio.Task[None] | None = None
        self._acquired: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._verdict: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._error: Exception | None = None
        self._inner: Subscription[T] | None = None

    @override
    async def pull(self, n: int) -> Chunk[T]:
        try:
            inner = self._inner if self._inner is not None else await self._open()
            return await inner.request(n)
        except asyncio.CancelledError as error:
            self._error = stray(error)
            raise self._error  # noqa: B904 - its cause is the error
        except Exception as error:
            self._error = error
            raise

    async def _open(self) -> Subscription[T]:
        if self._holder is None:
            self._holder = self._scope.spawn(
                self._hold(), name=f"resource of {self.node.spec.name}"
            )
        await asyncio.wait([self._holder, self._acquired], return_when=asyncio.FIRST_COMPLETED)
        try:
            if not self._acquired.done():
                self._holder.result()
            flow = flowable(self._make(self._acquired.result()), self.node.spec.name)
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise
        self._inner = inner = cast("Subscription[T]", self.env.inner(on_its_way=False).open(flow))
        return inner

    async def _hold(self) -> None:
        try:
            await self._held()
        except asyncio.CancelledError as error:
            raise stray(error)  # noqa: B904 - its cause is the error

    async def _held(self) -> None:
        resource = self._acquire()
        if inspect.isawaitable(resource) and not hasattr(type(resource), "__aenter__"):
            resource = await resource
        async with managed(resource) as value:
            self._acquired.set_result(value)
            await self._verdict

    @override
    async def release(self) -> None:
        await self.release_all(self._close_inner, self._leave)

    async def _close_inner(self) -> None:
        if self._inner is not None:
            await self._inner.cancel()

    async def _leave(self) -> None:
        """Tell the holder how the flow ended, and wait until the resource is released."""
        holder = self._holder
        if holder is None:
            return
        if not self._acquired.done() or self.state is State.CANCELLED:
            holder.cancel()
            self._verdict.cancel()  # for a factory that outlives being cancelled
        elif self._error is not None:
            self._verdict.set_exception(self._error)
        else:
            self._verdict.set_result(None)
        await settled([holder])
        failure = None if holder.cancelled() else holder.exception()
        if failure is not None and failure is not self._error:
            raise failure


def managed(resource: Any) -> AbstractAsyncContextManager[Any]:
    """The resource as an async context manager, by the first of the ways it knows."""
    kind = resource.__class__
    if hasattr(kind, "__aenter__"):
        return cast("AbstractAsyncContextManager[Any]", resource)
    if hasattr(kind, "__enter__"):
        return _entered(resource)
    if resource is None:
        return _closed(None, lambda: None)
    for name in ("aclose", "close", "dispose"):
        close = getattr(resource, name, None)
        if close is not None:
            return _closed(resource, close)
    message = (
        f"using cannot release a {type(resource).__name__}: it is no context manager and has none of "
        "aclose, close, dispose; wrap what makes it in contextlib.contextmanager"
    )
    raise PipelineError(message)


@asynccontextmanager
async def _entered(manager: Any) -> AsyncGenerator[Any, None]:
    with manager as value:
        yield value


@asynccontextmanager
async def _closed(resource: Any, close: Callable[[], Any]) -> AsyncGenerator[Any, None]:
    try:
        yield resource
    finally:
        waited = close()
        if inspect.isawaitable(waited):
            await waited
