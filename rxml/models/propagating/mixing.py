"""Mixing: one column of rows of which some are facts, some distributions, and not all of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch.column import frozen
from rxml.batch.kinds import describe
from rxml.errors import SchemaError
from rxml.models.propagating.inputs import alike
from rxml.models.signature import UNCERTAIN
from rxml.uncertain import Normal
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch import Field
    from rxml.batch.column import AnyArray, Column


def mixed(field: Field, values: Sequence[object]) -> AnyArray | Column:
    """The values of an input that may be uncertain, as a column of their kind, or as objects if there are several kinds.

    A fact among normals is a normal of variance 0, and has the mean NaN if it is NaN: the model is told, and says so.

    Raises:
        SchemaError: a value is neither a number nor a distribution; names the row.
    """
    rows: list[Any] = [each for i, each in enumerate(values) if _is_distribution(field, i, each)]
    facts = [
        None if isinstance(each, Rows) else _fact(field, i, each) for i, each in enumerate(values)
    ]
    kinds = {alike(each) for each in rows}
    if len(kinds) == 1 and len(rows) == len(values):
        stacked: Column = rows[0].stack(rows)
        return stacked
    if {type(each) for each in rows} == {Normal}:
        return _normals(values, facts)
    column = np.empty(len(values), object)
    for i, (each, fact) in enumerate(zip(values, facts, strict=True)):
        column[i] = each if fact is None else fact
    column.flags.writeable = False
    return column


def _is_distribution(field: Field, row: int, value: object) -> bool:
    if not isinstance(value, Rows):
        return False
    if value.shape or value.kind not in UNCERTAIN:
        raise SchemaError(
            f"row {row} is {value.kind}{value.shape or ''}: input {field.name!r} is {field.form}, or one of "
            f"{', '.join(sorted(UNCERTAIN))}"
        )
    return True


def _normals(values: Sequence[Any], facts: Sequence[float | None]) -> Normal:
    mean = [
        value.mean() if fact is None else fact for value, fact in zip(values, facts, strict=True)
    ]
    var = [value.var() if fact is None else 0.0 for value, fact in zip(values, facts, strict=True)]
    return Normal.adopt(mean=np.array(mean, np.float64), var=np.array(var, np.float64))


def _fact(field: Field, row: int, value: object) -> float:
    if value is None and field.nullable:
        return float("nan")
    number: Any = value
    if isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool):
        return float(number)
    raise SchemaError(
        f"row {row} is {describe(value)}: input {field.name!r} is {field.form}, or a distribution of one"
    )


def identities(column: AnyArray | Column) -> AnyArray | Column:
    """Ids of facts that came as objects, as whole numbers if all of them are such."""
    if not isinstance(column, np.ndarray) or column.dtype != object:
        return column
    values: list[Any] = column.tolist()
    if not values or not all(type(each) is int for each in values):
        return column
    found = np.array(values)
    return frozen(found) if found.dtype.kind in "iu" else column


def any_of(columns: Sequence[Any]) -> AnyArray:
    """Columns one after the other, as objects if they differ."""
    dtypes = {each.dtype for each in columns}
    return np.concatenate(
        columns if len(dtypes) == 1 else [each.astype(object) for each in columns]
    )
