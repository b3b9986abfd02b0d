"""JoinStage: two inputs that are joined by event time."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import BufferOverflowError
from rxml.eventtime.joins.side import Taken
from rxml.eventtime.watermarks import LONG_AGO
from rxml.flow.chunk import CHUNK, FOREVER, Chunk
from rxml.flow.combining.fan_in_stage import FanInStage
from rxml.flow.context import drop
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from rxml.eventtime.joins.side import Side
    from rxml.flow.combining.fan_in import Inlet
    from rxml.flow.node import Env, Node

LEFT: Final = 0
RIGHT: Final = 1


class Inflow:
    """How far one input has come.

    Attributes:
        side: how it is read.
        mark: its watermark.
        idle: nothing is to be expected of it for now.
        over: it has ended.
        failed: it has failed, and nothing more is asked of it.
    """

    __slots__ = ("failed", "idle", "mark", "over", "side")

    def __init__(self, side: Side) -> None:
        self.side: Side = side
        self.mark: int = LONG_AGO
        self.idle: bool = False
        self.over: bool = False
        self.failed: bool = False

    @property
    def reached(self) -> int:
        """The time before which nothing of it is waited for."""
        return FOREVER if self.over or self.idle else self.mark


class JoinStage(FanInStage):
    """Takes both inputs in as far as there is room for each, so that the one that is ahead is held back.

    Subclasses write `put`, `held` and `work`. An element from before the watermark of its input is late: it is counted
    as dropped.

    When an input fails, the other is read on until all is known that was certain before the failure: what comes before
    an error does not depend on how fast the inputs were.

    Attributes:
        inflows: left and right.
        settled: the time up to which results are final; what comes from before it is late, too (only an input that was
            idle can bring such).
        portion: elements that are asked for at a time, at most: what is taken in at once must not take long.
        failure: what the stream fails with, once all that comes before it is known.
    """

    def __init__(self, env: Env, node: Node, sides: tuple[Side, Side], capacity: int) -> None:
        super().__init__(env, node)
        self.inflows: tuple[Inflow, Inflow] = (Inflow(sides[LEFT]), Inflow(sides[RIGHT]))
        self.settled: int = LONG_AGO
        self.failure: Exception | None = None
        self.portion: int = CHUNK
        self._capacity = capacity
        self.meter.gauge = lambda: (self.held(LEFT) + self.held(RIGHT) + self.ready.size, None)

    @abstractmethod
    def put(self, position: int, taken: Taken) -> None:
        """Take in elements of an input, none of them late."""

    @abstractmethod
    def held(self, position: int) -> int:
        """Elements of an input that are held."""

    @override
    def ask(self, n: int) -> None:
        for inlet in self.idle():
            position: int = inlet.tag
            room = self._capacity - self.held(position)
            if (
                self.signals.waiting
            ):  # the barrier of this input is near, and the other goes on behind it only
                room = max(room, 1)
            if room > 0 and not self.inflows[position].failed:
                self.fan.ask(inlet, min(n, room, self.portion))
        if not any(inlet.asked for inlet in self.fan.inlets):
            raise self.failure or BufferOverflowError(self._stuck())

    def _stuck(self) -> str:
        """Why nothing more can be taken in, though nothing can be given out."""
        told = [
            f"{each.side.name}: {self.held(position):,} elements, watermark "
            f"{'none' if each.mark == LONG_AGO else each.mark}{' (ended)' * each.over}"
            for position, each in enumerate(self.inflows)
        ]
        return (
            f"{self.node.spec.name} holds as many elements as its capacity of {self._capacity:,} for each input allows, "
            f"and cannot go on ({'; '.join(told)}): give it a larger capacity, narrower bounds, or inputs whose watermarks "
            "rise (ops.with_event_time)"
        )

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if not len(chunk.elements):
            return
        began = self.env.clock.busy()
        position: int = inlet.tag
        taken = self._on_time(self._measured(position, chunk), self.limit(position))
        if len(taken):
            try:
                self.put(position, taken)
            except Exception as error:  # noqa: BLE001 - what was certain before comes first
                self.fail(position, error)
        self.meter.busy += self.env.clock.busy() - began

    def _measured(self, position: int, chunk: Chunk[Any]) -> Taken:
        """The elements that have a time and a key; what fails is the supervisor's."""
        inflow = self.inflows[position]
        try:
            times, keys = inflow.side.measured(chunk.elements)
        except Exception:  # noqa: BLE001 - looked into one by one
            return self._sifted(position, chunk)
        return Taken(chunk.elements, chunk.contexts, times, keys, inflow.mark)

    def _sifted(self, position: int, chunk: Chunk[Any]) -> Taken:
        """Each is looked at once: what the user's functions say is kept."""
        kept: list[int] = []
        told: list[tuple[Any, Any]] = []
        inflow, items, contexts = self.inflows[position], chunk.elements, chunk.contexts
        for index, item in enumerate(items):
            context = None if contexts is None else contexts[index]
            try:
                told.append(inflow.side.measured([item]))
            except Exception as error:  # noqa: BLE001 - the supervisor decides
                raised = verdict(self.env, self.node, error, item, context)
                if raised is not None:
                    self.fail(position, raised)
                    drop(() if contexts is None else contexts[index + 1 :])
                    break
            else:
                kept.append(index)
        chosen = items.take(kept) if isinstance(items, Batch) else [items[at] for at in kept]
        beside = None if contexts is None else [contexts[at] for at in kept]
        times = np.fromiter((each[0] for each, _ in told), np.int64, len(told))
        return Taken(chosen, beside, times, inflow.side.gathered(chosen, told), inflow.mark)

    def limit(self, position: int) -> int:
        """The time before which an element of an input is late."""
        return max(self.inflows[position].mark, self.settled)

    def _on_time(self, taken: Taken, limit: int) -> Taken:
        if not len(taken) or taken.least >= limit:
            return taken
        late = taken.times < limit
        gone = taken.where(late)
        self.meter.dropped += len(gone)
        drop(gone.contexts or ())
        return taken.where(~late)

    @override
    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        position: int = inlet.tag
        inflow = self.inflows[position]
        if chunk.signalled and not inflow.failed:  # behind a failure nothing is certain
            if chunk.watermark is not None:
                inflow.mark = max(inflow.mark, chunk.watermark)
            inflow.idle = inflow.idle if chunk.idle is None else chunk.idle
            self.signalled(inlet, chunk)

    def signalled(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        """Take note of the signals of a chunk, beyond the watermark."""
        self.signals.note(self.key(inlet), chunk.signals())

    def fail(self, position: int, error: Exception) -> None:
        """An input has failed, or one of its elements has."""
        self.inflows[position].failed = True
        self.failure = self.failure or error

    @override
    def failed(self, inlet: Inlet, error: Exception) -> None:
        self.fail(inlet.tag, error)

    @override
    def ended(self, inlet: Inlet) -> None:
        position: int = inlet.tag
        self.inflows[position].over = True

    @override
    def snapshot(self) -> Any:
        return [super().snapshot(), self.settled, [each.mark for each in self.inflows]]

    @override
    def restore(self, state: Any) -> None:
        alignment, self.settled, marks = state
        super().restore(alignment)
        for inflow, mark in zip(self.inflows, marks, strict=True):
            inflow.mark = mark
