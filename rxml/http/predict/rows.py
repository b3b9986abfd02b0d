"""Rows: the types that a row in JSON is decoded to, by the inputs of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

import msgspec

from rxml.models.signature import may_be_uncertain
from rxml.uncertain import Normal

if TYPE_CHECKING:
    from rxml.batch import Field, Schema

_KINDS: Final[dict[str, Any]] = {"f": float, "i": int, "u": int, "b": bool}


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """An input that is not known for sure, in JSON: a `Normal`."""

    mean: float
    variance: float


def is_told(row: dict[str, Any]) -> bool:
    """Whether an input of the row is told as a distribution."""
    return any(isinstance(each, Told) for each in row.values())


def known(row: Any) -> Any:
    """The row with distributions where they were told.

    Raises:
        DistributionError: a variance is negative.
    """
    if row.__class__ is not dict or not is_told(row):
        return row
    return {
        name: Normal(each.mean, each.variance) if isinstance(each, Told) else each
        for name, each in cast("dict[str, Any]", row).items()
    }


def row_type(fields: Schema | None, *, packed: bool = False, uncertain: bool = False) -> Any:
    """A type of mapping with those fields; others are left out. Vectors may come packed as arrays, which models check."""
    if fields is None:
        return dict[str, Any]
    make: Any = TypedDict  # one whose fields are known only now is none that checkers could know
    types = {
        name: Any if packed and field.shape else _type_of(field) for name, field in fields.items()
    }
    for name, field in fields.items():
        if uncertain and may_be_uncertain(field):
            types[name] = types[name] | Told
    return make("Row", types)


def _type_of(field: Field) -> Any:
    kind: Any = str if field.text else _KINDS.get(field.dtype.kind, Any)
    for length in reversed(field.shape):
        kind = list[kind]
        del length
    return kind | None if field.nullable and kind is not Any else kind
