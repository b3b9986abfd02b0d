"""ONNX files, looked through without building the model: nothing in one may point outside of it.

The walk follows the numbers of fields in onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR version 13)
and the wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rxml.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MODEL: Final = "model"
_TENSOR: Final = "tensor"
_NODE: Final = "node"
_GRAPH: Final = "graph"
_CHILDREN: Final[Mapping[str, Mapping[int, str]]] = {
    _MODEL: {7: _GRAPH, 20: "training", 25: "function"},
    "training": {1: _GRAPH, 2: _GRAPH},
    "function": {7: _NODE, 11: "attribute"},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: "sparse"},
    "sparse": {1: _TENSOR, 2: _TENSOR},
    _NODE: {5: "attribute"},
    "attribute": {
        5: _TENSOR,
        6: _GRAPH,
        10: _TENSOR,
        11: _GRAPH,
        22: "sparse",
        23: "sparse",
    },
    _TENSOR: {},
}
_EXTERNAL_DATA: Final = 13
_DATA_LOCATION: Final = 14
_OP_TYPE: Final = 4
_DEEPEST: Final = 64
_BYTES: Final = 2
_FIXED: Final = {1: 8, 5: 4}
_LONGEST_VARINT: Final = 10


def check_onnx(data: bytes) -> None:
    """Refuse an ONNX model that is none, is cut off, or reads other files when it is loaded.

    Raises:
        ArtefactError: it is refused; says why.
    """
    parts: set[int] = set()
    waiting: list[tuple[str, int, int, int]] = [(_MODEL, 0, len(data), 0)]
    while waiting:
        kind, start, stop, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ArtefactError(f"the ONNX model is nested deeper than {_DEEPEST} levels")
        for number, begin, end in _fields(data, start, stop):
            if kind == _MODEL:
                parts.add(number)
            _check_field(kind, number, data, (begin, end))
            child = _CHILDREN[kind].get(number)
            if child is not None:
                waiting.append((child, begin, end, depth + 1))
    if 7 not in parts or 1 not in parts:
        raise ArtefactError("no ONNX model: it has no graph or no version")


def _check_field(kind: str, number: int, data: bytes, extent: tuple[int, int]) -> None:
    """Refuse what makes a runtime read another file."""
    if kind == _TENSOR and (
        number == _EXTERNAL_DATA or (number == _DATA_LOCATION and data[slice(*extent)] != b"\x00")
    ):
        raise ArtefactError(
            "the ONNX model has external data, which would be read from wherever it says: "
            "save it in one file, onnx.save(model, path, save_as_external_data=False)"
        )
    if kind == _NODE and number == _OP_TYPE and data[slice(*extent)] == b"EPContext":
        raise ArtefactError("the ONNX model has an EPContext, which would load a compiled file")


def _fields(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and stop of each field of a message."""
    at = start
    while at < stop:
        tag, at = _varint(data, at, stop)
        begin, at = _extent(tag & 7, data, at, stop)
        if at > stop:
            raise ArtefactError(f"no ONNX model, or a cut off one: byte {stop} is missing")
        yield tag >> 3, begin, at


def _extent(form: int, data: bytes, at: int, stop: int) -> tuple[int, int]:
    """Where the value of a field begins and ends."""
    if form == 0:
        return at, _varint(data, at, stop)[1]
    if form == _BYTES:
        length, at = _varint(data, at, stop)
        return at, at + length
    if form not in _FIXED:
        raise ArtefactError(f"no ONNX model: byte {at} has a field of an unknown form")
    return at, at + _FIXED[form]


def _varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    value = 0
    for count in range(_LONGEST_VARINT):
        if at >= stop:
            raise ArtefactError(f"no ONNX model, or a cut off one: it ends at byte {at}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at
    raise ArtefactError(f"no ONNX model: byte {at} has a number that is too long")
