"""From a list of values and a declared field to an array, losing nothing silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch.kinds import (
    NULL_TYPES,
    describe,
    refuse_missing,
    refuse_null,
    refuse_other,
    sorts_of,
)
from rxml.batch.times import times
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.batch.column import AnyArray
    from rxml.batch.schema import Field

_ACCEPTED: Final = {
    "b": frozenset({"bool"}),
    "i": frozenset({"int"}),
    "u": frozenset({"int"}),
    "f": frozenset({"int", "float"}),
    "c": frozenset({"int", "float", "complex"}),
    "U": frozenset({"str"}),
    "T": frozenset({"str"}),
    "S": frozenset({"bytes"}),
    "M": frozenset({"datetime"}),
    "m": frozenset({"timedelta"}),
}
_TEXT: Final = frozenset({"str"})
_ARRAY_KINDS: Final = {"b": "b", "i": "iu", "u": "iu", "f": "iuf", "c": "iufc", "M": "M", "m": "m"}


def declared_column(field: Field, values: Sequence[object]) -> AnyArray:
    """The values as an array of the field's dtype and shape, one row each.

    Floats and times may be rounded to the declared precision. Everything else is kept as it is or refused:
    no text becomes a number, no number text; nothing is cut, wrapped around or sent to infinity.

    Raises:
        SchemaError: naming row, column and value, and what would fit.
    """
    if not field.nullable:
        any_object = field.dtype.kind == "O" and not field.text
        refuse = refuse_missing if any_object else refuse_null
        refuse(field.name, values, "give a value or declare the field nullable")
    filled = _filled(field, values)
    if field.shape:
        return _stacked(field, filled)
    accepted = _TEXT if field.text else _ACCEPTED.get(field.dtype.kind)
    if accepted is not None and not sorts_of(values) <= accepted:
        refuse_other(field.name, values, accepted, f"the schema wants {field.dtype}")
    return _scalars(field, filled)


def _filled(field: Field, values: Sequence[object]) -> Sequence[object]:
    if not field.nullable or NULL_TYPES.isdisjoint(map(type, values)):
        return values
    null: object = None
    if field.dtype.kind != "O":
        null = np.full(field.shape, np.nan if field.dtype.kind in "fc" else "NaT", field.dtype)[()]
    return [null if type(value) in NULL_TYPES else value for value in values]


def _scalars(field: Field, values: Sequence[object]) -> AnyArray:
    build = _BUILDERS.get(field.dtype.kind, _plain)
    try:
        return build(field, values)
    except (OverflowError, FloatingPointError, TypeError, ValueError) as error:
        if isinstance(error, SchemaError):
            raise
        raise _culprit(field, values, build) from error


def _culprit(field: Field, values: Sequence[object], build: Callable[..., AnyArray]) -> SchemaError:
    remedy = f"does not fit {field.dtype}; declare one that holds it"
    for row, value in enumerate(values):
        try:
            build(field, [value])
        except (OverflowError, FloatingPointError, TypeError, ValueError):
            return SchemaError(f"row {row}: {field.name!r} is {describe(value)}: it {remedy}")
    return SchemaError(f"column {field.name!r} as a whole {remedy}")


def _plain(field: Field, values: Sequence[object]) -> AnyArray:
    return np.array(values, field.dtype).reshape(len(values))


def _objects(field: Field, values: Sequence[object]) -> AnyArray:
    return np.fromiter(values, field.dtype, len(values))


def _whole(field: Field, values: Sequence[Any]) -> AnyArray:
    if set(map(type, values)) <= {int}:
        return np.array(values, field.dtype)
    # numpy wraps its own integers around without a word; Python's it refuses
    return np.array([int(value) for value in values], field.dtype)


def _real(field: Field, values: Sequence[object]) -> AnyArray:
    wide = np.array(values, np.result_type(field.dtype, np.float64))
    with np.errstate(over="raise"):
        return wide.astype(field.dtype)


def _fixed_text(field: Field, values: Sequence[Any]) -> AnyArray:
    width = field.dtype.itemsize // (4 if field.dtype.kind == "U" else 1)
    for row, value in enumerate(values):
        if len(value) > width or value[-1:] in {"\0", b"\0"}:
            text = f"row {row}: {field.name!r} is {describe(value)}: {field.dtype} holds {width}"
            raise SchemaError(
                f"{text} characters, the last no NUL; declare str, or object for bytes"
            )
    return np.array(values, field.dtype)


_BUILDERS: Final[dict[str, Callable[[Field, Sequence[Any]], AnyArray]]] = {
    "i": _whole,
    "u": _whole,
    "f": _real,
    "c": _real,
    "U": _fixed_text,
    "S": _fixed_text,
    "M": times,
    "m": times,
    "O": _objects,
}


def _stacked(field: Field, values: Sequence[object]) -> AnyArray:
    arrays = [_element(field, row, value) for row, value in enumerate(values)]
    if not arrays:
        return np.empty((0, *field.shape), field.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        column = np.stack(arrays).astype(field.dtype)
    for row, array in enumerate(arrays):
        _require_kept(field, row, array, column[row])
    return column


def _element(field: Field, row: int, value: object) -> AnyArray:
    try:
        array = np.asarray(value, object if field.dtype.kind == "O" else None)
    except ValueError as error:
        text = f"row {row}: {field.name!r} is ragged"
        raise SchemaError(f"{text}: the schema wants shape {field.shape}") from error
    kinds = _ARRAY_KINDS.get(field.dtype.kind, field.dtype.kind)
    if array.shape != field.shape or (array.size and array.dtype.kind not in kinds):
        text = f"row {row}: {field.name!r} is {array.dtype} of shape {array.shape}"
        raise SchemaError(f"{text}: the schema wants {field.dtype} of shape {field.shape}")
    return array


def _require_kept(field: Field, row: int, array: AnyArray, kept: AnyArray) -> None:
    if field.dtype.kind in "iu":
        lost = bool((array != kept).any())
    else:
        lost = field.dtype.kind in "fc" and bool((np.isfinite(array) & ~np.isfinite(kept)).any())
    if lost:
        text = f"row {row}: {field.name!r} has elements that do not fit {field.dtype}"
        raise SchemaError(f"{text}; declare a wider one")
