"""Delayed: labelled elements as a stream would bring them: each without its label first, and that when it is known."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.batch.row import Row
from rxml.errors import BufferOverflowError, SchemaError
from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.reading import label_of, read
from rxml.flow.kernel import Chunkwise
from rxml.learning.identity import ids_of
from rxml.learning.label import Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.event_time import EventTime
    from rxml.eventtime.reading import Column

Due: TypeAlias = tuple[int, int, Any, Any]
"""When a label is due (ns), the how many-th element it is of, its id, and its value: no two are equal in the first two."""

_NEVER: Final = -(2**63)
_LAST: Final = 2**63 - 1


class Delaying(Chunkwise[Any, Any]):
    """Holds back labels until their time has come.

    Event time is the latest that any element or watermark has told of. A label that is due then comes before the
    element that told of it, since whoever predicts that could have known it.

    Args:
        event_time: of the elements.
        delay: ns of event time between an element and its label, >= 0.
        target: the column of the label.
        ids: the id of an element.
        capacity: labels that may wait.
    """

    timely = True
    again = True

    def __init__(
        self, event_time: EventTime, delay: int, *, target: str, ids: Column, capacity: int
    ) -> None:
        self._event_time = event_time
        self._delay = delay
        self._target = target
        self._ids = ids
        self._capacity = capacity
        self._waiting: list[Due] = []
        self._now = _NEVER
        self._seen = 0

    @property
    def _words(self) -> str:
        return f"delayed_labels({self._delay / 1e9:.12g}, {self._target}, {label_of(self._ids)})"

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[Any]:
        times = self._event_time.of(items)
        ids, values = ids_of(items, self._ids), listed(read(items, self._target))
        bare = _without(items, self._target)
        self._require_room(times)
        told: list[tuple[int, Label]] = []
        for row, due in enumerate(zip(times.tolist(), ids, values, strict=True)):
            told += self._take(row, *due)
        return _spliced(bare, told) if told else bare

    def _take(self, row: int, time: int, name: Any, value: Any) -> Iterator[tuple[int, Label]]:
        self._now = max(self._now, time)
        yield from ((row, label) for label in self._due())
        heappush(self._waiting, (self._when(time), self._seen, name, value))
        self._seen += 1
        yield from ((row + 1, label) for label in self._due())

    def _when(self, time: int) -> int:
        return min(time + self._delay, _LAST)

    def _due(self) -> Iterator[Label]:
        while self._waiting and self._waiting[0][0] <= self._now:
            due, _, name, value = heappop(self._waiting)
            yield Label(name, value, due)

    def _require_room(self, times: NDArray[np.int64]) -> None:
        """Refuse, before anything has changed, what would be more than may wait; looked into only where it might be."""
        if len(self._waiting) + len(times) <= self._capacity:
            return
        now = np.maximum.accumulate(np.maximum(times, self._now))
        dues = np.sort(np.array([due for due, *_ in self._waiting], np.int64))
        gone = np.searchsorted(dues, now, side="right")
        for row, time in enumerate(times.tolist()):
            gone[row:] += self._when(time) <= now[row:]
        left = len(self._waiting) + np.arange(1, len(times) + 1) - gone
        if left.max() > self._capacity:
            raise BufferOverflowError(
                f"delayed_labels holds {self._capacity} labels that wait for their time, and there are more: raise capacity"
            )

    @override
    def advance(self, watermark: int) -> Sequence[Any]:
        self._now = max(self._now, watermark)
        return list(self._due())

    @override
    def flush(self) -> Sequence[Any]:
        return [Label(name, value, due) for due, _, name, value in sorted(self._waiting)]

    @override
    def snapshot(self) -> Any:
        return [self._words, self._now, self._seen, [list(due) for due in sorted(self._waiting)]]

    @override
    def restore(self, state: Any) -> None:
        words, self._now, self._seen, waiting = state
        require_same(words, self._words)
        self._waiting = [(due, nth, name, value) for due, nth, name, value in waiting]


def listed(values: Any) -> list[Any]:
    """A column as Python's own values."""
    return list(values.tolist() if isinstance(values, np.ndarray) else values)


def _without(items: Sequence[Any], target: str) -> Sequence[Any]:
    if isinstance(items, Batch):
        return items.drop(target)
    try:
        rows = [{**item} for item in items]
    except TypeError as error:
        raise SchemaError(f"delayed_labels takes {target!r} out of mappings: {error}") from error
    for row in rows:
        del row[target]
    return [Row({name: at for at, name in enumerate(row)}, tuple(row.values())) for row in rows]


def _spliced(items: Sequence[Any], told: list[tuple[int, Label]]) -> list[Any]:
    """The elements, with each label before the element of its row."""
    out: list[Any] = []
    done = 0
    for row, label in told:
        out += items[done:row]
        out.append(label)
        done = row
    out += items[done:]
    return out
