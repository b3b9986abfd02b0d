"""From rows to columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from rxml.batch.column import AnyArray, Column, sealed
from rxml.batch.convert import declared_column
from rxml.batch.infer import inferred_field
from rxml.batch.kinds import MISSING, NULL_TYPES, describe
from rxml.batch.schema import ARRAY, Field, Schema, require_name
from rxml.errors import SchemaError
from rxml.uncertain.rows import Rows

Extra: TypeAlias = Literal["refuse", "ignore"]


def columns_of(
    rows: list[Mapping[str, Any]], schema: Schema | None, extra: Extra
) -> dict[str, AnyArray | Column]:
    """The columns of rows, by name, each as long as there are rows; see `Batch.from_rows`.

    Raises:
        SchemaError: naming row and column.
        ValueError: `extra` is neither "refuse" nor "ignore".
    """
    if extra not in ("refuse", "ignore"):
        raise ValueError(f"extra is {extra!r}: use 'refuse' or 'ignore'")
    names = _names(rows)
    if schema is None:
        return {name: inferred_column(name, _values(rows, name)) for name in names}
    if extra == "refuse":
        _refuse_extra(rows, names, schema)
    return {name: declared(field, _values(rows, name)) for name, field in schema.items()}


def inferred_column(name: str, values: Sequence[object]) -> AnyArray | Column:
    """The values as an array of the dtype they call for, which cannot be written to; distributions as their column.

    Raises:
        SchemaError: naming row and column.
    """
    first = next((value for value in values if type(value) not in NULL_TYPES), None)
    if isinstance(first, Rows):
        return stacked(name, type(first), values)
    return sealed(declared_column(inferred_field(name, values), values))


def stacked(name: str, kind: type[Rows], values: Sequence[object]) -> Column:
    """A column of scalar distributions of one kind.

    Raises:
        SchemaError: naming the row with something else.
    """
    scalars = [value for value in values if isinstance(value, kind) and not value.shape]
    if len(scalars) == len(values):
        return kind.stack(scalars)
    row = next(i for i, v in enumerate(values) if not isinstance(v, kind) or v.shape)
    want = f"every row of column {name!r} must be one {kind.__name__}"
    raise SchemaError(f"row {row} is {describe(values[row])}: {want}")


def declared(field: Field, values: Sequence[object]) -> AnyArray | Column:
    """The values as an array of a declared field, which cannot be written to; or as its kind of column.

    Raises:
        SchemaError: naming row and column.
    """
    if field.kind != ARRAY:
        return _of_kind(field, values)
    return sealed(declared_column(field, values))


def _of_kind(field: Field, values: Sequence[object]) -> Column:
    if not values:
        raise SchemaError(f"no rows, so no column {field.name!r} of kind {field.kind!r}: give one")
    first = values[0]
    if not isinstance(first, Rows) or first.kind != field.kind:
        text = f"row 0 is {describe(first)}: column {field.name!r} is of kind {field.kind!r}"
        raise SchemaError(text)
    return stacked(field.name, type(first), values)


def _names(rows: list[Mapping[str, Any]]) -> list[str]:
    types: set[Any] = set(map(type, rows))
    other = {each for each in types if not issubclass(each, Mapping)}
    for index, row in enumerate(rows if other else ()):
        if type(row) in other:
            raise SchemaError(f"row {index} is {describe(row)}: rows must be mappings")
    names: dict[str, None] = {}
    for row in rows:
        if row.keys() != names.keys():  # most rows have the names of the one before
            names.update(dict.fromkeys(row))
    for name in names:
        require_name(name)
    return list(names)


def _values(rows: list[Mapping[str, Any]], name: str) -> list[object]:
    return [row.get(name, MISSING) for row in rows]


def _refuse_extra(rows: list[Mapping[str, Any]], names: list[str], schema: Schema) -> None:
    unknown = next((name for name in names if name not in schema), None)
    if unknown is None:
        return
    index = next(index for index, row in enumerate(rows) if unknown in row)
    text = f"row {index} has {unknown!r}, which is not in the schema ({', '.join(schema)})"
    raise SchemaError(f"{text}: declare it, or pass extra='ignore'")
