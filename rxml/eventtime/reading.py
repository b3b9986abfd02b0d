"""Reading: columns of elements, which may be a batch, mappings, or objects with attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from types import BuiltinMethodType, MethodType, MethodWrapperType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np

from rxml.aggregates.reader import Reader
from rxml.batch.batch import Batch
from rxml.batch.gather import inferred_column
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_METHODS: Final = (MethodType, BuiltinMethodType, MethodWrapperType)

Column: TypeAlias = str | Callable[[Any], Any]
"""The name of a column, a key or an attribute, or the way to one with dots; or a function of the element."""


def read(items: Sequence[Any], column: Column | Reader) -> Sequence[Any] | NDArray[Any]:
    """What each element has there, in order: the column itself if the elements are a batch.

    A name that an element lacks may also be the way to it: "payload.celsius" is what "payload" has under "celsius".

    Raises:
        SchemaError: an element has no such column.
    """
    if isinstance(column, Reader):
        return column.read(items, _found)
    if callable(column):
        return list(map(column, items))
    if isinstance(items, Batch):
        return _of_batch(items, column)
    try:
        return list(map(itemgetter(column), items))
    except (KeyError, TypeError, IndexError):
        return [_one(item, column) for item in items]


def _found(items: Sequence[Any], column: Column) -> Any:
    """What elements have there, as one array or column of distributions; None where none of them has it."""
    if isinstance(items, Batch) and isinstance(column, str) and column in items.columns:
        return items.columns[column]
    try:
        values = read(items, column)
    except SchemaError:
        if any(_has(item, str(column)) for item in items):
            raise
        return None
    return values if isinstance(values, np.ndarray) else inferred_column(label_of(column), values)


def _of_batch(batch: Batch, column: str) -> Sequence[Any] | NDArray[Any]:
    if column not in batch.columns:
        for at, character in enumerate(column):
            if character == "." and column[:at] in batch.columns:
                return [_one(value, column[at + 1 :]) for value in batch.array(column[:at])]
    found: NDArray[Any] = batch.array(column)
    return found


def _one(item: Any, column: str) -> Any:
    try:
        return _part(item, column)
    except (KeyError, AttributeError):
        for at, character in enumerate(column):
            if character == "." and _has(item, column[:at]):
                return _one(_part(item, column[:at]), column[at + 1 :])
        name = column.partition(".")[0]
        message = f"an element has no {name!r}: it {_looks(item)}"
        raise SchemaError(message) from None


def _has(item: Any, name: str) -> bool:
    try:
        _part(item, name)
    except (KeyError, AttributeError):
        return False
    return True


def _looks(item: Any) -> str:
    """What an element is instead, in words."""
    names = getattr(item, "keys", None)
    return f"is a {type(item).__name__}" if names is None else f"has {sorted(map(str, names()))}"


def _part(item: Any, name: str) -> Any:
    if isinstance(item, Mapping):
        return cast("Mapping[str, Any]", item)[name]
    value = getattr(item, name)
    if isinstance(value, _METHODS):  # such as "count" of a tuple, or "title" of a text: no column
        raise AttributeError(name)  # noqa: TRY004 - as if it were not there
    return value


def label_of(column: Column) -> str:
    """The column's name; for a function the name of that."""
    return column if isinstance(column, str) else getattr(column, "__name__", "key").strip("<>")
