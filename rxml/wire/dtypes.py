"""Dtypes as text on the wire.

A plain dtype is numpy's own name with its byte order (`<f8`, `|b1`, `>M8[us]`, `<U12`). A structured dtype is
msgpack: `["fields", itemsize, [[name, dtype, offset], ...]]`, a title behind the offset where there is one; a
field's dtype is a name, such a list, or `["array", dtype, [length, ...]]`. Fields do not overlap. Objects have no place here, nor has long double, whose bytes mean
something else on another machine.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import numpy as np
from msgpack import packb

from rxml.errors import WireError
from rxml.wire.limits import Limits
from rxml.wire.reader import Reader

_PLAIN: Final = re.compile(
    rb"[<>|](?:b1|[iu][1248]|f[248]|c8|c16|[SUV]\d{1,9}|[mM]8(?:\[\d{0,9}(?:[YMWDhms]|[munpfa]s)\])?)"
)
_DEEPEST: Final = 8
_LIMITS: Final = Limits(max_bytes=2**16, max_depth=4 * _DEEPEST)
_LONGEST: Final = 2**16 - 1
_LARGEST_CODE_POINT: Final = 0x10FFFF


@lru_cache(maxsize=256)
def name_of(dtype: np.dtype[Any]) -> bytes:
    """The name of a dtype.

    Raises:
        WireError: it holds objects or long doubles, or is too large to be named.
    """
    form = _form(dtype, 0)
    name = form.encode() if isinstance(form, str) else bytes(packb(form))
    if len(name) > _LONGEST:
        raise WireError(
            f"a dtype whose name takes {len(name)} bytes: at most {_LONGEST}, use fewer fields"
        )
    return name


def _form(dtype: np.dtype[Any], depth: int) -> str | list[Any]:
    if depth > _DEEPEST:
        raise WireError(f"a dtype with more than {_DEEPEST} levels: use fewer")
    if dtype.subdtype is not None:
        return ["array", _form(dtype.subdtype[0], depth + 1), list(dtype.subdtype[1])]
    if dtype.names is not None:
        return ["fields", dtype.itemsize, _field_forms(dtype, depth + 1)]
    if not _PLAIN.fullmatch(dtype.str.encode()):
        text = f"cannot encode an array of dtype {dtype}"
        raise WireError(f"{text}: cast long doubles to float64, objects to strings or numbers")
    return dtype.str


def _field_forms(dtype: np.dtype[Any], depth: int) -> list[list[Any]]:
    fields: Any = dtype.fields
    listed: list[tuple[Any, ...]] = [(name, *fields[name]) for name in dtype.names or ()]
    if sum(field[1].itemsize for field in listed) > dtype.itemsize:
        raise WireError(f"cannot encode {dtype}, whose fields overlap: use one dtype or the other")
    if not all(isinstance(title, str) for field in listed for title in field[3:]):
        raise WireError(f"cannot encode {dtype}, with titles that are not strings: leave them out")
    return [[name, _form(inner, depth), *rest] for name, inner, *rest in listed]


def dtype_of(name: bytes) -> np.dtype[Any]:
    """The dtype of a name; whatever the name, nothing but a dtype of numbers, text or bytes comes out.

    Raises:
        ValueError: the name is none.
    """
    if _PLAIN.fullmatch(name):
        return _plain(name)
    try:
        form = Reader(name, _LIMITS, _no_extensions).whole()
    except WireError as error:  # its position is one in the name
        raise ValueError(f"{name[:40]!r} is no dtype") from error
    return _structured(form, 0)


@lru_cache(maxsize=256)
def _plain(name: bytes) -> np.dtype[Any]:
    dtype = _built(name.decode())
    if dtype.str != name.decode():  # numpy took another meaning for it
        raise ValueError(f"{name!r} is no dtype: {dtype.str!r} may be meant")
    return dtype


def _no_extensions(_: int) -> None:
    return None


def _structured(form: Any, depth: int) -> np.dtype[Any]:
    if isinstance(form, str) and depth and _PLAIN.fullmatch(form.encode()):
        return _plain(form.encode())
    match form:
        case ["array", inner, [*shape]] if 0 < depth <= _DEEPEST:
            return _built((_structured(inner, depth + 1), tuple(shape)))
        case ["fields", int(size), [*fields]] if depth <= _DEEPEST:
            return _built(_field_map(size, fields, depth))
        case _:
            raise ValueError(f"{str(form)[:40]} is no dtype")


def _field_map(size: int, fields: list[Any], depth: int) -> dict[str, Any]:
    names: list[str] = []
    formats: list[np.dtype[Any]] = []
    offsets: list[int] = []
    titles: list[str | None] = []
    for field in fields:
        match field:
            case [str(name), inner, int(offset)] | [str(name), inner, int(offset), str()]:
                names.append(name)
                formats.append(_structured(inner, depth + 1))
                offsets.append(offset)
                titles.append(None if len(field) == 3 else field[3])
            case _:
                raise ValueError(f"{str(field)[:40]} is no field of a dtype")
    if (
        sum(each.itemsize for each in formats) > size
    ):  # each would be checked: that is work for nothing
        raise ValueError("fields of a dtype overlap")
    parts = {"names": names, "formats": formats, "offsets": offsets, "titles": titles}
    return {**parts, "itemsize": size}


def _built(form: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = np.dtype(form)
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise ValueError(f"{str(form)[:40]} is no dtype: {error}") from error
    if dtype.hasobject:
        raise ValueError("a dtype with objects")
    return dtype


def check_values(array: np.ndarray[Any, Any]) -> None:
    """Refuse bytes that no value of the dtype has: booleans but 0 and 1, characters beyond Unicode.

    Raises:
        ValueError: saying which.
    """
    kind = array.dtype.kind
    if kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise ValueError("a boolean that is neither 0 nor 1")
    if kind == "U" and array.size and array.dtype.itemsize:
        _check_characters(array)
    for name in array.dtype.names or ():
        check_values(array[name])


def _check_characters(array: np.ndarray[Any, Any]) -> None:
    code = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
    if np.ascontiguousarray(array).reshape(-1).view(code).max() > _LARGEST_CODE_POINT:
        raise ValueError("a character beyond Unicode")
