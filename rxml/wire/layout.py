"""How the elements of a dtype lie in memory: what no byte stands behind, and bytes that stand for nothing."""

from __future__ import annotations

from itertools import pairwise, takewhile
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST: Final = 2**31 - 1  # numpy keeps the size of an element in a C int


def require_apart(spans: Iterable[tuple[int, int]], size: int) -> None:
    """Check that fields, given by offset and size, lie in an element of that size and do not overlap.

    numpy's own check of this overflows.

    Raises:
        ValueError: one is out of bounds, or two overlap.
    """
    filled = sorted((offset, offset + length) for offset, length in spans if length)
    if any(start < 0 or stop > size for start, stop in filled):
        raise ValueError(f"a field that is not within the {size} bytes of its dtype")
    if any(start < stop for (_, stop), (start, _) in pairwise(filled)):
        raise ValueError("fields of a dtype overlap")


def visible(shape: tuple[int, ...]) -> int:
    """How many elements, or lists without any, one sees who walks through an array of that shape."""
    return 0 if shape[:1] == (0,) else prod(takewhile(bool, shape))


def hollow(dtype: np.dtype[Any]) -> int:
    """How many values an element has that take no bytes: with a few of these, few bytes claim any number."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return visible(shape) * (1 if 0 in shape else hollow(base))
    if dtype.names is not None:
        return sum(hollow(inner) for inner in _inner(dtype))
    return int(dtype.itemsize == 0)


def _inner(dtype: np.dtype[Any]) -> list[np.dtype[Any]]:
    fields: Any = dtype.fields
    return [fields[name][0] for name in dtype.names or ()]


def bytes_of(value: np.ndarray[Any, Any] | np.generic) -> bytes:
    """The elements in C order; what lies between the fields of a structure is zero, not what memory held."""
    raw = value.tobytes()
    if value.dtype.names is None or not raw or _is_solid(value.dtype):
        return raw
    elements = np.frombuffer(raw, np.uint8).reshape(-1, value.dtype.itemsize)
    return (elements * _mask(value.dtype)).tobytes()


def _is_solid(dtype: np.dtype[Any]) -> bool:
    if dtype.subdtype is not None:
        return _is_solid(dtype.subdtype[0])
    if dtype.names is None:
        return True
    inner = _inner(dtype)
    return sum(each.itemsize for each in inner) == dtype.itemsize and all(map(_is_solid, inner))


def _mask(dtype: np.dtype[Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if not dtype.itemsize:  # though what it is made of, none of, may be huge
        return np.zeros(0, np.uint8)
    if dtype.subdtype is not None:
        return np.tile(_mask(dtype.subdtype[0]), prod(dtype.subdtype[1]))
    if dtype.names is None:
        return np.ones(dtype.itemsize, np.uint8)
    mask = np.zeros(dtype.itemsize, np.uint8)
    fields: Any = dtype.fields
    for inner, offset, *_ in (fields[name] for name in dtype.names):
        mask[offset : offset + inner.itemsize] = _mask(inner)
    return mask
