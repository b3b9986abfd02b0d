"""Row: neighbouring kernels, and the way of a chunk through them. Without asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rxml.flow.chunk import END, Chunk
from rxml.flow.clock import LONG
from rxml.flow.context_joining import NOTHING
from rxml.flow.fusion.span import spans
from rxml.flow.kernel import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.clock import Quota
    from rxml.flow.context import Context
    from rxml.flow.fusion.cell import Cell
    from rxml.flow.fusion.span import Span

_Passed: TypeAlias = "tuple[Sequence[Any], list[Context] | None, bool]"
"""What a kernel hands on: results, their contexts, and whether it has ended well behind them."""

_SAMPLE: Final = 32
"""One of so many chunks goes kernel by kernel, which tells how long each takes."""


class Row:
    """Takes the very steps that single stages would take.

    A kernel that got nothing asks again and those behind it wait; one that has ended hands on what it has, and its end
    is seen by the next when that asks again. So errors, ends and counters are those of single stages.

    Args:
        cells: the kernels, first first.
        quota: how many elements a turn may take.
        leads: whether this row cuts the demand by the quota, and not one in front of it.
        busy: a clock that goes on while work is done, in seconds.

    Attributes:
        over: the input is of no more use: it has ended, or no kernel wants more of it.
        learned: told of the seconds that each turn took; None: nobody is.
    """

    def __init__(
        self, cells: list[Cell], quota: Quota, busy: Callable[[], float], *, leads: bool
    ) -> None:
        self.over: bool = False
        self.learned: Callable[[float], None] | None = None
        self._cells = cells
        self._last = len(cells) - 1
        self._quota = quota
        self._leads = leads
        self._busy = busy
        self._steady = all(cell.steady for cell in cells)
        self._spans = spans(cells)
        self._no_spans: list[Span | None] = [None] * len(cells)
        whole = self._spans[0]
        self._whole = whole if whole is not None and whole.stop == len(cells) else None
        self._turn = 0
        self._asked = [0] * len(cells)
        self._asked_by_all = 0
        self._at = 0
        self._live = 0
        self._error: Exception | None = None

    def begin(self, n: int) -> None:
        """Downstream wants n elements of the last kernel."""
        self._at, self._asked[-1] = self._last, n

    @property
    def ended(self) -> bool:
        """The kernel that is to be asked has ended, and has nothing more to give."""
        return self._live > self._at

    def terminal(self) -> Chunk[Any]:
        """What the first kernel that has not ended gets: the end, or the error of the one before it."""
        if self._error is not None:
            raise self._error
        return END

    def ask(self) -> int:
        """Pass the demand on, from the kernel that waits to the first that has not ended; what that one asks for.

        A kernel that is finished before it saw anything asks for nothing: 0, and what stands before it never runs.
        """
        if not self._steady or self._live or self._at != self._last:
            n = self._ask_each()
        else:
            n = self._asked[-1]
            self._asked_by_all += n
        limit = self._quota.limit
        return limit if self._leads and limit < n else n

    def _ask_each(self) -> int:
        cells, asked = self._cells, self._asked
        n = asked[-1] if self._steady else asked[self._at]
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
        return n

    def _stop(self, index: int, error: Exception | None) -> None:
        """The kernels up to this one have ended, or failed."""
        self._live, self.over, self._error = index + 1, True, error

    def run(self, chunk: Chunk[Any]) -> Chunk[Any] | None:
        """Take a chunk through the row; what comes out at its end, or None, and then it is to be asked again."""
        self._turn += 1
        whole = self._whole
        if whole is None or chunk.contexts is not None or not chunk.elements or chunk.signalled:
            return self._run(chunk)
        if self._turn % _SAMPLE == 1:
            return self._run(chunk)
        began = self._busy()
        items = self._spanned(whole, chunk.elements)
        seconds = self._busy() - began
        whole.seconds += seconds
        self._learn(len(chunk.elements), seconds)
        if items:
            return Chunk(items)
        self._at = whole.waits
        return None

    def _run(self, chunk: Chunk[Any]) -> Chunk[Any] | None:
        items: Sequence[Any] = chunk.elements
        if items.__class__ is range:
            items = list(items)
        contexts, ending = chunk.contexts, chunk.end
        signals = chunk.signals() if chunk.signalled else None
        count = made = len(items)
        self.over = self.over or ending
        del chunk
        spans, cells, busy = self._plan(contexts), self._cells, self._busy
        self._at, index, last = self._last, self._live, self._last
        began = now = busy()
        while index <= last:
            before, span = now, spans[index]
            if span is not None and made and not ending:
                items, at, index = self._spanned(span, items), span.waits, span.stop
                now = busy()
                span.seconds += now - before
            else:
                way = self._flushed if ending else self._pushed
                items, contexts, ending = way(index, items, contexts)
                if signals is not None and self._live <= index:
                    items, contexts, ending = self._signalled(index, signals, items, contexts)
                now = busy()
                cells[index].took(now - before)
                at, index = index, index + 1
            made = len(items)
            ending = ending and not (made or signals)
            if not (made or signals or ending):
                self._at = at
                break
        self._learn(count, now - began)
        if signals is not None:
            self._keep(signals)
        if made or signals:
            return Chunk(items, contexts, **(signals or {}))
        return None

    def _keep(self, signals: dict[str, int]) -> None:
        """All kernels have got what came before the signals: this is the state to go on from behind a barrier."""
        barrier = signals.get("barrier")
        if barrier is None:
            return
        if self._error is not None:
            del signals["barrier"]  # the element that failed came before it, and is not done
            return
        for index, cell in enumerate(self._cells):
            cell.keep(barrier, ended=index < self._live)

    def resume(self) -> None:
        """Go on from the last checkpoint."""
        live = [index for index, cell in enumerate(self._cells) if cell.resume()]
        if live:
            self._stop(live[-1], None)

    def leave(self) -> None:
        """The row has ended."""
        for cell in self._cells:
            cell.leave()

    def _plan(self, contexts: list[Context] | None) -> list[Span | None]:
        """As one where that may be, for chunks without contexts; one by one now and then, to measure each."""
        return self._no_spans if contexts is not None or self._turn % _SAMPLE == 1 else self._spans

    def _spanned(self, span: Span, items: Sequence[Any]) -> Sequence[Any]:
        out = span.push(items)
        if span.stopped is not None:
            self._stop(*span.stopped)
        return out

    def _pushed(self, index: int, items: Sequence[Any], contexts: list[Context] | None) -> _Passed:
        """What a kernel makes of what came to it; if that ends it, with what it still has."""
        cell, error = self._cells[index], None
        if len(items):
            items, contexts, error = cell.push(items, contexts)
            if error is not None or (not cell.steady and cell.kernel.finished):
                return self._flush(index, items, contexts, error)
        self._count(index, len(items))
        return items, contexts, False

    def _signalled(
        self,
        index: int,
        signals: dict[str, int],
        items: Sequence[Any],
        contexts: list[Context] | None,
    ) -> _Passed:
        """What came of the elements, and what a kernel makes of the signals behind them."""
        cell, watermark = self._cells[index], signals.get("watermark")
        if watermark is None or not cell.kernel.timely:
            return items, contexts, False
        more, beside, error = cell.advance(watermark)
        if len(more):
            contexts = _together(items, contexts, more, beside)
            items = joined([items, more]) if len(items) else more
            self._count(index, len(more))
        if error is not None:
            return self._flush(index, items, contexts, error)
        return items, contexts, False

    def _flushed(self, index: int, *_: Any) -> _Passed:
        """What a kernel still has, now that the one before it has ended."""
        return self._flush(index, (), None, None)

    def _flush(
        self,
        index: int,
        items: Sequence[Any],
        contexts: list[Context] | None,
        error: Exception | None,
    ) -> _Passed:
        """What a kernel that ends has given, and what it gives now unless it failed; whether it ended well."""
        if error is None:
            flushed, more, error = self._cells[index].flush()
            if len(flushed):
                contexts = _together(items, contexts, flushed, more)
                items = joined([items, flushed]) if len(items) else flushed
        self._stop(index, error)
        self._count(index, len(items))
        return items, contexts, error is None

    def _count(self, index: int, made: int) -> None:
        if index < self._last:  # the last one's results are counted by its stage
            self._cells[index].meter.emitted += made

    def _learn(self, count: int, seconds: float) -> None:
        quota = self._quota
        if self.learned is not None:
            self.learned(seconds)
        if seconds > LONG or (count >= quota.limit and quota.rising and self._leads):
            quota.record(count, seconds)

    @property
    def held(self) -> int:
        """Elements in the state of the last kernel that may still come out."""
        return self._cells[-1].kernel.held()

    def close(self) -> list[Context]:
        """The row is given up: what its kernels hold counts as dropped; returns the contexts that are to be told so."""
        return [context for cell in self._cells for context in cell.close()]

    def settle(self) -> None:
        """Bring the counters of all kernels up to date."""
        asked, self._asked_by_all = self._asked_by_all, 0
        for cell in self._cells[:-1]:
            cell.meter.requested += asked
        for span in self._spans:
            if span is not None:
                span.settle()


def _together(
    items: Sequence[Any],
    contexts: list[Context] | None,
    flushed: Sequence[Any],
    more: list[Context] | None,
) -> list[Context] | None:
    """The contexts of results and of what was left at the end, if either of them has any."""
    if contexts is None and more is None:
        return None
    return [*(contexts or [NOTHING] * len(items)), *(more or [NOTHING] * len(flushed))]
