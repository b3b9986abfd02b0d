"""Schemas as MLflow writes them, in JSON (https://mlflow.org/docs/latest/ml/model/signatures)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from rxml.batch import Field, Schema
from rxml.errors import ArtefactError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Final[Mapping[str, Any]] = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": str,
    "datetime": "datetime64[ns]",
}
_NAMES: Final = {"bool": "boolean", "int32": "integer", "int64": "long", "str": "string"} | {
    "float32": "float",
    "float64": "double",
    "datetime64[ns]": "datetime",
}


class _Column(msgspec.Struct):
    """A column, or, without a type that is in `_TYPES`, a tensor."""

    type: str
    name: str = ""


def schema_of(text: str) -> Schema | None:
    """The fields that a signature's side names; None if it has tensors, whose fields the model itself tells.

    Args:
        text: JSON, `signature.inputs` of an MLmodel.

    Raises:
        ArtefactError: it is none.
    """
    try:
        columns = msgspec.json.decode(text, type=list[_Column])
        if not all(each.name and each.type in _TYPES for each in columns):
            return None
        return Schema(Field(each.name, _TYPES[each.type]) for each in columns)
    except (msgspec.MsgspecError, SchemaError, RecursionError) as error:
        raise ArtefactError(f"the MLmodel has no signature: {error}") from error


def side_of(schema: Schema) -> str:
    """A side of a signature: columns if all its fields are scalars that MLflow has a type for, else tensors."""
    fields = list(schema.values())
    if all(not field.shape and field.form in _NAMES for field in fields):
        told: list[Any] = [
            {"type": _NAMES[field.form], "name": field.name, "required": True} for field in fields
        ]
    else:
        told = [_tensor(field, named=len(fields) > 1) for field in fields]
    return msgspec.json.encode(told).decode()


def _tensor(field: Field, *, named: bool) -> dict[str, Any]:
    dtype = "str" if field.dtype == object else str(field.dtype)
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": [-1, *field.shape]}}
    return spec | ({"name": field.name} if named else {})
