"""Schemas: the names, dtypes and shapes that the columns of a batch have."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import index
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.batch.kinds import describe
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from rxml.batch.column import AnyArray, Column

ARRAY: Final = "array"
_NULLABLE: Final = frozenset("fcmMO")


@dataclass(frozen=True, slots=True, init=False)
class Field:
    """One column.

    Attributes:
        name: of the column.
        dtype: of an array's elements; `str` stands for an object array of strings.
        shape: of one row's value; () is a scalar, (k,) makes a column of shape (n, k).
        nullable: whether rows may lack it or hold None, which becomes NaN, NaT or, among objects, None.
            Where any object will do, None will, nullable or not.
        text: whether each value must be a string; set by declaring the dtype `str`.
        kind: `"array"`, or the kind of a distribution column.

    `nullable` and `text` are rules for rows that come in; they do not count when schemas are compared.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    nullable: bool = field(compare=False)
    text: bool = field(compare=False)
    kind: str

    def __init__(
        self,
        name: str,
        dtype: DTypeLike,
        shape: tuple[int, ...] = (),
        *,
        nullable: bool = False,
        kind: str = ARRAY,
    ) -> None:
        """Check and build.

        Raises:
            SchemaError: the name is no string, the dtype or shape is none, a length is negative, or the dtype
                has no missing value.
        """
        require_name(name)
        text = dtype in (str, "str")
        set_ = object.__setattr__
        set_(self, "name", name)
        set_(self, "dtype", np.dtype(object) if text else _dtype(name, dtype))
        set_(self, "shape", _shape(name, shape))
        set_(self, "nullable", nullable)
        set_(self, "text", text)
        set_(self, "kind", kind)
        self._check()

    def _check(self) -> None:
        if any(length < 0 for length in self.shape):
            raise SchemaError(f"field {self.name!r}: shape {self.shape} has a negative length")
        if self.nullable and self.dtype.kind not in _NULLABLE:
            text = f"field {self.name!r}: {self.dtype} has no missing value"
            raise SchemaError(f"{text}: use float64, datetime64 or object, or nullable=False")

    @classmethod
    def of(cls, name: str, column: AnyArray | Column) -> Field:
        """The field that describes a column."""
        if isinstance(column, np.ndarray):
            return cls._known(name, column.dtype, column.shape[1:], ARRAY)
        return cls._known(name, np.dtype(object), (), column.kind)

    @classmethod
    def _known(cls, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], kind: str) -> Field:
        # nothing to check, and made for each column of each chunk that is to have a schema
        known, set_ = cls.__new__(cls), object.__setattr__
        set_(known, "name", name)
        set_(known, "dtype", dtype)
        set_(known, "shape", shape)
        set_(known, "nullable", False)  # noqa: FBT003
        set_(known, "text", False)  # noqa: FBT003
        set_(known, "kind", kind)
        return known

    @property
    def form(self) -> str:
        """What a row's value is: `"float64"`, `"float64(3,)"`, `"str"`, or the kind of a distribution."""
        what = "str" if self.text else str(self.dtype) if self.kind == ARRAY else self.kind
        return f"{what}{self.shape or ''}"

    @override
    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.form!r}{', nullable=True' if self.nullable else ''})"


class Schema(Mapping[str, Field]):
    """The fields of a batch by name, in the order of its columns; equal whatever the order."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[Field]) -> None:
        """Build from fields.

        Raises:
            SchemaError: two fields have one name.
        """
        self._fields: dict[str, Field] = {}
        for each in fields:
            if each.name in self._fields:
                raise SchemaError(f"two fields are named {each.name!r}: rename one")
            self._fields[each.name] = each

    @classmethod
    def of(cls, **dtypes: DTypeLike) -> Schema:
        """Scalar fields that are not nullable: `Schema.of(sensor=str, value="float64")`."""
        return cls(Field(name, dtype) for name, dtype in dtypes.items())

    @override
    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    @override
    def __len__(self) -> int:
        return len(self._fields)

    @override
    def items(self) -> ItemsView[str, Field]:
        return self._fields.items()

    @override
    def __hash__(self) -> int:
        return hash(frozenset(self._fields.values()))

    @override
    def __repr__(self) -> str:
        return f"Schema({list(self._fields.values())!r})"


def require_name(name: object) -> None:
    """Check the name of a column.

    Raises:
        SchemaError: it is no string.
    """
    if not isinstance(name, str):
        raise SchemaError(f"a column is named {describe(name)}: names must be strings")


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    try:
        return tuple(index(length) for length in shape)
    except TypeError as error:
        text = f"field {name!r}: {describe(shape)} is no shape"
        raise SchemaError(f"{text}; give a tuple of whole numbers, such as (3,)") from error


def _dtype(name: str, dtype: Any) -> np.dtype[Any]:
    if dtype is None:  # numpy would read it as float64
        raise SchemaError(f"field {name!r}: the dtype is None; name one, such as 'float64'")
    try:
        checked: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError) as error:
        text = f"field {name!r}: {dtype!r} is no dtype"
        raise SchemaError(f"{text}; use one of numpy's, such as 'float64', or str") from error
    return checked
