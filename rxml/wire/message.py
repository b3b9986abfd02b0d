"""Whole messages: from a value to bytes and back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.uncertain import KINDS
from rxml.wire.arrays import ARRAY, read_array
from rxml.wire.batches import BATCH, read_batch, write_batch, write_column
from rxml.wire.distributions import DISTRIBUTION, read_distribution, write_distribution
from rxml.wire.limits import Limits
from rxml.wire.quick import EXTENSION, quick_batch
from rxml.wire.reader import Reader
from rxml.wire.registry import Extension, install, read_of, write_of
from rxml.wire.scalars import (
    DURATION,
    SCALAR,
    SCALAR_TYPES,
    TIMESTAMP,
    read_datetime,
    read_scalar,
    read_timedelta,
    write_datetime,
    write_scalar,
    write_timedelta,
)
from rxml.wire.texts import TEXT, read_texts
from rxml.wire.writer import Writer

if TYPE_CHECKING:
    from typing_extensions import Buffer

_DEFAULT: Final = Limits()

install(Extension(ARRAY, "array", write_column, read_array), np.ndarray)
install(Extension(TEXT, "array of texts", write_column, read_texts))
install(Extension(BATCH, "batch", write_batch, read_batch), Batch)
install(Extension(SCALAR, "numpy scalar", write_scalar, read_scalar), *SCALAR_TYPES)
install(Extension(TIMESTAMP, "timestamp", write_datetime, read_datetime), datetime)
install(
    Extension(DISTRIBUTION, "distribution", write_distribution, read_distribution), *KINDS.values()
)
install(Extension(DURATION, "duration", write_timedelta, read_timedelta), timedelta)


def dumps(value: object) -> bytes:
    """The message that holds a value.

    Raises:
        WireError: it holds something the wire has no place for: a type that is none of the table's, a
            datetime without a time zone, an object array of anything but texts, a long double, a whole
            number outside -2^63 to 2^64 - 1, a lone surrogate, a memoryview with gaps, containers in more than some 500 others.
    """
    writer = Writer(write_of)
    _write(writer, value)
    return writer.finish()


def dumps_between(before: bytes, value: object, behind: bytes) -> bytes:
    """The message that holds a value between others, for those who have packed these beforehand.

    Args:
        before: the message up to the value.
        value: see `dumps`.
        behind: what follows it.

    Raises:
        WireError: see `dumps`.
    """
    writer = Writer(write_of)
    writer.piece(before, len(before))
    _write(writer, value)
    writer.piece(behind, len(behind))
    return writer.finish()


def _write(writer: Writer, value: object) -> None:
    try:
        writer.value(value)
    except WireError:
        raise
    except OverflowError as error:
        raise WireError(
            f"cannot encode: {error}; whole numbers must be -2^63 to 2^64 - 1"
        ) from error
    except (ValueError, RecursionError, BufferError) as error:  # a view with gaps is no buffer
        raise WireError(f"cannot encode: {error}") from error


def loads(data: Buffer, *, limits: Limits = _DEFAULT) -> Any:
    """The value that a message holds.

    Arrays are views of the message that cannot be written to, so they keep all of it in memory; copy what is
    to be kept for long. Given something else than bytes, it is copied once first.

    Args:
        data: the message, bytes where possible.
        limits: what it may ask for.

    Raises:
        WireError: it is not a message, or asks for more than the limits; naming the byte.
    """
    try:
        return Reader(_as_bytes(data, limits), limits, read_of).whole()
    except RecursionError as error:
        raise WireError("nested deeper than what is left of Python's stack", 0) from error


def loads_behind(data: bytes, position: int, values: int, *, limits: Limits = _DEFAULT) -> Any:
    """The last value of a map that makes up a message, for those who know by its first bytes what comes before.

    Args:
        data: the message.
        position: where the value begins.
        values: in the map, keys included.
        limits: see `loads`.

    Raises:
        WireError: see `loads`.
    """
    if (
        data[position : position + 1] == EXTENSION
        and (batch := quick_batch(data, position, limits)) is not None
    ):
        return batch
    try:
        return Reader(data, limits, read_of).behind(position, values)
    except RecursionError as error:
        raise WireError("nested deeper than what is left of Python's stack", 0) from error


def _as_bytes(data: Buffer, limits: Limits) -> bytes:
    if type(data) is bytes:
        return data
    view = memoryview(data)
    if view.nbytes > limits.max_bytes:  # before it is copied
        text = f"a message of {view.nbytes} bytes, the limit is {limits.max_bytes}"
        raise WireError(text, limits.max_bytes)
    return view.tobytes()
