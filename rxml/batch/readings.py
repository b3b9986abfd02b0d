"""Readings: batches as tables of others, which hold no distributions: each becomes a few plain columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.errors import SchemaError
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch.column import AnyArray, Column


def readings(columns: Mapping[str, AnyArray | Column]) -> dict[str, AnyArray | Column]:
    """The columns, those of distributions as NAME.mean and NAME.var, intervals as NAME.lo, .hi and .level.

    Events are NAME.p, .low and .high; alternatives have NAME.presence too; categoricals are NAME.mode and .certainty.
    What a distribution is beyond that is lost: the wire and stores keep all of it.

    Raises:
        SchemaError: a column is called as one of these would be.
    """
    found: dict[str, AnyArray | Column] = {}
    for name, column in columns.items():
        found.update(
            {f"{name}.{each}": array for each, array in column.readings().items()}
            if isinstance(column, Rows)
            else {name: column}
        )
    taken = [name for name, column in columns.items() if found.get(name) is not column]
    clash = [name for name in taken if not isinstance(columns[name], Rows)]
    if clash:
        raise SchemaError(f"column {clash[0]!r} is called as a reading of another: rename it")
    return found
