"""Instants: event times as int64 nanoseconds since 1970 in UTC, whatever they came as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

import numpy as np

from rxml.errors import SchemaError
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.flow.timing.duration import Duration

Unit: TypeAlias = Literal["ns", "us", "ms", "s"]
"""What numbers count."""

UNITS: Final[dict[str, int]] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_YEAR_2000: Final = 946_684_800
_YEAR_2100: Final = 4_102_444_800
_LARGEST: Final = (1 << 63) - 1


def require_unit(name: str, unit: object) -> None:
    """Refuse what is no unit.

    Raises:
        ValueError: neither one of `UNITS` nor None.
    """
    if unit is not None and unit not in UNITS:
        message = f"{name} wants a unit of {', '.join(UNITS)}, got {unit!r}"
        raise ValueError(message)


def nanoseconds(duration: Duration, name: str) -> int:
    """A duration in whole nanoseconds, >= 0.

    Raises:
        TypeError: neither seconds as a number nor a timedelta.
        ValueError: negative, not a number, or beyond 292 years.
    """
    seconds = seconds_of(duration, name)
    if isinstance(duration, timedelta):
        whole: float = duration // _MICROSECOND * 1_000
    else:
        whole = duration * 1_000_000_000 if isinstance(duration, int) else seconds * 1e9
    if not whole <= _LARGEST:
        message = f"{name} wants a duration of less than 292 years, got {duration!r}"
        raise ValueError(message)
    return round(whole)


def instant(value: object, unit: Unit | None = None) -> int:
    """One event time: a whole number (of `unit`, by default nanoseconds), an aware datetime, or a datetime64.

    Raises:
        SchemaError: anything else, NaN and NaT included.
    """
    if isinstance(value, datetime):
        return _of_whole(since_1970(value), None)
    if isinstance(value, np.datetime64):
        return int(_of_datetimes(np.asarray([cast("Any", value)]))[0])
    if isinstance(value, float | np.floating):
        return int(_of_fractions(np.asarray([value]), unit)[0])
    if isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64):
        return _of_whole(int(cast("Any", value)), unit)
    if value is None:
        return _missing(value)
    kind = type(value).__name__
    message = f"event time {value!r} ({kind}) is neither a whole number, an aware datetime nor a datetime64"
    raise SchemaError(message)


def instants(values: Sequence[Any] | NDArray[Any], unit: Unit | None = None) -> NDArray[np.int64]:
    """Event times of many elements, shape (n,); see `instant`.

    Args:
        values: numbers, datetimes or datetime64s, mixed as they come.
        unit: what numbers count; None: nanoseconds. Fractions are taken only where a unit is named.

    Raises:
        SchemaError: one of them is no event time; the message says which and what would be right.
    """
    column = _column(values)
    if column is None or column.ndim != 1 or column.dtype.kind not in "iufM":
        return np.fromiter((instant(each, unit) for each in values), np.int64, len(values))
    if column.dtype.kind == "M":
        return _of_datetimes(column)
    return _of_fractions(column, unit) if column.dtype.kind == "f" else _of_numbers(column, unit)


def _column(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any] | None:
    """The values as an array, if it says what each of them does: numpy would make others of what is mixed."""
    if isinstance(values, np.ndarray):
        return values
    kinds = set(map(type, values))
    if kinds == {np.datetime64}:
        dtypes = {each.dtype for each in values}
        return np.array(values) if len(dtypes) == 1 else None
    if kinds == {float}:
        return np.array(values, np.float64)
    try:
        return np.array(values, np.int64) if kinds <= {int} else None
    except OverflowError:
        return None


def unit_hint(first: int) -> str | None:
    """Why the first time of a stream, in nanoseconds, looks as if it counted something coarser; None if it does not.

    Numbers that are times between 2000 and 2100 in seconds, milliseconds or microseconds are, in nanoseconds, within the
    first days of 1970.
    """
    for unit in ("s", "ms", "us"):
        scale = UNITS["s"] // UNITS[unit]
        if _YEAR_2000 * scale <= first <= _YEAR_2100 * scale:
            return (
                f"the first event time is {first}, which as nanoseconds is {first / 1e9:,.4f} s after the beginning "
                f"of 1970; if it counts {unit}, say unit={unit!r}; if it does mean nanoseconds, say unit='ns'"
            )
    return None


def since_1970(value: datetime) -> int:
    """An aware datetime, also pandas' kind, in nanoseconds since 1970 UTC, however far away.

    Raises:
        SchemaError: it has no time zone, or is missing (pandas' NaT).
    """
    if value.utcoffset() is None:
        message = f"event time {value!r} has no time zone; give it one, such as datetime.UTC"
        raise SchemaError(message)
    rest = getattr(value, "nanosecond", 0)  # pandas' timestamps have nanoseconds, too
    if not isinstance(rest, int):  # that of pandas' NaT is NaN
        return _missing(value)
    return (value - _EPOCH) // _MICROSECOND * 1_000 + rest


def _of_datetimes(column: NDArray[Any]) -> NDArray[np.int64]:
    absent = np.isnat(column)
    if absent.any():
        _missing(column[absent][0])
    exact = column.astype("datetime64[ns]")
    if not np.array_equal(exact.astype(column.dtype), column):
        message = (
            "an event time is beyond the years 1677 to 2262, or finer, than int64 nanoseconds reach"
        )
        raise SchemaError(message)
    return exact.astype(np.int64)


def _of_whole(number: int, unit: Unit | None) -> int:
    scaled = number * UNITS[unit or "ns"]
    if scaled == -_LARGEST - 1:
        return _missing("the least int64, which stands for a missing time")
    if not -_LARGEST <= scaled <= _LARGEST:
        message = f"event time {number} {unit or 'ns'} is beyond the years 1677 to 2262, which int64 nanoseconds reach"
        raise SchemaError(message)
    return scaled


def _of_numbers(column: NDArray[Any], unit: Unit | None) -> NDArray[np.int64]:
    scale = UNITS[unit or "ns"]
    if (
        scale == 1
        and column.dtype == np.int64
        and (not len(column) or np.minimum.reduce(column) >= -_LARGEST)
    ):
        return cast("NDArray[np.int64]", column)
    if len(column) and int(max(column.max(), -int(column.min()))) > _LARGEST // scale:
        for number in column.tolist():
            _of_whole(number, unit)
    return column.astype(np.int64) * scale


def _of_fractions(column: NDArray[Any], unit: Unit | None) -> NDArray[np.int64]:
    absent = ~np.isfinite(column)
    if absent.any():
        _missing(column[absent][0])
    if unit is None:
        message = (
            f"event time {column[0]!r} is a fraction: say what it counts, such as unit='s', "
            "or give whole nanoseconds"
        )
        raise SchemaError(message)
    wide, scale = column.astype(np.float64), UNITS[unit]
    far = np.abs(wide) >= _LARGEST / scale
    if far.any():
        message = f"event time {wide[far][0]} {unit} is beyond the years 1677 to 2262, which int64 nanoseconds reach"
        raise SchemaError(message)
    whole = np.floor(wide)  # a product with all digits would be rounded to some hundred nanoseconds
    return whole.astype(np.int64) * scale + np.rint((wide - whole) * scale).astype(np.int64)


def _missing(value: object) -> int:
    message = f"event time is missing: {value}; leave such elements out before, or give them a time"
    raise SchemaError(message)
