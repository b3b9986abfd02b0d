"""Fused: the stage of a row of kernels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.clock import FIRST, HOLD, Quota
from rxml.flow.context import drop
from rxml.flow.fusion.row import Row
from rxml.flow.fusion.uneven import Uneven
from rxml.flow.stage import Stage, Taken

if TYPE_CHECKING:
    from rxml.flow.fusion.cell import Cell
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class Fused(Stage[Any]):
    """A row of kernels behind one input, as one loop over each chunk.

    It holds no more than what its last kernel has flushed, or what one chunk came to beyond the demand.

    Args:
        env: of the run.
        node: the last stage of the row.
        head: the input.
        cells: the kernels, first first.
        quota: of the row in front of this one, if the two would have been one; its maker cuts the demand for both.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        head: Subscription[Any],
        cells: list[Cell],
        quota: Quota | None = None,
    ) -> None:
        super().__init__(env, node)
        self.quota: Quota = quota or Quota(CHUNK, FIRST)
        self._row = Row(cells, self.quota, env.clock.busy, leads=quota is None)
        self._row.resume()
        self._head = head = self._even(head, cells)
        self._head_closed = False
        self._take = head.take if isinstance(head, Taken) and head.immediate else None
        self._due: int | None = None
        self._ready: Chunk[Any] | None = None
        self._served = 0
        self._clock = env.clock
        for cell in cells:
            cell.meter.gauge = partial(self._gauge_of, cell)
        self.meter.gauge = self._gauge

    def _even(self, head: Subscription[Any], cells: list[Cell]) -> Subscription[Any]:
        """The input, without long turns where elements of one type take longer than others."""
        kind = next((cell.kernel.apart for cell in cells if cell.kernel.apart is not None), None)
        if kind is None:
            return head
        uneven = Uneven(head, kind, self.meter)
        self._row.learned = uneven.record
        return uneven

    def _gauge(self) -> tuple[int, None]:
        self._row.settle()
        ready = len(self._ready.elements) - self._served if self._ready else 0
        return ready + self._row.held, None

    def _gauge_of(self, cell: Cell) -> tuple[int, None]:
        self._row.settle()
        return cell.kernel.held(), None

    @override
    def now(self, n: int) -> Chunk[Any] | None:
        row, ready = self._row, self._ready
        if ready is None:
            row.begin(n)
            if self._take is None or row.over or self._clock.busy() - self._clock.yielded > HOLD:
                return None
            self._due = want = row.ask()
            if not want or (chunk := self._take(want)) is None:
                return None
            self._due, self._ready = None, row.run(chunk)
            ready = self._ready
        if ready is None or (row.over and not self._head_closed):
            return None
        return self._serve(ready, n)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        row, clock = self._row, self._clock
        want, self._due = self._due, None
        if row.over:
            await self._close_head()
        while self._ready is None:
            if clock.busy() - clock.yielded > HOLD:
                await clock.breathe()
            if row.ended:
                return row.terminal()
            if want is None:
                want = row.ask()
            self._ready = row.run(row.terminal() if row.over else await self._head.request(want))
            want = None
            if row.over:
                await self._close_head()
        return self._serve(self._ready, n)

    async def _close_head(self) -> None:
        """Upstream is closed as soon as no kernel wants more of it, or at the end."""
        if not self._head_closed:
            self._head_closed = True
            await self._head.cancel()

    @override
    async def release(self) -> None:
        self._row.leave()
        await self.release_all(self._let_go, self._close_head)

    async def _let_go(self) -> None:
        """What was made and not taken, and what the kernels hold, ends as dropped, before upstream is closed."""
        contexts = self._row.close()
        if self._ready is not None:
            rest = self._ready.part(self._served, len(self._ready.elements))
            self.meter.dropped += len(rest.elements)
            contexts += rest.contexts or ()
        self._ready = None
        drop(contexts)

    def _serve(self, ready: Chunk[Any], n: int) -> Chunk[Any]:
        start, total = self._served, len(ready.elements)
        stop = start + n
        if stop >= total:
            self._ready, self._served = None, 0
            return ready.part(start, total) if start else ready
        self._ready, self._served = ready, stop
        return ready.part(start, stop)
