"""A flow of rows that a thread reads: what blocks is never done on the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.facts.chunks import ROWS
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.kinds import source
from rxml.flow.scope import settled
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rxml.batch import Batch, Row
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node


def threaded(name: str, make: Callable[[], Iterator[Batch]]) -> Flowable[Row]:
    """The rows of batches that a function gives, each run's in a thread of its own; chunks are slices of the batches.

    A batch is read when it is wanted and none is at hand: one is held, and none ahead of it.

    Args:
        name: of the stage, as people read it.
        make: makes the iterator; called, advanced and closed in that thread.
    """
    return source(name, lambda env, node: ThreadedStage(env, node, make), capacity=ROWS)


class ThreadedStage(Stage[Any]):
    """Waits for the thread's next batch while it has no rows; a request that is cancelled leaves the reading to the next."""

    immediate = True

    def __init__(self, env: Env, node: Node, make: Callable[[], Iterator[Batch]]) -> None:
        super().__init__(env, node)
        self._make = make
        self._thread: ThreadPoolExecutor | None = None
        self._iterator: Iterator[Batch] | None = None
        self._reading: asyncio.Future[Batch | None] | None = None
        self._rows: Sequence[Any] = ()
        self._at = 0
        self._over = False
        self._delist = env.enlist(self._finish)
        self.meter.gauge = lambda: (len(self._rows) - self._at, None)

    def _finish(self) -> None:
        self._over = True

    @override
    def now(self, n: int) -> Chunk[Any] | None:
        rows, start = self._rows, self._at
        if start >= len(rows) or self.env.clock.held:
            return None
        self._at = stop = min(len(rows), start + min(n, CHUNK))
        return Chunk(rows if stop - start == len(rows) else rows[start:stop])

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.env.clock.held:
            await self.env.clock.breathe()
        while (chunk := self.now(n)) is None:
            if self._at >= len(self._rows):
                if self._over:
                    return END
                await self._next()
            else:
                await self.env.clock.breathe()
        return chunk

    async def _next(self) -> None:
        """Have the thread read a batch, unless it does already, and wait for it."""
        if self._reading is None:
            self._reading = self._submit(self._read)
        await asyncio.wait([self._reading])
        reading, self._reading = self._reading, None
        batch = reading.result()
        if batch is None:
            self._over = True
        else:
            self._rows, self._at = batch, 0

    def _submit(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.node.spec.name)
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _read(self) -> Batch | None:
        if self._iterator is None:
            self._iterator = self._make()
        return next(self._iterator, None)

    def _close(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()

    @override
    async def release(self) -> None:
        self._delist()
        self._rows, self._at = (), 0
        if self._thread is None:
            return
        closing = self._submit(self._close)  # its turn comes when the thread has read what it reads
        try:
            await settled([closing])
            if self._reading is not None:
                self._reading.exception()  # nobody wants that batch, nor hears why there is none
            closing.result()
        finally:
            self._thread.shutdown(wait=False)
            self._iterator = None
