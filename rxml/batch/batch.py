"""Batch: columns of one length, immutable, sliced without copying, read as a sequence of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import index as as_index
from types import MappingProxyType
from typing import Any, Self, overload

import numpy as np
from typing_extensions import override

from rxml.batch.arrow import columns_of_table, table_of
from rxml.batch.column import (
    AnyArray,
    Column,
    all_joined,
    restored,
    same_column,
    sliced,
    taken,
)
from rxml.batch.dataframe import columns_of_frame, frame_of
from rxml.batch.gather import Extra, columns_of
from rxml.batch.intake import ColumnLike, column_from, common_length, is_number, row_selector
from rxml.batch.readings import readings
from rxml.batch.row import Row, row_of, rows_of
from rxml.batch.schema import Field, Schema, require_name
from rxml.batch.size import size_of
from rxml.errors import SchemaError


class Batch(Sequence[Row]):  # noqa: PLW1641 - its values are compared, and may be many
    """Columns by name, all of one length n; row i of every column is fact i.

    A column is a numpy array of shape (n, ...) or a distribution column (`rxml.batch.Column`). Arrays are
    taken as views that cannot be written through: no copy is made, and the caller's array stays writeable.
    Whoever writes to it afterwards changes what the batch shows: hand it over, or hand over a copy.

    Lists and tuples get the dtype their values call for, strings an object column. `==` compares names,
    dtypes, shapes and values, whatever the order of columns; NaN equals NaN. Without columns, rows keep their number.

    Raises:
        SchemaError: columns differ in length, are scalars or masked, or mix types; naming the column.
    """

    __slots__ = ("_columns", "_length")

    _columns: Mapping[str, AnyArray | Column]
    _length: int

    def __init__(self, columns: Mapping[str, ColumnLike]) -> None:
        """Build from columns by name."""
        taken_in = {name: column_from(name, column) for name, column in columns.items()}
        self._length = common_length(taken_in)
        self._columns = taken_in

    @classmethod
    def adopt(cls, columns: Mapping[str, AnyArray | Column], length: int) -> Self:
        """Wrap columns known to be of that length and not writeable; nothing is checked or copied."""
        batch = cls.__new__(cls)
        batch._columns = columns  # noqa: SLF001
        batch._length = length  # noqa: SLF001
        return batch

    @classmethod
    def _restored(cls, columns: dict[str, AnyArray | Column], length: int) -> Self:
        return cls.adopt({name: restored(column) for name, column in columns.items()}, length)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        schema: Schema | None = None,
        *,
        extra: Extra = "refuse",
    ) -> Self:
        """Build from rows, by a declared schema or by what the values call for.

        Without a schema: bool, int64, float64 (None and missing are NaN; int beside float is float),
        complex128, str as objects, aware datetimes as datetime64[us] in UTC, timedelta64[us], and equally
        long lists of numbers as columns of shape (n, k). The dtype depends on the values, so streams that
        are batched again and again should declare a schema.

        Args:
            rows: mappings from column name to value.
            schema: the columns wanted; a null needs a nullable field. Floats and times may be rounded to
                the declared precision; nothing else is changed to fit.
            extra: what to do with names that are not in the schema: "refuse" or "ignore".

        Raises:
            SchemaError: naming the row, the column and what would fit.
        """
        listed = list(rows)
        return cls.adopt(columns_of(listed, schema, extra), len(listed))

    @classmethod
    def concat(cls, batches: Iterable[Batch]) -> Self:
        """One batch after the other; names, dtypes and shapes must be the same.

        Raises:
            SchemaError: they are not, naming the column and the batch; or there is no batch.
        """
        listed = list(batches)
        if not listed:
            raise SchemaError("concat of no batches: give at least one, for its columns")
        columns = [batch.columns for batch in listed]
        joined = columns[0] if len(listed) == 1 else all_joined(columns)
        return cls.adopt(joined, sum(map(len, listed)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._columns)

    @property
    def columns(self) -> Mapping[str, AnyArray | Column]:
        """The columns by name, read only."""
        return MappingProxyType(self._columns)

    @property
    def schema(self) -> Schema:
        """Names, dtypes and shapes of the columns."""
        return Schema(Field.of(name, column) for name, column in self._columns.items())

    @property
    def nbytes(self) -> int:
        """Bytes held by the values, Python objects included (each where it occurs)."""
        return sum(map(size_of, self._columns.values()))

    @override
    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice[Any, Any, Any]) -> Self: ...
    @overload
    def __getitem__(self, index: str) -> Any: ...
    @overload
    def __getitem__(self, index: AnyArray | Sequence[int] | Sequence[bool]) -> Self: ...
    @override
    def __getitem__(self, index: Any) -> Any:
        """A column by name, a row by number, or a batch by slice (no copy), mask or row numbers.

        Raises:
            SchemaError: there is no such column, or a mask is not of the batch's length.
            IndexError: there is no such row.
        """
        if isinstance(index, str):
            return self._column(index)
        if isinstance(index, slice):
            return self._slice(index)
        return self._row(as_index(index)) if is_number(index) else self.take(index)

    def take(self, rows: AnyArray | Sequence[int] | Sequence[bool]) -> Self:
        """The rows under a mask of booleans, or those with the given numbers; copied.

        Raises:
            SchemaError: it is neither, or the mask is not of the batch's length.
            IndexError: there is no such row.
        """
        where, length = row_selector(rows, self._length)
        return self.adopt({name: taken(c, where) for name, c in self._columns.items()}, length)

    def array(self, name: str) -> AnyArray:
        """A column that is an array: `batch[name]`, and known to be one by type checkers.

        Raises:
            SchemaError: there is no such column, or it is a distribution column.
        """
        column = self._column(name)
        if not isinstance(column, np.ndarray):
            raise SchemaError(f"column {name!r} is of kind {column.kind!r}, not an array")
        return column

    def _column(self, name: str) -> AnyArray | Column:
        try:
            return self._columns[name]
        except KeyError:
            raise SchemaError(f"no column {name!r}: there are {self.names}") from None

    def _slice(self, where: Any) -> Self:
        length = len(range(*where.indices(self._length)))
        return self.adopt({name: sliced(c, where) for name, c in self._columns.items()}, length)

    def _row(self, index: int) -> Row:
        if not -self._length <= index < self._length:
            raise IndexError(f"row {index} of a batch of {self._length}")
        return row_of(self._columns, index % self._length)

    @override
    def __contains__(self, item: object) -> bool:
        """Whether a name is a column's, or anything else equals a row."""
        return item in self._columns if isinstance(item, str) else super().__contains__(item)

    @override
    def __iter__(self) -> Iterator[Row]:
        return rows_of(self._columns, self._length)

    def rows(self) -> list[Row]:
        """Every row, as Python values where the dtype has them."""
        return list(self)

    def with_columns(
        self, columns: Mapping[str, ColumnLike] | None = None, /, **named: ColumnLike
    ) -> Self:
        """These columns with others added or replaced, each with one value per row.

        Raises:
            SchemaError: a column has another length.
        """
        merged, length = dict(self._columns), self._length
        fits = bool(merged) or length > 0  # to nothing at all, columns of any length are added
        for name, new in ({**columns, **named} if columns else named).items():
            merged[name] = column = column_from(name, new)
            fits = fits and len(column) == length
        return self.adopt(merged, length if fits else common_length(merged, length))

    def select(self, *names: str) -> Self:
        """These columns only, in this order.

        Raises:
            SchemaError: there is no such column.
        """
        return self.adopt({name: self._column(name) for name in names}, self._length)

    def drop(self, *names: str) -> Self:
        """All columns but these.

        Raises:
            SchemaError: there is no such column.
        """
        gone = self.select(*names).columns
        kept = {name: c for name, c in self._columns.items() if name not in gone}
        return self.adopt(kept, self._length)

    def rename(self, names: Mapping[str, str] | None = None, /, **named: str) -> Self:
        """The same columns under other names: `rename(old="new")`.

        Raises:
            SchemaError: there is no such column, a new name is no string, or two columns would have one name.
        """
        new = {**(names or {}), **named}
        self.select(*new)
        for name in new.values():
            require_name(name)
        renamed = {new.get(name, name): column for name, column in self._columns.items()}
        if len(renamed) < len(self._columns):
            raise SchemaError(f"rename {new} of {self.names} gives two columns one name")
        return self.adopt(renamed, self._length)

    def equals(self, other: object) -> bool:
        """Whether the other is a batch with the same names, dtypes, shapes and values."""
        if (
            not isinstance(other, Batch)
            or len(self) != len(other)
            or self._columns.keys() != other.columns.keys()
        ):
            return False
        return all(same_column(c, other.columns[name]) for name, c in self._columns.items())

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._restored, (dict(self._columns), self._length)  # noqa: SLF001

    def __copy__(self) -> Self:
        return self

    @override
    def __eq__(self, other: object) -> bool:
        return self.equals(other) if isinstance(other, Batch) else NotImplemented

    @override
    def __repr__(self) -> str:
        fields = ", ".join(f"{field.name} {field.form}" for field in self.schema.values())
        return f"Batch({self._length} rows: {fields})"

    def to_arrow(self) -> Any:
        """As a `pyarrow.Table`; needs the extra `arrow`. Numbers are not copied, distributions are as in `to_pandas`."""
        return table_of(readings(self._columns), self._length)

    @classmethod
    def from_arrow(cls, table: Any) -> Self:
        """From a `pyarrow.Table`, `RecordBatch` or `RecordBatchReader` (extra `arrow`); nulls become NaN, NaT or None."""
        return cls.adopt(*columns_of_table(table))

    def to_pandas(self) -> Any:
        """As a `pandas.DataFrame` (extra `pandas`): arrays are objects, distributions NAME.mean, NAME.var or such `readings`."""
        return frame_of(readings(self._columns), self._length)

    @classmethod
    def from_pandas(cls, frame: Any, schema: Schema | None = None) -> Self:
        """From a `pandas.DataFrame`, without its index; needs the extra `pandas`.

        pandas has no unit of time above seconds, and no shape for rows that are not there: the frame of a batch
        becomes that batch again with its schema.
        """
        return cls.adopt(*columns_of_frame(frame, schema))
