"""Columns of times: UTC for points, and no silent wrap where numpy would let one pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch.kinds import describe
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch.column import AnyArray
    from rxml.batch.schema import Field

_MICROSECOND: Final = timedelta(microseconds=1)


def times(field: Field, values: Sequence[object]) -> AnyArray:
    """Datetimes (aware, kept as UTC) or timedeltas, Python's or numpy's, in the unit of the field.

    Raises:
        SchemaError: a datetime has no time zone, or the unit cannot reach a value; naming the row.
    """
    column = np.empty(len(values), field.dtype)
    for row, value in enumerate(values):
        exact = _exact(field, row, value)
        column[row] = exact.astype(field.dtype)
        if not _reached(exact, column[row]):
            text = f"row {row}: {field.name!r} is {describe(value)}, beyond {field.dtype}"
            raise SchemaError(f"{text}: declare a coarser unit")
    return column


def nanoseconds(value: object) -> int:
    """The nanoseconds beyond whole microseconds, which Python's times have not but pandas' subclasses of them have."""
    name = "nanosecond" if isinstance(value, datetime) else "nanoseconds"
    rest = getattr(value, name, 0) if isinstance(value, datetime | timedelta) else 0
    return rest if isinstance(rest, int) else 0  # pandas' NaT has NaN


def _exact(field: Field, row: int, value: object) -> Any:
    if isinstance(value, timedelta):
        return _with_nanoseconds(np.timedelta64(value // _MICROSECOND, "us"), value)
    if not isinstance(value, datetime):
        return value
    if value.utcoffset() is None:
        text = f"row {row}: {field.name!r} is {value!r}, a datetime without a time zone"
        raise SchemaError(f"{text}: give it one, such as datetime.UTC")
    return _with_nanoseconds(np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us"), value)


def _with_nanoseconds(whole: Any, value: object) -> Any:
    rest = nanoseconds(value)
    return whole + np.timedelta64(rest, "ns") if rest else whole


def _reached(exact: Any, kept: Any) -> bool:
    # a coarser unit cannot overflow, it rounds; a finer one loses nothing unless it overflowed
    if np.isnat(exact) or np.result_type(exact, kept) != kept.dtype:
        return True
    return bool(kept.astype(exact.dtype) == exact)
