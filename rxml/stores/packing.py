"""Packing: a checkpoint as bytes, and the reverse, with a check that all of them are there.

Values are messages of the wire with a few types more, since a state must come back as it was: tuples, sets, frozen
sets, and tuples with names that are registered. Their codes are below those that `register_extension` gives out, and known
to this room alone.
"""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from zlib import crc32

import numpy as np
from msgpack import ExtType

from rxml.errors import CheckpointError, CheckpointVersionError, WireError
from rxml.flow.checkpointing.store import FORMAT, Saved
from rxml.uncertain import KINDS
from rxml.wire import Limits, dumps
from rxml.wire.reader import Reader
from rxml.wire.registry import read_of, write_of
from rxml.wire.writer import Writer, native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from rxml.uncertain import Rows
    from rxml.wire.reader import ReadExtension
    from rxml.wire.writer import WriteExtension

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


class _Kind:
    """Stands in front of the parts of a container that the wire does not tell from a list.

    Args:
        make: the container of its parts.
        code: of the extension value that it is on the wire, below those that `register_extension` gives out.
        name: by which it is told from others of this code.
    """

    __slots__ = ("code", "make", "sign")

    def __init__(self, make: Callable[[Iterable[Any]], Any], code: int, name: str = "") -> None:
        self.make: Callable[[Iterable[Any]], Any] = make
        self.code: int = code
        self.sign: ExtType = ExtType(code, name.encode())


_KINDS: Final[dict[Any, _Kind]] = {
    tuple: _Kind(tuple, 13),
    set: _Kind(set, 14),
    frozenset: _Kind(frozenset, 15),
}
_BY_CODE: Final = {kind.code: kind for kind in _KINDS.values()}
_NAMED: Final = 12
_DISTRIBUTIONS: Final = frozenset[type](KINDS.values())
_BY_NAME: Final[dict[str, _Kind]] = {}


def register_tuple(kind: type[tuple[Any, ...]], name: str) -> None:
    """Have a tuple with names come back as such where a run goes on from what was saved.

    Args:
        kind: a NamedTuple.
        name: by which it is known in checkpoints: the same in each program, and of nothing else.

    Raises:
        ValueError: `kind` is no tuple with names, or the name is another one's.
    """
    make: Callable[[Iterable[Any]], Any] | None = getattr(kind, "_make", None)
    if make is None:
        raise ValueError(f"register_tuple(kind) wants a NamedTuple, got {kind!r}")
    before = next((each for each, sign in _KINDS.items() if sign is _BY_NAME.get(name)), kind)
    if before is not kind:
        raise ValueError(f"register_tuple(name): {name!r} is the name of {before!r}")
    _KINDS[kind] = _BY_NAME[name] = _Kind(make, _NAMED, name)


def _native(value: Any) -> object:
    of: type[Any] = value.__class__
    kind = _KINDS.get(of)
    if kind is not None:
        return [kind.sign, *value]
    if issubclass(of, tuple):
        raise WireError(
            f"a {of.__qualname__} would come back as a bare tuple: keep a tuple or a dict, or make it known: "
            "rxml.stores.register_tuple(kind, name)"
        )
    return native(value)


def _write_of(kind: type) -> WriteExtension | None:
    write = write_of(kind)
    return None if write is None else partial(_within, write)


def _within(write: WriteExtension, writer: Writer, value: Any) -> None:
    """What an extension value is made of, its own reader takes apart: that knows the wire, and nothing of this."""
    plain, writer.plain = writer.plain, native
    write(writer, value)
    writer.plain = plain


def _read_of(code: int) -> tuple[str, ReadExtension] | None:
    if code == _NAMED:
        return "tuple with names", _named
    kind = _BY_CODE.get(code)
    return read_of(code) if kind is None else ("container", lambda _reader, _depth: kind)


def _named(reader: Reader, depth: int) -> _Kind:
    del depth
    name = reader.text(reader.end - reader.position, reader.position)
    if name not in _BY_NAME:
        raise WireError(f"nobody has called register_tuple(kind, {name!r}) in this program")
    return _BY_NAME[name]


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


def parts_of(saved: Saved, where: str) -> dict[int, Any]:
    """What each stage has kept in a checkpoint, decoded; large ones take long: not for the event loop."""
    return {place: decoded(part, where) for place, part in saved.parts.items()}


def encoded(value: Any) -> bytes:
    """Plain values as bytes, for `decoded`.

    Raises:
        ValueError: not all of it is plain values.
    """
    writer = Writer(_write_of, _native)
    try:
        writer.value(value)
    except RecursionError as error:
        raise ValueError(f"containers in more containers than can be followed: {error}") from error
    return writer.finish()


def decoded(data: bytes, where: str) -> Any:
    """What `encoded`, or `wire.dumps`, was given; arrays may be written to.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        return _owned(Reader(data, _LIMITS, _read_of).whole())
    except (WireError, RecursionError, TypeError) as error:  # such as of a tuple with other names
        raise CheckpointError(f"{where} cannot be read: {error}") from error


def _owned(value: Any) -> Any:
    """The value with its containers, and with arrays that are no views of the message."""
    kind = value.__class__
    if kind is list:
        parts = [_owned(each) for each in value]
        return parts[0].make(parts[1:]) if parts and parts[0].__class__ is _Kind else parts
    if kind is dict:
        return {_key(key): _owned(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return cast("NDArray[Any]", value).copy()
    return _of_its_own(value) if kind in _DISTRIBUTIONS else value


def _of_its_own(rows: Rows) -> Rows:
    """The same distributions, which do not keep the whole message."""
    return rows.adopt(
        **{
            name: None if array is None else array.copy()
            for name, array in rows.parameters().items()
        }
    )


def _key(key: Any) -> Any:
    """The wire has made tuples of all lists in keys."""
    if key.__class__ is not tuple:
        return key
    parts = [_key(each) for each in key]
    return parts[0].make(parts[1:]) if parts and parts[0].__class__ is _Kind else tuple(parts)
