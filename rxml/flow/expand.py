"""ExpandStage: many results for one element, lazily."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import HOLD, Quota
from rxml.flow.context_joining import Tally
from rxml.flow.dropping import dropped
from rxml.flow.stage import Stage
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

A = TypeVar("A")
B = TypeVar("B")


class ExpandStage(Stage[B]):
    """Opens the iterable of one element at a time, and asks for as many elements as lately were needed for the demand.

    Holds what it asked for (at most one chunk), and one open iterable.

    Args:
        function: gives the iterable of an element.
        whole: types whose instances come out as slices, not element by element; they must slice without copying.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        function: Callable[[A], Iterable[B]],
        whole: tuple[type[Sequence[Any]], ...] = (),
    ) -> None:
        super().__init__(env, node)
        self._function: Callable[[Any], Iterable[B]] = function
        self._whole = whole
        self._quota = Quota(CHUNK)
        self._head: Subscription[Any] | None = None
        self._waiting: Chunk[Any] = Chunk(())
        self._at = 0
        self._open: Iterator[B] | None = None
        self._slices: Sequence[B] = ()
        self._tally: Tally | None = None
        self._taken = 0
        self._made = 0
        self._error: Exception | None = None
        self.meter.gauge = lambda: (len(self._waiting.elements) - self._at, None)

    @override
    async def pull(self, n: int) -> Chunk[B]:
        clock = self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            began = clock.busy()
            out, contexts = self._fill(self._quota.of(n))
            spent = clock.busy() - began
            self.meter.busy += spent
            self._quota.record(len(out), spent)
            over = self._idle and self._at >= len(self._waiting.elements)
            # Behind an element that failed nothing passes: a barrier would say that it was done.
            signals = self._waiting.signals() if over and self._error is None else {}
            if len(out) or signals:
                if signals:
                    self._waiting, self._at = Chunk(()), 0
                return Chunk(out, contexts, **signals)
            if self._error is not None:
                raise self._error
            if over and not await self._more(n):
                return END

    async def _more(self, n: int) -> bool:
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        ratio = max(1, self._made // max(1, self._taken))
        chunk = await self._head.request(max(1, min(n, CHUNK) // ratio) if self._taken else 1)
        self._waiting, self._at = chunk, 0
        return not chunk.end

    @property
    def _idle(self) -> bool:
        return self._open is None and not len(self._slices)

    def _fill(self, n: int) -> tuple[Sequence[B], list[Context] | None]:
        """Up to n results with their contexts; leaves `_error` set if an element failed after them."""
        known = self._waiting.contexts is not None
        out: list[B] = []
        kept: list[Context] = []
        busy, due = self.env.clock.busy, self.env.clock.yielded + HOLD
        while len(out) < n and self._error is None and busy() < due:
            if self._open is not None:
                self._drain(out, n)
            elif len(self._slices):
                if not out:
                    return self._slice(n)
                break
            elif self._at < len(self._waiting.elements):
                self._next(out, n)
            else:
                break
            if self._tally is not None:
                kept += self._beside(self._tally, len(out) - len(kept))
        return out, kept if known else None

    def _beside(self, tally: Tally, made: int) -> list[Context]:
        """The contexts of results of the element that was taken last; its own is settled when all of them have ended."""
        if not self._idle:
            return tally.copies(made)
        self._tally = None
        return tally.rest(made)

    def _next(self, out: list[B], n: int) -> None:
        """Open the iterable of the next element; a list that fits comes out at once."""
        element = self._waiting.elements[self._at]
        self._at += 1
        self._taken += 1
        contexts = self._waiting.contexts
        self._tally = None if contexts is None else Tally(contexts[self._at - 1])
        try:
            found: Any = self._function(element)
            if found.__class__ is list and len(found) <= n - len(out):
                out.extend(found)
                self._made += len(found)
            elif issubclass(found.__class__, self._whole) and len(found):
                self._slices = found
            else:
                self._open = iter(found)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._failed(error)

    def _slice(self, n: int) -> tuple[Sequence[B], list[Context] | None]:
        whole = self._slices
        head, self._slices = (whole, ()) if len(whole) <= n else (whole[:n], whole[n:])
        self._made += len(head)
        return head, None if self._tally is None else self._beside(self._tally, len(head))

    def _drain(self, out: list[B], n: int) -> None:
        before = len(out)
        try:
            out.extend(islice(self._open or (), n - before))
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._failed(error)
        else:
            if len(out) < n:
                self._open = None
        self._made += len(out) - before

    def _failed(self, raised: Exception) -> None:
        self._open = None
        element = self._waiting.elements[self._at - 1]
        context = None if self._tally is None else self._tally.copies(1)[0]
        self._error = verdict(self.env, self.node, raised, element, context)

    @override
    async def release(self) -> None:
        cancels = [] if self._head is None else [self._head.cancel]
        await self.release_all(self._let_go, self._shut, *cancels)

    async def _let_go(self) -> None:
        """What was not opened yet ends as dropped, and nothing more comes of what is open."""
        waiting, self._waiting = self._waiting, Chunk(())
        self.meter.dropped += dropped(waiting.part(self._at, len(waiting.elements)))
        if self._tally is not None:
            self._tally.close()

    async def _shut(self) -> None:
        close = getattr(self._open, "close", None)
        self._open, self._slices = None, ()
        if close is not None:
            close()
