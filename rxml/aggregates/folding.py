"""Folding: rows taken into states in place, one after the other, so that pieces of any size give the same to the last bit.

`lift` and `combine` add up piece by piece, and how a float is rounded then depends on the pieces. A stream may be cut
anywhere, and a replay cuts it elsewhere: so rows go into a state in their order, as if each came alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.aggregates.states import State, concatenated, put, taken
from rxml.rounds import rounds

Fold: TypeAlias = Callable[[State, NDArray[np.intp]], None]
"""Takes the rows into the groups at these places of a state, one for each row, in place."""

Values: TypeAlias = Sequence[NDArray[Any]]


class Lifting(Protocol):
    """An aggregate, as far as rows are taken; see `rxml.aggregates.aggregate.Aggregate`."""

    def lift(
        self, values: Values, times: NDArray[np.int64], codes: NDArray[np.intp], groups: int
    ) -> State:
        """The state of each group over its rows."""
        ...

    def combine(self, left: State, right: State) -> State:
        """The state of each group over the rows of both."""
        ...


def at_once(
    aggregate: Lifting,
    values: Values,
    times: NDArray[np.int64],
    state: State,
    places: NDArray[np.intp],
) -> None:
    """All rows of a group as one: the same bits only if the aggregate is exact."""
    groups, codes = np.unique(places, return_inverse=True)
    part = aggregate.lift(values, times, codes, len(groups))
    put(state, groups, aggregate.combine(taken(state, groups), part))


def in_rounds(
    aggregate: Lifting,
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


def one_by_one(aggregate: Lifting, before: State, rows: State) -> State:
    """The state of one group after each of its rows."""
    states = [before]
    for number in range(len(rows[0])):
        states.append(aggregate.combine(states[-1], taken(rows, slice(number, number + 1))))
    return concatenated(states[1:])


def doubling(aggregate: Lifting, before: State, rows: State) -> State:
    """The same in log2(n) steps (Hillis and Steele, 1986): the same bits only if the aggregate is exact."""
    first = aggregate.combine(before, taken(rows, slice(0, 1)))
    states, step = concatenated([first, taken(rows, slice(1, None))]), 1
    while step < len(rows[0]):
        later = aggregate.combine(
            taken(states, slice(None, -step)), taken(states, slice(step, None))
        )
        states = concatenated([taken(states, slice(0, step)), later])
        step *= 2
    return states
