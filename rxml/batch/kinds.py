"""What sort of value a Python object is, as columns see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Missing:
    """The type of MISSING."""

    __slots__ = ()


MISSING: Final = Missing()  # stands for a value that a row does not have, as None is one it has
NULL_TYPES: Final[frozenset[type]] = frozenset({Missing, type(None)})

OTHER: Final = "object"

# The first match counts: bool is an int, numpy's timedelta64 an integer, numpy's str_ a str.
_SORTS: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((bool, np.bool_), "bool"),
    ((timedelta, np.timedelta64), "timedelta"),
    ((int, np.integer), "int"),
    ((float, np.floating), "float"),
    ((complex, np.complexfloating), "complex"),
    ((str,), "str"),
    ((bytes,), "bytes"),
    ((datetime, np.datetime64), "datetime"),
    ((list, tuple, np.ndarray), "array"),
)


def sort_of(value_type: type) -> str:
    """The sort of value of a Python or numpy type; OTHER for what no array holds."""
    for types, sort in _SORTS:
        if issubclass(value_type, types):
            return sort
    return OTHER


def sorts_of(values: Iterable[object]) -> frozenset[str]:
    """The sorts of the values that are not null."""
    return frozenset(map(sort_of, set(map(type, values)) - NULL_TYPES))


def describe(value: object) -> str:
    """A value for an error message: short, with its type."""
    if isinstance(value, int) and value.bit_length() > 1000:  # Python may refuse to write it out
        return f"a whole number of {value.bit_length()} bits"
    text = repr(value)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(value).__name__})"


def refuse_missing(name: str, values: Sequence[object], remedy: str) -> None:
    """Raise for the first row that has no value, if there is one.

    Raises:
        SchemaError: naming row and column.
    """
    for row, value in enumerate(values):
        if value is MISSING:
            raise SchemaError(f"row {row} has no {name!r}: {remedy}")


def refuse_null(name: str, values: Sequence[object], remedy: str) -> None:
    """Raise for the first value that is None or missing, if there is one.

    Raises:
        SchemaError: naming row and column.
    """
    if NULL_TYPES.isdisjoint(map(type, values)):
        return
    for row, value in enumerate(values):
        if value is MISSING:
            raise SchemaError(f"row {row} has no {name!r}: {remedy}")
        if value is None:
            raise SchemaError(f"row {row}: {name!r} is None: {remedy}")


def refuse_other(name: str, values: Sequence[object], allowed: frozenset[str], remedy: str) -> None:
    """Raise for the first value whose sort is not allowed, if there is one; nulls pass.

    Raises:
        SchemaError: naming row, column and value.
    """
    for row, value in enumerate(values):
        if type(value) not in NULL_TYPES and sort_of(type(value)) not in allowed:
            raise SchemaError(f"row {row}: {name!r} is {describe(value)}: {remedy}")
