"""What is accepted as a column, and as a choice of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, TypeGuard, cast

import numpy as np

from rxml.batch.column import AnyArray, Column, frozen, is_array, sealed
from rxml.batch.gather import inferred_column
from rxml.batch.schema import require_name
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike


# what a user may give for a column; a list may hold None
ColumnLike: TypeAlias = "ArrayLike | Sequence[Any] | Column"


def column_from(name: str, given: object) -> AnyArray | Column:
    """An array as a view that cannot be written through, a Column as it is, a sequence by inference.

    Raises:
        SchemaError: it is a scalar, masked, or a sequence of values that are no column's.
    """
    if type(name) is not str:
        require_name(name)
    if is_array(given):
        return _array(name, given)
    if isinstance(given, Column):
        return given
    if isinstance(given, (list, tuple, range)):
        return _sequence(name, cast("Sequence[object]", given))
    return _array(name, np.asarray(given))


def _sequence(name: str, given: Sequence[object]) -> AnyArray | Column:
    return inferred_column(name, given) if given else sealed(np.empty(0))


def _array(name: str, given: AnyArray) -> AnyArray:
    if type(given) is np.ndarray and given.ndim:
        return frozen(given)
    if isinstance(given, np.ma.MaskedArray):
        raise SchemaError(f"column {name!r} is a masked array: fill it, with NaN for instance")
    if given.ndim == 0:
        text = f"column {name!r} is the scalar {given!r}"
        raise SchemaError(f"{text}: give one value per row, by np.full(n, value) for instance")
    return frozen(np.asarray(given))


def common_length(columns: Mapping[str, AnyArray | Column], rows: int = 0) -> int:
    """The one length of the columns; 0 if there are none.

    Args:
        columns: by name.
        rows: how many there must be; 0 for as many as the first column has.

    Raises:
        SchemaError: naming two columns that differ, or one that has not as many rows as there must be.
    """
    first, length = "", -1
    for name, column in columns.items():
        if length < 0:
            first, length = name, len(column)
        elif len(column) != length:
            text = f"column {name!r} has {len(column)} rows, {first!r} has {length}"
            raise SchemaError(f"{text}: all columns of a batch have one length")
    if rows and length not in (-1, rows):
        raise SchemaError(f"column {first!r} has {length} rows, the batch has {rows}: give as many")
    return max(0, length)


def is_number(key: object) -> TypeGuard[SupportsIndex]:
    """Whether it is the number of one row; an array is not, even of one element."""
    return type(key) is int or (isinstance(key, SupportsIndex) and not isinstance(key, np.ndarray))


def row_selector(key: Any, length: int) -> tuple[AnyArray, int]:
    """A mask of that length, or row numbers, as an array; and how many rows it chooses.

    Raises:
        SchemaError: it is neither, or the mask has another length.
        IndexError: there is no such row.
    """
    where = np.asarray(key)
    if where.shape == (0,) and where.dtype.kind == "f":  # what numpy makes of an empty list
        where = where.astype(np.intp)
    if where.ndim != 1 or where.dtype.kind not in "biu":
        text = f"rows chosen by {where.dtype} of shape {where.shape}"
        raise SchemaError(f"{text}: use a slice, a mask of booleans or row numbers")
    if where.dtype.kind == "b" and len(where) != length:
        raise SchemaError(f"a mask of {len(where)} for a batch of {length} rows: give one per row")
    if where.dtype.kind == "b":
        return where, int(np.count_nonzero(where))
    return where, len(np.empty((length, 0))[where])  # numpy looks at the numbers
