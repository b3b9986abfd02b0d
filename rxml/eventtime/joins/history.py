"""History: what the right of an as-of join has told, as far as anybody may still ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.batch.batch import Batch
from rxml.batch.column import is_array
from rxml.errors import SchemaError
from rxml.eventtime.instants import UNITS
from rxml.eventtime.joins.newest import Newest
from rxml.eventtime.joins.plain import hashable, plain
from rxml.eventtime.joins.side import Taken
from rxml.eventtime.joins.table import Table, objects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.batch.column import AnyArray, Column
    from rxml.batch.schema import Schema
    from rxml.eventtime.joins.side import Side

_ITEMS: Final = "items"
_SPARE: Final = 16_384
"""Rows that nobody can ask for any more, and that may lie about all the same, beyond as many as are of use."""

_SPARE_BYTES: Final = 1 << 24
"""What these may take at most, if that are fewer rows; objects in them are let go at once."""

_FEWEST: Final = 64
_EXACT: Final = 1 << 53


def spare(max_keys: int) -> int:
    """Rows of a history that are of no use any more, at most."""
    return min(_SPARE, max_keys)


class History:
    """Rows of batches are kept as columns, other elements as they are. The first to come decide; a mixture is elements.

    Args:
        tolerance: nanoseconds that a row may be older than an element that asks, or None.
        max_keys: keys whose newest row is kept.
        side: how the right is read.
        schema: its columns, if they are known.
    """

    def __init__(
        self, tolerance: int | None, max_keys: int, side: Side, schema: Schema | None
    ) -> None:
        self._newest = Newest(tolerance)
        self._max_keys = max_keys
        self._side = side
        self._instants = _column_of_instants(side)
        self.columnar: bool = schema is not None
        self._table = Table(schema)
        self._kept = 0
        self._horizon: int | None = None

    @property
    def known(self) -> bool:
        """Whether it is known how its rows look."""
        return self._table.known

    @property
    def size(self) -> int:
        """Rows that there is memory for, those of no use included."""
        return self._table.size

    @property
    def waiting(self) -> int:
        """Rows that are ahead of the left."""
        return len(self._newest)

    def add(self, taken: Taken) -> None:
        """Take rows in.

        Raises:
            SchemaError: their columns do not fit those before; then nothing has changed.
        """
        batch = taken.elements if isinstance(taken.elements, Batch) else None
        if not self.known:
            self.columnar = batch is not None
        first, count = self._table.size, len(taken)
        if self.columnar and batch is not None:
            self._table.append(batch.columns, count)
            self._look_for_instants(batch, taken)
        else:
            self._as_elements()
            self._table.append({_ITEMS: objects(taken.elements)}, count)
        self._newest.tracking = self._table.objects
        self._newest.add(taken, np.arange(first, first + count))
        self._release()

    def _look_for_instants(self, batch: Batch, taken: Taken) -> None:
        """Where a function tells the time, a column that has the same, and could not be told otherwise, is that."""
        if self._instants is None and callable(self._side.event_time.column) and len(taken):
            columns = batch.columns.items()
            found = (name for name, column in columns if _same_times(column, taken))
            self._instants = next(found, None)

    def _release(self) -> None:
        gone = self._newest.gone()
        if len(gone):
            self._table.release(gone)

    def _as_elements(self) -> None:
        if self.columnar:
            rows = self._batch(np.arange(self._table.size)).rows()
            self.columnar, self._table = False, Table()
            self._table.append({_ITEMS: objects(rows)}, len(rows))

    def find(self, asking: Taken) -> NDArray[np.intp]:
        """The row for each element, -1 where there is none."""
        return self._newest.find(asking)

    def items(self, rows: NDArray[np.intp]) -> list[Any]:
        """Elements of the right, by row; None where there is none."""
        missing = rows < 0
        if not self.columnar:
            column = self._table.filled(rows, missing).get(_ITEMS)
            return [None] * len(rows) if column is None else column.tolist()
        found = iter(self._batch(rows[~missing]).rows())
        return [None if none else next(found) for none in missing.tolist()]

    def columns(
        self, rows: NDArray[np.intp], missing: NDArray[np.bool_], skip: str | None
    ) -> dict[str, Any]:
        """Columns of the right, by row; missing values where there is none.

        Raises:
            SchemaError: a column has no missing value, or would be rounded.
        """
        return self._table.filled(rows, missing, skip, self._instants)

    def _batch(self, rows: NDArray[np.intp]) -> Batch:
        """Rows as they came."""
        return Batch.adopt(self._table.rows(rows), len(rows))

    def absorb(self, horizon: int) -> int:
        """No element from before the horizon will ask; returns how many keys were given up nevertheless, to be counted."""
        self._newest.absorb(horizon)
        self._release()
        self._horizon = horizon
        return self._compact() if self._table.size > self._limit() else 0

    def _limit(self) -> int:
        """Rows that may lie about before those that are of no use are taken out."""
        few = max(_FEWEST, _SPARE_BYTES // max(1, self._table.row_bytes))
        return 2 * self._kept + min(spare(self._max_keys), few)

    def _compact(self) -> int:
        given_up = 0
        if self._horizon is not None:
            given_up = self._newest.forget(self._horizon, self._max_keys)
        keep = self._newest.renumber(self._table.size)
        self._table.keep(keep)
        self._kept = len(keep)
        return given_up

    def snapshot(self) -> list[Any]:
        """All that may be asked for: the horizon; times, keys and rows, in the order in which they came, None before any."""
        self._compact()
        rows = np.arange(self._table.size)
        times, keys = self._newest.listed()
        if not self.known:
            return [self._horizon, [], [], None]
        if self.columnar:
            return [self._horizon, times.tolist(), keys, self._batch(rows)]
        return [self._horizon, times.tolist(), keys, [*map(plain, self.items(rows))]]

    def restore(self, state: list[Any]) -> None:
        """Go on from a snapshot.

        Raises:
            SchemaError: rows and their times are not equally many.
        """
        horizon, times, keys, rows = state
        if len(times) != len(rows or ()):
            message = f"a snapshot of an as-of join has {len(times)} times for {len(rows)} rows: it is damaged"
            raise SchemaError(message)
        if rows is not None:
            taken = Taken(rows, None, np.asarray(times, np.int64), [*map(hashable, keys)], 0)
            self.add(taken)
        if horizon is not None:
            self.absorb(horizon)


def _column_of_instants(side: Side) -> str | None:
    """The column of the right's times, if it counts nanoseconds: as datetime64 it has a missing value."""
    column, unit = side.event_time.column, side.event_time.unit
    return column if isinstance(column, str) and UNITS[unit or "ns"] == 1 else None


def _same_times(column: AnyArray | Column, taken: Taken) -> bool:
    fits = is_array(column) and column.dtype == np.int64 and taken.most > _EXACT
    return fits and np.array_equal(cast("AnyArray", column), taken.times)
