"""AsOfStage: each element of the left with what the right had told by its time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.eventtime.joins.history import History, spare
from rxml.eventtime.joins.join_stage import LEFT, RIGHT, JoinStage
from rxml.eventtime.joins.plain import plain
from rxml.eventtime.joins.results import AsOf
from rxml.eventtime.joins.side import Taken
from rxml.eventtime.watermarks import LONG_AGO
from rxml.flow.chunk import CHUNK, FOREVER, Chunk
from rxml.flow.context import drop

if TYPE_CHECKING:
    from rxml.batch.schema import Schema
    from rxml.eventtime.joins.side import Side
    from rxml.flow.combining.fan_in import Inlet
    from rxml.flow.node import Env, Node

FOUND: Final = "found"
"""The column of batches that tells whether there was a row of the right."""

_PORTION: Final = 16 * CHUNK
"""Rows that are asked for at a time at most: in columns they take no longer than fewer elements do one by one."""


@dataclass(frozen=True, slots=True)
class AsOfPlan:
    """What an as-of join does.

    Attributes:
        capacity: elements of each input that wait at most.
        tolerance: nanoseconds that a row of the right may be older, or None.
        max_keys: keys of which the newest row is kept.
        suffix: what is put behind names of the right that the left has, too.
        schema: the columns of the right, if they are known.
    """

    capacity: int
    tolerance: int | None
    max_keys: int
    suffix: str
    schema: Schema | None

    @property
    def bound(self) -> int:
        """Elements that are held at most: those that wait, of each key the newest, some of no use, and results.

        What is of no use is taken out when as many rows have come as were of use the last time, so these count twice.
        """
        of_use = self.capacity + self.max_keys
        return self.capacity + 2 * of_use + spare(self.max_keys) + CHUNK


class AsOfStage(JoinStage):
    """Elements of the left wait until the watermark of the right is behind them, and leave in their own order.

    Their watermarks stay where they stand among them. A barrier does not wait for elements that wait: they are state.
    """

    def __init__(self, env: Env, node: Node, sides: tuple[Side, Side], plan: AsOfPlan) -> None:
        super().__init__(env, node, sides, plan.capacity)
        self.version: int = 2
        self._plan = plan
        self.portion: int = _PORTION
        self._pending: deque[Taken | Chunk[Any]] = deque()
        self._count = 0
        self._history = History(plan.tolerance, plan.max_keys, sides[RIGHT], plan.schema)

    @override
    def held(self, position: int) -> int:
        return self._count if position == LEFT else self._history.waiting

    @override
    def limit(self, position: int) -> int:
        return self.inflows[RIGHT].mark if position == RIGHT else super().limit(position)

    @override
    def put(self, position: int, taken: Taken) -> None:
        if position == LEFT:
            self._pending.append(taken)
            self._count += len(taken)
        else:
            drop(taken.contexts or ())
            self._history.add(taken)

    @override
    def signalled(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if inlet.tag == LEFT and (chunk.watermark is not None or chunk.idle is not None):
            self._mark(Chunk((), watermark=chunk.watermark, idle=chunk.idle))
        if chunk.barrier is not None:
            self.signals.note(self.key(inlet), {"barrier": chunk.barrier})

    def _mark(self, mark: Chunk[Any]) -> None:
        last = self._pending[-1] if self._pending else None
        if isinstance(last, Chunk):  # so that signals do not pile up
            self._pending[-1] = Chunk((), **(last.signals() | mark.signals()))
        else:
            self._pending.append(mark)

    @override
    async def work(self, n: int) -> None:
        clock, most = self.env.clock, min(n, CHUNK)
        while self._pending and self.ready.size < most:
            first = self._pending[0]
            if isinstance(first, Chunk):
                self.ready.put(first)
                self._pending.popleft()
            elif not self._tried(first):
                break
            self._absorb()
            if clock.held:
                await clock.breathe()
        self._absorb()
        self.over: bool = self.inflows[LEFT].over and not self._pending
        if self.failure is not None and not self.over and not self.ready and self._certain():
            self.error = self.failure

    def _tried(self, first: Taken) -> bool:
        """Answer as many of the oldest elements as can be; whether all were. An error comes behind what is at hand."""
        try:
            return self._answer(first)
        except Exception as error:  # noqa: BLE001 - such as a column that has no missing value
            self.error: Exception | None = error
            return False

    def _certain(self) -> bool:
        """Whether all is answered that a failed input has left certain."""
        left, right = self.inflows
        if right.failed:
            return bool(self._pending) or left.failed or left.reached >= right.mark
        return not self._pending

    def _answer(self, first: Taken) -> bool:
        began = self.env.clock.busy()
        count = self._answerable(first)
        if count:
            part = first if count == len(first) else first.part(0, count)
            self.ready.put(Chunk(self._joined(part), part.contexts))
            self._count -= count
        if count == len(first):
            self._pending.popleft()
        elif count:
            self._pending[0] = first.part(count, len(first))
        self.meter.busy += self.env.clock.busy() - began
        return count == len(first)

    def _answerable(self, first: Taken) -> int:
        right = self.inflows[RIGHT]
        if right.over or right.idle:
            return len(first)
        if isinstance(first.elements, Batch) and not self._history.known:
            return 0  # which columns they will have is not known
        return len(first) if first.most < right.mark else int((first.times >= right.mark).argmax())

    def _joined(self, part: Taken) -> Any:
        history, left = self._history, part.elements
        rows = history.find(part)
        if isinstance(left, Batch) and (history.columnar or not history.known):
            return self._merged(left, rows)
        answers: list[Any] = list(map(AsOf, left, history.items(rows)))
        return answers

    def _merged(self, left: Batch, rows: Any) -> Batch:
        columns: dict[str, Any] = dict(left.columns)
        missing = rows < 0
        for name, column in self._history.columns(rows, missing, self._same_key()).items():
            columns[self._free(name, columns)] = column
        found = ~missing
        found.setflags(write=False)
        columns[self._free(FOUND, columns)] = found
        return Batch.adopt(columns, len(left))

    def _same_key(self) -> str | None:
        """The column of the key, if it has one name on both sides, and need be there but once."""
        left, right = (each.side.key for each in self.inflows)
        return left if isinstance(left, str) and left == right else None

    def _free(self, name: str, columns: dict[str, Any]) -> str:
        while name in columns:
            name += self._plan.suffix
        return name

    def _absorb(self) -> None:
        """Forget what no element of the left can ask for any more."""
        left, right = self.inflows
        horizon = left.reached
        if horizon == FOREVER and not left.over:
            # It is idle: the right goes on, and what the left brings later from before the right's watermark is late.
            horizon = max(left.mark, right.mark)
        # Signals stand one between two at most. The floors of those behind only rise.
        waiting = [each for each in islice(self._pending, 4) if isinstance(each, Taken)]
        if waiting:
            horizon = min(horizon, waiting[0].least, *(each.floor for each in waiting[1:]))
        if horizon > LONG_AGO:
            self.settled: int = max(self.settled, horizon)
            self.meter.dropped += self._history.absorb(horizon)

    @override
    def let_go(self) -> None:
        super().let_go()
        pending, self._pending = self._pending, deque()
        self.meter.dropped += self._count
        self._count = 0
        drop(context for each in pending for context in each.contexts or ())

    @override
    def snapshot(self) -> Any:
        return [super().snapshot(), [*map(_kept, self._pending)], self._history.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        common, pending, history = state
        super().restore(common)
        self._history.restore(history)
        for mark, idle, elements in pending:
            if elements is None:
                self._mark(Chunk((), watermark=mark, idle=idle))
                continue
            times, keys = self.inflows[LEFT].side.measured(elements)
            self.put(LEFT, Taken(elements, None, times, keys, mark))


def _kept(each: Taken | Chunk[Any]) -> list[Any]:
    """Floor and elements, or a watermark and what was told of idleness."""
    if isinstance(each, Chunk):
        return [each.watermark, each.idle, None]
    items = each.elements if isinstance(each.elements, Batch) else [*map(plain, each.elements)]
    return [each.floor, None, items]
