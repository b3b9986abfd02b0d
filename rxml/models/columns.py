"""Columns into the rows of one matrix, as most libraries of models want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from rxml.batch import Batch
from rxml.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from rxml.batch import Schema

    Matrix: TypeAlias = NDArray[Any]
    """Rows of numbers, of shape (n, k); each row's numbers lie side by side. Not to be written to."""

WORTH_A_LOOK: Final = 2048
"""Rows from which on it costs less to ask where columns lie (0.8 us each) than to copy them (1 ns a number)."""


class Rows:
    """Makes rows of numbers from the inputs of batches; holds nothing of them.

    The values of a row lie side by side in memory, whatever they came from, so that what is computed from them has the
    same last bit however they came.

    Args:
        inputs: numbers or booleans, scalars or vectors, in the order in which they are wanted.
        dtype: of the matrix; float64, or what holds all the inputs if one of them is a float of another size.

    Raises:
        PipelineError: an input is no number, or has more than one dimension.
    """

    def __init__(self, inputs: Schema, dtype: DTypeLike | None = None) -> None:
        for field in inputs.values():
            if not numeric(field.dtype) or len(field.shape) > 1:
                raise PipelineError(
                    f"input {field.name!r} is {field.form}: a row of numbers is made of numbers and vectors of them"
                )
        self.names: tuple[str, ...] = tuple(inputs)
        self.widths: tuple[int, ...] = tuple(
            sum(f.shape) if f.shape else 1 for f in inputs.values()
        )
        self.width: int = sum(self.widths)
        self.dtype: np.dtype[Any] = _common(inputs) if dtype is None else np.dtype(dtype)
        self._scalars: bool = not any(field.shape for field in inputs.values())

    def of(self, batch: Batch) -> Matrix:
        """The rows of a batch, of shape (n, k); without a copy where they lie so already."""
        columns = batch.columns
        arrays: list[Matrix] = [columns[name] for name in self.names]  # type: ignore[misc]  # pyright: ignore[reportAssignmentType]
        if not self._scalars:
            return self._joined(arrays)
        if len(batch) >= WORTH_A_LOOK:
            found = self._found(arrays)
            if found is not None:
                return found
        return np.ascontiguousarray(np.array(arrays, self.dtype).T)

    def _joined(self, arrays: Sequence[Matrix]) -> Matrix:
        first = arrays[0]
        if len(arrays) == 1 and first.dtype == self.dtype and _side_by_side(first):
            return first
        rows = len(first)
        joined = np.empty((rows, self.width), self.dtype)
        start = 0
        for array, width in zip(arrays, self.widths, strict=True):
            joined[:, start : start + width] = array.reshape(rows, width)
            start += width
        return joined

    def _found(self, arrays: Sequence[Matrix]) -> Matrix | None:
        """The matrix that the columns are views of, if they lie side by side in one."""
        first, size = arrays[0], self.dtype.itemsize
        base, stride = first.base, first.strides
        if base is None or any(
            a.base is not base or a.dtype != self.dtype or a.strides != stride for a in arrays
        ):
            return None
        places = [array.__array_interface__["data"][0] for array in arrays]
        if places != list(range(places[0], places[0] + size * len(places), size)):
            return None
        shape = (len(first), len(arrays))
        return as_strided(first, shape, (*stride, size), writeable=False)


def as_wanted(batch: Batch, inputs: Schema) -> Batch:
    """The batch with its inputs of the dtypes wanted; itself, if they are."""
    columns = batch.columns
    other: dict[str, Matrix] = {}
    for name, field in inputs.items():
        column = columns[name]
        if isinstance(column, np.ndarray) and column.dtype != field.dtype:
            other[name] = column.astype(field.dtype)
    return batch.with_columns(other) if other else batch


def numeric(dtype: np.dtype[Any]) -> bool:
    """Whether values are numbers or booleans."""
    return dtype.kind in "biuf"


def empty(outputs: Schema) -> Batch:
    """No rows of those outputs, which many libraries cannot give."""
    return Batch(
        {field.name: np.empty((0, *field.shape), field.dtype) for field in outputs.values()}
    )


def _common(inputs: Schema) -> np.dtype[Any]:
    common = np.result_type(*(field.dtype for field in inputs.values()))
    return common if common.kind == "f" else np.dtype(np.float64)


def _side_by_side(array: Matrix) -> bool:
    return array.strides[1] == array.itemsize or array.shape[1] == 1
