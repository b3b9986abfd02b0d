"""Tensors: what the protocol sends, as arrays, in JSON and as bytes."""

from __future__ import annotations

from functools import cache
from itertools import chain
from math import prod
from struct import Struct
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),
}
_NAMES: Final = {dtype: name for name, dtype in DTYPES.items()}
_LENGTH: Final = Struct("<I")
_FORMS: Final[dict[str, Any]] = {"b": bool, "u": int, "i": int, "f": float, "O": str}
"""What JSON holds that an array of each kind is made of."""

_DEEPEST: Final = 8
"""Lists in one another."""


class Tensor(msgspec.Struct, omit_defaults=True):
    """One tensor of a request.

    Attributes:
        name: of the input.
        shape: rows first.
        datatype: one of `DTYPES`.
        data: nested or flat, row-major; none if it follows the JSON as bytes.
        parameters: `binary_data_size` says how many bytes follow.
    """

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw(b"")
    parameters: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    def dtype(self) -> np.dtype[Any]:
        """Of the array.

        Raises:
            Refusal: 400, there is no such datatype.
        """
        dtype = DTYPES.get(self.datatype)
        if dtype is None:
            raise self.refused(f"datatype {self.datatype!r} is none of {', '.join(DTYPES)}")
        return dtype

    def count(self, most: int) -> int:
        """How many elements the shape promises.

        Raises:
            Refusal: 400, the shape is none, or promises more than `most`.
        """
        if not self.shape or any(length < 0 for length in self.shape):
            raise self.refused(
                f"shape {self.shape} is no list of lengths >= 0 that begins with rows"
            )
        count = prod(self.shape)
        if count > most:
            raise self.refused(
                f"shape {self.shape} promises {count} elements, at most {most} are taken"
            )
        return count

    def size(self) -> int | None:
        """Bytes that follow the JSON; None if the data stands in it.

        Raises:
            Refusal: 400, it is no length.
        """
        size = self.parameters.get("binary_data_size")
        if size is None:
            return None
        if type(size) is not int or size < 0:
            raise self.refused(f"binary_data_size is {size!r}, not a number of bytes")
        return size

    def refused(self, why: str) -> Refusal:
        """400, about this tensor."""
        return Refusal(400, f"input {self.name[:80]!r}: {why}", details={"field": self.name[:80]})


def from_json(tensor: Tensor, most: int) -> NDArray[Any]:
    """The array that the data of a tensor is.

    Raises:
        Refusal: 400, it is not what the tensor says.
    """
    dtype, count = tensor.dtype(), tensor.count(most)
    if bytes(memoryview(tensor.data)[:5]) in (b"", b"null"):
        raise tensor.refused("there is no data")
    array = _array(tensor, dtype)
    if array.size != count:
        raise tensor.refused(
            f"data has {array.size} elements, shape {tensor.shape} promises {count}"
        )
    return array.reshape(tensor.shape)


def _array(tensor: Tensor, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The data, decoded by its type: what is not of it costs no memory. Flat, or as nested as its shape is long."""
    decoded: Any = None
    problem = ""
    for depth in dict.fromkeys((_depth(tensor.data), len(tensor.shape))):
        try:
            decoded = _decoder(dtype.kind, depth).decode(tensor.data)
            break
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            problem = str(error)
    else:
        raise tensor.refused(f"data is not of datatype {tensor.datatype}: {problem}")
    if dtype.hasobject:
        return _objects(_flat(decoded), [-1])
    try:
        with np.errstate(over="ignore"):
            array = np.array(decoded, dtype)
    except (ValueError, OverflowError) as error:
        raise tensor.refused(f"data is ragged, or does not fit into {tensor.datatype}") from error
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise tensor.refused(f"data does not fit into {tensor.datatype}")
    return array


def _depth(data: msgspec.Raw) -> int:
    """How many brackets it begins with; at most 9, and at least one."""
    head = bytes(memoryview(data)[:256]).translate(None, b" \t\r\n")
    return min(_DEEPEST, max(1, len(head) - len(head.lstrip(b"["))))


@cache
def _decoder(kind: str, depth: int) -> msgspec.json.Decoder[Any]:
    form: Any = _FORMS[kind]
    for _ in range(min(depth, _DEEPEST)):
        form = GenericAlias(list, (form,))
    return msgspec.json.Decoder(form)


def _flat(nested: list[Any]) -> list[str]:
    while nested and isinstance(nested[0], list):
        nested = list(chain.from_iterable(nested))
    return nested


def from_bytes(tensor: Tensor, data: memoryview, most: int) -> NDArray[Any]:
    """The array that these bytes are: little-endian, row-major; of BYTES each behind its length.

    Raises:
        Refusal: 400, they are not what the tensor says.
    """
    dtype, count = tensor.dtype(), tensor.count(most)
    if dtype.hasobject:
        return _objects(_parted(tensor, data, count), tensor.shape)
    if len(data) != count * dtype.itemsize:
        raise tensor.refused(
            f"{len(data)} bytes, {tensor.datatype} of shape {tensor.shape} has {count * dtype.itemsize}"
        )
    if dtype.kind == "b":
        return np.frombuffer(data, np.uint8).astype(np.bool_).reshape(tensor.shape)
    return np.frombuffer(data, dtype).reshape(tensor.shape)


def _parted(tensor: Tensor, data: memoryview, count: int) -> list[str]:
    texts: list[str] = []
    place = 0
    while place < len(data) and len(texts) < count:
        if place + 4 > len(data):
            raise tensor.refused("the last length is cut off")
        (length,) = _LENGTH.unpack_from(data, place)
        place += 4
        if place + length > len(data):
            raise tensor.refused(
                f"element {len(texts)} claims {length} bytes, {len(data) - place} are left"
            )
        try:
            texts.append(str(data[place : place + length], "utf-8"))
        except UnicodeDecodeError as error:
            raise tensor.refused(f"element {len(texts)} is not UTF-8") from error
        place += length
    if len(texts) != count or place != len(data):
        raise tensor.refused(
            f"its bytes hold {len(texts)} elements, shape {tensor.shape} promises {count}"
        )
    return texts


def _objects(flat: list[Any], shape: list[int]) -> NDArray[Any]:
    array = np.empty(len(flat), object)
    array[:] = flat
    return array.reshape(shape)


def datatype(array: NDArray[Any]) -> str:
    """What the protocol calls the array's dtype; BYTES for what it has no word for."""
    return _NAMES.get(array.dtype.newbyteorder("<"), "BYTES")


def to_bytes(array: NDArray[Any]) -> bytes:
    """The array as the protocol sends it."""
    if datatype(array) != "BYTES":
        return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    texts = [str(text).encode() for text in array.ravel().tolist()]
    return b"".join(_LENGTH.pack(len(text)) + text for text in texts)


def to_list(array: NDArray[Any]) -> list[Any]:
    """The elements, flat, for JSON; NaN and infinities become null there."""
    flat: list[Any] = array.ravel().tolist()
    return flat if datatype(array) != "BYTES" else [str(text) for text in flat]
