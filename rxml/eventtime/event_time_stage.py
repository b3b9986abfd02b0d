"""EventTimeStage: reads the time of each element and tells how far the stream has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.batch.column import values_of
from rxml.errors import SchemaError
from rxml.eventtime.activity import Activity
from rxml.eventtime.event_time import Timed
from rxml.eventtime.instants import unit_hint
from rxml.eventtime.keyed.key_table import require_hashable, require_key
from rxml.eventtime.progress import Progress
from rxml.eventtime.reading import read
from rxml.eventtime.watermarks import LONG_AGO, Bounded
from rxml.flow.buffers.ready import Ready
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.context import drop
from rxml.flow.stage import Stage
from rxml.flow.timing.waiting import request_until
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.event_time import EventTime
    from rxml.eventtime.reading import Column
    from rxml.eventtime.watermarks import Watermarks
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

PORTION: Final = 16 * CHUNK
"""Rows of a batch that are asked for at a time at most: in columns they take no longer than fewer elements one by one."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How a stream tells its time.

    Attributes:
        event_time: where an element has it.
        watermarks: what the elements tell of the time reached.
        partition: the column of the source partition that an element belongs to, or None if there is but one.
        idle_after: seconds of the run's clock without an element after which a partition is idle, or None.
    """

    event_time: EventTime
    watermarks: Watermarks
    partition: Column | None
    idle_after: float | None

    @property
    def portion(self) -> int:
        """Elements that are asked for at a time at most, so that looking at them one by one does not hold up others."""
        in_columns = isinstance(self.event_time.column, str) and self.partition is None
        return PORTION if in_columns and isinstance(self.watermarks, Bounded) else CHUNK


class EventTimeStage(Stage[Any]):
    """Passes elements on with the watermark that they tell.

    A watermark stands behind the chunk that has raised it, and in front of each element that is late by it: what is late
    then does not depend on how elements were chunked. Watermarks from upstream end here.
    """

    def __init__(self, env: Env, node: Node, timing: Timing) -> None:
        super().__init__(env, node)
        self._timing = timing
        self._portion = timing.portion
        self._progress = Progress()
        self._activity = Activity(timing.idle_after)
        self._passed = LONG_AGO
        self._ready = Ready()
        self._error: Exception | None = None
        self._head: Subscription[Any] | None = None
        self._checked = timing.event_time.unit is not None
        self.meter.gauge = self._ready.gauge

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock, activity = self.env.clock, self._activity
        if self._timing.idle_after is None:
            return await self._awaited(n)
        activity.back(clock.time())
        try:
            return await self._awaited(n)
        finally:
            activity.left(clock.time())

    async def _awaited(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
            self._activity.saw(self._progress.partitions, clock.time())
        while not self._ready:
            if self._error is not None:
                raise self._error
            if clock.held:
                await clock.breathe()
            chunk = await request_until(self._head, min(n, self._portion), self._activity.deadline)
            if chunk is not None and chunk.end:
                return END
            whole = self._taken_in(Chunk(()) if chunk is None else chunk)
            if whole is not None:
                return whole
        return self._ready.take(n)

    def _taken_in(self, chunk: Chunk[Any]) -> Chunk[Any] | None:
        """What comes of a chunk, if that is one; else it is at hand."""
        began = self.env.clock.busy()
        if len(chunk.elements):
            chunk = self._measured(chunk)
        rested = self._activity.rested(self.env.clock.time())
        if rested:
            self._progress.rest(rested)
        signals: dict[str, Any] = {**self._risen(), **self._activity.news()}
        # Behind an element that failed no barrier passes: it would say that the element was done.
        if chunk.barrier is not None and self._error is None:
            signals["barrier"] = chunk.barrier
        self.meter.busy += self.env.clock.busy() - began
        if not len(chunk.elements) and not signals:
            return None
        passed = Chunk(chunk.elements, chunk.contexts, **signals)
        if not self._ready:
            return passed
        self._ready.put(passed)
        return None

    def _measured(self, chunk: Chunk[Any]) -> Chunk[Any]:
        """The elements that have a time, but for those that were handed on: all in front of one that is late."""
        before = self._progress.watermark
        try:
            times, rising = self._read(chunk.elements)
        except Exception:  # noqa: BLE001 - looked into one by one
            chunk = self._sifted(chunk)
            if not len(chunk.elements):
                return chunk
            times, rising = self._read(chunk.elements)
        late = (times[1:] < rising[:-1]).nonzero()[0]
        behind = [(at + 1, int(rising[at])) for at in late.tolist()]
        if times[0] < before:
            behind = [(0, before), *behind]
        if behind:
            return self._divided(chunk, behind)
        if chunk.elements.__class__ is list:
            chunk.elements = Timed(chunk.elements, self._timing.event_time, times)
        return chunk

    def _read(self, items: Sequence[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The times of elements and the watermark after each; changes nothing if one of them has none."""
        timing = self._timing
        times, marks, partitions = self._told(items)
        self._checked = True
        self._activity.saw(partitions, self.env.clock.time())
        if timing.partition is None:
            return times, self._progress.of_one(marks)
        return times, self._progress.of_partitions(marks, partitions)

    def _told(
        self, items: Sequence[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Sequence[Any]]:
        timing = self._timing
        times = timing.event_time.of(items)
        hint = None if self._checked else unit_hint(int(times[0]))
        if hint is not None:
            raise SchemaError(f"{self.node.spec.name}: {hint}")
        marks = timing.watermarks.after(items, times)
        if timing.partition is None:
            return times, marks, [None]
        found = read(items, timing.partition)
        partitions = values_of(found) if isinstance(found, np.ndarray) else found
        _require(partitions)
        return times, marks, partitions

    def _sifted(self, chunk: Chunk[Any]) -> Chunk[Any]:
        """The elements that have a time, up to one whose failure stops the stream."""
        kept: list[int] = []
        contexts, items = chunk.contexts, chunk.elements
        for position, item in enumerate(items):
            try:
                self._told([item])
            except Exception as error:  # noqa: BLE001 - the supervisor decides
                context = None if contexts is None else contexts[position]
                self._error = verdict(self.env, self.node, error, item, context)
                if self._error is not None:
                    drop(() if contexts is None else contexts[position + 1 :])
                    break
            else:
                self._checked = True
                kept.append(position)
        chosen = items.take(kept) if isinstance(items, Batch) else [items[at] for at in kept]
        beside = None if contexts is None else [contexts[at] for at in kept]
        return Chunk(chosen, beside, **chunk.signals())

    def _divided(self, chunk: Chunk[Any], late: list[tuple[int, int]]) -> Chunk[Any]:
        """Hand on what is in front of late elements, given by place and watermark; returns the rest."""
        start, count = 0, len(chunk.elements)
        for position, watermark in late:
            if watermark > self._passed:
                self._passed = watermark
                part = chunk.part(start, position)
                self._ready.put(Chunk(part.elements, part.contexts))
                self._ready.put(Chunk((), watermark=watermark))
                start = position
        return chunk.part(start, count)

    def _risen(self) -> dict[str, Any]:
        watermark = self._progress.watermark
        if watermark <= self._passed:
            return {}
        self._passed = watermark
        return {"watermark": watermark}

    @override
    def snapshot(self) -> Any:
        """How far the stream has come."""
        return [self._passed, self._progress.snapshot(), self._checked]

    @override
    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        self._passed, progress, self._checked = state
        self._progress.restore(progress)

    @override
    async def release(self) -> None:
        cancels = [] if self._head is None else [self._head.cancel]
        await self.release_all(self._let_go, *cancels)

    async def _let_go(self) -> None:
        self.meter.dropped += self._ready.clear()


def _require(partitions: Sequence[Any]) -> None:
    """Refuse partitions that are missing or cannot be told apart, before anything is changed."""
    try:
        distinct = set(partitions)
    except TypeError:
        for each in partitions:
            require_hashable(each, "partition")
        raise
    for each in distinct:
        require_key(each, "partition")
