"""Dtypes as text on the wire.

A plain dtype is numpy's own name with its byte order (`<f8`, `|b1`, `>M8[us]`, `<U12`). A structured dtype is
msgpack: `["fields", itemsize, [[name, dtype, offset], ...]]`, a title behind the offset where there is one; a
field's dtype is a name, such a list, or `["array", dtype, [length, ...]]`. Fields do not overlap and lie within
the itemsize. Objects have no place here, nor has long double, whose bytes mean something else on another machine.

Nothing is left to numpy that it does not check: a unit of time times 0 makes it divide by zero, and an offset
near 2^31 makes it read beyond the array.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np
from msgpack import packb

from rxml.errors import WireError
from rxml.wire.layout import LARGEST, require_apart
from rxml.wire.limits import Limits
from rxml.wire.reader import Reader

_PLAIN: Final = re.compile(
    rb"[<>|](?:b1|[iu][1248]|f[248]|c8|c16|[SUV]\d{1,9}|[mM]8\[(?:[1-9]\d{0,8})?(?:[YMWDhms]|[munpfa]s)\])"
    rb"|<[mM]8"  # without a unit numpy does not swap the bytes
)
_DEEPEST: Final = 8
_LIMITS: Final = Limits(max_bytes=2**16, max_depth=4 * _DEEPEST)
_LONGEST: Final = 2**16 - 1
_LARGEST_CODE_POINT: Final = 0x10FFFF


def name_of(dtype: np.dtype[Any]) -> bytes:
    """The name of a dtype.

    Raises:
        WireError: it holds objects or long doubles, or is too large to be named.
    """
    return _named(dtype, spelling_of(dtype))


def spelling_of(dtype: np.dtype[Any]) -> str:
    """What tells dtypes apart that numpy takes for equal: `M8[1000ms]` and `M8[s]`, and structures of these.

    A cache by dtype must have it in its keys. numpy finds the one equal to the other but not the other to the one,
    and `lru_cache`, when it drops one of two such keys, frees the entry of the other and goes on using it.
    """
    return str(dtype) if dtype.kind in "mMV" else ""


@lru_cache(maxsize=256)
def _named(dtype: np.dtype[Any], _: str) -> bytes:
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
    try:
        require_apart([(field[2], field[1].itemsize) for field in listed], dtype.itemsize)
    except ValueError:
        text = f"cannot encode {dtype}, whose fields overlap"
        raise WireError(f"{text}: use one dtype or the other") from None
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
            return _subarray(_structured(inner, depth + 1), tuple(shape))
        case ["fields", int(size), [*fields]] if depth <= _DEEPEST:
            return _built(_field_map(size, fields, depth))
        case _:
            raise ValueError(f"{str(form)[:40]} is no dtype")


def _subarray(inner: np.dtype[Any], shape: tuple[Any, ...]) -> np.dtype[Any]:
    sound = all(type(length) is int and 0 <= length <= LARGEST for length in shape)
    if not sound or prod(shape) * inner.itemsize > LARGEST:
        raise ValueError(f"{str(shape)[:40]} is no shape of a field")
    return _built((inner, shape))


def _field_map(size: int, fields: list[Any], depth: int) -> dict[str, Any]:
    parts = [_field(field, depth) for field in fields]
    if not 0 <= size <= LARGEST:
        raise ValueError(f"a dtype of {size} bytes")
    require_apart([(offset, inner.itemsize) for _, inner, offset, _ in parts], size)
    columns = zip(*parts, strict=True) if parts else ((), (), (), ())
    named = zip(("names", "formats", "offsets", "titles"), map(list, columns), strict=True)
    return {**dict(named), "itemsize": size}


def _field(form: Any, depth: int) -> tuple[str, np.dtype[Any], int, str | None]:
    match form:
        case [str(name), inner, int(offset), *title] if 0 <= offset <= LARGEST:
            pass
        case _:
            raise ValueError(f"{str(form)[:40]} is no field of a dtype")
    match title:
        case [] | [str()]:
            return name, _structured(inner, depth + 1), offset, title[0] if title else None
        case _:
            raise ValueError(f"{str(title)[:40]} is no title of a field")


def _built(form: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = np.dtype(form)
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise ValueError(f"{str(form)[:40]} is no dtype: {error}") from error
    if dtype.hasobject:
        raise ValueError("a dtype with objects")
    return dtype


def check_values(array: np.ndarray[Any, Any]) -> None:
    """Refuse bytes that no value of the dtype has: booleans but 0 and 1, characters beyond Unicode, times in no unit.

    Raises:
        ValueError: saying which.
    """
    kind = array.dtype.kind
    if kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise ValueError("a boolean that is neither 0 nor 1")
    if kind == "U" and array.size and array.dtype.itemsize:
        _check_characters(array)
    if kind == "M" and np.datetime_data(array.dtype)[0] == "generic" and not np.isnat(array).all():
        raise ValueError("a point in time without a unit, which is not NaT")
    for name in array.dtype.names or ():
        check_values(array[name])


def _check_characters(array: np.ndarray[Any, Any]) -> None:
    code = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
    if np.ascontiguousarray(array).reshape(-1).view(code).max() > _LARGEST_CODE_POINT:
        raise ValueError("a character beyond Unicode")
