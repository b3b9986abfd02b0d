"""Batches as pandas frames and back. Needs pandas: the extra `pandas`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch.column import shielded
from rxml.batch.extras import extra_module
from rxml.batch.gather import declared, inferred_column
from rxml.batch.schema import require_name
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch.column import AnyArray, Column
    from rxml.batch.schema import Field, Schema


def frame_of(columns: Mapping[str, AnyArray | Column], rows: int) -> Any:
    """The columns, of so many rows, as a frame; those of shape (n, k) as objects, one array per row.

    Raises:
        SchemaError: a column is no array (see `readings` of distributions), or has a text that is no Unicode.
        ModuleNotFoundError: pandas is missing, with the name of the extra.
    """
    pandas = extra_module("pandas", "pandas")
    series = {name: _series(pandas, name, column) for name, column in columns.items()}
    return pandas.DataFrame(series) if series else pandas.DataFrame(index=range(rows))


def columns_of_frame(frame: Any, schema: Schema | None) -> tuple[dict[str, AnyArray | Column], int]:
    """The columns of a frame, without its index, and how many rows it has; missing values are NaN, NaT or None.

    Raises:
        SchemaError: two columns have one name, a column has missing values or mixed types that no array holds,
            or it does not fit the schema.
        ModuleNotFoundError: pandas is missing, with the name of the extra.
    """
    pandas = extra_module("pandas", "pandas")
    _require_names(list(frame.columns), schema)
    columns = {
        name: shielded(_array(pandas, series, name, None if schema is None else schema[name]))
        for name, series in frame.items()
    }
    return {name: columns[name] for name in schema or columns}, len(frame)


def _require_names(names: list[Any], schema: Schema | None) -> None:
    if len(set(names)) < len(names):
        raise SchemaError(f"the frame's columns {names} repeat a name: rename them first")
    for name in names:
        require_name(name)
    if schema is not None and set(names) != set(schema):
        text = f"the frame has columns {names}, the schema {list(schema)}"
        raise SchemaError(f"{text}: give both the same")


def _series(pandas: Any, name: str, column: AnyArray | Column) -> Any:
    if not isinstance(column, np.ndarray):
        raise SchemaError(f"column {name!r} is of kind {column.kind!r}: frames take arrays")
    if column.ndim > 1:
        return list(column)
    return column if column.dtype.kind not in "OTU" else _texts(pandas, name, column)


def _texts(pandas: Any, name: str, column: AnyArray) -> Any:
    try:
        return pandas.Series(column)
    except UnicodeEncodeError as error:
        text = f"row {_not_unicode(column)}: {name!r} is no Unicode: {error.reason}"
        raise SchemaError(f"{text}; take the lone surrogates out, or drop the column") from error


def _not_unicode(column: AnyArray) -> int:
    texts = column.tolist()
    return next(
        (row for row, text in enumerate(texts) if isinstance(text, str) and not _is_unicode(text)),
        0,
    )


def _is_unicode(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)


def _array(pandas: Any, series: Any, name: str, field: Field | None) -> AnyArray | Column:
    if isinstance(series.dtype, pandas.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    dtype: Any = series.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind == "O":
        return _from_objects(pandas, series, name, field)
    array = np.asarray(series.to_numpy())
    if field is None or (array.dtype, ()) == (field.dtype, field.shape):
        return array
    return declared(field, list(array))


def _from_objects(pandas: Any, series: Any, name: str, field: Field | None) -> AnyArray | Column:
    values: list[object] = series.astype(object).where(series.notna(), None).tolist()
    if field is not None:
        return declared(field, values)
    may_be_text = series.dtype == object or isinstance(series.dtype, pandas.StringDtype)
    if not values or (may_be_text and not series.notna().any()):
        return np.full(len(values), None, object)
    return inferred_column(name, values)
