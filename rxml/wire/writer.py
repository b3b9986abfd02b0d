"""From values to the bytes of a message, each array copied once."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from msgpack import ExtType, Packer

from rxml.batch import Row
from rxml.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from rxml.batch.column import AnyArray

    WriteExtension = Callable[["Writer", Any], None]

LONGEST: Final = 2**32 - 1
_BLOCK_HEAD: Final = struct.Struct(
    ">BIb"
)  # ext32: a header whose length does not depend on the payload's
_SMALL_HEAD: Final = struct.Struct(">BBb")
# the quarter of a megabyte that the C packer begins with costs more than packing a small message
_BUFFER: Final[dict[str, Any]] = {"buf_size": 4096} if "cmsgpack" in Packer.__module__ else {}
_FIXEXT: Final = {1: b"\xd4", 2: b"\xd5", 4: b"\xd6", 8: b"\xd7", 16: b"\xd8"}
_PLACEHOLDER: Final = ExtType(0, b"")
_PLACEHOLDER_LENGTH: Final = 3  # what the packer makes of it


class Writer:
    """Collects the pieces of one message.

    Plain values go through msgpack's packer. Where it meets a type that is an extension, the piece packed so
    far is kept, the extension is written straight to the message, at a position that is known and can be
    aligned, and packing goes on behind it: so an array deep in an envelope is copied once, by `finish`.
    """

    __slots__ = ("_pieces", "_write_of", "plain", "position")

    def __init__(
        self,
        write_of: Callable[[type], WriteExtension | None],
        plain: Callable[[Any], object] | None = None,
    ) -> None:
        """Begin an empty message.

        Args:
            write_of: gives what writes the extension value of a type, if it is one.
            plain: turns what is neither that nor plain into plain values, or raises a WireError; None for what the
                wire says of subclasses of containers.
        """
        self._write_of = write_of
        self.plain: Callable[[Any], object] = native if plain is None else plain
        self._pieces: list[Buffer | AnyArray] = []
        self.position: int = 0

    def finish(self) -> bytes:
        """The message."""
        return b"".join(cast("list[Buffer]", self._pieces))

    def piece(self, piece: Buffer | AnyArray, length: int) -> None:
        """Append a contiguous buffer of that many bytes; it must not change before `finish`."""
        self._pieces.append(piece)
        self.position += length

    def small(self, code: int, payload: bytes) -> None:
        """Append an extension value of at most 255 bytes, with the shortest header there is."""
        length = len(payload)
        fixed = _FIXEXT.get(length)
        head = fixed + struct.pack("b", code) if fixed else _SMALL_HEAD.pack(0xC7, length, code)
        self.piece(head + payload, len(head) + length)

    def open(self) -> tuple[int, int]:
        """Begin an extension value of a length yet unknown; give the result to `close`."""
        self.piece(b"", _BLOCK_HEAD.size)
        return len(self._pieces) - 1, self.position

    def close(self, start: tuple[int, int], code: int) -> None:
        """End the extension value that `open` began.

        Raises:
            WireError: it is longer than msgpack can say.
        """
        place, position = start
        length = self.position - position
        if length > LONGEST:
            raise WireError(
                f"an extension value of {length} bytes: msgpack ends at {LONGEST}, send less"
            )
        self._pieces[place] = _BLOCK_HEAD.pack(0xC9, length, code)

    def value(self, value: object) -> None:
        """Append any value that the wire knows."""
        write = self.extension(value)
        if write is None:
            _Plain(self).pack(value)
        else:
            write(self, value)

    def extension(self, value: object) -> WriteExtension | None:
        """What writes the value, if its type is an extension."""
        write = self._write_of(type(value))
        if write is None and _is_array(value):
            write = self._write_of(np.ndarray)
        return write


class _Plain:
    """One run of msgpack's packer, interrupted by extensions."""

    __slots__ = ("_kept", "_packer", "_writer")

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._kept = 0
        self._packer = Packer(default=self._other, strict_types=True, autoreset=False, **_BUFFER)

    def pack(self, value: object) -> None:
        try:
            self._packer.pack(value)
            self._keep()
        finally:
            del (
                self._packer
            )  # knows a method of this: the message would stay until the collector comes

    def _keep(self) -> None:
        with self._packer.getbuffer() as packed:
            piece = bytes(packed[self._kept :])
        self._kept += len(piece)
        self._writer.piece(piece, len(piece))

    def _other(self, value: Any) -> object:
        write = self._writer.extension(value)
        if write is None:
            return self._writer.plain(value)
        self._keep()
        write(self._writer, value)
        self._kept += _PLACEHOLDER_LENGTH
        return _PLACEHOLDER


def _is_array(value: object) -> bool:
    # other subclasses are ways to look at an array; a mask would be lost
    return isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray)


def native(value: Any) -> object:
    """A subclass of a plain container as the container.

    Raises:
        WireError: the type has no place on the wire.
    """
    if isinstance(value, (list, tuple)):
        return list(cast("list[Any]", value))
    if isinstance(value, (dict, Row)):
        return dict(cast("dict[Any, Any]", value))
    if type(value) is int:  # what the packer hands back
        text = f"cannot encode a whole number of {value.bit_length()} bits"
        raise WireError(f"{text}: they must be -2^63 to 2^64 - 1; send others as text")
    known = "None, bool, int, float, str, bytes, list, tuple, dict, aware datetime, timedelta, numpy arrays"
    text = f"cannot encode a {type(value).__module__}.{type(value).__qualname__}"
    raise WireError(f"{text}: use {known} and scalars, Batch, or register_extension")
