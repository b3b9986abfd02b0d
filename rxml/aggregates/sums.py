"""How many, how much, and how much each: count, sum and mean."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, shown
from rxml.aggregates.folding import at_once
from rxml.aggregates.sorts import floats, parts_of
from rxml.aggregates.states import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, Fold, State

_EXACT: Final = 2**53  # every whole number up to here is a float64
_LOW: Final = 2**32 - 1
_INTS: Final = 1
_FLOATS: Final = 2


class Count(Aggregate):
    """How many rows there are. State: n int64."""

    exact: ClassVar[bool] = True

    @override
    def identity(self, groups: int) -> State:
        return (np.zeros(groups, np.int64),)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        return (counted(codes, groups),)

    @override
    def combine(self, left: State, right: State) -> State:
        return (left[0] + right[0],)

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        def fold(state: State, places: NDArray[np.intp]) -> None:
            np.add.at(state[0], places, 1)

        return fold

    @override
    def along(self, before: State, rows: State) -> State:
        return _running(before, rows)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return state[0].copy()


class Mean(Aggregate):
    """The arithmetic mean. State: n int64, total float64."""

    @override
    def identity(self, groups: int) -> State:
        return np.zeros(groups, np.int64), np.zeros(groups)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        column = floats(self.columns[0], values[0])
        return counted(codes, groups), totalled(codes, column, groups)

    @override
    def combine(self, left: State, right: State) -> State:
        with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN, as it should be
            return left[0] + right[0], left[1] + right[1]

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        column = floats(self.columns[0], values[0])

        def fold(state: State, places: NDArray[np.intp]) -> None:
            np.add.at(state[0], places, 1)
            added(state[1], places, column)

        return fold

    @override
    def along(self, before: State, rows: State) -> State:
        return _running(before, rows)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: a group without rows has no mean
            mean: NDArray[Any] = state[1] / state[0]
        return mean


class Sum(Aggregate):
    """The sum: ints exactly, floats in float64.

    State: the sum of the ints, as high * 2**32 + low with 0 <= low < 2**32 (two int64: no sum of 64-bit ints
    that can be counted overflows them, whatever comes in between); that of the floats; which were seen (uint8).
    """

    @override
    def identity(self, groups: int) -> State:
        high, low = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
        return high, low, np.zeros(groups), np.zeros(groups, np.uint8)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        parts = parts_of(self.columns[0], values[0])
        states = [self._lifted(part.values, part.of(codes), groups) for part in parts]
        return (
            reduce(self.combine, states, self.identity(groups)) if len(states) != 1 else states[0]
        )

    def _lifted(self, column: NDArray[Any], codes: NDArray[np.intp], groups: int) -> State:
        high, low, part, seen = self.identity(groups)
        if column.dtype.kind == "f":
            seen[codes] = _FLOATS
            part = totalled(codes, column.astype(np.float64, copy=False), groups)
        elif column.size:
            seen[codes] = _INTS
            high, low = _whole(codes, column, groups)
        return high, low, part, seen

    @override
    def combine(self, left: State, right: State) -> State:
        low = left[1] + right[1]
        high = left[0] + right[0] + (low >> 32)
        with np.errstate(invalid="ignore", over="ignore"):
            part = left[2] + right[2]
        return high, low & _LOW, part, left[3] | right[3]

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        parts = parts_of(self.columns[0], values[0])
        folds = [(part, self._alike(part.values, part.of(times))) for part in parts]

        def fold(state: State, places: NDArray[np.intp]) -> None:
            for part, take in folds:
                take(state, part.of(places))

        return fold

    def _alike(self, column: NDArray[Any], times: NDArray[np.int64]) -> Fold:
        """Ints are summed exactly, so that all may be taken at once; floats one by one."""
        wide = column.astype(np.float64, copy=False) if column.dtype.kind == "f" else None

        def fold(state: State, places: NDArray[np.intp]) -> None:
            if wide is None:
                at_once(self, [column], times, state, places)
                return
            added(state[2], places, wide)
            state[3][places] |= _FLOATS

        return fold

    @override
    def along(self, before: State, rows: State) -> State:
        high, low, part, seen = (np.concatenate(pair) for pair in zip(before, rows, strict=True))
        low = np.add.accumulate(low)
        high = np.add.accumulate(high) + (low >> 32)
        with np.errstate(invalid="ignore", over="ignore"):
            part = np.add.accumulate(part)
        return high[1:], low[1:] & _LOW, part[1:], np.bitwise_or.accumulate(seen)[1:]

    @override
    def lower(self, state: State) -> NDArray[Any]:
        high, low, part, seen = state
        real = (seen & _FLOATS) != 0
        if not real.any():
            return self._exact(high, low)
        with np.errstate(invalid="ignore", over="ignore"):
            total: NDArray[np.float64] = high.astype(np.float64) * 2.0**32 + low + part
        if (real | (seen == 0)).all():
            return total
        result = cells(total.tolist())
        result[~real] = self._exact(high[~real], low[~real]).tolist()
        return result

    def _exact(self, high: NDArray[np.int64], low: NDArray[np.int64]) -> NDArray[np.int64]:
        over = (high >= 2**31) | (high < -(2**31))
        if over.any():
            group = int(over.argmax())
            total = (int(high[group]) << 32) + int(low[group])
            text = f"the sum of column {shown(self.columns[0])} is {total}, beyond int64"
            raise OverflowError(f"{text}: cast the column to float64 to sum it in floats")
        exact: NDArray[np.int64] = (high << 32) + low
        return exact


def _running(before: State, rows: State) -> State:
    """What is added up, after each row."""
    pairs = zip(before, rows, strict=True)
    with np.errstate(invalid="ignore", over="ignore"):
        return tuple(np.add.accumulate(np.concatenate(pair))[1:] for pair in pairs)


def counted(codes: NDArray[np.intp], groups: int) -> NDArray[np.int64]:
    """How many rows each group has."""
    return np.bincount(codes, minlength=groups).astype(np.int64, copy=False)


def totalled(
    codes: NDArray[np.intp], column: NDArray[np.float64], groups: int
) -> NDArray[np.float64]:
    """The sum of each group, added in the order of rows."""
    # without rows numpy gives ints
    if not column.size:
        return np.zeros(groups)
    totals: NDArray[Any] = np.bincount(codes, column, groups)
    return totals


def added(
    totals: NDArray[np.float64], places: NDArray[np.intp], column: NDArray[np.float64]
) -> None:
    """Add each row to the total of its place, in the order of rows, in place."""
    with np.errstate(invalid="ignore", over="ignore"):
        np.add.at(totals, places, column)


def _whole(
    codes: NDArray[np.intp], column: NDArray[Any], groups: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The high and the low half of each group's exact sum."""
    if len(column) * max(int(column.max()), -int(column.min())) < _EXACT:
        total = totalled(codes, column.astype(np.float64), groups).astype(np.int64)
        return total >> 32, total & _LOW
    wide = column if column.dtype == np.uint64 else column.astype(np.int64)
    high, low = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    np.add.at(high, codes, (wide >> 32).astype(np.int64))
    np.add.at(low, codes, (wide & _LOW).astype(np.int64))
    return high + (low >> 32), low & _LOW


def count() -> Aggregate:
    """How many rows each group has: int64, 0 for a group without rows."""
    return Count()


def sum(column: Column) -> Aggregate:  # noqa: A001 - what it is
    """The sum of a column.

    Ints and bools are summed exactly whatever the order, and give int64; a sum beyond it is an OverflowError when
    the result is asked for, and never wraps. Floats, of whatever width, are summed in float64 and give float64,
    and so do groups that have ints and floats. Where some groups have floats and others only ints, the results are
    objects: what a group has does not depend on others. NaN makes the sum NaN. A group without rows has the sum 0.

    Args:
        column: numbers, finite or not; none may be missing.
    """
    return Sum(column)


def mean(column: Column) -> Aggregate:
    """The arithmetic mean of a column, in float64; NaN for a group without rows, or with a NaN.

    Args:
        column: numbers, finite or not; none may be missing. Ints beyond 2**53 are rounded to float64.
    """
    return Mean(column)
