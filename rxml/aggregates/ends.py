"""The first and the last value by event time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.aggregates.states import cells
from rxml.aggregates.values import array_of, objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, State


class _End(Aggregate):
    """State: whether there is a row (bool), its event time (int64 nanoseconds), its value (object)."""

    exact: ClassVar[bool] = True

    _forward: ClassVar[bool]

    @override
    def identity(self, groups: int) -> State:
        return np.zeros(groups, np.bool_), np.zeros(groups, np.int64), np.empty(groups, object)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        seen, when, what = self.identity(groups)
        order = _order(times)
        if not self._forward:
            order = order[::-1]
        chosen = np.full(groups, -1, np.intp)
        chosen[codes[order]] = order  # of several rows of a group numpy keeps the one written last
        seen = chosen >= 0
        rows = chosen[seen]
        when[seen] = times[rows]
        what[seen] = cells(objects(values[0][rows]))
        return seen, when, what

    @override
    def combine(self, left: State, right: State) -> State:
        later = right[1] >= left[1] if self._forward else right[1] < left[1]
        other = right[0] & (later | ~left[0])
        return (
            left[0] | right[0],
            np.where(other, right[1], left[1]),
            np.where(other, right[2], left[2]),
        )

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return array_of(state[2].tolist())


def _order(times: NDArray[np.int64]) -> NDArray[np.intp]:
    """The rows in the order of time, as they came where it is the same; most chunks are sorted already."""
    if (times[1:] >= times[:-1]).all():
        return np.arange(len(times))
    return np.argsort(times, kind="stable")


class First(_End):
    """The value of the row with the least event time."""

    _forward: ClassVar[bool] = False


class Last(_End):
    """The value of the row with the greatest event time."""

    _forward: ClassVar[bool] = True


def first(column: Column) -> Aggregate:
    """The value of the earliest row by event time; of rows of one time, of that which came first.

    Any values, None too. The result is of the column's dtype if it has numbers or times, else of objects; a group
    without rows has None, and makes it one of objects.

    Args:
        column: whose value is given.
    """
    return First(column)


def last(column: Column) -> Aggregate:
    """The value of the latest row by event time; of rows of one time, of that which came last.

    Args:
        column: whose value is given, as in `first`.
    """
    return Last(column)
