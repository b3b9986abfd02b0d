"""Batches as pandas frames and back. Needs pandas: the extra `pandas`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch.extras import extra_module
from rxml.batch.gather import inferred_column
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch.column import AnyArray, Column


def frame_of(columns: Mapping[str, AnyArray | Column]) -> Any:
    """The columns as a frame; those of shape (n, k) as objects, one array per row.

    Raises:
        SchemaError: a column is a distribution.
        ModuleNotFoundError: pandas is missing, with the name of the extra.
    """
    pandas = extra_module("pandas", "pandas")
    return pandas.DataFrame({name: _series(name, column) for name, column in columns.items()})


def columns_of_frame(frame: Any) -> dict[str, AnyArray]:
    """The columns of a frame, without its index; missing values are NaN, NaT or None.

    Raises:
        SchemaError: two columns have one name, or a column has missing values or mixed types that no
            array holds.
        ModuleNotFoundError: pandas is missing, with the name of the extra.
    """
    pandas = extra_module("pandas", "pandas")
    if not frame.columns.is_unique:
        raise SchemaError(
            f"the frame's columns {list(frame.columns)} repeat a name: rename them first"
        )
    return {name: _array(pandas, name, series) for name, series in frame.items()}


def _series(name: str, column: AnyArray | Column) -> Any:
    if not isinstance(column, np.ndarray):
        raise SchemaError(f"column {name!r} is of kind {column.kind!r}: frames take arrays")
    return column if column.ndim == 1 else list(column)


def _array(pandas: Any, name: str, series: Any) -> AnyArray:
    if isinstance(series.dtype, pandas.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    dtype: Any = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return np.asarray(series.to_numpy())
    return _from_objects(name, series)


def _from_objects(name: str, series: Any) -> AnyArray:
    if len(series) == 0:
        return np.empty(0, object)
    objects = series.astype(object)
    return inferred_column(name, objects.where(series.notna(), None).tolist())
