"""How many bytes a column holds, with what its elements refer to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch.column import is_array
from rxml.memory import FLAT, LEVELS, parts

if TYPE_CHECKING:
    from rxml.batch.column import AnyArray, Column

_INLINE: Final = 15  # bytes of a text that StringDType keeps in the element itself


def size_of(column: AnyArray | Column) -> int:
    """Bytes held by the values, and by the Python objects and long texts among them, each where it occurs."""
    if not isinstance(column, np.ndarray):
        return column.nbytes
    return column.nbytes + _beside(column, LEVELS)


def _beside(column: AnyArray, levels: int) -> int:
    """The bytes that elements refer to."""
    if not column.dtype.hasobject or levels == 0:
        return 0
    if column.dtype.names is not None:
        return sum(_beside(column[name], levels) for name in column.dtype.names)
    values: list[Any] = column.ravel().tolist()
    if column.dtype.kind == "T":
        sizes = (len(text.encode()) for text in values if isinstance(text, str))
        return sum(size for size in sizes if size > _INLINE)
    if FLAT.issuperset(set(map(type, values))):
        return sum(map(sys.getsizeof, values))
    return sum(_deep(value, levels) for value in values)


def _deep(value: Any, levels: int) -> int:
    own, exact = sys.getsizeof(value), getattr(value, "nbytes", None)
    if isinstance(exact, int):  # a view counts as what it shows
        beside = _beside(value, levels - 1) if is_array(value) and levels else 0
        return max(own, exact) + beside
    if type(value) in FLAT or levels == 0:
        return own
    return own + sum(_deep(part, levels - 1) for part in parts(value))
