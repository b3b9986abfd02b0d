"""Widening: elements with one more column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rxml.batch.batch import Batch
from rxml.batch.column import values_of
from rxml.batch.row import Row
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def widened(items: Sequence[Any], columns: Mapping[str, Any]) -> Sequence[Any]:
    """The elements with these columns beside their own: a batch stays one, mappings become rows.

    Args:
        items: a batch, or mappings.
        columns: as long as there are elements; one of a name that is there takes its place.

    Raises:
        SchemaError: an element is no mapping, so that it has no place for a column.
    """
    if isinstance(items, Batch):
        return items.with_columns(columns)
    require_rows(items)
    added = zip(*(values_of(column) for column in columns.values()), strict=True)
    return [_row(item, columns, values) for item, values in zip(items, added, strict=True)]


def require_rows(items: Sequence[Any]) -> None:
    """See that elements have places for columns.

    Raises:
        SchemaError: one is no mapping.
    """
    if isinstance(items, Batch):
        return
    for row, item in enumerate(items):
        if not isinstance(item, Mapping):
            text = f"element {row} is a {type(item).__name__}"
            raise SchemaError(
                f"{text}: to have columns put beside it, it must be a mapping or a row"
            )


def _row(item: Mapping[str, Any], names: Iterable[str], values: tuple[Any, ...]) -> Row:
    """A row, since dicts that hold distributions cannot be compared: whether two are equal is a probability."""
    wide = {**item, **dict(zip(names, values, strict=True))}
    return Row({name: place for place, name in enumerate(wide)}, tuple(wide.values()))
