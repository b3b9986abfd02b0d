"""Packing: a checkpoint as bytes, and the reverse, with a check that all of them are there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, cast
from zlib import crc32

import numpy as np

from rxml.errors import CheckpointError, CheckpointVersionError, WireError
from rxml.flow.checkpointing.store import FORMAT, Saved
from rxml.wire import Limits, dumps, loads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_HEAD: Final = struct.Struct("<4sHxxIQ")
"""Magic, format, CRC-32 of the body, bytes of the body."""

_MAGIC: Final = b"rxck"
_ANY: Final = 2**62
_LIMITS: Final = Limits(
    max_bytes=_ANY,
    max_depth=128,
    max_items=_ANY,
    max_containers=_ANY,
    max_str=_ANY,
    max_bin=_ANY,
    max_ext=_ANY,
    max_unsalted_keys=_ANY,
)
"""Bytes with the right check are our own: there is nobody to be wary of."""


def packed(saved: Saved) -> bytes:
    """A checkpoint as bytes."""
    body = dumps(
        {
            "number": saved.number,
            "names": list(saved.names),
            "parts": dict(saved.parts),
            "complete": saved.complete,
        }
    )
    return _HEAD.pack(_MAGIC, saved.format, crc32(body), len(body)) + body


def unpacked(data: bytes, where: str) -> Saved:
    """The checkpoint that these bytes are.

    Args:
        data: from `packed`.
        where: they come from, for errors.

    Raises:
        CheckpointError: they are damaged, cut short, something else, or from a newer version.
    """
    if len(data) < _HEAD.size or data[:4] != _MAGIC:
        raise CheckpointError(
            f"{where} is no checkpoint: {len(data)} bytes that begin with {data[:4]!r}"
        )
    _, version, check, size = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if version > FORMAT:
        raise CheckpointVersionError(
            f"{where} has format {version}, this rxml knows formats up to {FORMAT}: upgrade rxml"
        )
    if len(body) != size or crc32(body) != check:
        raise CheckpointError(
            f"{where} is damaged: {len(body)} of {size} bytes, or others than were written"
        )
    return _saved(decoded(body, where), version)


def _saved(value: Mapping[str, Any], version: int) -> Saved:
    return Saved(value["number"], tuple(value["names"]), value["parts"], value["complete"], version)


def decoded(data: bytes, where: str) -> Any:
    """What `wire.dumps` was given; arrays may be written to.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        return _owned(loads(data, limits=_LIMITS))
    except WireError as error:
        raise CheckpointError(f"{where} cannot be read: {error}") from error


def _owned(value: Any) -> Any:
    """The value with arrays that are no views of the message."""
    if isinstance(value, np.ndarray):
        return cast("NDArray[Any]", value).copy()
    if value.__class__ is list:
        return [_owned(each) for each in value]
    if value.__class__ is dict:
        return {key: _owned(each) for key, each in value.items()}
    return value
