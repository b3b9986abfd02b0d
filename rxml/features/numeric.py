"""The frame of transforms of numbers that are taken one by one, also those in vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.errors import SchemaError
from rxml.features.checks import floats, whole
from rxml.features.transform import Columns, ColumnTransform, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.features.table import Table


class NumericTransform(ColumnTransform):
    """A `ColumnTransform` of float64, whose state is a table with a place for each key and element of its vectors.

    Args:
        column: the name of the column: numbers of shape (n,), or (n, width) if `width` is given.
        parts: as in `ColumnTransform`.
        options: as in `ColumnTransform`.
        table: the state, of keys * width places.
        width: the length of the vectors in the column; None is plain numbers.
        time: as in `ColumnTransform`.
    """

    width: int | None
    table: Table

    def __init__(
        self,
        column: str,
        parts: Sequence[str],
        options: Mapping[str, Any],
        table: Table,
        *,
        width: int | None = None,
        time: str | None = None,
    ) -> None:
        self.width = None if width is None else whole("width", width)
        keys = len(table)
        super().__init__(column, parts, {**options, "width": width}, time=time, keys=keys)
        self.table = table
        self.table.grow(keys * (width or 1))

    @override
    def grow(self, keys: int) -> None:
        super().grow(keys)
        self.table.grow(keys * (self.width or 1))

    def _require_alike(self, other: NumericTransform) -> None:
        """ValueError unless what another has learned can be merged."""
        mine, its = (self.keys, self.config()), (other.keys, other.config())
        if mine != its:
            text = f"got a state of {its[0]} keys of {its[1]} to merge into one of {mine[0]}"
            raise ValueError(f"{text} of {mine[1]}: they must be alike")

    @override
    def _save(self) -> dict[str, Any]:
        return self.table.snapshot()

    @override
    def _load(self, state: Mapping[str, Any], keys: int) -> None:
        self.table.restore(state, keys * (self.width or 1))

    @override
    def _forget(self, slots: NDArray[np.intp]) -> None:
        self.table.clear(self._places(slots))

    @override
    def _rows(self, x: Any, slots: Any, target: NDArray[np.float64] | None, time: Any) -> Rows:
        rows = super()._rows(x, slots, target, time)
        if self.width is None:
            return rows
        times = np.repeat(rows.times, self.width)
        return Rows(rows.values.ravel(), self._places(rows.slots), rows.target, times)

    def _places(self, slots: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the elements of each slot's vectors, in their order."""
        width = self.width or 1
        return (slots[:, None] * width + np.arange(width)).ravel()

    @override
    def _values(self, x: NDArray[Any]) -> NDArray[Any]:
        wanted = () if self.width is None else (self.width,)
        if not x.ndim or x.shape[1:] != wanted:
            text = f"column {self.column!r} has rows of shape {x.shape[1:]}"
            raise SchemaError(f"{text}: rows of shape {wanted} were declared")
        return floats(self.column, x)

    @override
    def _shaped(self, x: Any, features: tuple[NDArray[Any], ...]) -> Columns:
        shape = np.shape(x)
        return super()._shaped(x, tuple(feature.reshape(shape) for feature in features))
