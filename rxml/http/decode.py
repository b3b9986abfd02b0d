"""Intake: bytes and values from clients, turned into elements of a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import msgspec

from rxml.batch import Batch
from rxml.errors import PipelineError, WireError
from rxml.http.encode import is_mapping
from rxml.http.replies import Refusal
from rxml.wire.message import loads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.http.limits import Limits
    from rxml.wire.limits import Limits as WireLimits

T = TypeVar("T")

_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ONE: Final = msgspec.json.Decoder(msgspec.Raw)
_BLANK: Final = b" \t\r\n"
_UNTYPED: Final = 72
"""Bytes that a byte of JSON or msgpack may take when it is decoded to dicts and lists: those of `{}` and `[]`."""
_TYPED: Final = 16
"""The same with a schema: a number in a list."""
_VALUE: Final = 100
"""Bytes of one value, or of an element that is not decoded yet."""


class ElementError(Exception):
    """One element that does not fit; the message names the field and what would fit."""


class Intake(Generic[T]):
    """Decodes and checks elements.

    Args:
        schema: what an element must be: any type that msgspec converts to (a Struct, a dataclass, a TypedDict, int, ...);
            None for any JSON object.

    Raises:
        PipelineError: msgspec has no way to make that type.
    """

    def __init__(self, schema: type[T] | None) -> None:
        self._schema: Any = dict[str, Any] if schema is None else schema
        try:
            self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(self._schema)
        except TypeError as error:
            raise PipelineError(f"schema={schema!r} cannot be decoded to: {error}") from error

    def json(self, data: bytes | msgspec.Raw) -> T:
        """One element from JSON.

        Raises:
            ElementError: it does not fit.
        """
        try:
            return self._decoder.decode(data)
        except RecursionError:
            raise ElementError("nested too deeply") from None
        except UnicodeDecodeError:
            raise ElementError(_not_utf8(bytes(data))) from None
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise ElementError(str(error)) from error

    def weight(self, data: bytes, limits: Limits, *, text: bool, size: int | None = None) -> int:
        """Bytes that elements will take, by an upper estimate.

        Args:
            data: that they are decoded from.
            limits: on values in one message.
            text: it is JSON, not msgpack.
            size: bytes, of lines whose elements are known; None: those of data.
        """
        if not text:
            return min(_UNTYPED * len(data), 2 * len(data) + _VALUE * limits.items)
        many = 0 if size is not None else _VALUE * data.count(b",")
        size = len(data) if size is None else size
        return _UNTYPED * size if self._schema == dict[str, Any] else _TYPED * size + many

    def value(self, value: Any) -> T:
        """One element from a value that came as msgpack, or as a part of something larger.

        Raises:
            ElementError: it does not fit.
        """
        if isinstance(value, msgspec.Raw):
            return self.json(value)
        if is_mapping(value):
            value = dict(value)
        try:
            return cast("T", msgspec.convert(value, self._schema))
        except (
            msgspec.MsgspecError,
            ValueError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise ElementError(str(error)) from error


def json_items(data: bytes, most: int) -> Sequence[msgspec.Raw]:
    """The elements of an array, not yet decoded, or what is there as the only element.

    Args:
        data: JSON.
        most: elements.

    Raises:
        Refusal: 400, not JSON; names the byte. 413, too many elements.
    """
    head = data[:64].lstrip(_BLANK) or data.lstrip(_BLANK)
    if not head:
        raise Refusal(400, "the body is empty")
    if not data.isascii() and (problem := _not_utf8(data)):
        raise Refusal(400, f"the body is {problem}")
    try:
        items = _ARRAY.decode(data) if head.startswith(b"[") else [_ONE.decode(data)]
    except RecursionError:
        raise Refusal(400, "the JSON is nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from error
    if len(items) > most:
        raise Refusal(413, f"the body has {len(items)} elements, at most {most} are taken at once")
    return items


def _not_utf8(data: bytes) -> str:
    """What is wrong with it as text; nothing if it is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start})"
    return ""


def msgpack_items(data: bytes, limits: WireLimits) -> Sequence[Any]:
    """The elements of an array, the rows of a batch, or what is there as the only element.

    Raises:
        Refusal: 400, not msgpack, or asks for too much; names the byte.
    """
    if not data:
        raise Refusal(400, "the body is empty")
    try:
        value = loads(data, limits=limits)
    except WireError as error:
        raise Refusal(400, f"the body is not a msgpack message: {error}") from error
    if isinstance(value, list | Batch):
        return cast("Sequence[Any]", value)
    return [value]
