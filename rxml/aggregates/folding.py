"""Folding: rows taken into states in place, one after the other, so that pieces of any size give the same to the last bit.

`lift` and `combine` add up piece by piece, and how a float is rounded then depends on the pieces. A stream may be cut
anywhere, and a replay cuts it elsewhere: so rows go into a state in their order, as if each came alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.aggregates.collect import Collect
from rxml.aggregates.distinct import Distinct
from rxml.aggregates.ends import First, Last
from rxml.aggregates.extremes import Max, Min
from rxml.aggregates.own import Monoid
from rxml.aggregates.quantiles import Quantiles
from rxml.aggregates.spread import Var
from rxml.aggregates.states import put, taken
from rxml.aggregates.sums import Count, Mean, Sum
from rxml.aggregates.top import TopK
from rxml.aggregates.values import floats, numbers

if TYPE_CHECKING:
    from rxml.aggregates.aggregate import Aggregate, State

Fold: TypeAlias = "Callable[[State, NDArray[np.intp]], None]"
"""Takes the rows into the groups at these places of a state, in place."""

Values: TypeAlias = Sequence[NDArray[Any]]

EXACT: Final = (Collect, Count, Distinct, First, Last, Max, Min, Quantiles, TopK)
"""Aggregates whose `combine` is associative to the last bit: their rows may be taken all at once."""

_LOW: Final = 2**32 - 1


@singledispatch
def folding(aggregate: Aggregate, values: Values, times: NDArray[np.int64]) -> Fold:
    """What takes these rows into states of the aggregate; nothing is taken before it is called.

    Args:
        aggregate: whose states they are.
        values: one array of shape (n,) for each of its columns.
        times: event times of the rows, shape (n,).

    Raises:
        SchemaError: a value that the aggregate cannot take.
    """
    if any(column.dtype.kind == "O" for column in values):  # only objects differ from row to row
        aggregate.lift(values, times, np.zeros(len(times), np.intp), 1)
    take = _at_once if isinstance(aggregate, EXACT) else _in_rounds

    def fold(state: State, places: NDArray[np.intp]) -> None:
        take(aggregate, values, times, state, places)

    return fold


def _at_once(
    aggregate: Aggregate,
    values: Values,
    times: NDArray[np.int64],
    state: State,
    places: NDArray[np.intp],
) -> None:
    groups, codes = np.unique(places, return_inverse=True)
    part = aggregate.lift(values, times, codes, len(groups))
    put(state, groups, aggregate.combine(taken(state, groups), part))


def _in_rounds(
    aggregate: Aggregate,
    values: Values,
    times: NDArray[np.int64],
    state: State,
    places: NDArray[np.intp],
) -> None:
    """First the first row of each group, then the second of each, and so on."""
    for rows in rounds(places):
        each = aggregate.lift(
            [column[rows] for column in values], times[rows], np.arange(len(rows)), len(rows)
        )
        put(state, places[rows], aggregate.combine(taken(state, places[rows]), each))


def rounds(places: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The rows that are the first of their place, then those that are the second, and so on; each in order."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[first, len(places)])
    if lengths.max(initial=0) <= 1:
        return [np.arange(len(places))]
    rank = np.empty(len(places), np.intp)
    rank[order] = np.arange(len(places)) - np.repeat(first, lengths)
    by_rank = np.argsort(rank, kind="stable")
    return np.split(by_rank, np.cumsum(np.bincount(rank))[:-1])


@folding.register(Count)
def _count(aggregate: Count, values: Values, times: NDArray[np.int64]) -> Fold:
    del aggregate, values, times

    def fold(state: State, places: NDArray[np.intp]) -> None:
        np.add.at(state[0], places, 1)

    return fold


@folding.register(Mean)
def _mean(aggregate: Mean, values: Values, times: NDArray[np.int64]) -> Fold:
    del times
    column = floats(aggregate.columns[0], values[0])

    def fold(state: State, places: NDArray[np.intp]) -> None:
        np.add.at(state[0], places, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            np.add.at(state[1], places, column)

    return fold


@folding.register(Sum)
def _sum(aggregate: Sum, values: Values, times: NDArray[np.int64]) -> Fold:
    column = numbers(aggregate.columns[0], values[0])
    if column.dtype.kind != "f":
        return _whole_sum(aggregate, [column], times)
    wide = column.astype(np.float64, copy=False)

    def fold(state: State, places: NDArray[np.intp]) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            np.add.at(state[2], places, wide)
        state[3][places] |= 2

    return fold


def _whole_sum(aggregate: Sum, values: Values, times: NDArray[np.int64]) -> Fold:
    """Ints are summed exactly, so that all may be taken at once."""

    def fold(state: State, places: NDArray[np.intp]) -> None:
        _at_once(aggregate, values, times, state, places)

    return fold


@folding.register(Var)
def _var(aggregate: Var, values: Values, times: NDArray[np.int64]) -> Fold:
    """Welford's recurrence (1962), row by row."""
    del times
    column = floats(aggregate.columns[0], values[0]).tolist()

    def fold(state: State, places: NDArray[np.intp]) -> None:
        touched = np.unique(places)
        held = [array[touched].tolist() for array in state]
        at = dict(zip(touched.tolist(), range(len(touched)), strict=True))
        n, mean, squares = held
        for place, value in zip(map(at.__getitem__, places.tolist()), column, strict=True):
            n[place] = count = n[place] + 1
            away = value - mean[place]
            mean[place] += away / count
            squares[place] += away * (value - mean[place])
        for array, new in zip(state, held, strict=True):
            array[touched] = new

    return fold


@folding.register(Monoid)
def _own(aggregate: Monoid, values: Values, times: NDArray[np.int64]) -> Fold:
    rows = aggregate.lift(values, times, np.arange(len(times)), len(times))[0].tolist()

    def fold(state: State, places: NDArray[np.intp]) -> None:
        held = state[0]
        for place, row in zip(places.tolist(), rows, strict=True):
            held[place] = aggregate.joined(held[place], row)

    return fold
