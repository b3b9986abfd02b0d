"""How far values are from their mean: var and std, without the loss of digits of a sum of squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, require_whole
from rxml.aggregates.sorts import floats
from rxml.aggregates.sums import counted, totalled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, Fold, State


class Var(Aggregate):
    """The variance. State: n int64, mean float64, sum of squared distances from the mean (M2) float64.

    Lifted in two passes, with the correction for a rounded mean; combined as in Chan, Golub, LeVeque, "Updating
    Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).
    """

    ddof: int

    def __init__(self, column: Column, ddof: int) -> None:
        super().__init__(column)
        self.ddof = require_whole("ddof", ddof, 0)

    @override
    def identity(self, groups: int) -> State:
        return np.zeros(groups, np.int64), np.zeros(groups), np.zeros(groups)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        column = floats(self.columns[0], values[0])
        n = counted(codes, groups)
        rows = np.maximum(n, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            mean = totalled(codes, column, groups) / rows
            away = column - mean[codes]
            rest = totalled(codes, away, groups) / rows
            squares = totalled(codes, away * away, groups) - rest * rest * n
            return n, mean + rest, np.maximum(squares, 0.0)

    @override
    def combine(self, left: State, right: State) -> State:
        n = left[0] + right[0]
        share = right[0] / np.maximum(n, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            apart = right[1] - left[1]
            mean = left[1] + apart * share
            squares = left[2] + right[2] + apart * apart * (left[0] * share)
        return n, mean, squares

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        """Row by row, by the recurrence of Welford, "Note on a Method for Calculating Corrected Sums" (1962)."""
        column = floats(self.columns[0], values[0]).tolist()

        def fold(state: State, places: NDArray[np.intp]) -> None:
            touched, codes = np.unique(places, return_inverse=True)
            held = [array[touched].tolist() for array in state]
            n, mean, squares = held
            for group, value in zip(codes.tolist(), column, strict=True):
                n[group] = count = n[group] + 1
                away = value - mean[group]
                mean[group] += away / count
                squares[group] += away * (value - mean[group])
            for array, new in zip(state, held, strict=True):
                array[touched] = new

        return fold

    @override
    def along(self, before: State, rows: State) -> State:
        """As `combine` has it, in Python's floats, which are numpy's."""
        ((count,), (mean,), (squares,)) = (array.tolist() for array in before)
        states: list[tuple[int, float, float]] = []
        for more, its, away in zip(*(array.tolist() for array in rows), strict=True):
            total = count + more
            share, apart = more / max(total, 1), its - mean
            mean += apart * share
            squares = squares + away + apart * apart * (count * share)
            count = total
            states.append((count, mean, squares))
        counts, means, rest = zip(*states, strict=True)
        return np.array(counts, np.int64), np.array(means), np.array(rest)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        free = state[0] - self.ddof
        var: NDArray[Any] = state[2] / np.where(free > 0, free, np.nan)
        return var


class Std(Var):
    """The square root of the variance, of the same state."""

    @override
    def lower(self, state: State) -> NDArray[Any]:
        std: NDArray[Any] = np.sqrt(super().lower(state))
        return std


def var(column: Column, ddof: int = 0) -> Aggregate:
    """The variance of a column, in float64, right also where the mean is huge and the spread small.

    A group with a NaN, an infinity, or no more than `ddof` rows has NaN.

    Args:
        column: numbers; none may be missing.
        ddof: what the number of rows is lessened by in the divisor, at least 0: 0 for the variance of these
            values, 1 for an unbiased estimate of that which they are a sample of.
    """
    return Var(column, ddof)


def std(column: Column, ddof: int = 0) -> Aggregate:
    """The standard deviation of a column: the square root of `var`, in the unit of the column.

    Args:
        column: numbers; none may be missing.
        ddof: as in `var`.
    """
    return Std(column, ddof)
