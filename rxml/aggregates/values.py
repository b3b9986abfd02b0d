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


def numbers(column: Column, values: NDArray[Any]) -> NDArray[Any]:
    """Bools, ints and floats as they are; objects that are numbers as an array of them.

    Raises:
        SchemaError: values are missing or no real numbers, or there is more than one for a row.
    """
    if values.ndim != 1:
        text = f"column {shown(column)} has rows of shape {values.shape[1:]}"
        raise SchemaError(f"{text}: an aggregate takes one value for a row")
    if values.dtype.kind in NUMBERS:
        return values
    if values.dtype.kind == "O":
        return _numbers_of_objects(column, values)
    text = f"column {shown(column)} has dtype {values.dtype}"
    raise SchemaError(f"{text}, and numbers are wanted: cast it to int64 or float64")


def floats(column: Column, values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers as float64, copied only if they are of another dtype.

    Raises:
        SchemaError: as in `numbers`.
    """
    return numbers(column, values).astype(np.float64, copy=False)


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
    fits = kind in {bool, float} or issubclass(
        kind, np.bool_ | np.number | np.datetime64 | np.timedelta64
    )
    return np.array(items) if fits else cells(items)


def _ints(items: Sequence[Any]) -> NDArray[Any]:
    low, high = min(items), max(items)
    return (
        np.array(items, np.int64) if low >= -INT64_MAX - 1 and high <= INT64_MAX else cells(items)
    )


def _numbers_of_objects(column: Column, values: NDArray[Any]) -> NDArray[Any]:
    items = values.tolist()
    for row, item in enumerate(items):
        if item is None:
            text = f"row {row}: column {shown(column)} has no value (None)"
            raise SchemaError(f"{text}: leave out such rows, or fill them first")
        if not isinstance(item, int | float | np.bool_ | np.integer | np.floating):
            text = f"row {row}: column {shown(column)} is {item!r} ({type(item).__name__})"
            raise SchemaError(f"{text}, and numbers are wanted: an int, a float or a bool")
    array = np.array(items, None if items else np.float64)
    if array.dtype.kind in NUMBERS and not _rounded(items, array):
        return array
    text = f"column {shown(column)} has ints beyond 64 bits, or beyond 2**53 beside floats"
    raise SchemaError(f"{text}: cast them to float if digits may be lost")


def _rounded(items: list[Any], array: NDArray[Any]) -> bool:
    """Whether numpy has made floats of ints that are not the same numbers."""
    if array.dtype.kind != "f":
        return False
    whole = [index for index, item in enumerate(items) if isinstance(item, int | np.integer)]
    return any(int(array[index]) != int(items[index]) for index in whole)
