"""Sorts: columns of Python objects taken apart by what their values are, one by one.

numpy would find one dtype for all of them, and which one that is depends on where a stream was cut.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from rxml.aggregates.aggregate import shown
from rxml.aggregates.values import NUMBERS, TIMES, nanoseconds
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_INT64: Final = 1 << 63
_UINT64: Final = 1 << 64


class Part(NamedTuple):
    """Rows of one sort.

    Attributes:
        rows: which, in order; None: all.
        values: of these: bools, ints, floats, datetime64[ns] or timedelta64[ns].
    """

    rows: NDArray[np.intp] | None
    values: NDArray[Any]

    def of(self, array: NDArray[Any]) -> NDArray[Any]:
        """What an array with a place for each row has at these."""
        return array if self.rows is None else array[self.rows]


def parts_of(column: Column, values: NDArray[Any], *, times: bool = False) -> list[Part]:
    """A column by sort: objects one by one, ints beyond int64 apart; any other dtype is of one sort.

    Args:
        column: whose values these are, for messages.
        values: shape (n,).
        times: whether points in time and durations are admitted.

    Raises:
        SchemaError: a value is missing, or of no sort that is admitted.
    """
    if values.ndim == 1 and values.dtype.kind in TIMES and times:
        return [Part(None, nanoseconds(column, values).view(f"{values.dtype.kind}8[ns]"))]
    if values.ndim != 1 or values.dtype.kind != "O":
        return [Part(None, numbers(column, values))]
    items = values.tolist()
    sorts = [_sort(column, row, item, times=times) for row, item in enumerate(items)]
    kinds = sorted(set(sorts))
    if len(kinds) == 1:
        return [Part(None, _array(column, kinds[0], items))]
    parts: list[Part] = []
    for kind in kinds:
        rows = np.flatnonzero([each == kind for each in sorts])
        parts.append(Part(rows, _array(column, kind, [items[row] for row in rows.tolist()])))
    return parts


def _sort(column: Column, row: int, item: Any, *, times: bool) -> str:
    """The kind of the dtype that the value calls for."""
    sort = _number(column, item)
    if sort is None and times:
        sort = _time(item)
    if sort is not None:
        return sort
    text = f"row {row}: column {shown(column)}"
    if item is None:
        raise SchemaError(f"{text} has no value (None): leave out such rows, or fill them first")
    also = ", an aware datetime or a timedelta" if times else ""
    text = f"{text} is {item!r} ({type(item).__name__}), and numbers are wanted"
    raise SchemaError(f"{text}: an int, a float, a bool{also}")


def _number(column: Column, item: Any) -> str | None:
    if isinstance(item, float | np.floating):
        return "f"
    if isinstance(item, np.timedelta64):  # it is one of numpy's ints
        return None
    if not isinstance(item, int | np.bool_ | np.integer):
        return None
    if -_INT64 <= item < _INT64:
        return "i"
    if item < _UINT64 and item > 0:
        return "u"
    text = f"column {shown(column)} has ints beyond 64 bits, such as {item}"
    raise SchemaError(f"{text}: cast them to float if digits may be lost")


def _time(item: Any) -> str | None:
    if isinstance(item, np.datetime64):
        return "M"
    if isinstance(item, timedelta | np.timedelta64):
        return "m"
    return "M" if isinstance(item, datetime) and item.utcoffset() is not None else None


def _array(column: Column, kind: str, items: list[Any]) -> NDArray[Any]:
    if kind in TIMES:
        whole = [_nanoseconds(column, each) for each in items]
        return np.array(whole, np.int64).view(f"{kind}8[ns]")
    return np.array(items, f"{kind}8")


def _nanoseconds(column: Column, item: Any) -> int:
    if isinstance(item, np.datetime64 | np.timedelta64):
        return int(nanoseconds(column, np.asarray([cast("Any", item)]))[0])
    since: timedelta = item - _EPOCH if isinstance(item, datetime) else item
    whole = since // _MICROSECOND * 1_000
    if not -_INT64 < whole < _INT64:
        text = f"column {shown(column)} is {item}, beyond what nanoseconds in 64 bits can say"
        raise SchemaError(f"{text} (years 1677 to 2262)")
    return whole


def numbers(column: Column, values: NDArray[Any]) -> NDArray[Any]:
    """A column of bools, ints or floats, as it is.

    Raises:
        SchemaError: it is of another dtype, or there is more than one value for a row.
    """
    if values.ndim != 1:
        text = f"column {shown(column)} has rows of shape {values.shape[1:]}"
        raise SchemaError(f"{text}: an aggregate takes one value for a row")
    if values.dtype.kind in NUMBERS:
        return values
    text = f"column {shown(column)} has dtype {values.dtype}"
    raise SchemaError(f"{text}, and numbers are wanted: cast it to int64 or float64")


def floats(column: Column, values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers as float64, copied only if they are of another dtype; ints beyond 2**53 are rounded, each by itself.

    Raises:
        SchemaError: as in `numbers`, or in `parts_of`.
    """
    result = np.empty(len(values))
    for part in parts_of(column, values):
        if part.rows is None:
            return part.values.astype(np.float64, copy=False)
        result[part.rows] = part.values
    return result
