"""Codec: frames of `rxml.v1` as messages, in JSON or msgpack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from rxml.batch import Batch
from rxml.errors import ProtocolError, WireError
from rxml.http.encode import to_json, to_msgpack
from rxml.http.protocol import (
    JSON,
    MOST,
    MSGPACK,
    FromClient,
    FromClientRaw,
    FromServer,
    FromServerRaw,
    Next,
    RawNext,
)
from rxml.wire.alike import Alike
from rxml.wire.message import loads, loads_behind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.http.protocol import Frame
    from rxml.wire.limits import Limits

_NEXT: Final = b"\x83\xa4type\xa4next\xa2id"
_ID: Final = len(_NEXT)
_ITEMS: Final = b"\xa5items"
_BEGIN: Final = _ID + 1 + len(_ITEMS)
_CLIENT_JSON: Final = msgspec.json.Decoder[Any](FromClientRaw)
_SERVER_JSON: Final = msgspec.json.Decoder[Any](FromServerRaw)


class Codec:
    """Reads and writes the messages of one sub-protocol.

    Args:
        protocol: `rxml.v1+json` or `rxml.v1+msgpack`.
        limits: what a msgpack message may ask for.

    Attributes:
        protocol: as given.
        text: messages are text, not binary.
    """

    def __init__(self, protocol: str, limits: Limits) -> None:
        if protocol not in (JSON, MSGPACK):
            raise ValueError(f"a sub-protocol is {JSON} or {MSGPACK}, got {protocol!r}")
        self.protocol = protocol
        self.text: bool = protocol == JSON
        self._limits = limits
        self._alike = Alike(_BEGIN)

    def encode(self, frame: Frame) -> bytes:
        """A frame as a message; one with items is written by `next`."""
        return msgspec.json.encode(frame) if self.text else msgspec.msgpack.encode(frame)

    def next(self, id_: int, seq: int, items: Sequence[Any]) -> bytes:
        """A `next` frame around elements; those of a batch travel as its columns in msgpack.

        Raises:
            TypeError: JSON has no form for one of them.
            WireError: the wire has none.
        """
        frame = {"type": "next", "id": id_, "seq": seq, "items": items}
        return to_json(frame) if self.text else to_msgpack(frame)

    def from_client(self, data: bytes, *, text: bool) -> Any:
        """A frame of a client.

        Raises:
            ProtocolError: it is none.
        """
        return self._decode(data, _CLIENT_JSON, FromClient, text=text)

    def from_server(self, data: bytes, *, text: bool) -> Any:
        """A frame of a server.

        Raises:
            ProtocolError: it is none.
        """
        return self._decode(data, _SERVER_JSON, FromServer, text=text)

    def _decode(
        self, data: bytes, decoder: msgspec.json.Decoder[Any], union: Any, *, text: bool
    ) -> Any:
        if text != self.text:
            wanted, got = ("text", "binary") if self.text else ("binary", "text")
            raise ProtocolError(f"{self.protocol} has {wanted} messages, got a {got} one")
        try:
            if text:
                return decoder.decode(data)
            if data.startswith(_NEXT) and (quick := self._quick(data)) is not None:
                return quick
            value = loads(data, limits=self._limits)
            return _next_of(value) or msgspec.convert(value, union)
        except (msgspec.MsgspecError, WireError, UnicodeDecodeError, RecursionError) as error:
            raise ProtocolError(f"not a frame of {self.protocol}: {error}") from error

    def _quick(self, data: bytes) -> Next | None:
        """A `next` frame as most clients write it, of which only the items have to be read; None if it is another one."""
        id_ = data[_ID] if data.startswith(_ITEMS, _ID + 1) else 0xFF
        if id_ >= 0x80:
            return None
        items = self._alike.read(data)
        if items is None:
            items = loads_behind(data, _BEGIN, 6, limits=self._limits)
            if items.__class__ is Batch:
                self._alike.saw(data, items)
        return Next(id_, items)


def _next_of(frame: Any) -> Next | None:
    """A `next` frame as most are, whose items are left as they came; None if it needs a closer look."""
    if frame.__class__ is not dict or frame.get("type") != "next" or "items" not in frame:
        return None
    id_, seq = frame.get("id"), frame.get("seq")
    if id_.__class__ is not int or not 0 <= id_ <= MOST:
        return None
    if seq is not None and seq.__class__ is not int:
        return None
    return Next(id_, frame["items"], seq)


def items_of(frame: Next | RawNext) -> Sequence[Any]:
    """The items of a `next` frame.

    Raises:
        ProtocolError: they are no sequence, or none.
    """
    items: Any = frame.items
    if type(items) is list or isinstance(items, Batch):
        elements = cast("Sequence[Any]", items)
        if not len(elements):
            raise ProtocolError("items must be one or more elements, got none")
        return elements
    raise ProtocolError(f"items must be an array, got {type(items).__name__}")
