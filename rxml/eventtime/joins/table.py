"""Table: the right-hand elements of an as-of join, as columns that grow; they are given out with missing values."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.batch.column import is_array, joined, sealed
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.batch.column import AnyArray, Column
    from rxml.batch.schema import Schema

_EXACT: Final = 1 << 53
_FEW: Final = 1024
_POINTER: Final = 8
_WIDEST: Final = 8
_MISSING: Final[dict[str, Any]] = {"f": np.nan, "c": np.nan, "M": "NaT", "m": "NaT"}


def nullable(name: str, column: AnyArray) -> AnyArray:
    """The column in a dtype that has a missing value: whole numbers and booleans as float64, texts as objects.

    Raises:
        SchemaError: a whole number beyond 2^53, which float64 would round.
    """
    if column.dtype.kind in "fcmMO":
        return column
    if column.dtype.kind not in "biu":
        return column.astype(object)
    if column.dtype.itemsize == _WIDEST and column.size:
        highest = max(int(column.max()), -int(column.min()))
        if highest > _EXACT:
            message = (
                f"column {name!r} of the right has {highest}, which float64 would round, and whole numbers have no missing "
                "value: give it as float64, datetime64 or object, or leave it out; if it is the event time, name it in "
                "with_event_time"
            )
            raise SchemaError(message)
    return column.astype(np.float64)


class Growing:
    """An array that rows are appended to; its memory is at most twice what it holds, and a little."""

    __slots__ = ("_buffer", "size")

    def __init__(self, first: AnyArray) -> None:
        self._buffer = first
        self.size: int = len(first)

    @property
    def sample(self) -> AnyArray:
        """No rows, of its dtype and shape."""
        return self._buffer[:0]

    def append(self, rows: AnyArray) -> None:
        """Add rows of the same dtype and shape; texts may be wider."""
        size, before = self.size + len(rows), self._buffer
        dtype = max(before.dtype, rows.dtype, key=lambda each: each.itemsize)
        if size > len(before) or not before.flags.writeable or dtype != before.dtype:
            self._buffer = np.empty((max(2 * self.size, size, _FEW), *rows.shape[1:]), dtype)
            self._buffer[: self.size] = before[: self.size]
        self._buffer[self.size : size] = rows
        self.size = size

    def take(self, rows: NDArray[np.intp]) -> AnyArray:
        """Some rows, copied; -1 may be anything."""
        if not self.size:
            return np.zeros((len(rows), *self._buffer.shape[1:]), self._buffer.dtype)
        return self._buffer[rows]

    def release(self, rows: NDArray[np.intp]) -> None:
        """Hold on to no object in these rows any more."""
        if self._buffer.dtype.kind != "O":
            return
        if not self._buffer.flags.writeable:
            self._buffer = self._buffer.copy()
        self._buffer[rows] = None


class Table:
    """Rows by number, in columns.

    Args:
        schema: the columns, if they are known before the first rows.

    Attributes:
        size: rows that were added since the last `keep`, and were kept then.
        row_bytes: what a row takes, apart from the objects it may refer to.
        objects: whether rows refer to objects.
    """

    def __init__(self, schema: Schema | None = None) -> None:
        self._columns: dict[str, Growing | Column] | None = None
        self.size: int = 0
        self.row_bytes: int = _POINTER
        self.objects: bool = False
        if schema is not None:
            fields = schema.values()
            self.append({each.name: np.empty((0, *each.shape), each.dtype) for each in fields}, 0)

    @property
    def known(self) -> bool:
        """Whether it is known which columns there are."""
        return self._columns is not None

    def append(self, columns: Mapping[str, AnyArray | Column], count: int) -> None:
        """Add rows.

        Raises:
            SchemaError: they have other columns than those before, or of another kind; then nothing has changed.
        """
        if self._columns is None:
            self._columns = {n: Growing(c) if is_array(c) else c for n, c in columns.items()}
            self.row_bytes = sum(map(_row_bytes, columns.values()))
            self.objects = any(is_array(c) and c.dtype.kind == "O" for c in columns.values())
        else:
            self._extend(self._columns, columns)
        self.size += count

    @staticmethod
    def _extend(held: dict[str, Growing | Column], new: Mapping[str, AnyArray | Column]) -> None:
        if held.keys() != new.keys():
            message = (
                f"a batch of the right has columns {tuple(new)}, those before had {tuple(held)}"
            )
            raise SchemaError(f"{message}: select the same columns")
        longer = {name: _longer(name, held[name], column) for name, column in new.items()}
        for name, column in new.items():
            before = held[name]
            if isinstance(before, Growing):
                before.append(cast("AnyArray", column))
            else:
                held[name] = cast("Column", longer[name])

    def rows(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        """The columns of some rows, as they came."""
        held = (self._columns or {}).items()
        return {
            name: sealed(column.take(rows)) if isinstance(column, Growing) else column.take(rows)
            for name, column in held
        }

    def filled(
        self,
        rows: NDArray[np.intp],
        missing: NDArray[np.bool_],
        skip: str | None = None,
        instants: str | None = None,
    ) -> dict[str, Any]:
        """The columns of some rows in dtypes that have a missing value, which stands where the mask says so.

        Args:
            rows: numbers, shape (n,); under the mask they may be -1.
            missing: shape (n,).
            skip: a column that is not wanted.
            instants: a column that counts nanoseconds, if it is one of int64: it comes as datetime64[ns].

        Raises:
            SchemaError: a column has no missing value, or would be rounded.
        """
        absent = missing if missing.any() else None
        found: dict[str, Any] = {}
        for name, column in (self._columns or {}).items():
            if name == skip:
                continue
            if isinstance(column, Growing):
                found[name] = _filled(name, column.take(rows), absent, instant=name == instants)
            else:
                found[name] = _whole(name, column, rows, absent)
        return found

    def release(self, rows: NDArray[np.intp]) -> None:
        """Nobody will ask for these rows: hold on to no object in them."""
        for column in (self._columns or {}).values():
            if isinstance(column, Growing):
                column.release(rows)

    def keep(self, rows: NDArray[np.intp]) -> None:
        """Forget all rows but these, which are numbered anew."""
        for name, column in (self._columns or {}).items():
            kept = Growing(column.take(rows)) if isinstance(column, Growing) else column.take(rows)
            (self._columns or {})[name] = kept
        self.size = len(rows)


def _row_bytes(column: AnyArray | Column) -> int:
    if is_array(column):
        return column.dtype.itemsize * prod(column.shape[1:])
    return column.nbytes // max(1, len(column))


def _longer(name: str, before: Growing | Column, column: AnyArray | Column) -> AnyArray | Column:
    """Both, if that is a column which is no array; an array is only looked at.

    Raises:
        SchemaError: they do not fit together.
    """
    if not isinstance(before, Growing):
        return cast("Column", joined(name, [before, column]))
    sample = before.sample
    return joined(name, [sample, column[:0] if is_array(column) else column])


def _whole(
    name: str, column: Column, rows: NDArray[np.intp], missing: NDArray[np.bool_] | None
) -> Column:
    """Rows of a column that is no array; none may be missing."""
    if missing is not None:
        message = (
            f"column {name!r} of the right is of kind {column.kind!r}, which has no missing value"
        )
        raise SchemaError(f"{message}: leave it out, or see to it that each element is matched")
    return column.take(rows)


def _filled(
    name: str, taken: AnyArray, missing: NDArray[np.bool_] | None, *, instant: bool
) -> AnyArray:
    """Rows of an array, which nobody else has, with missing values."""
    if instant and taken.dtype == np.int64:
        taken = taken.view("datetime64[ns]")
    if missing is not None and taken.dtype.kind in "biu":
        taken[missing] = 0  # what lies there is of no row, and must not be refused
    filled = nullable(name, taken)
    if missing is not None:
        filled[missing] = _MISSING.get(filled.dtype.kind)
    return sealed(filled)


def objects(items: Sequence[Any]) -> AnyArray:
    """Elements as one column."""
    return np.fromiter(items, object, len(items))
