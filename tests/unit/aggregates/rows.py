"""Rows in groups, drawn by hypothesis, and what the tests of aggregates do with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from rxml.aggregates.states import cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.aggregates import Aggregate, State

GROUPS = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows: the values of each column, event times and groups."""

    values: tuple[NDArray[Any], ...]
    times: NDArray[np.int64]
    codes: NDArray[np.intp]

    def __getitem__(self, where: slice) -> Rows:
        values = tuple(column[where] for column in self.values)
        return Rows(values, self.times[where], self.codes[where])

    def __len__(self) -> int:
        return len(self.codes)

    def lifted(self, aggregate: Aggregate, groups: int = GROUPS) -> State:
        columns = self.values[: len(aggregate.columns)]
        return aggregate.lift(columns, self.times, self.codes, groups)

    def result(self, aggregate: Aggregate, groups: int = GROUPS) -> Any:
        return aggregate.lower(self.lifted(aggregate, groups))

    def of(self, group: int) -> list[tuple[Any, int]]:
        """The (value, time) of the rows of a group, as they came."""
        values = (
            list(self.values[0]) if self.values[0].dtype.kind == "M" else self.values[0].tolist()
        )
        pairs = zip(values, self.times.tolist(), self.codes.tolist(), strict=True)
        return [(value, time) for value, time, code in pairs if code == group]


def rows(*columns: Any, times: Any = None, codes: Any = None) -> Rows:
    """Rows by hand: in one group, one nanosecond after the other, if nothing else is said."""
    arrays = tuple(map(np.asarray, columns))
    n = len(arrays[0])
    when = np.arange(n) if times is None else np.array(times, np.int64)
    return Rows(arrays, when, np.zeros(n, np.intp) if codes is None else np.array(codes, np.intp))


def array(values: list[Any], dtype: str) -> NDArray[Any]:
    return cells(values) if dtype == "O" else np.array(values, dtype)


@st.composite
def drawn(draw: st.DrawFn, values: st.SearchStrategy[Any], dtype: str, most: int = 12) -> Rows:
    row = st.tuples(values, values, st.integers(-3, 3), st.integers(0, GROUPS - 1))
    listed = draw(st.lists(row, max_size=most))
    one, other, times, codes = map(list, zip(*listed, strict=True)) if listed else ([], [], [], [])
    columns = (array(one, dtype), array(other, dtype))
    return Rows(columns, np.array(times, np.int64), np.array(codes, np.intp))


@st.composite
def cut(draw: st.DrawFn, of: st.SearchStrategy[Rows]) -> tuple[Rows, list[Rows]]:
    """Rows, and the same in pieces, some of which may be empty."""
    whole = draw(of)
    places = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    bounds = zip([0, *places], [*places, len(whole)], strict=True)
    return whole, [whole[low:high] for low, high in bounds]


def same(one: Any, other: Any, *, close: bool = False) -> bool:
    """Whether results or states are the same, floats up to rounding if they need only be close."""
    if {getattr(each, "dtype", np.dtype("O")).kind for each in (one, other)} <= set("fiub"):
        if close:
            return bool(np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True))
        return bool(one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True))
    if issubclass(type(one), np.ndarray | list | tuple):
        lengths = len(one) == len(other)
        return lengths and all(same(a, b, close=close) for a, b in zip(one, other, strict=True))
    if close and {type(one), type(other)} == {float}:
        near = math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
        return near or (math.isnan(one) and math.isnan(other))
    return bool(one == other) or bool(one != one and other != other)  # noqa: PLR0124 - NaN
