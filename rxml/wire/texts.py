"""Object arrays of strings, or of bytes, as extension values.

The payload: u8 what (0 strings, 1 bytes, 2 StringDType, 3 StringDType with None), u8 dimensions, u64 per
dimension (little-endian), then a msgpack array of the elements in C order, nil for None.
"""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from msgpack import Packer

from rxml.batch.column import sealed
from rxml.errors import WireError
from rxml.wire.layout import visible

if TYPE_CHECKING:
    from rxml.batch.column import AnyArray
    from rxml.wire.reader import Reader
    from rxml.wire.writer import Writer

TEXT: Final = 2
_STRINGS, _BYTES, _STRING_DTYPE, _NULLABLE_STRING_DTYPE = range(4)
_HEAD: Final = struct.Struct("<BB")
_COUNTS: Final = {0xDC: struct.Struct(">H"), 0xDD: struct.Struct(">I")}
_NONE: Final = type(None)
_DECODERS: Final[dict[int, msgspec.msgpack.Decoder[Any]]] = {
    _STRINGS: msgspec.msgpack.Decoder(list[str | None]),
    _BYTES: msgspec.msgpack.Decoder(list[bytes | None]),
    _STRING_DTYPE: msgspec.msgpack.Decoder(list[str]),
    _NULLABLE_STRING_DTYPE: msgspec.msgpack.Decoder(list[str | None]),
}


def write_texts(writer: Writer, array: AnyArray) -> None:
    """Append an array of Python strings or bytes, None among them, or of StringDType.

    Raises:
        WireError: an element is anything else.
    """
    values: list[object] = array.ravel().tolist()
    what = _what(array, values)
    start = writer.open()
    head = _HEAD.pack(what, array.ndim) + struct.pack(f"<{array.ndim}Q", *array.shape)
    writer.piece(head, len(head))
    elements = bytes(Packer().pack(values))
    writer.piece(elements, len(elements))
    writer.close(start, TEXT)


def _what(array: AnyArray, values: list[object]) -> int:
    if array.dtype.kind == "T":
        return _string_dtype(array)
    types = set(map(type, values)) - {_NONE}
    if types <= {str}:
        return _STRINGS
    if types == {bytes}:
        return _BYTES
    names = ", ".join(sorted(each.__name__ for each in types))
    text = f"cannot encode an object array of {names}"
    raise WireError(f"{text}: only str, or only bytes, and None; give others a dtype of their own")


def _string_dtype(array: AnyArray) -> int:
    null = getattr(array.dtype, "na_object", _STRINGS)
    if null is _STRINGS:
        return _STRING_DTYPE
    if null is None:
        return _NULLABLE_STRING_DTYPE
    raise WireError(f"cannot encode a StringDType with {null!r} for nulls: use None")


def read_texts(reader: Reader, _: int) -> AnyArray:
    """The array that the payload holds, which cannot be written to.

    Raises:
        ValueError: the shape and the elements do not agree, or an element is of another type.
        WireError: the payload is too short, or a limit is passed.
    """
    data, at = reader.data, reader.position
    what, dimensions = _HEAD.unpack_from(data, reader.take(_HEAD.size, at))
    shape = struct.unpack_from(f"<{dimensions}Q", data, reader.take(8 * dimensions, at))
    if what not in _DECODERS:
        raise ValueError(f"an array of the unknown sort {what}")
    start = reader.position
    count = _announced(reader, start)
    reader.count(visible(shape), at)  # rows of shape (0,) are claimed without a byte
    if prod(shape) != count or max(shape, default=0) > reader.limits.max_items:
        raise ValueError(f"shape {shape} with {count} elements")
    reader.position = reader.end
    values = _decoded(what, memoryview(data)[start : reader.end])
    _require_short(values, reader.end - start, reader.limits.max_str)
    return sealed(_array(what, values).reshape(shape))


def _announced(reader: Reader, at: int) -> int:
    """How many elements the msgpack array at this position announces; the bytes left can hold them."""
    head = reader.data[reader.take(1, at)]
    if head in _COUNTS:
        count = reader.number(_COUNTS[head], at)
    elif head & 0xF0 == 0x90:
        count = head & 0x0F
    else:
        raise WireError("an array of texts must be an array", at)
    if count > reader.end - reader.position:
        raise WireError(
            f"{count} elements are announced, {reader.end - reader.position} bytes left", at
        )
    return int(count)


def _decoded(what: int, elements: memoryview) -> list[Any]:
    try:
        values: list[Any] = _DECODERS[what].decode(elements)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    return values


def _require_short(values: list[Any], size: int, limit: int) -> None:
    if size <= limit:
        return
    longest = max((len(_encoded(value)) for value in values if value is not None), default=0)
    if longest > limit:
        raise ValueError(f"{longest} bytes of a string, the limit is {limit}")


def _encoded(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _array(what: int, values: list[Any]) -> AnyArray:
    if what in {_STRINGS, _BYTES}:
        return np.fromiter(values, object, len(values))
    if what == _STRING_DTYPE:
        return np.array(values, np.dtypes.StringDType())
    return np.array(values, np.dtypes.StringDType(na_object=None))
