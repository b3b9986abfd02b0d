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

    Watermarks stand behind the elements that they came after: they count once those are taken.

    Attributes:
        skip: elements that are left out, since tuples had them before the run was saved.
        again: it gives elements from behind the barrier behind which the run goes on.
    """

    __slots__ = (
        "_barrier",
        "_signals",
        "_taken",
        "again",
        "contexts",
        "elements",
        "inlet",
        "live",
        "skip",
    )

    def __init__(self, inlet: Inlet) -> None:
        self.inlet: Inlet = inlet
        self.elements: list[Any] = []
        self.contexts: list[Context | None] = []
        self.live: bool = True
        self.skip: int = 0
        self.again: bool = False
        self._barrier: tuple[int, int] | None = None
        self._signals: deque[tuple[int, dict[str, Any]]] = deque()
        self._taken = 0

    def put(self, chunk: Chunk[Any]) -> None:
        """Add what the input has given."""
        if self.skip:
            count = min(self.skip, len(chunk.elements))
            self.skip -= count
            drop((chunk.contexts or [])[:count])
            chunk = chunk.part(count, len(chunk.elements))
        self.elements.extend(chunk.elements)
        self.contexts.extend(chunk.contexts or [None] * len(chunk.elements))
        if chunk.signalled:
            self._behind(self._taken + len(self.elements) - self.skip, chunk.signals())

    def _behind(self, position: int, signals: dict[str, Any]) -> None:
        """Signals stand behind so many elements. A barrier counts at once: what came before it and waits is state."""
        barrier = signals.pop("barrier", None)
        if barrier is not None:
            self._barrier = (barrier, position)
        if not signals:
            return
        if self._signals and self._signals[-1][0] == position:
            self._signals[-1][1].update(signals)
        else:
            self._signals.append((position, signals))

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

    def kept(self, barrier: int) -> list[Any]:
        """What tuples have had from behind a barrier, and what came before it and still waits, with its signals.

        An input that had ended before the barrier gives none of its elements again; another gives all from behind it.
        """
        if self._barrier is None or self._barrier[0] != barrier:
            return [0, list(self.elements), [], False]
        position = self._barrier[1]
        ahead = position - self._taken
        signals = [[at - self._taken, each] for at, each in self._signals if at <= position]
        return [max(0, -ahead), self.elements[: max(0, ahead)], signals, True]

    def restore(self, kept: list[Any]) -> None:
        """Go on from a snapshot."""
        self.skip, held, signals, self.again = kept
        self.elements = list(held)
        self.contexts = [None] * len(self.elements)
        self._signals.extend((at, dict(each)) for at, each in signals)


class ZipStage(FanInStage):
    """Asks each input for as many as are wanted and not held; ends with the first that has nothing more to pair.

    A barrier is passed on when the last input has come to it; inputs that came to it earlier go on, since one that
    waits could keep another from ever coming to it.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._columns: list[Column] = []
        self._saved: list[Any] = []
        self._marks: Any = None
        self.meter.gauge = lambda: (sum(len(each.elements) for each in self._columns), None)

    @override
    def open(self) -> None:
        super().open()
        self._columns = [Column(inlet) for inlet in self.fan.inlets]
        for column, kept in zip(self._columns, self._saved, strict=False):
            column.restore(kept)
            if column.again and not self.signals.knows(column.inlet):
                self.signals.enter(column.inlet)  # it had ended, but its barrier came before that

    @override
    def due(self) -> dict[str, Any]:
        """The signals that may pass; what is to be saved is that of now, and not of when a reader takes the barrier."""
        due = super().due()
        if "barrier" in due:
            self._saved = [column.kept(due["barrier"]) for column in self._columns]
            self._marks = super().snapshot()
        return due

    @override
    def snapshot(self) -> Any:
        return [self._marks, self._saved]

    @override
    def restore(self, state: Any) -> None:
        marks, self._saved = state
        super().restore(marks)

    @override
    def ask(self, n: int) -> None:
        for column in self._columns:
            inlet = column.inlet
            missing = min(n, CHUNK) - len(column.elements)
            if self.signals.waiting and inlet not in self.signals.waiting:
                missing = max(
                    missing, 1
                )  # its barrier is near, and another may give nothing before that has come
            if inlet.live and not inlet.asked and missing > 0:
                self.fan.ask(inlet, missing)

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        position: int = inlet.tag
        self._columns[position].put(chunk)
        self._pair()

    @override
    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if chunk.barrier is not None:
            self.signals.note(inlet, {"barrier": chunk.barrier})
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
