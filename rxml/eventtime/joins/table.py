"""Table: the right-hand elements of an as-of join, as columns that grow, with a missing value in each."""

from __future__ import annotations

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
_NO_ROWS: Final = np.empty(0, np.intp)


def nullable(name: str, column: AnyArray | Column) -> AnyArray | Column:
    """The column in a dtype that has a missing value: whole numbers and booleans as float64, texts as objects.

    Raises:
        SchemaError: a whole number beyond 2^53, which float64 would round.
    """
    if not is_array(column) or column.dtype.kind in "fcmMO":
        return column
    if column.dtype.kind not in "biu":
        return column.astype(object)
    if column.dtype.itemsize == 8 and column.size:
        highest = max(int(column.max()), -int(column.min()))
        if highest > _EXACT:
            message = (
                f"column {name!r} of the right has {highest}, which float64 would round, and whole numbers have no missing "
                "value: give it as float64, datetime64 or object, or leave it out"
            )
            raise SchemaError(message)
    return column.astype(np.float64)


class Growing:
    """An array that rows are appended to; its memory is at most twice what it holds, and a little."""

    __slots__ = ("_buffer", "size")

    def __init__(self, first: AnyArray) -> None:
        self._buffer = first
        self.size: int = len(first)

    def append(self, rows: AnyArray) -> None:
        """Add rows of the same dtype and shape."""
        size = self.size + len(rows)
        if size > len(self._buffer) or not self._buffer.flags.writeable:
            grown = np.empty((max(2 * self.size, size, _FEW), *rows.shape[1:]), rows.dtype)
            grown[: self.size] = self._buffer[: self.size]
            self._buffer = grown
        self._buffer[self.size : size] = rows
        self.size = size

    def take(self, rows: NDArray[np.intp]) -> AnyArray:
        """Some rows, copied; -1 may be anything."""
        if not len(self._buffer):
            return np.empty((len(rows), *self._buffer.shape[1:]), self._buffer.dtype)
        return self._buffer[rows]


class Table:
    """Rows by number, in columns.

    Args:
        schema: the columns, if they are known before the first rows.
    """

    def __init__(self, schema: Schema | None = None) -> None:
        self._columns: dict[str, Growing | Column] | None = None
        self.size: int = 0
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
            SchemaError: they have other columns than those before, or of another kind.
        """
        fit = {name: nullable(name, column) for name, column in columns.items()}
        if self._columns is None:
            self._columns = {n: Growing(c) if is_array(c) else c for n, c in fit.items()}
        else:
            self._extend(self._columns, fit)
        self.size += count

    def _extend(
        self, held: dict[str, Growing | Column], new: Mapping[str, AnyArray | Column]
    ) -> None:
        if held.keys() != new.keys():
            message = (
                f"a batch of the right has columns {tuple(new)}, those before had {tuple(held)}"
            )
            raise SchemaError(f"{message}: select the same columns")
        for name, column in new.items():
            before = held[name]
            if not isinstance(before, Growing):
                held[name] = cast("Column", joined(name, [before, column]))
                continue
            sample = before.take(_NO_ROWS)
            if not (
                is_array(column)
                and column.dtype == sample.dtype
                and column.shape[1:] == sample.shape[1:]
            ):
                joined(name, [sample, column])  # refuses it, and says why
            before.append(cast("AnyArray", column))

    def rows(
        self, rows: NDArray[np.intp], missing: NDArray[np.bool_], skip: str | None = None
    ) -> dict[str, Any]:
        """The columns of some rows, with missing values where the mask says so.

        Args:
            rows: numbers, shape (n,); under the mask they may be -1.
            missing: shape (n,).
            skip: a column that is not wanted.
        """
        absent = bool(missing.any())
        found: dict[str, Any] = {}
        for name, column in (self._columns or {}).items():
            if name != skip:
                found[name] = _taken(name, column, rows, missing if absent else None)
        return found

    def keep(self, rows: NDArray[np.intp]) -> None:
        """Forget all rows but these, which are numbered anew."""
        for name, column in (self._columns or {}).items():
            kept = Growing(column.take(rows)) if isinstance(column, Growing) else column.take(rows)
            (self._columns or {})[name] = kept
        self.size = len(rows)


def _taken(
    name: str,
    column: Growing | Column,
    rows: NDArray[np.intp],
    missing: NDArray[np.bool_] | None,
) -> AnyArray | Column:
    if not isinstance(column, Growing):
        if missing is not None:
            message = f"column {name!r} of the right is of kind {column.kind!r}, which has no missing value"
            raise SchemaError(f"{message}: leave it out, or see to it that each element is matched")
        return column.take(rows)
    if missing is None:
        return sealed(column.take(rows))
    empty = column.take(np.empty(0, np.intp))
    taken = (
        column.take(rows) if column.size else np.empty((len(rows), *empty.shape[1:]), empty.dtype)
    )
    taken[missing] = _MISSING.get(empty.dtype.kind)
    return sealed(taken)


_MISSING: Final[dict[str, Any]] = {"f": np.nan, "c": np.nan, "M": "NaT", "m": "NaT"}


def objects(items: Sequence[Any]) -> AnyArray:
    """Elements as one column."""
    return np.fromiter(items, object, len(items))
