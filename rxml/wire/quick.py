"""Quick: batches of plain numbers as our own writer lays them out, read in one go; whatever else is left to `Reader`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.batch import Batch
from rxml.wire.arrays import ARRAY, parsed
from rxml.wire.batches import BATCH

if TYPE_CHECKING:
    from rxml.batch.column import AnyArray
    from rxml.wire.limits import Limits

_BATCH_HEAD: Final = struct.Struct(">BIbB")
_ARRAY_HEAD: Final = struct.Struct(">BIbBBBB")
EXTENSION: Final = b"\xc9"
"""What such a batch begins with."""

_EXTENSION: Final = 0xC9
_EXTENSION_LENGTH: Final = 6
_FEWEST: Final = 64
"""Values, containers and levels that a message has in any case; who allows fewer has all of it looked at."""

_DEEPEST: Final = 8
_LONGEST: Final = 0x1F
_NUMBERS: Final = "iufc"


def quick_batch(data: bytes, at: int, limits: Limits) -> Batch | None:
    """The batch that lies from there to the end of a message.

    Args:
        data: the message.
        at: where the batch begins.
        limits: what the message may ask for.

    Returns:
        None: it is none of at most 15 columns of numbers, or there is something wrong with it.
    """
    end = len(data)
    if end - at < _BATCH_HEAD.size or not _ample(limits, end):
        return None
    head, size, code, columns = _BATCH_HEAD.unpack_from(data, at)
    if head != _EXTENSION or code != BATCH or size != end - at - _EXTENSION_LENGTH:
        return None
    if not 0x81 <= columns <= 0x8F:
        return None
    return _columns(data, at + _BATCH_HEAD.size, columns & 0x0F)


def _ample(limits: Limits, length: int) -> bool:
    return (
        length <= limits.max_bytes
        and length <= limits.max_ext
        and limits.max_items >= _FEWEST
        and limits.max_containers >= _FEWEST
        and limits.max_depth >= _DEEPEST
        and limits.max_str >= _LONGEST
    )


def _columns(data: bytes, at: int, count: int) -> Batch | None:
    end = len(data)
    found: dict[str, AnyArray] = {}
    rows = -1
    for _ in range(count):
        name = _name(data, at, end)
        if name is None or name in found:
            return None
        at += data[at] - 0x9F
        array = _array(data, at, end)
        if array is None or rows not in (-1, len(array)):
            return None
        rows = len(array)
        found[name] = array
        at += _EXTENSION_LENGTH + int.from_bytes(data[at + 1 : at + 5], "big")
    return Batch.adopt(found, rows) if at == end else None


def _name(data: bytes, at: int, end: int) -> str | None:
    """A short one that is followed by the head of an array, at least."""
    if at >= end or not 0xA0 <= data[at] <= 0xBF:
        return None
    stop = at + data[at] - 0x9F
    if stop + _ARRAY_HEAD.size > end:
        return None
    try:
        return data[at + 1 : stop].decode()
    except UnicodeDecodeError:
        return None


def _array(data: bytes, at: int, end: int) -> AnyArray | None:
    head, size, code, dimensions, padding, low, high = _ARRAY_HEAD.unpack_from(data, at)
    at += _EXTENSION_LENGTH
    start = at + 4 + 8 * dimensions + padding + low + (high << 8)
    stop = at + size
    if head != _EXTENSION or code != ARRAY or not dimensions or not start <= stop <= end:
        return None
    try:
        dtype, shape, length, claimed = parsed(data[at:start])
    except ValueError:
        return None
    if claimed or length != stop - start or dtype.kind not in _NUMBERS:
        return None
    return np.ndarray(shape, dtype, data, start)
