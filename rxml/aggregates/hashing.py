"""Hashes of the values of a column that are the same in every process and on every machine: see `rxml.hashes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.aggregates.aggregate import shown
from rxml.aggregates.values import NUMBERS, TIMES, nanoseconds
from rxml.errors import SchemaError
from rxml.hashes import of_numbers, of_object, of_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column

_WANTED: Final = (
    "give a number, str, bytes, date, aware datetime, timedelta, UUID or a tuple of such"
)


def hashed(column: Column, values: NDArray[Any]) -> NDArray[np.uint64]:
    """The hash of each row's value.

    Args:
        column: whose values these are, for messages.
        values: numbers, times, texts or Python objects, of shape (n,).

    Raises:
        SchemaError: a value is missing, or of a type whose hash would change from process to process.
    """
    if values.ndim != 1:
        text = f"column {shown(column)} has rows of shape {values.shape[1:]}"
        raise SchemaError(f"{text}: give a function that makes a tuple of each")
    if values.dtype.kind in NUMBERS:
        return of_numbers(values)
    if values.dtype.kind in TIMES:
        return of_times(nanoseconds(column, values))
    return _of_objects(column, values.tolist())


def _of_objects(column: Column, items: list[Any]) -> NDArray[np.uint64]:
    """Each distinct object is hashed once."""
    known: dict[Any, int] = {}
    for row, item in enumerate(items):
        try:
            if item not in known:
                known[item] = of_object(item)
        except TypeError as error:
            text = f"row {row}: column {shown(column)} is {item!r} ({type(item).__name__})"
            raise SchemaError(f"{text}, which has no hash that lasts: {_WANTED}") from error
    return np.fromiter(map(known.__getitem__, items), np.uint64, len(items))
