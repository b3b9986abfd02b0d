"""Frames: what passes between this process and a worker. Words, numbers and arrays; nothing is ever unpickled.

Columns of numbers lie in memory that both processes have; whatever does not fit there, and columns of objects, travel in
the frame as a message of `rxml.wire`. Both sides take each frame for what a stranger may have sent.
"""

from __future__ import annotations

from enum import IntEnum
from math import prod
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import numpy as np

from rxml.batch import Batch
from rxml.errors import ProtocolError, WireError
from rxml.wire import Limits, dumps, loads

if TYPE_CHECKING:
    from mmap import mmap

HEAD: Final = Struct("<BxxxI")
"""Kind and size of the body in bytes."""

MOST: Final = 64 * 2**20
"""Bytes of a body."""

_ALIGN: Final = 64
_LIMITS: Final = Limits(
    max_bytes=MOST, max_items=MOST, max_containers=MOST, max_str=MOST, max_bin=MOST, max_ext=MOST
)


class Kind(IntEnum):
    """What a frame says."""

    LOAD = 1
    READY = 2
    SCORE = 3
    RESULT = 4
    FAILED = 5


class Placed(msgspec.Struct, array_like=True):
    """A column that lies in shared memory."""

    name: str
    dtype: str
    shape: list[int]
    start: int


class Columns(msgspec.Struct, array_like=True):
    """A batch: which columns in which order, those that are placed, and the rest as a message."""

    names: list[str]
    rows: int
    placed: list[Placed]
    rest: bytes
    seconds: float = 0.0


class Failure(msgspec.Struct, array_like=True):
    """What a model raised."""

    kind: str
    words: str


class Load(msgspec.Struct, array_like=True):
    """Which model to make; the arguments as a message."""

    loader: str
    arguments: bytes


def frame(kind: Kind, body: msgspec.Struct) -> bytes:
    """A whole frame.

    Raises:
        ValueError: it would be larger than `MOST`.
    """
    data = msgspec.msgpack.encode(body)
    if len(data) > MOST:
        raise ValueError(
            f"a batch of {len(data)} bytes does not fit into a frame of {MOST}: take fewer rows"
        )
    return HEAD.pack(kind, len(data)) + data


def head(data: bytes) -> tuple[Kind, int]:
    """Kind and size of what follows.

    Raises:
        ProtocolError: it is no head.
    """
    kind, size = HEAD.unpack(data)
    if size > MOST or kind not in Kind.__members__.values():
        raise ProtocolError(f"a frame of kind {kind} and {size} bytes is none of ours")
    return Kind(kind), size


def packed(batch: Batch, shared: mmap, seconds: float = 0.0) -> Columns:
    """A batch, of which as much as fits is in shared memory from now on; it may have columns that lie there already, as
    those of a model that hands on what it got.
    """
    there = np.frombuffer(shared, np.uint8)
    placed: list[tuple[Placed, Any]] = []
    rest: dict[str, Any] = {}
    start = 0
    for name, column in batch.columns.items():
        if (
            not isinstance(column, np.ndarray)
            or column.dtype.hasobject
            or start + column.nbytes > len(shared)
        ):
            rest[name] = column
            continue
        own = column.copy() if np.may_share_memory(column, there) else column
        placed.append((Placed(name, column.dtype.str, list(column.shape), start), own))
        start += -(-column.nbytes // _ALIGN) * _ALIGN
    message = dumps(Batch.adopt(rest, len(batch))) if rest else b""
    for told, column in placed:  # only now that all is read which may lie where they go
        np.ndarray(column.shape, column.dtype, shared, told.start)[...] = column
    return Columns(list(batch.names), len(batch), [told for told, _ in placed], message, seconds)


def unpacked(body: bytes, shared: mmap, *, copy: bool) -> tuple[Batch, float]:
    """The batch that a body tells of, and its seconds.

    Args:
        body: of a frame.
        shared: memory that columns lie in.
        copy: whether they are to outlast the next frame.

    Raises:
        ProtocolError: it is none.
    """
    try:
        told = msgspec.msgpack.decode(body, type=Columns)
        found: dict[str, Any] = {
            each.name: _placed(each, shared, told.rows) for each in told.placed
        }
        if told.rest:
            found |= loads(told.rest, limits=_LIMITS).columns
        columns = {name: _own(found[name], copy=copy) for name in told.names}
        return Batch(columns), told.seconds
    except (
        msgspec.MsgspecError,
        WireError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise ProtocolError(f"no batch came from the other process: {error}") from error


def _placed(told: Placed, shared: mmap, rows: int) -> Any:
    dtype = np.dtype(told.dtype)
    count = prod(told.shape)
    if dtype.hasobject or not told.shape or told.shape[0] != rows or min(told.shape) < 0:
        raise ValueError(
            f"column {told.name!r} of {told.dtype}{told.shape} in a batch of {rows} rows"
        )
    if told.start < 0 or told.start + count * dtype.itemsize > len(shared):
        raise ValueError(f"column {told.name!r} lies outside the shared memory")
    return np.frombuffer(shared, dtype, count, told.start).reshape(told.shape)


def _own(column: Any, *, copy: bool) -> Any:
    return cast("Any", column).copy() if copy and isinstance(column, np.ndarray) else column
