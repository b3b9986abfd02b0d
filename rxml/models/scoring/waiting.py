"""Waiting: rows that gather for a worker, and which of them go first."""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any, Final

from rxml.flow.workers.turnstile import Entry

if TYPE_CHECKING:
    from rxml.flow.context import Context

_SLACK: Final = 64
"""Entries that have left may stand in a heap, beside as many as wait."""


class Ask(Entry):
    """An element that waits to be scored, or is.

    Attributes:
        rows: that it has.
        arrived: when it came, by the run's clock in seconds.
        deadline: after which its answer is worth nothing, by the same clock.
        weight: bytes.
        losses: how many workers have died under it.
        slab: its rows are elements of their own.
        left: it waits no more.
    """

    __slots__ = ("arrived", "deadline", "left", "losses", "rows", "slab", "weight")

    def __init__(
        self, item: Any, context: Context | None, rows: int, arrived: float, weight: int
    ) -> None:
        super().__init__(item, context)
        self.rows: int = rows
        self.arrived: float = arrived
        deadline = None if context is None else context.deadline
        self.deadline: float = inf if deadline is None else deadline
        self.weight: int = weight
        self.losses: int = 0
        self.slab: bool = False
        self.left: bool = False

    @property
    def gone(self) -> bool:
        """Whether the one who asked has gone away."""
        return self.context is not None and getattr(self.context.settle, "gone", False)


class Waiting:
    """Highest priority first, then the earliest deadline; among equals, the one that came first.

    Where the one that waits longest has waited longer than `patience`, the newest of the highest priority go first: with
    more load than can be carried, some are answered in time instead of none (LIFO; Facebook, "Fail at Scale", 2015).

    Args:
        patience: seconds; inf: never, as for streams whose order matters.
    """

    def __init__(self, patience: float = inf) -> None:
        self._patience = patience
        self._line: deque[Ask] = deque()
        self._heap: list[tuple[int, float, int, Ask]] = []
        self._newest: list[tuple[int, int, Ask]] = []
        self._deadlines: list[tuple[float, int, Ask]] = []
        self._number = count()
        self.entries: int = 0
        self.rows: int = 0

    def __len__(self) -> int:
        return self.entries

    def put(self, ask: Ask) -> None:
        """Have one more wait."""
        ask.left = False
        self._line.append(ask)
        priority = 0 if ask.context is None else ask.context.priority
        number = next(self._number)
        heappush(self._heap, (-priority, ask.deadline, number, ask))
        if self._patience < inf:
            heappush(self._newest, (-priority, -number, ask))
        if ask.deadline < inf:
            heappush(self._deadlines, (ask.deadline, number, ask))
        self.entries += 1
        self.rows += ask.rows

    @property
    def earliest(self) -> float:
        """The deadline that comes first; inf if there is none."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][2].left:
            heappop(deadlines)
        return deadlines[0][0] if deadlines else inf

    def oldest(self, now: float) -> float:
        """Seconds that the one which waits longest has waited; 0 if none waits."""
        line = self._line
        while line and line[0].left:
            line.popleft()
        return now - line[0].arrived if line else 0.0

    def take(self, rows: int, now: float) -> list[Ask]:
        """Those that go next, with so many rows together, or one with more."""
        newest = self.oldest(now) > self._patience
        taken: list[Ask] = []
        while (ask := self._next(newest=newest)) is not None:
            if taken and rows < ask.rows:
                break
            self._leave(ask)
            taken.append(ask)
            rows -= ask.rows
            if rows <= 0:
                break
        return taken

    def late(self, moment: float) -> list[Ask]:
        """Those whose deadline is before that moment, which wait no more."""
        late: list[Ask] = []
        while self._deadlines and self._deadlines[0][0] < moment:
            ask = heappop(self._deadlines)[2]
            if not ask.left:
                self._leave(ask)
                late.append(ask)
        return late

    def clear(self) -> list[Ask]:
        """All that wait, which do so no more."""
        asks = [ask for ask in self._line if not ask.left]
        for ask in asks:
            self._leave(ask)
        self._line.clear()
        self._heap.clear()
        self._newest.clear()
        self._deadlines.clear()
        return asks

    def _next(self, *, newest: bool) -> Ask | None:
        heap: list[Any] = self._newest if newest else self._heap
        while heap and heap[0][-1].left:
            heappop(heap)
        return heap[0][-1] if heap else None

    def _leave(self, ask: Ask) -> None:
        ask.left = True
        self.entries -= 1
        self.rows -= ask.rows
        kept = max(len(self._heap), len(self._newest), len(self._deadlines))
        if kept > 2 * self.entries + _SLACK:
            self._heap = [each for each in self._heap if not each[3].left]
            heapify(self._heap)
            self._newest = [each for each in self._newest if not each[2].left]
            heapify(self._newest)
            self._deadlines = [each for each in self._deadlines if not each[2].left]
            heapify(self._deadlines)
            self._line = deque(each for each in self._line if not each.left)
