"""The smallest and the largest: min and max."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, shown
from rxml.aggregates.sorts import parts_of
from rxml.aggregates.values import INT64_MAX, TIMES
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, State

_INTS: Final = 1
_FLOATS: Final = 2
_SORTS: Final = {"b": _INTS, "i": _INTS, "u": _INTS, "f": _FLOATS, "M": 4, "m": 8}
_ROUND: Final = 2**53
_TIMES: Final = {4: "M8[ns]", 8: "m8[ns]"}


class _Extreme(Aggregate):
    """State: which sorts were seen (uint8), the extreme of ints and times (int64), that of floats (float64)."""

    exact: ClassVar[bool] = True

    _better: ClassVar[np.ufunc]
    _worst_int: ClassVar[int]
    _worst_float: ClassVar[float]

    @override
    def identity(self, groups: int) -> State:
        whole = np.full(groups, self._worst_int, np.int64)
        return np.zeros(groups, np.uint8), whole, np.full(groups, self._worst_float)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        parts = parts_of(self.columns[0], values[0], times=True)
        states = [self._lifted(part.values, part.of(codes), groups) for part in parts]
        return (
            reduce(self.combine, states, self.identity(groups)) if len(states) != 1 else states[0]
        )

    def _lifted(self, column: NDArray[Any], codes: NDArray[np.intp], groups: int) -> State:
        sort = _SORTS[column.dtype.kind]
        seen, whole, real = self.identity(groups)
        seen[codes] = sort
        if sort == _FLOATS:
            with np.errstate(invalid="ignore"):  # NaN is a result like any other
                self._better.at(real, codes, column.astype(np.float64, copy=False))
        else:
            self._better.at(whole, codes, _bits(self.columns[0], column))
        return seen, whole, real

    @override
    def combine(self, left: State, right: State) -> State:
        with np.errstate(invalid="ignore"):
            real = self._better(left[2], right[2])
        return left[0] | right[0], self._better(left[1], right[1]), real

    @override
    def lower(self, state: State) -> NDArray[Any]:
        seen, whole, real = state
        sorts = np.unique(seen).tolist()
        self._require_one(sorts)
        kinds = np.where(seen & _FLOATS, _FLOATS, seen)
        found = [each for each in np.unique(kinds).tolist() if each]
        if len(found) < 2 and not (_INTS in found and 0 in sorts and _beyond(whole[seen != 0])):
            return self._alike(found[0] if found else _FLOATS, state)
        result = np.full(len(seen), np.nan, object)
        for sort in found:
            rows = kinds == sort
            part = self._alike(sort, (seen[rows], whole[rows], real[rows]))
            result[rows] = list(part) if sort in _TIMES else part.tolist()
        return result

    def _require_one(self, sorts: list[int]) -> None:
        """Refuse a group that has times and other values."""
        if any(sort > _INTS | _FLOATS and sort not in _TIMES for sort in sorts):
            text = f"column {shown(self.columns[0])} has times and other values"
            raise SchemaError(
                f"{text}, of which none is the {type(self).__name__.lower()}: give one sort"
            )

    def _alike(self, sort: int, state: State) -> NDArray[Any]:
        """The results of groups that have this sort or sorts, or no rows."""
        seen, whole, real = state
        if sort in _TIMES:
            points: NDArray[Any] = whole.astype(_TIMES[sort])
            points[seen == 0] = "NaT"
            return points
        if sort == _INTS and seen.all():
            return whole.copy()
        return self._mixed(seen, whole, real)

    def _mixed(
        self, seen: NDArray[Any], whole: NDArray[np.int64], real: NDArray[np.float64]
    ) -> NDArray[Any]:
        ints = np.where(seen & _INTS, whole.astype(np.float64), self._worst_float)
        with np.errstate(invalid="ignore"):
            result: NDArray[Any] = self._better(real, ints)
        result[seen == 0] = np.nan
        return result


def _beyond(whole: NDArray[np.int64]) -> bool:
    """Whether some of these would be rounded to float64."""
    return bool(((whole > _ROUND) | (whole < -_ROUND)).any())


class Min(_Extreme):
    """The smallest value."""

    _better: ClassVar[np.ufunc] = np.minimum
    _worst_int: ClassVar[int] = INT64_MAX
    _worst_float: ClassVar[float] = np.inf


class Max(_Extreme):
    """The largest value."""

    _better: ClassVar[np.ufunc] = np.maximum
    _worst_int: ClassVar[int] = -INT64_MAX - 1
    _worst_float: ClassVar[float] = -np.inf


def _bits(column: Column, values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind in TIMES:
        return values.view(np.int64)
    if values.dtype == np.uint64 and values.size and int(values.max()) > INT64_MAX:
        text = f"column {shown(column)} has {values.max()}, beyond int64"
        raise SchemaError(f"{text}: cast it to float64 if digits may be lost")
    return values.astype(np.int64, copy=False)


def min(column: Column) -> Aggregate:  # noqa: A001 - what it is
    """The smallest value of a column.

    Ints and bools give int64, floats float64, times (aware datetimes, too) datetime64[ns] or timedelta64[ns]. Where
    groups differ in that, the results are objects. NaN, as in numpy, makes the result NaN. A group without rows has NaN
    (which makes ints float64, but those that would be rounded objects) or NaT.

    Args:
        column: numbers or times; none may be missing, and NaT is missing.
    """
    return Min(column)


def max(column: Column) -> Aggregate:  # noqa: A001 - what it is
    """The largest value of a column; dtypes, NaN and groups without rows are as in `min`.

    Args:
        column: numbers or times; none may be missing, and NaT is missing.
    """
    return Max(column)
