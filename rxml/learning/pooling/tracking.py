"""Tracking: a level that drifts, followed for each key through readings that are not exact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.evaluation.metrics.rows import grown, numbered
from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.keyed.keyed_kernel import KeyedKernel
from rxml.eventtime.reading import label_of
from rxml.learning.pooling.members import require_there, said, told_by
from rxml.learning.widening import widened
from rxml.uncertain import Normal
from rxml.uncertain.pooling.forms import Normals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.uncertain.pooling.kalman import Filtered, LocalLevel

Floats: TypeAlias = NDArray[np.float64]
Readings: TypeAlias = tuple[Floats, Floats]

_NUMBERS: Final = Normals()
_SECOND: Final = 1e9


class Seeing:
    """What elements say of the level.

    Args:
        column: of readings: numbers, or distributions with variances of their own.
        noise: variance of readings beyond their own, or the column of it; None: there is none.
    """

    def __init__(self, column: Column, noise: float | Column | None) -> None:
        self.column: Column = column
        self._noise = noise

    @property
    def columns(self) -> dict[str, Column]:
        """All that are read, by their names."""
        noise = self._noise
        read = (
            [self.column]
            if noise is None or isinstance(noise, float | int)
            else [self.column, noise]
        )
        return {label_of(each): each for each in read}

    def of(self, items: Sequence[Any]) -> Readings:
        """Readings, NaN for none, and the variances of their errors, (n,) each.

        Raises:
            SchemaError: a reading without variance, and no noise is given; or what is no reading.
        """
        name = label_of(self.column)
        told = told_by(_NUMBERS, said(items, self.column), name)
        seen, own = told[:, 0], told[:, 1]
        if self._noise is None:
            sure = np.flatnonzero(~np.isnan(seen) & (own == 0))
            if len(sure):
                text = f"{name!r} of rows {sure[:5].tolist()} is a number without variance"
                raise SchemaError(f"{text}: say that of its noise, r=")
            return seen, own
        return seen, own + self._extra(items)

    def _extra(self, items: Sequence[Any]) -> Floats:
        if isinstance(self._noise, float | int):
            return np.full(len(items), float(self._noise))
        column: Any = self._noise
        return told_by(_NUMBERS, said(items, column), label_of(column))[:, 0]


class Tracking(KeyedKernel[Any, Any]):
    """Follows the level of each key.

    Args:
        where: the key of an element, and its time if levels drift by that.
        seeing: the readings.
        level: the filter; it is this run's own.
        into: the names of the columns of the level, of NIS, and of the level as many elements ago as the lag.
        by_time: whether the level drifts by event time, in seconds; else from element to element.
    """

    def __init__(
        self,
        where: Where,
        seeing: Seeing,
        level: LocalLevel,
        into: tuple[str, str, str],
        *,
        by_time: bool,
    ) -> None:
        super().__init__(where)
        self._seeing = seeing
        self._level = level
        self._into = into
        self._by_time = by_time
        self._counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._origin: int | None = None

    @property
    def _words(self) -> str:
        unit = "a second" if self._by_time else "an element"
        name, q = label_of(self._seeing.column), f"{self._level.q:.12g}"
        return f"track: {name} by {q} {unit}, lag {self._level.lag}, of {self._where.words}"

    @override
    def read(self, items: Sequence[Any], times: NDArray[np.int64]) -> Readings:
        _require_mappings(items)
        if self._origin is None:
            require_there(items, self._seeing.columns)
        return self._seeing.of(items)

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: Readings,
        placed: Placement,
    ) -> Sequence[Any]:
        capacity = self._roster.table.capacity
        self._level.grow(capacity)
        self._counts = grown(self._counts, capacity)
        fresh = np.array(placed.fresh, np.intp)
        self._level.forget(fresh)
        self._counts[fresh] = 0
        slots = placed.codes
        origin = int(times[0]) if self._origin is None else self._origin
        when = self._counts[slots] + numbered(slots) if not self._by_time else times - origin
        unit = _SECOND if self._by_time else 1.0
        told = self._level.update(slots, when / unit, *given)
        np.add.at(self._counts, slots, 1)
        self._origin = origin
        return widened(items, self._columns(told))

    def _columns(self, told: Filtered) -> dict[str, Any]:
        level, nis, late = self._into
        made: dict[str, Any] = {level: Normal(told.mean, told.var), nis: told.nis}
        if self._level.lag:
            none = np.isnan(told.late)
            before = Normal(np.where(none, 0.0, told.late), np.where(none, np.inf, told.late_var))
            made[late] = before
        return made

    @override
    def snapshot(self) -> Any:
        state = [self._level.snapshot(), self._counts.copy(), self._origin]
        return [self._words, self._roster.snapshot(), state]

    @override
    def restore(self, state: Any) -> None:
        words, roster, (level, counts, origin) = state
        require_same(words, self._words)
        self._roster.restore(roster)
        self._level.restore(level)
        self._counts, self._origin = np.array(counts, np.int64), origin


def _require_mappings(items: Sequence[Any]) -> None:
    if isinstance(items, Batch):
        return
    for row, item in enumerate(items):
        if not isinstance(item, Mapping):
            text = f"element {row} is a {type(item).__name__}"
            raise SchemaError(
                f"{text}: to have the level put beside it, it must be a mapping or a row"
            )
