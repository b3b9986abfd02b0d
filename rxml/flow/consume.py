"""The ways to run a flow and take what comes out."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from rxml.errors import ConcurrentRequestError
from rxml.flow.checkpointing.checkpoint import checkpoint_of
from rxml.flow.checkpointing.coordinator import coordinated
from rxml.flow.chunk import UNBOUNDED, Chunk
from rxml.flow.empty import NoElementsError
from rxml.flow.run import Run
from rxml.flow.scope import detached

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from rxml.flow.checkpointing.checkpoint import Checkpoint
    from rxml.flow.checkpointing.store import Store
    from rxml.flow.node import Node
    from rxml.flow.subscription import Subscription

T = TypeVar("T")
_AHEAD: Final = 256


@asynccontextmanager
async def opened(node: Node, *, fuse: bool = True) -> AsyncGenerator[Subscription[Any]]:
    """A run that the caller drives."""
    async with Run[Any](node, fuse=fuse) as run:
        yield run.subscription


@asynccontextmanager
async def started(
    node: Node, *, fuse: bool = True, checkpoint: Checkpoint | Store | None = None
) -> AsyncGenerator[Run[Any]]:
    """A run that drives itself."""
    async with await _begun(node, checkpoint, fuse=fuse) as run:
        run.drive()
        yield run


async def _begun(node: Node, given: Checkpoint | Store | None, *, fuse: bool = True) -> Run[Any]:
    """A run that goes on from the last checkpoint, if there are any."""
    checkpoint = checkpoint_of(given)
    if checkpoint is None:
        return Run[Any](node, fuse=fuse)
    coordinator = await coordinated(node, checkpoint)
    try:
        return Run[Any](node, fuse=fuse, coordinator=coordinator)
    except BaseException:
        await coordinator.close()
        raise


@asynccontextmanager
async def chunks(node: Node, n: int) -> AsyncGenerator[AsyncIterator[Chunk[Any]]]:
    """Chunk after chunk, each of at most n elements."""
    async with Run[Any](node) as run:
        yield _chunks(run.subscription, n)


async def _chunks(subscription: Subscription[T], n: int) -> AsyncIterator[Chunk[T]]:
    while not (chunk := await subscription.request(n)).end:
        yield chunk


async def to_list(node: Node) -> list[Any]:
    """All elements."""
    everything: list[Any] = []
    async with Run[Any](node) as run:
        request = run.subscription.request
        while not (chunk := await request(UNBOUNDED)).end:
            everything.extend(chunk.elements)
    return everything


async def drain(node: Node, checkpoint: Checkpoint | Store | None = None) -> None:
    """Take everything, keep nothing."""
    async with await _begun(node, checkpoint) as run:
        request = run.subscription.request
        while not (await request(UNBOUNDED)).end:
            pass


async def last(node: Node) -> Any:
    """The last element."""
    elements: Sequence[Any] = []
    async with Run[Any](node) as run:
        request = run.subscription.request
        while not (chunk := await request(UNBOUNDED)).end:
            elements = chunk.elements if len(chunk.elements) else elements
    if not len(elements):
        raise NoElementsError(node.spec.name)
    return elements[-1]


class Elements(Generic[T]):
    """Iterates over the elements of one run, and ends the run as soon as nobody holds the iterator any more."""

    __slots__ = ("_ahead", "_over", "_rest", "_run", "_source")

    def __init__(self, source: Node) -> None:
        self._source = source
        self._run: Run[T] | None = None
        self._rest: Iterator[T] = iter(())
        self._ahead = 1
        self._over = False

    def __aiter__(self) -> Elements[T]:
        return self

    async def __anext__(self) -> T:
        for element in self._rest:
            return element
        return await self._more()

    async def _more(self) -> T:
        if self._over:
            raise StopAsyncIteration
        if self._run is None:
            self._run = Run(self._source)
        try:
            while not (chunk := await self._run.subscription.request(self._ahead)).end:
                self._ahead = min(_AHEAD, self._ahead * 2)
                self._rest = iter(chunk.elements)
                for element in self._rest:
                    return element
        except ConcurrentRequestError:
            raise
        except Exception as error:
            await self._end(error)
            raise
        await self._end(None)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the run now; idempotent. Nothing comes out any more."""
        await self._end(None)

    async def _end(self, error: Exception | None) -> None:
        self._over, self._rest = True, iter(())
        if self._run is not None:
            run, self._run = self._run, None
            await run.__aexit__(type(error) if error else None, error, None)

    def __del__(self) -> None:
        if self._run is not None:
            detached(partial(_abandon, self._run), name="close a loop that was left")


async def _abandon(run: Run[Any]) -> None:
    """Close a run that nobody awaits any more; what its finalizers raise goes to the loop."""
    await run.aclose()
    for error in run.errors:
        message = "a finalizer failed after an `async for` was left"
        asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
