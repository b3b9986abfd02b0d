"""What each first byte of a value in msgpack announces."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from rxml.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Callable


class Source(Protocol):
    """What reads the parts of a value; `at` is the position of its first byte, for errors."""

    def number(self, form: struct.Struct, at: int) -> Any:
        """A number of that form."""
        ...

    def text(self, length: int, at: int) -> str:
        """A string of that many bytes."""
        ...

    def binary(self, length: int, at: int) -> bytes:
        """That many bytes."""
        ...

    def array(self, count: int, at: int, depth: int) -> list[Any]:
        """That many values."""
        ...

    def map(self, count: int, at: int, depth: int) -> dict[Any, Any]:
        """That many pairs of key and value."""
        ...

    def extension(self, length: int, at: int, depth: int) -> Any:
        """An extension value, its type byte first, with that many bytes of payload."""
        ...


Read: TypeAlias = "Callable[[Source, int, int, int], Any]"  # first byte, its position, depth

_UINT8: Final = struct.Struct(">B")
_UINT16: Final = struct.Struct(">H")
_UINT32: Final = struct.Struct(">I")
_NUMBERS: Final = {
    0xCA: struct.Struct(">f"),
    0xCB: struct.Struct(">d"),
    0xCC: _UINT8,
    0xCD: _UINT16,
    0xCE: _UINT32,
    0xCF: struct.Struct(">Q"),
    0xD0: struct.Struct(">b"),
    0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"),
    0xD3: struct.Struct(">q"),
}
_STRING_LENGTHS: Final = {0xD9: _UINT8, 0xDA: _UINT16, 0xDB: _UINT32}
_BINARY_LENGTHS: Final = {0xC4: _UINT8, 0xC5: _UINT16, 0xC6: _UINT32}
_EXTENSION_LENGTHS: Final = {0xC7: _UINT8, 0xC8: _UINT16, 0xC9: _UINT32}
_ARRAY_COUNTS: Final = {0xDC: _UINT16, 0xDD: _UINT32}
MAP_COUNTS: Final = {0xDE: _UINT16, 0xDF: _UINT32}
_CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}


def _constant(_: Source, head: int, __: int, ___: int) -> Any:
    return _CONSTANTS[head]


def _negative(_: Source, head: int, __: int, ___: int) -> Any:
    return head - 0x100


def _number(source: Source, head: int, at: int, _: int) -> Any:
    return source.number(_NUMBERS[head], at)


def _short_string(source: Source, head: int, at: int, _: int) -> Any:
    return source.text(head & 0x1F, at)


def _string(source: Source, head: int, at: int, _: int) -> Any:
    return source.text(source.number(_STRING_LENGTHS[head], at), at)


def _binary(source: Source, head: int, at: int, _: int) -> Any:
    return source.binary(source.number(_BINARY_LENGTHS[head], at), at)


def _short_array(source: Source, head: int, at: int, depth: int) -> Any:
    return source.array(head & 0x0F, at, depth)


def _array(source: Source, head: int, at: int, depth: int) -> Any:
    return source.array(source.number(_ARRAY_COUNTS[head], at), at, depth)


def _short_map(source: Source, head: int, at: int, depth: int) -> Any:
    return source.map(head & 0x0F, at, depth)


def _map(source: Source, head: int, at: int, depth: int) -> Any:
    return source.map(source.number(MAP_COUNTS[head], at), at, depth)


def _fixed_extension(source: Source, head: int, at: int, depth: int) -> Any:
    return source.extension(1 << (head - 0xD4), at, depth)


def _extension(source: Source, head: int, at: int, depth: int) -> Any:
    return source.extension(source.number(_EXTENSION_LENGTHS[head], at), at, depth)


def _nothing(_: Source, head: int, at: int, __: int) -> Any:
    raise WireError(f"no value of msgpack begins with {head:#x}", at)


def _table() -> tuple[Read, ...]:
    table: list[Read] = [_nothing] * 256
    spans: list[tuple[range | dict[int, Any], Read]] = [
        (range(0x80, 0x90), _short_map),
        (range(0x90, 0xA0), _short_array),
        (range(0xA0, 0xC0), _short_string),
        (range(0xD4, 0xD9), _fixed_extension),
        (range(0xE0, 0x100), _negative),
        (_CONSTANTS, _constant),
        (_NUMBERS, _number),
        (_STRING_LENGTHS, _string),
        (_BINARY_LENGTHS, _binary),
        (_EXTENSION_LENGTHS, _extension),
        (_ARRAY_COUNTS, _array),
        (MAP_COUNTS, _map),
    ]
    for heads, read in spans:
        for head in heads:
            table[head] = read
    return tuple(table)


READ: Final = _table()  # by first byte; 0x00 to 0x7f are numbers themselves and never looked up
