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

    from rxml.wire.limits import Limits

T = TypeVar("T")

_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_BLANK: Final = b" \t\r\n"


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
        except UnicodeDecodeError as error:
            raise ElementError(f"not UTF-8 (byte {error.start})") from error
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise ElementError(str(error)) from error

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
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise ElementError(str(error)) from error


def json_items(data: bytes) -> Sequence[msgspec.Raw]:
    """The elements of an array, not yet decoded, or what is there as the only element.

    Raises:
        Refusal: 400, not JSON; names the byte.
    """
    stripped = data.lstrip(_BLANK)
    if not stripped:
        raise Refusal(400, "the body is empty")
    if not stripped.startswith(b"["):
        return [msgspec.Raw(data)]
    try:
        return _ARRAY.decode(data)
    except RecursionError:
        raise Refusal(400, "the JSON is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refusal(400, f"the body is not JSON: {error}") from error


def msgpack_items(data: bytes, limits: Limits) -> Sequence[Any]:
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
