"""Aggregating: running aggregates of each key, a row for each element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import named
from rxml.aggregates.states import cells, grown, plain, put, restored, size, taken
from rxml.aggregates.values import array_of
from rxml.batch.batch import Batch
from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.keyed.growing import room_for
from rxml.eventtime.keyed.keyed_kernel import KeyedKernel
from rxml.eventtime.keyed.running import running
from rxml.eventtime.keyed.segments import Segments, inverse
from rxml.eventtime.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Aggregate, Column, State
    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement

_Keys: TypeAlias = "Sequence[Any] | NDArray[Any]"

_WHOLE = 1 << 63


class Aggregating(KeyedKernel[Any, Any]):
    """Keeps the state of each aggregate for each key.

    Args:
        where: the key and the time of an element.
        aggregates: by the name of their column.
    """

    def __init__(self, where: Where, aggregates: Mapping[str, Aggregate]) -> None:
        super().__init__(where)
        self._aggregates = dict(aggregates)
        self._states: list[State] = [each.identity(0) for each in aggregates.values()]

    @property
    def _words(self) -> str:
        computed = ", ".join(f"{name}={each!r}" for name, each in self._aggregates.items())
        return f"aggregate({computed}) of {self._where.words}"

    @override
    def read(self, items: Sequence[Any], times: NDArray[np.int64]) -> list[State]:
        """Each row lifted by itself, for each aggregate."""
        found: dict[Any, NDArray[Any]] = {}
        rows = np.arange(len(items))
        return [
            each.lift(
                [_column(items, name, found) for name in each.columns], times, rows, len(items)
            )
            for each in self._aggregates.values()
        ]

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: list[State],
        placed: Placement,
    ) -> Batch:
        self._fit(placed.fresh)
        segments = Segments(placed.codes)
        slots, back = segments.codes[segments.first], inverse(segments.order)
        columns = self._named(times, placed.keys)
        after: list[State] = []
        for (name, each), state, rows in zip(
            self._aggregates.items(), self._states, given, strict=True
        ):
            made = running(each, taken(state, slots), taken(rows, segments.order), segments)
            after.append(taken(made, np.append(segments.first[1:], True)))
            columns |= zip(named(name, each), each.lowered(taken(made, back)), strict=True)
        results = Batch(columns)
        for state, new in zip(self._states, after, strict=True):
            put(state, slots, new)
        return results

    def _fit(self, fresh: list[int]) -> None:
        capacity = self._roster.table.capacity
        for number, each in enumerate(self._aggregates.values()):
            state = self._states[number]
            if size(state) < capacity:
                self._states[number] = state = grown(each, state, room_for(capacity))
            if fresh:
                put(state, fresh, each.identity(len(fresh)))

    def _named(self, times: NDArray[np.int64], keys: _Keys) -> dict[str, Any]:
        """The columns of results beside those of aggregates: the key, and the time of the element."""
        columns: dict[str, Any] = {}
        if self._where.keying is not None:
            columns[self._where.keying.name] = _keys(keys)
        if self._where.event_time is not None:
            columns["time"] = times
        return columns

    @override
    def snapshot(self) -> Any:
        rows = slice(0, self._roster.table.capacity)
        return [
            self._words,
            self._roster.snapshot(),
            [plain(taken(state, rows)) for state in self._states],
        ]

    @override
    def restore(self, state: Any) -> None:
        require_same(state[0], self._words)
        _, roster, states = state
        self._roster.restore(roster)
        self._states = [
            restored(parts, each)
            for parts, each in zip(states, self._aggregates.values(), strict=True)
        ]


def _column(items: Sequence[Any], name: Column, found: dict[Any, NDArray[Any]]) -> NDArray[Any]:
    """Each column is read once."""
    if name not in found:
        values = read(items, name)
        found[name] = values if isinstance(values, np.ndarray) else array_of(values)
    return found[name]


def _keys(keys: _Keys) -> Any:
    """Keys as a column: that of a batch as it is; else whole numbers as int64, and all others as objects."""
    if isinstance(keys, np.ndarray):
        return keys
    if all(type(key) is int and -_WHOLE <= key < _WHOLE for key in keys):
        return np.array(keys, np.int64)
    return cells(keys)
