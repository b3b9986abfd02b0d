"""Batches as Arrow tables and back. Needs pyarrow: the extra `arrow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch.column import frozen
from rxml.batch.extras import extra_module
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch.column import AnyArray, Column


def table_of(columns: Mapping[str, AnyArray | Column], rows: int) -> Any:
    """The columns, of so many rows, as a table; those of shape (n, k) as lists of fixed size.

    Raises:
        SchemaError: a column is no array (see `readings` of distributions), or of a dtype that Arrow has not.
        ModuleNotFoundError: pyarrow is missing, with the name of the extra.
    """
    arrow = extra_module("pyarrow", "arrow")
    if not columns:  # only a table that had columns has rows without any
        return arrow.table({"": arrow.nulls(rows)}).select([])
    return arrow.table({name: _to_arrow(arrow, name, column) for name, column in columns.items()})


def columns_of_table(given: Any) -> tuple[dict[str, AnyArray], int]:
    """The columns of a table, and how many rows it has; nulls are NaN, NaT or None, times with a zone are UTC.

    Raises:
        SchemaError: it is no table, two columns have one name, a type has no numpy dtype, or nulls have no value
            in it.
        ModuleNotFoundError: pyarrow is missing, with the name of the extra.
    """
    arrow = extra_module("pyarrow", "arrow")
    table = _table(arrow, given)
    names: list[str] = table.column_names
    if len(set(names)) < len(names):
        raise SchemaError(f"the table's columns {names} repeat a name: rename them first")
    columns = {
        name: frozen(_from_arrow(arrow, name, _one_array(arrow, column)))
        for name, column in zip(names, table.itercolumns(), strict=True)
    }
    return columns, int(table.num_rows)


def _table(arrow: Any, given: Any) -> Any:
    if isinstance(given, arrow.Table):
        return given
    if isinstance(given, arrow.RecordBatch):
        return arrow.Table.from_batches([given])
    if isinstance(given, arrow.RecordBatchReader):
        return given.read_all()
    text = f"a {type(given).__module__}.{type(given).__qualname__} is no table of Arrow"
    raise SchemaError(f"{text}: give a pyarrow.Table, RecordBatch or RecordBatchReader")


def _one_array(arrow: Any, column: Any) -> Any:
    if column.num_chunks == 0:
        return arrow.array([], column.type)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _to_arrow(arrow: Any, name: str, column: AnyArray | Column) -> Any:
    if not isinstance(column, np.ndarray):
        raise SchemaError(f"column {name!r} is of kind {column.kind!r}: Arrow tables take arrays")
    if column.ndim > 1:
        inner = column.reshape(-1, *column.shape[2:])
        values = _to_arrow(arrow, name, inner)
        return arrow.FixedSizeListArray.from_arrays(values, type=_list_type(arrow, values, column))
    listed = column.tolist() if column.dtype.kind in "UST" else column
    try:
        return arrow.array(listed)
    except (arrow.ArrowException, TypeError, ValueError) as error:
        text = f"column {name!r} of {column.dtype} has no type in Arrow"
        raise SchemaError(f"{text}: convert or drop it") from error


def _list_type(arrow: Any, values: Any, column: AnyArray) -> Any:
    if column.shape[1] == 0:
        raise SchemaError(f"a column of shape {column.shape} has no type in Arrow: drop it")
    return arrow.list_(values.type, column.shape[1])


def _from_arrow(arrow: Any, name: str, array: Any) -> AnyArray:
    types, kind = arrow.types, array.type
    if types.is_dictionary(kind):
        return _from_arrow(arrow, name, array.dictionary_decode())
    if types.is_fixed_size_list(kind):
        return _from_lists(arrow, name, array)
    if types.is_null(kind):  # what Arrow makes of objects that are all None
        return np.full(len(array), None, object)
    if _is_text(types, kind):
        return np.fromiter(array.to_pylist(), object, len(array))
    if not (types.is_primitive(kind) or types.is_boolean(kind)):
        raise SchemaError(
            f"column {name!r} is of Arrow's {kind}: cast it to one with a numpy dtype"
        )
    if array.null_count and not (types.is_floating(kind) or types.is_temporal(kind)):
        text = f"column {name!r} has {array.null_count} nulls, and {kind} no missing value"
        raise SchemaError(f"{text}: fill them or cast to float64")
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _is_text(types: Any, kind: Any) -> bool:
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )


def _from_lists(arrow: Any, name: str, array: Any) -> AnyArray:
    if array.null_count:
        raise SchemaError(f"column {name!r} has lists that are null: fill them first")
    flat = _from_arrow(arrow, name, array.flatten())
    return flat.reshape(len(array), array.type.list_size, *flat.shape[1:])
