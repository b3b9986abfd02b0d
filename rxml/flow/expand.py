"""ExpandStage: many results for one element, lazily."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.stage import Stage
from rxml.flow.supervision import DeadLetter, Directive, annotate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

A = TypeVar("A")
B = TypeVar("B")


class ExpandStage(Stage[B]):
    """Opens the iterable of one element at a time, and asks for as many elements as lately were needed for the demand.

    Holds what it asked for (at most one chunk), and one open iterable.
    """

    def __init__(self, env: Env, node: Node, function: Callable[[A], Iterable[B]]) -> None:
        super().__init__(env, node)
        self._function: Callable[[Any], Iterable[B]] = function
        self._head: Subscription[Any] | None = None
        self._waiting: Chunk[Any] = Chunk(())
        self._at = 0
        self._open: Iterator[B] | None = None
        self._taken = 0
        self._made = 0
        self._error: Exception | None = None
        self.meter.gauge = lambda: (len(self._waiting.elements) - self._at, None)

    @override
    async def pull(self, n: int) -> Chunk[B]:
        clock = self.env.clock
        n = min(n, CHUNK)
        while True:
            if clock.held:
                await clock.breathe()
            out: list[B] = []
            contexts: list[Context] | None = None if self._waiting.contexts is None else []
            began = clock.busy()
            self._fill(out, contexts, n)
            self.meter.busy += clock.busy() - began
            over = self._open is None and self._at >= len(self._waiting.elements)
            signals = self._waiting.signals() if over else {}
            if out or signals:
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
        chunk = await self._head.request(max(1, n // ratio) if self._taken else 1)
        self._waiting, self._at = chunk, 0
        return not chunk.end

    def _fill(self, out: list[B], contexts: list[Context] | None, n: int) -> None:
        """Append up to n results; leaves `_error` set if one failed after them."""
        clock = self.env.clock
        while len(out) < n and self._error is None and not (out and clock.held):
            if self._open is None and not self._next():
                break
            if self._open is not None:
                self._drain(out, n)
                if contexts is not None and self._waiting.contexts is not None:
                    context = self._waiting.contexts[self._at - 1]
                    contexts.extend([context] * (len(out) - len(contexts)))

    def _next(self) -> bool:
        """Open the iterable of the next element; False if no element waits."""
        if self._at >= len(self._waiting.elements):
            return False
        element = self._waiting.elements[self._at]
        self._at += 1
        self._taken += 1
        try:
            self._open = iter(self._function(element))
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._failed(error)
        return True

    def _drain(self, out: list[B], n: int) -> None:
        before = len(out)
        wanted = n - before
        try:
            out.extend(islice(self._open or (), wanted))
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._failed(error)
        else:
            if len(out) - before < wanted:
                self._open = None
        self._made += len(out) - before

    def _failed(self, error: Exception) -> None:
        self._open = None
        self.meter.failed += 1
        annotate(error, self.env.where(self.node))
        if self.env.supervisor.decide(error) is Directive.STOP:
            self._error = error
            return
        contexts = self._waiting.contexts
        index = self._at - 1
        context = None if contexts is None else contexts[index]
        letter = DeadLetter(self._waiting.elements[index], error, self.node.spec.name, context)
        self.env.supervisor.bury(letter)

    @override
    async def release(self) -> None:
        close = getattr(self._open, "close", None)
        self._open, self._waiting = None, Chunk(())
        if self._head is not None:
            await self.release_all(self._head.cancel)
        if close is not None:
            close()
