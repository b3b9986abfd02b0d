"""Count, mean and sum of squares of what each slot has seen: row by row, merged, and of a whole batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.features.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.turns import Turns


def moments(places: int) -> Table:
    """A state of which nothing is known.

    n values; the first one; the sum of what they are above it; the sum of their squared distances from their mean.
    """
    zero = np.float64(0)
    return Table(places, n=np.int64(0), shift=zero, total=zero, m2=zero)


def held(state: Table, slots: NDArray[np.intp]) -> tuple[NDArray[Any], ...]:
    """The count, mean and M2 of the slot of each row; the mean of none is 0."""
    n = state["n"][slots]
    return n, _mean(n, state["shift"][slots], state["total"][slots]), state["m2"][slots]


def advance(state: Table, turns: Turns, x: NDArray[np.float64]) -> tuple[NDArray[Any], ...]:
    """Takes the learned rows, which must be `squarable`, in; gives what `held` would give before each row.

    The recurrence of Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products" (1962), with
    the mean from a running sum above the slot's first value: sums are what numpy can run along a column, and no value
    is further from the mean than sqrt(n - 1) standard deviations (Samuelson, 1968), so that no digits are lost by it.
    """
    n = state["n"][_rows_of(turns)] + turns.rank
    fresh, values = turns.first(x, state["n"][turns.slots] == 0)
    state["shift"][fresh] = values
    shift = state["shift"][_rows_of(turns)]
    with np.errstate(all="ignore"):
        before, after = turns.scan(np.add, state["total"], x - shift)
        mean, later = _mean(n, shift, before), _mean(n + 1, shift, after)
        squares = np.maximum(
            (x - mean) * (x - later), 0.0
        )  # of a first value: it is the later mean
        m2, _ = turns.scan(np.add, state["m2"], squares)
    state["n"][turns.slots] += turns.lengths
    return n, mean, m2


def merged(state: Table, other: Table) -> None:
    """Takes what another has seen into a state of as many places: Chan, Golub, LeVeque, "Updating Formulae" (1979)."""
    slots = np.arange(len(state))
    (n, mean, m2), (more, its, rest) = held(state, slots), held(other, slots)
    count = np.maximum(n + more, 1)
    with np.errstate(all="ignore"):
        away = its - mean
        squares = m2 + rest + away * away * (n * (more / count))
        moved = state["total"] + other["total"] + more * (other["shift"] - state["shift"])
    both = (n > 0) & (more > 0)
    mine = n > 0
    state["m2"][:] = np.where(both, squares, m2 + rest)
    state["total"][:] = np.where(both, moved, np.where(mine, state["total"], other["total"]))
    state["shift"][:] = np.where(mine, state["shift"], other["shift"])
    state["n"][:] = n + more


def _rows_of(turns: Turns) -> NDArray[np.intp]:
    return turns.slots[turns.group]


def _mean(n: NDArray[Any], shift: NDArray[Any], total: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return np.where(n == 0, 0.0, shift + total / np.maximum(n, 1))
