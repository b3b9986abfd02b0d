"""Hashes of values that are the same in every process and on every machine: 64 bits, under a fixed key.

Equal numbers have equal hashes, whatever their type: True, 1 and 1.0. Numbers and times are hashed by the finalizer
of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), a column at a time;
texts and the rest by BLAKE2b. The key is no secret: who may choose the values may choose such that collide.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from rxml.aggregates.aggregate import shown
from rxml.aggregates.values import NUMBERS, TIMES, nanoseconds
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column

_KEY: Final = b"rxml.aggregates"
_INT: Final = 0x243F6A8885A308D3  # the digits of pi: numbers that hide nothing
_FLOAT: Final = 0x13198A2E03707344
_BELOW: Final = 0x082EFA98EC4E6C89
_TIME: Final = 0xA4093822299F31D0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EDGE: Final = 2.0**63
_WANTED: Final = (
    "give a number, str, bytes, date, aware datetime, timedelta, UUID or a tuple of such"
)


def hashed(column: Column, values: NDArray[Any]) -> NDArray[np.uint64]:
    """The hash of each row's value.

    Args:
        column: whose values these are, for messages.
        values: numbers, times, texts or Python objects, of shape (n,).

    Raises:
        SchemaError: a value is missing, or of a type whose hash would change from process to process.
    """
    if values.ndim != 1:
        text = f"column {shown(column)} has rows of shape {values.shape[1:]}"
        raise SchemaError(f"{text}: give a function that makes a tuple of each")
    if values.dtype.kind in NUMBERS:
        return _of_numbers(values)
    if values.dtype.kind in TIMES:
        return _mixed(nanoseconds(column, values).view(np.uint64), _TIME)
    return _of_objects(column, values.tolist())


def _mixed(bits: NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    x = (bits ^ np.uint64(key)) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _of_numbers(values: NDArray[Any]) -> NDArray[np.uint64]:
    if values.dtype.kind == "u":
        return _mixed(values.astype(np.uint64), _INT)
    if values.dtype.kind != "f":
        return _of_ints(values.astype(np.int64))
    wide = values.astype(np.float64)
    hashes = _mixed(np.where(np.isnan(wide), np.nan, wide).view(np.uint64), _FLOAT)
    whole = np.floor(wide) == wide
    for ints, low, high in ((np.int64, -_EDGE, _EDGE), (np.uint64, _EDGE, 2 * _EDGE)):
        rows = whole & (wide >= low) & (wide < high)
        hashes[rows] = _of_numbers(wide[rows].astype(ints))
    return hashes


def _of_ints(ints: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Those below zero under a key of their own: their bits are also those of unsigned ones."""
    hashes = _mixed(ints.view(np.uint64), _INT)
    below = ints < 0
    if below.any():
        hashes[below] = _mixed(ints[below].view(np.uint64), _BELOW)
    return hashes


def _of_objects(column: Column, items: list[Any]) -> NDArray[np.uint64]:
    """Each distinct object is hashed once."""
    known: dict[Any, int] = {}
    for row, item in enumerate(items):
        try:
            if item not in known:
                known[item] = _of_object(item)
        except TypeError as error:
            text = f"row {row}: column {shown(column)} is {item!r} ({type(item).__name__})"
            raise SchemaError(f"{text}, which has no hash that lasts: {_WANTED}") from error
    return np.fromiter(map(known.__getitem__, items), np.uint64, len(items))


def _of_object(item: Any) -> int:
    if issubclass(type(item), tuple):  # isinstance would make it a tuple of unknowns
        return _of_tuple(item)
    match item:
        case str():
            return _digest(b"s", item.encode("utf-8", "surrogatepass"))
        case bytes():
            return _digest(b"b", item)
        case bool() | int() | float() | np.bool_() | np.integer() | np.floating():
            return _of_number(item)
        case UUID():
            return _digest(b"u", item.bytes)
        case _:
            return _of_time(item)


def _of_tuple(items: Any) -> int:
    parts = map(_of_object, items)
    return _digest(b"t", b"".join(part.to_bytes(8, "little") for part in parts))


def _of_number(item: Any) -> int:
    if isinstance(item, int) and not -(2**63) <= item < 2**64:
        if not _is_float(item):
            return _digest(b"i", str(item).encode())
        item = float(item)
    return int(_of_numbers(np.array([item]))[0])


def _is_float(number: int) -> bool:
    """Whether a float is equal to the whole number."""
    try:
        return int(float(number)) == number
    except OverflowError:
        return False


def _of_time(item: Any) -> int:
    if isinstance(item, datetime) and item.utcoffset() is not None:
        item = item - _EPOCH
    if isinstance(item, timedelta):
        nanos = (item // _MICROSECOND) * 1000 % 2**64
        return int(_mixed(np.array([nanos], np.uint64), _TIME)[0])
    if isinstance(item, date) and not isinstance(item, datetime):
        return _digest(b"d", item.isoformat().encode())
    raise TypeError(type(item).__name__)


def _digest(tag: bytes, data: bytes) -> int:
    return int.from_bytes(blake2b(tag + data, digest_size=8, key=_KEY).digest(), "little")
