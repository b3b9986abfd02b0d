"""What a column can do: the Protocol of columns that are no arrays, and the same verbs for arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeIs

from rxml.errors import SchemaError
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AnyArray: TypeAlias = NDArray[Any]

_NATIVE: Final = frozenset("biufcSUOT")  # dtype kinds whose tolist() gives Python values
_NUMPY_SCALARS: Final = _NATIVE - {"O", "T"}
_NUMBERS: Final = frozenset("biufc")
_NAN_KINDS: Final = frozenset("fcmM")


@runtime_checkable
class Column(Protocol):
    """A column of a batch that is no numpy array, such as one distribution per row.

    Immutable, and of one length for good. `kind` names the type of column in a schema. Two columns of one
    kind can be concatenated; `concat` raises SchemaError where their parameters do not allow it.
    """

    @property
    def kind(self) -> str:
        """The name of this type of column, as in `Field.kind`."""
        ...

    @property
    def nbytes(self) -> int:
        """How many bytes the values hold."""
        ...

    def __len__(self) -> int: ...

    def slice(self, where: slice) -> Self:
        """The rows of a slice, without a copy."""
        ...

    def take(self, where: AnyArray) -> Self:
        """The rows where a boolean mask is true, or those with the given indices."""
        ...

    def at(self, index: int) -> object:
        """The value of one row, 0 <= index < len."""
        ...

    def concat(self, others: Sequence[Any]) -> Self:
        """This column followed by others of its kind."""
        ...

    def equals(self, other: object) -> bool:
        """Whether the other is of the same kind, with the same values; NaN equals NaN."""
        ...


def is_array(value: object) -> TypeIs[AnyArray]:
    """Whether a value is a numpy array, of whatever dtype and shape."""
    return isinstance(value, np.ndarray)


def frozen(array: AnyArray) -> AnyArray:
    """A view that cannot be written through; the array itself stays as it was."""
    view = array.view()
    view.setflags(write=False)
    return view


def sealed(array: AnyArray) -> AnyArray:
    """A view of an array that nobody else has: neither the view nor what lies under it can be written to."""
    under: Any = array
    while isinstance(under, np.ndarray):
        under.setflags(write=False)
        under = under.base
    return array.view()


def shielded(column: AnyArray | Column) -> AnyArray | Column:
    """A column that cannot be written through."""
    return frozen(column) if is_array(column) else column


def restored(column: AnyArray | Column) -> AnyArray | Column:
    """A column as it was before it was pickled; numpy forgets that an array could not be written to."""
    return sealed(column) if is_array(column) and column.flags.writeable else column


def sliced(column: AnyArray | Column, where: slice) -> AnyArray | Column:
    """The rows of a slice: a view, never a copy."""
    return column[where] if isinstance(column, np.ndarray) else column.slice(where)


def taken(column: AnyArray | Column, where: AnyArray) -> AnyArray | Column:
    """The rows under a mask or at indices, copied."""
    return sealed(column[where]) if isinstance(column, np.ndarray) else column.take(where)


def value_at(column: AnyArray | Column, index: int) -> object:
    """One row's value: a Python number or string where there is one, else a numpy scalar or a view."""
    if not isinstance(column, np.ndarray):
        return column.at(index)
    if column.ndim == 1 and column.dtype.kind in _NUMPY_SCALARS:
        return column.item(index)
    value: object = column[index]
    return value


def values_of(column: AnyArray | Column) -> Sequence[object]:
    """Every row's value, as `value_at` gives them, at C speed where the dtype has Python values."""
    if not isinstance(column, np.ndarray):
        return [column.at(index) for index in range(len(column))]
    if column.ndim == 1 and column.dtype.kind in _NATIVE:
        values: list[object] = column.tolist()
        return values
    return list(column)


def joined(name: str, columns: Sequence[AnyArray | Column]) -> AnyArray | Column:
    """One column after the other.

    Raises:
        SchemaError: they differ in kind, dtype or shape; the widths of fixed-size text may differ.
    """
    first = columns[0]
    if _are_alike(columns):
        return sealed(np.concatenate(columns, dtype=columns[0].dtype))
    for position, other in enumerate(columns):
        _require_same(name, position, first, other)
    if isinstance(first, np.ndarray):
        arrays = [np.asarray(column) for column in columns]
        widest = max((array.dtype for array in arrays), key=lambda dtype: dtype.itemsize)
        return sealed(np.concatenate(arrays, dtype=widest))  # told, lest it change the byte order
    return first.concat(columns[1:])


def all_joined(batches: Sequence[Mapping[str, AnyArray | Column]]) -> dict[str, AnyArray | Column]:
    """The columns of batches, one after the other.

    Raises:
        SchemaError: they differ in names, in whatever order, or in what `joined` asks for.
    """
    first = batches[0]
    names = first.keys()
    for position, columns in enumerate(batches):
        if columns.keys() != names:
            text = f"batch {position} has columns {tuple(columns)}; batch 0 has {tuple(first)}"
            raise SchemaError(f"{text}: select the same columns")
    return {name: joined(name, [columns[name] for columns in batches]) for name in first}


def _are_alike(columns: Sequence[AnyArray | Column]) -> TypeIs[Sequence[AnyArray]]:
    """Whether all are arrays of numbers in the very same dtype and shape, as most are."""
    first = columns[0]
    if not isinstance(first, np.ndarray) or first.dtype.kind not in _NUMBERS:
        return False
    dtype, shape = first.dtype, first.shape[1:]
    for other in columns:
        if not isinstance(other, np.ndarray) or other.dtype is not dtype:
            return False
        if other.shape[1:] != shape:
            return False
    return True


def _require_same(
    name: str, position: int, first: AnyArray | Column, other: AnyArray | Column
) -> None:
    if first is other:
        return
    expected, got = _form(first), _form(other)
    if expected != got:
        shown = [f"{form[0]}{form[1:] or ''}" for form in (got, expected)]
        text = f"column {name!r} of batch {position} is {shown[0]}; batch 0 has {shown[1]}"
        raise SchemaError(f"{text}: give both the same dtype and shape")


def _form(column: AnyArray | Column) -> tuple[object, ...]:
    if not isinstance(column, np.ndarray):
        return (column.kind,)
    fixed_text = column.dtype.kind in "SU"
    return (column.dtype.kind if fixed_text else column.dtype, *column.shape[1:])


def same_column(one: AnyArray | Column, other: AnyArray | Column) -> bool:
    """Whether dtype, shape and values are the same; NaN equals NaN, NaT equals NaT."""
    if not isinstance(one, np.ndarray):
        return one.equals(other)
    if not isinstance(other, np.ndarray) or one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.kind == "O":
        return all(map(same_value, one.flat, other.flat))
    if one.dtype.names:
        return all(same_column(one[name], other[name]) for name in one.dtype.names)
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in _NAN_KINDS))


def same_value(one: object, other: object) -> bool:
    """Whether two values of rows are equal; arrays by shape and elements, as `==` otherwise."""
    if one is other:
        return True
    if isinstance(one, Rows):  # whose == gives a probability
        return one.equals(other)
    if is_array(one) or is_array(other):
        return _same_elements(one, other)
    return bool(one == other)


def _same_elements(one: object, other: object) -> bool:
    try:
        return bool(np.array_equal(np.asarray(one), np.asarray(other)))
    except ValueError:  # a ragged list is no array, and so equals none
        return False
