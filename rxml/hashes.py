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

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEY: Final = b"rxml.aggregates"  # where hashes were made first: changing it would change them all
_INT: Final = 0x243F6A8885A308D3  # the digits of pi: numbers that hide nothing
_FLOAT: Final = 0x13198A2E03707344
_BELOW: Final = 0x082EFA98EC4E6C89
_TIME: Final = 0xA4093822299F31D0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EDGE: Final = 2.0**63


def mixed(bits: NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64: each of the 64 bits of a hash depends on all of the bits and of the key.

    Args:
        bits: uint64 of any shape; not changed.
        key: what the hash is under, 0 to 2**64 - 1.
    """
    x = (bits ^ np.uint64(key)) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def of_times(nanoseconds: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The hash of each point in time or duration, int64 nanoseconds."""
    return mixed(nanoseconds.view(np.uint64), _TIME)


def of_numbers(values: NDArray[Any]) -> NDArray[np.uint64]:
    """The hash of each number: bool, int, unsigned or float of any width; every NaN has the same."""
    if values.dtype.kind == "u":
        return mixed(values.astype(np.uint64), _INT)
    if values.dtype.kind != "f":
        return _of_ints(values.astype(np.int64))
    wide = values.astype(np.float64)
    hashes = mixed(np.where(np.isnan(wide), np.nan, wide).view(np.uint64), _FLOAT)
    whole = np.floor(wide) == wide
    for ints, low, high in ((np.int64, -_EDGE, _EDGE), (np.uint64, _EDGE, 2 * _EDGE)):
        rows = whole & (wide >= low) & (wide < high)
        hashes[rows] = of_numbers(wide[rows].astype(ints))
    return hashes


def of_object(item: Any) -> int:
    """The hash of one value: a number, str, bytes, date, aware datetime, timedelta, UUID or a tuple of such.

    Raises:
        TypeError: it is of a type whose hash would change from process to process.
    """
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


def _of_ints(ints: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Those below zero under a key of their own: their bits are also those of unsigned ones."""
    hashes = mixed(ints.view(np.uint64), _INT)
    below = ints < 0
    if below.any():
        hashes[below] = mixed(ints[below].view(np.uint64), _BELOW)
    return hashes


def _of_tuple(items: Any) -> int:
    parts = map(of_object, items)
    return _digest(b"t", b"".join(part.to_bytes(8, "little") for part in parts))


def _of_number(item: Any) -> int:
    if isinstance(item, int) and not -(2**63) <= item < 2**64:
        if not _is_float(item):
            return _digest(b"i", str(item).encode())
        item = float(item)
    return int(of_numbers(np.array([item]))[0])


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
        return int(mixed(np.array([nanos], np.uint64), _TIME)[0])
    if isinstance(item, date) and not isinstance(item, datetime):
        return _digest(b"d", item.isoformat().encode())
    raise TypeError(type(item).__name__)


def _digest(tag: bytes, data: bytes) -> int:
    return int.from_bytes(blake2b(tag + data, digest_size=8, key=_KEY).digest(), "little")
