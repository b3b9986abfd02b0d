"""Fused: neighbouring kernels, run as one loop over each chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import HOLD, Quota
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.cell import Cell
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class Fused(Stage[Any]):
    """A row of kernels behind one input.

    It holds no more than what its last kernel has flushed, or what one chunk came to beyond the demand.
    """

    def __init__(
        self, env: Env, node: Node, head: Subscription[Any], cells: list[Cell]
    ) -> None:
        super().__init__(env, node)
        self._head = head
        self._cells = cells
        self._quota = Quota(CHUNK)
        self._ready: Chunk[Any] | None = None
        self._error: Exception | None = None
        self._ended = False
        self._head_closed = False
        self._waiting = len(cells)
        self.meter.gauge = lambda: (len(self._ready.elements) if self._ready else 0, None)

    async def pull(self, n: int) -> Chunk[Any]:
        self._waiting = len(self._cells) - 1
        while True:
            if self._ready is not None:
                return self._serve(self._ready, n)
            if self._error is not None:
                raise self._error
            if self._ended:
                return END
            clock = self.env.clock
            if clock.busy() - clock.yielded > HOLD:
                await clock.breathe()
            want, first = self._want(self._quota.of(n))
            self._ready = self._run(await self._head.request(want) if want else END, first)
            if self._ended or self._error is not None:
                await self._close_head()

    async def release(self) -> None:
        await self._close_head()

    async def _close_head(self) -> None:
        if not self._head_closed:
            self._head_closed = True
            await self._head.cancel()

    def _serve(self, ready: Chunk[Any], n: int) -> Chunk[Any]:
        if len(ready.elements) <= n:
            self._ready = None
            return ready
        head, self._ready = ready.split(n)
        return head

    def _want(self, n: int) -> tuple[int, int]:
        """What to ask of the input so that n come out, and the first kernel that runs.

        A kernel that is finished before it saw anything wants nothing, and what stands before it never runs.
        """
        for index in range(len(self._cells) - 1, -1, -1):
            cell = self._cells[index]
            if cell.kernel.finished:
                return 0, index
            if index < self._waiting:
                cell.meter.requested += n
            n = cell.kernel.demand(n)
        return n, 0

    def _run(self, chunk: Chunk[Any], first: int) -> Chunk[Any] | None:
        items: Sequence[Any] = chunk.elements
        contexts = chunk.contexts
        signals = chunk.signals() if chunk.signalled else None
        ending = chunk.end
        del chunk  # its elements are freed as soon as the first kernel has taken them
        count = len(items)
        clock = self.env.clock.busy
        began = now = clock()
        empty = last = len(self._cells) - 1
        for index in range(first, last + 1):
            cell = self._cells[index]
            if items:
                if contexts is None:
                    items = cell.push(items)
                else:
                    items, contexts = cell.push_with(items, contexts)
                if cell.error is not None:
                    self._error, ending = cell.error, False
            if ending or (cell.kernel.finished and self._error is None):
                items, contexts, ending = self._flush(cell, items, contexts)
            if not items and index < empty:
                empty = index
            before, now = now, clock()
            meter = cell.meter
            meter.busy += now - before
            if index < last:
                meter.emitted += len(items)
        self._waiting = empty
        if count:
            self._quota.record(count, now - began)
        self._ended = ending
        if signals is not None:
            return Chunk(items, contexts, **signals)
        return Chunk(items, contexts) if items else None

    def _flush(
        self, cell: Cell, items: Sequence[Any], contexts: list[Context] | None
    ) -> tuple[Sequence[Any], list[Context] | None, bool]:
        flushed = cell.flush()
        self._error = cell.error
        if flushed:
            items = [*items, *flushed]
            added = cell.flushed_contexts(len(flushed))
            contexts = None if added is None else [*(contexts or ()), *added]
        return items, contexts, cell.error is None
