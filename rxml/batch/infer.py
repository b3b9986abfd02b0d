"""The field that a list of values calls for, when nobody has declared one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.batch.kinds import NULL_TYPES, describe, refuse_null, refuse_other, sort_of, sorts_of
from rxml.batch.schema import Field
from rxml.batch.times import nanoseconds
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.batch.column import AnyArray

_EXACT: Final = 2**53  # every whole number up to here is a float64
_INT64_MAX: Final = 2**63 - 1
_REAL: Final = frozenset({"int", "float"})
_INFERRED: Final = frozenset(
    {"bool", "int", "float", "complex", "str", "bytes", "datetime", "timedelta", "array"}
)


def inferred_field(name: str, values: Sequence[object]) -> Field:
    """The field for values that are all of one sort, or int and float mixed.

    bool -> bool; int -> int64 (uint64 above 2^63 - 1); float, and int up to 2^53 beside float -> float64;
    complex -> complex128; str, bytes -> object; aware datetime -> datetime64[us] in UTC; timedelta ->
    timedelta64[us]; equally long lists, tuples or arrays of numbers -> one dimension more. Values that all
    have one numpy type keep it. None or a missing value makes the field nullable.

    Raises:
        SchemaError: naming row and column, for mixed sorts, nulls that the dtype cannot hold, numbers that
            would lose digits, values that are no column's, and when there are only nulls.
    """
    present = [value for value in values if type(value) not in NULL_TYPES]
    if not present:
        raise SchemaError(f"column {name!r} has no value to infer a dtype from: declare a schema")
    dtype, shape = _form(name, values, present)
    if len(present) == len(values):
        return Field(name, dtype, shape)
    if dtype is not str and np.dtype(dtype).kind not in "fcmMO":
        refuse_null(
            name, values, f"{np.dtype(dtype)} has no missing value; declare float64 to use NaN"
        )
    return Field(name, dtype, shape, nullable=True)


def _form(
    name: str, values: Sequence[object], present: list[object]
) -> tuple[Any, tuple[int, ...]]:
    sorts = sorts_of(present)
    if not sorts <= _INFERRED:
        refuse_other(name, values, _INFERRED, "declare a schema with dtype object to carry it")
    if sorts == _REAL:
        _require_exact(name, values)
        return np.float64, ()
    if len(sorts) > 1:
        first = sort_of(type(present[0]))
        expected = f"the rows before have {first}; give one type or declare a schema"
        refuse_other(name, values, _REAL if first in _REAL else frozenset({first}), expected)
    (sort,) = sorts
    if sort == "array":
        return _array_form(name, values)
    return _scalar_dtype(name, sort, present), ()


def _scalar_dtype(name: str, sort: str, present: list[object]) -> Any:
    types: set[type] = set(map(type, present))
    if sort in {"str", "bytes"}:
        return str if sort == "str" else object
    if sort in {"datetime", "timedelta"}:
        return _time_dtype(name, sort, present)
    dtype: Any = getattr(present[0], "dtype", None)
    if len(types) == 1 and dtype is not None:
        return dtype
    return _PYTHON_DTYPES[sort](present)


def _int_dtype(present: list[Any]) -> Any:
    return np.uint64 if max(present) > _INT64_MAX and min(present) >= 0 else np.int64


_PYTHON_DTYPES: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "bool": lambda _: np.bool_,
    "int": _int_dtype,
    "float": lambda _: np.float64,
    "complex": lambda _: np.complex128,
}


def _time_dtype(name: str, sort: str, present: list[object]) -> Any:
    kind = "M8" if sort == "datetime" else "m8"
    return _common(name, {_time_dtype_of(kind, value) for value in present})


def _time_dtype_of(kind: str, value: object) -> np.dtype[Any]:
    dtype: Any = getattr(value, "dtype", None)
    unit = "ns" if nanoseconds(value) else "us"
    return np.dtype(f"{kind}[{unit}]") if dtype is None else dtype


def _common(name: str, dtypes: set[np.dtype[Any]]) -> np.dtype[Any]:
    try:
        return np.result_type(*dtypes)
    except (
        TypeError,
        OverflowError,
    ) as error:  # years have no number of seconds, 10^9 years no attoseconds
        shown = ", ".join(sorted(map(str, dtypes)))
        text = f"column {name!r} mixes {shown}, which have no dtype in common"
        raise SchemaError(f"{text}: give one unit or type, or declare a schema") from error


def _require_exact(name: str, values: Sequence[object]) -> None:
    for row, value in enumerate(values):
        if sort_of(type(value)) == "int" and abs(int(cast("int", value))) > _EXACT:
            text = f"row {row}: {name!r} is {describe(value)} among floats"
            raise SchemaError(f"{text}, and float64 would lose its last digits: declare a schema")


def _array_form(name: str, values: Sequence[object]) -> tuple[Any, tuple[int, ...]]:
    dtypes: set[np.dtype[Any]] = set()
    shape: tuple[int, ...] | None = None
    for row, value in enumerate(values):
        if type(value) in NULL_TYPES:
            continue
        array = _numeric(name, row, value)
        shape = array.shape if shape is None else shape
        if array.shape != shape:
            text = f"row {row}: {name!r} has shape {array.shape}; the rows before have {shape}"
            raise SchemaError(f"{text}: pad to one length")
        dtypes.add(array.dtype)
    dtype = _common(name, dtypes)
    if dtype.kind == "f" and not {each.kind for each in dtypes} <= set("f"):
        _require_exact_elements(name, values)
    return dtype, shape or ()


def _require_exact_elements(name: str, values: Sequence[object]) -> None:
    for row, value in enumerate(values):
        array = np.asarray(value)
        if array.dtype.kind in "iu" and (array > _EXACT).any() | (array < -_EXACT).any():
            text = f"row {row}: {name!r} holds whole numbers beyond 2^53 among floats"
            raise SchemaError(f"{text}, and float64 would lose digits: declare a schema")


def _numeric(name: str, row: int, value: object) -> AnyArray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise SchemaError(f"row {row}: {name!r} is ragged: pad to one length") from error
    if array.dtype.kind not in "biufcmM":
        text = f"row {row}: {name!r} holds {array.dtype} elements"
        raise SchemaError(f"{text}: lists must be of numbers; declare dtype object to carry others")
    return array
