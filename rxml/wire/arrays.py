"""Arrays as extension values, aligned on the wire so that they are read where they lie.

The payload of an array is, all numbers little-endian:

    u8 dimensions, u8 padding, u16 length of the dtype's name, u64 per dimension, the name, padding zeros,
    the elements in C order

with as many zeros as bring the elements to a multiple of 16 bytes from the start of the message.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import WireError
from rxml.wire.dtypes import check_values, dtype_of, name_of, spelling_of
from rxml.wire.layout import bytes_of, hollow, visible
from rxml.wire.writer import LONGEST

if TYPE_CHECKING:
    from rxml.batch.column import AnyArray
    from rxml.wire.reader import Reader
    from rxml.wire.writer import Writer

ARRAY: Final = 1
_ALIGNMENT: Final = 16
_HEAD: Final = struct.Struct("<BBH")
_EXT32: Final = struct.Struct(">BIb")
_SHORT: Final = 64
_BUFFER_KINDS: Final = frozenset("biufc")  # times and structures export no buffer


def write_array(writer: Writer, array: AnyArray) -> None:
    """Append an array of numbers, times, fixed-size text or bytes, or structures of these.

    Raises:
        WireError: it holds long doubles or objects, or is too large for msgpack.
    """
    dtype, phase = array.dtype, writer.position % _ALIGNMENT
    plain = dtype.kind in _BUFFER_KINDS
    head = _head(dtype, array.shape, phase, "" if plain else spelling_of(dtype))
    if dtype.kind in "MV":
        check_values(array)
    writer.piece(head, len(head))
    whole = plain and array.flags.c_contiguous
    writer.piece(array if whole else bytes_of(array), array.nbytes)


@lru_cache(maxsize=512)
def _head(dtype: np.dtype[Any], shape: tuple[int, ...], phase: int, _: str) -> bytes:
    name = name_of(dtype)
    length = _HEAD.size + 8 * len(shape) + len(name)
    padding = -(phase + _EXT32.size + length) % _ALIGNMENT
    size = length + padding + prod(shape) * dtype.itemsize
    if size > LONGEST:
        raise WireError(f"an array of {size} bytes: msgpack ends at {LONGEST}, send less at a time")
    head = _EXT32.pack(0xC9, size, ARRAY) + _HEAD.pack(len(shape), padding, len(name))
    return head + struct.pack(f"<{len(shape)}Q", *shape) + name + bytes(padding)


def read_array(reader: Reader, _: int) -> AnyArray:
    """The array that the payload holds: a view of the message, which cannot be written to.

    Raises:
        ValueError: the head does not add up, or an element is no value of the dtype.
        WireError: the payload is too short.
    """
    data, at, end = reader.data, reader.position, reader.end
    start = at + _HEAD.size
    if start <= end:
        start += 8 * data[at] + data[at + 1] + data[at + 2] + (data[at + 3] << 8)
    if start > end:
        raise WireError(f"the head of an array takes {start - at} bytes, {end - at} are left", at)
    head = data[at:start]
    dtype, shape, size, claimed = parsed(head)
    if size != end - start:
        raise ValueError(f"{dtype} of shape {shape} takes {size} bytes, there are {end - start}")
    if claimed:
        _count(reader, claimed, at)
    reader.position = end
    array = np.ndarray(shape, dtype, data, start)
    if dtype.kind in "bUVM":
        check_values(array)
    return array


def parsed(head: bytes) -> tuple[np.dtype[Any], tuple[int, ...], int, tuple[int, ...]]:
    """What the head of a payload says: dtype, shape, bytes of elements, and what of them is to be counted; see `_claimed`.

    Raises:
        ValueError: it does not add up.
    """
    return _parsed(head) if len(head) <= _SHORT else _parse(head)


def _parse(head: bytes) -> tuple[np.dtype[Any], tuple[int, ...], int, tuple[int, ...]]:
    dimensions, padding, length = _HEAD.unpack_from(head)
    shape = struct.unpack_from(f"<{dimensions}Q", head, _HEAD.size)
    start = _HEAD.size + 8 * dimensions
    dtype = dtype_of(head[start : start + length])
    if padding >= _ALIGNMENT or any(head[start + length :]):
        raise ValueError("padding that is not at most 15 zeros")
    size = prod(shape) * dtype.itemsize
    return dtype, shape, size, _claimed(dtype, shape) if not size or hollow(dtype) else ()


_parsed: Final = lru_cache(maxsize=512)(_parse)


def _claimed(dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The elements, and the longest dimension, of an array that claims more than it has bytes for."""
    return visible(shape) * max(1, hollow(dtype)), max(shape, default=0)


def _count(reader: Reader, claimed: tuple[int, ...], at: int) -> None:
    # no bytes stand behind these elements, so they count as the items of a list do
    elements, longest = claimed
    reader.count(elements, at)
    if longest > reader.limits.max_items:
        text = f"a dimension of {longest} without a byte of elements"
        raise ValueError(f"{text}: the limit is {reader.limits.max_items}")
