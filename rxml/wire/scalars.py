"""Numpy's scalars, points in time and durations as extension values."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgpack import Timestamp

from rxml.errors import WireError
from rxml.wire.dtypes import check_values, dtype_of, name_of
from rxml.wire.layout import bytes_of, hollow

if TYPE_CHECKING:
    from rxml.wire.reader import Reader
    from rxml.wire.writer import Writer

TIMESTAMP: Final = -1  # msgpack's own
SCALAR: Final = 4
DURATION: Final = 5
# long doubles have no portable bytes
SCALAR_TYPES: Final = tuple({np.dtype(code).type for code in "?bhilqpBHILQPefdFDSUVMm"})

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_NAME_LENGTH: Final = struct.Struct("<H")
_DURATION: Final = struct.Struct(">iII")
_DAY: Final = 86_400
_MILLION: Final = 1_000_000
# numpy's text scalars, unlike its text arrays, may end in NUL; so they have names of their own
_STR: Final = b"str"
_BYTES: Final = b"bytes"


def write_scalar(writer: Writer, scalar: Any) -> None:
    """Append a numpy scalar: u16 length of the dtype's name (little-endian), the name, the bytes."""
    if isinstance(scalar, np.str_):
        name, payload = _STR, scalar.encode()
    elif isinstance(scalar, np.bytes_):
        name, payload = _BYTES, bytes(scalar)
    else:
        if scalar.dtype.kind in "MV":
            check_values(np.asarray(scalar))
        name, payload = name_of(scalar.dtype), bytes_of(scalar)
    whole = _NAME_LENGTH.pack(len(name)) + name + payload
    if len(whole) < 256:
        writer.small(SCALAR, whole)
        return
    start = writer.open()
    writer.piece(whole, len(whole))
    writer.close(start, SCALAR)


def read_scalar(reader: Reader, _: int) -> Any:
    """The numpy scalar that the payload holds.

    Raises:
        ValueError: the bytes are no value of the dtype.
        WireError: the payload is too short.
    """
    at = reader.position
    length = reader.number(_NAME_LENGTH, at)
    name = reader.data[reader.take(length, at) : reader.position]
    left = reader.end - reader.position
    if name == _STR:
        return np.str_(reader.text(left, at))
    if name == _BYTES:
        return np.bytes_(reader.binary(left, at))
    return _scalar(reader, dtype_of(name), at)


def _scalar(reader: Reader, dtype: np.dtype[Any], at: int) -> Any:
    _require_fit(dtype, reader)
    reader.count(hollow(dtype), at)
    start = reader.take(dtype.itemsize, at)
    # a structure refers to this copy, padding and all; and what is not an array must not keep the message alive
    value = np.ndarray((1,), dtype, reader.data[start : reader.end])
    check_values(value)
    return value[0]


def _require_fit(dtype: np.dtype[Any], reader: Reader) -> None:
    left, limits = reader.end - reader.position, reader.limits
    if dtype.kind in "US":
        raise ValueError(f"{dtype}, and texts and bytes are named 'str' and 'bytes'")
    if dtype.itemsize != left:
        raise ValueError(f"{dtype} takes {dtype.itemsize} bytes, there are {left}")
    if dtype.kind == "V" and left > limits.max_bin:
        raise ValueError(f"{left} bytes of a void, the limit is {limits.max_bin}")


def write_datetime(writer: Writer, value: datetime) -> None:
    """Append a point in time as msgpack's timestamp.

    Raises:
        WireError: it has no time zone.
    """
    if value.utcoffset() is None:
        text = f"cannot encode {value!r}, a datetime without a time zone"
        raise WireError(f"{text}: give it one, such as datetime.UTC")
    seconds, rest = divmod(value - _EPOCH, _SECOND)
    writer.small(TIMESTAMP, Timestamp(seconds, rest.microseconds * 1000).to_bytes())


def read_datetime(reader: Reader, _: int) -> datetime:
    """The point in time, in UTC.

    Raises:
        ValueError: it has nanoseconds, which a datetime has not, or is no timestamp.
        OverflowError: it is not in the years 1 to 9999.
    """
    start = reader.take(reader.end - reader.position, reader.position)
    stamp: Any = Timestamp.from_bytes(reader.data[start : reader.end])
    fraction: int = stamp.nanoseconds
    microseconds, nanoseconds = divmod(fraction, 1000)
    if nanoseconds:
        text = f"{nanoseconds} nanoseconds, which datetime has not"
        raise ValueError(f"{text}: send a numpy datetime64[ns]")
    whole: int = stamp.seconds
    return _EPOCH + timedelta(seconds=whole, microseconds=microseconds)


def write_timedelta(writer: Writer, value: timedelta) -> None:
    """Append a duration: i32 days, u32 seconds, u32 microseconds, big-endian, as timedelta has them."""
    writer.small(DURATION, _DURATION.pack(value.days, value.seconds, value.microseconds))


def read_timedelta(reader: Reader, _: int) -> timedelta:
    """The duration.

    Raises:
        ValueError: there are more seconds than in a day, or microseconds than in a second.
        OverflowError: there are more days than a timedelta holds.
        WireError: the payload is too short.
    """
    start = reader.take(_DURATION.size, reader.position)
    days, seconds, microseconds = _DURATION.unpack_from(reader.data, start)
    if seconds >= _DAY or microseconds >= _MILLION:
        raise ValueError(f"{seconds} seconds and {microseconds} microseconds beside days")
    return timedelta(days, seconds, microseconds)
