"""Values of columns as aggregates take them: numbers, times and Python objects, or an error that names the column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.aggregates.aggregate import shown
from rxml.aggregates.states import cells
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column

NUMBERS: Final = frozenset("biuf")
TIMES: Final = frozenset("mM")
INT64_MAX: Final = 2**63 - 1

_PYTHON: Final = {"?": bool, "l": int, "d": float}  # whose tolist() loses nothing of the dtype
_TEXTS: Final = frozenset("OSUT")


def nanoseconds(column: Column, values: NDArray[Any]) -> NDArray[np.int64]:
    """Points in time or durations of whatever unit, in nanoseconds.

    Raises:
        SchemaError: a time is missing (NaT), or beyond what nanoseconds can say.
    """
    if np.isnat(values).any():
        row = int(np.isnat(values).argmax())
        raise SchemaError(f"row {row}: column {shown(column)} is NaT: leave out rows without it")
    fine = values.astype(f"{values.dtype.kind}8[ns]")
    if (fine.astype(values.dtype) != values).any():
        row = int((fine.astype(values.dtype) != values).argmax())
        text = f"row {row}: column {shown(column)} is {values[row]}"
        raise SchemaError(
            f"{text}, beyond what nanoseconds in 64 bits can say (years 1677 to 2262)"
        )
    return fine.view(np.int64)


def objects(values: NDArray[Any]) -> list[Any]:
    """Each row's value: a Python one where it is as good, else a numpy scalar or array that keeps the dtype."""
    if values.ndim == 1 and (values.dtype.char in _PYTHON or values.dtype.kind in _TEXTS):
        listed: list[Any] = values.tolist()
        return listed
    if values.ndim == 1:
        return list(values)
    return [row.copy() for row in values]  # a view would hold the whole column


def array_of(items: Sequence[Any]) -> NDArray[Any]:
    """The array that a list of values calls for: of numbers or times if all have one type, else of objects."""
    kinds = set(map(type, items))
    if len(kinds) != 1:
        return cells(items)
    (kind,) = kinds
    if kind is int:
        return _ints(items)
    if issubclass(kind, np.datetime64 | np.timedelta64):  # of units, numpy takes the finest
        return np.array(items) if len({item.dtype for item in items}) == 1 else cells(items)
    fits = kind in {bool, float} or issubclass(kind, np.bool_ | np.number)
    return np.array(items) if fits else cells(items)


def _ints(items: Sequence[Any]) -> NDArray[Any]:
    low, high = min(items), max(items)
    return (
        np.array(items, np.int64) if low >= -INT64_MAX - 1 and high <= INT64_MAX else cells(items)
    )
