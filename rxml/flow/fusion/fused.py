"""Fused: neighbouring kernels, run as one loop over each chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import HOLD, Quota
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.context import Context
    from rxml.flow.fusion.cell import Cell
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class Fused(Stage[Any]):
    """A row of kernels behind one input, which takes the very steps that single stages would take.

    A kernel that got nothing asks again and those behind it wait; one that has ended hands on what it has, and its end
    is seen by the next when that asks again. So errors, ends and counters are those of the unfused row. It holds no more
    than what its last kernel has flushed, or what one chunk came to beyond the demand.

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
        self._head = head
        self._cells = cells
        self._leads = quota is None
        self.quota = quota or Quota(CHUNK)
        self._asked = [0] * len(cells)
        self._at = 0
        self._live = 0
        self._over = False
        self._error: Exception | None = None
        self._head_closed = False
        self._ready: Chunk[Any] | None = None
        self._served = 0
        self._clock = env.clock
        self.meter.gauge = self._gauge

    def _gauge(self) -> tuple[int, None]:
        ready = len(self._ready.elements) - self._served if self._ready else 0
        return ready + self._cells[-1].kernel.held(), None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock, ready = self._clock, self._ready
        self._at, self._asked[-1] = len(self._cells) - 1, n
        while ready is None:
            if clock.busy() - clock.yielded > HOLD:
                await clock.breathe()
            if self._live > self._at:
                return self._terminal()
            want = self._ask()
            if self._over:
                ready = self._run(self._terminal())
            else:
                ready = self._run(await self._head.request(want))
            if self._over and not self._head_closed:
                self._ready, self._head_closed = ready, True
                await self._head.cancel()
        return self._serve(ready, n)

    @override
    async def release(self) -> None:
        if not self._head_closed:
            self._head_closed = True
            await self._head.cancel()

    def _terminal(self) -> Chunk[Any]:
        """What the first kernel that has not ended gets: the end, or the error of the one before it."""
        if self._error is not None:
            raise self._error
        return END

    def _serve(self, ready: Chunk[Any], n: int) -> Chunk[Any]:
        start, total = self._served, len(ready.elements)
        stop = start + n
        if stop >= total:
            self._ready, self._served = None, 0
            return ready.part(start, total) if start else ready
        self._ready, self._served = ready, stop
        return ready.part(start, stop)

    def _ask(self) -> int:
        """Pass the demand on, from the kernel that waits to the first that has not ended; what that one asks for.

        A kernel that is finished before it saw anything asks for nothing, and what stands before it never runs.
        """
        cells, asked = self._cells, self._asked
        n = asked[self._at]
        for index in range(self._at, self._live - 1, -1):
            asked[index] = n
            cell = cells[index]
            if not cell.steady:
                if cell.kernel.finished:
                    self._stop(index - 1, None)
                    return 0
                n = cell.kernel.demand(n)
            if index:
                cells[index - 1].meter.requested += n
        return self.quota.of(n) if self._leads else n

    def _stop(self, index: int, error: Exception | None) -> None:
        """The kernels up to this one have ended, or failed."""
        self._live, self._over, self._error = index + 1, True, error

    def _run(self, chunk: Chunk[Any]) -> Chunk[Any] | None:
        """Take a chunk through the row; what comes out at its end, or None, and then `_at` asks again."""
        items: Sequence[Any] = chunk.elements
        contexts, ending, count = chunk.contexts, chunk.end, len(items)
        signals = chunk.signals() if chunk.signalled else {}
        del chunk
        cells, busy = self._cells, self._clock.busy
        began = now = busy()
        made = count
        self._over = self._over or ending
        self._at = last = len(cells) - 1
        for index in range(self._live, last + 1):
            cell = cells[index]
            if ending:
                items, contexts, ending = self._flush(index, (), None)
            elif made:
                items, contexts, error = cell.push(items, contexts)
                if error is not None or (not cell.steady and cell.kernel.finished):
                    items, contexts, ending = self._flush(index, items, contexts, error)
            meter, before, now = cell.meter, now, busy()
            meter.busy += now - before
            made = len(items)
            if made or signals:
                ending = False
                meter.emitted += made if index < last else 0
            elif not ending:
                self._at = index
                break
        self._learn(count, now - began)
        return Chunk(items, contexts, **signals) if made or signals else None

    def _learn(self, count: int, seconds: float) -> None:
        if count and (self._leads or seconds > HOLD / 2):
            self.quota.record(count, seconds)

    def _flush(
        self,
        index: int,
        items: Sequence[Any],
        contexts: list[Context] | None,
        error: Exception | None = None,
    ) -> tuple[Sequence[Any], list[Context] | None, bool]:
        """What a kernel that ends has given, and what it gives now unless it failed; whether it ended well."""
        if error is None:
            flushed, more, error = self._cells[index].flush()
            if len(flushed):
                items = [*items, *flushed]
                contexts = None if more is None else [*(contexts or ()), *more]
        self._stop(index, error)
        return items, contexts, error is None
