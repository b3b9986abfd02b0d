"""Futures as flows: where an operator wants a flow a future may stand, as in reactivex."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.adopt import adopt
from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import source
from rxml.flow.lift.failing import afresh
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node


class FutureStage(Stage[Any]):
    """The result of one future; what is left unread is cancelled, as reactivex does."""

    def __init__(
        self,
        env: Env,
        node: Node,
        future: asyncio.Future[Any] | concurrent.futures.Future[Any],
    ) -> None:
        super().__init__(env, node)
        self._given = future
        self._future: asyncio.Future[Any] | None = None
        self._over = False

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._over:
            return END
        if self._future is None:
            self._future = asyncio.wrap_future(self._given)
        await asyncio.wait(
            [self._future]
        )  # unlike `await`, it leaves the future alone if the request is given up
        self._over = True
        error = None if self._future.cancelled() else self._future.exception()
        if isinstance(error, Exception):
            raise afresh(error, FutureStage.pull.__code__)
        return Chunk([self._future.result()])

    @override
    async def release(self) -> None:
        self._given.cancel()


def from_future(
    future: asyncio.Future[Any] | concurrent.futures.Future[Any],
) -> Flowable[Any]:
    """The result of a future, or of a task, then the end. Further runs get the same result."""
    return source("future", lambda env, node: FutureStage(env, node, future))


adopt(asyncio.Future, from_future)
adopt(concurrent.futures.Future, from_future)
