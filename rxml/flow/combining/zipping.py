"""Zipping: the k-th elements of all inputs together."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.combining.fan_in_stage import FanInStage
from rxml.flow.context import Context, drop
from rxml.flow.context_joining import joined

if TYPE_CHECKING:
    from rxml.flow.combining.fan_in import Inlet
    from rxml.flow.node import Env, Node


class Column:
    """What one input has given and no tuple has taken yet.

    Signals stand behind the elements that they came after: they count once those are taken.
    """

    __slots__ = ("_signals", "_taken", "contexts", "elements", "inlet", "live")

    def __init__(self, inlet: Inlet) -> None:
        self.inlet: Inlet = inlet
        self.elements: list[Any] = []
        self.contexts: list[Context | None] = []
        self.live: bool = True
        self._signals: deque[tuple[int, dict[str, Any]]] = deque()
        self._taken = 0

    def put(self, chunk: Chunk[Any]) -> None:
        """Add what the input has given."""
        self.elements.extend(chunk.elements)
        self.contexts.extend(chunk.contexts or [None] * len(chunk.elements))
        if chunk.signalled:
            position = self._taken + len(self.elements)
            if self._signals and self._signals[-1][0] == position:
                self._signals[-1][1].update(chunk.signals())
            else:
                self._signals.append((position, chunk.signals()))

    def take(self, count: int) -> tuple[list[Any], list[Context | None]]:
        """The oldest elements, and their contexts."""
        taken, contexts = self.elements[:count], self.contexts[:count]
        del self.elements[:count], self.contexts[:count]
        self._taken += count
        return taken, contexts

    def due(self) -> dict[str, Any]:
        """The signals that stand behind what was taken, each once."""
        due: dict[str, Any] = {}
        while self._signals and self._signals[0][0] <= self._taken:
            due |= self._signals.popleft()[1]
        return due


class ZipStage(FanInStage):
    """Asks each input for as many as are wanted and not held; ends with the first that has nothing more to pair.

    A barrier is passed on when the last input has come to it; inputs that came to it earlier go on, since one that
    waits could keep another from ever coming to it.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._columns: list[Column] = []
        self.meter.gauge = lambda: (sum(len(each.elements) for each in self._columns), None)

    @override
    def open(self) -> None:
        super().open()
        self._columns = [Column(inlet) for inlet in self.fan.inlets]

    @override
    def ask(self, n: int) -> None:
        for column in self._columns:
            inlet = column.inlet
            missing = min(n, CHUNK) - len(column.elements)
            if inlet.live and not inlet.asked and missing > 0:
                self.fan.ask(inlet, missing)

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        position: int = inlet.tag
        self._columns[position].put(chunk)
        self._pair()

    @override
    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        for column in self._columns:
            due = column.due()
            if due and column.live:
                self.signals.note(column.inlet, due)

    @override
    def ended(self, inlet: Inlet) -> None:
        position: int = inlet.tag
        column = self._columns[position]
        column.live = False
        self.over: bool = not column.elements

    @override
    def let_go(self) -> None:
        super().let_go()
        left = [column.take(len(column.elements)) for column in self._columns]
        self.meter.dropped += sum(len(elements) for elements, _ in left)
        drop(context for _, contexts in left for context in contexts)

    def _pair(self) -> None:
        count = min(len(column.elements) for column in self._columns)
        if count:
            taken = [column.take(count) for column in self._columns]
            elements = list(zip(*(each for each, _ in taken), strict=True))
            self.ready.put(Chunk(elements, _joined([contexts for _, contexts in taken])))
            self.over = any(not each.live and not each.elements for each in self._columns)


def _joined(columns: list[list[Context | None]]) -> list[Context] | None:
    """Contexts of the tuples, from those of their parts; None if no part has one."""
    if not any(context is not None for column in columns for context in column):
        return None
    rows = [[part for part in row if part is not None] for row in zip(*columns, strict=True)]
    return [joined(row) if row else Context() for row in rows]
