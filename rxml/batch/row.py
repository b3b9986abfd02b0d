"""One row of a batch: an immutable mapping from column names to values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from typing_extensions import TypeIs, override

from rxml.batch.column import AnyArray, Column, same_value, sliced, value_at, values_of

_BLOCK: Final = 1024  # rows turned into Python values at a time


class Row(Mapping[str, Any]):  # noqa: PLW1641 - a value may be an array
    """A row: `row["x"]`, `dict(row)`, `row == {"x": 1.0}`.

    Rows of one batch share their names. A row holds its values and keeps no batch alive, save where a
    value is itself an array (a column of shape (n, k) gives views of shape (k,)).
    """

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: tuple[object, ...]) -> None:
        """Build from the place of each name in `values`; as many values as names."""
        self._places = places
        self._values = values

    @override
    def __getitem__(self, name: str) -> Any:
        return self._values[self._places[name]]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    @override
    def __len__(self) -> int:
        return len(self._places)

    @override
    def __eq__(self, other: object) -> bool:
        if not _is_mapping(other):
            return NotImplemented
        return len(self) == len(other) and all(
            name in other and same_value(value, other[name]) for name, value in self.items()
        )

    @override
    def __repr__(self) -> str:
        return f"Row({', '.join(f'{name}={value!r}' for name, value in self.items())})"


def row_of(columns: Mapping[str, AnyArray | Column], index: int) -> Row:
    """One row of the columns."""
    return Row(_places(columns), tuple(value_at(column, index) for column in columns.values()))


def rows_of(columns: Mapping[str, AnyArray | Column], length: int) -> Iterator[Row]:
    """Every row of columns of that length, which there may be none of."""
    places = _places(columns)
    if not columns:
        yield from (Row(places, ()) for _ in range(length))
        return
    for start in range(0, length, _BLOCK):
        block = slice(start, start + _BLOCK)
        values = [values_of(sliced(column, block)) for column in columns.values()]
        for row in zip(*values, strict=True):
            yield Row(places, row)


def _places(columns: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(columns)}


def _is_mapping(value: object) -> TypeIs[Mapping[Any, Any]]:
    return isinstance(value, Mapping)
