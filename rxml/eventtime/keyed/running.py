"""Running: the state of an aggregate after each row, to the last bit as if the rows had come one by one.

Rows are taken in rounds: the first row of each key at once, then the second ones, and so on. That is fast where there are
many keys. The rows of a key that has many in one chunk, a hot one, are taken by themselves: by running sums where the
state is one, and for what is exact however it is grouped by doubling (Hillis and Steele, 1986), in log2(n) steps.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.aggregates.folding import in_turn
from rxml.aggregates.spread import Var
from rxml.aggregates.states import concatenated, put, taken
from rxml.aggregates.sums import Count, Mean, Sum

if TYPE_CHECKING:
    from rxml.aggregates.aggregate import Aggregate, State
    from rxml.eventtime.keyed.segments import Segments

_HOT: Final = 16
"""Rows of a key in one chunk from which on it goes by itself."""

_LOW: Final = 2**32 - 1


def running(aggregate: Aggregate, before: State, rows: State, segments: Segments) -> State:
    """The state of each row's key once the row is taken, at sorted places; the last of a segment is that of the key.

    Args:
        aggregate: whose states they are.
        before: of the key of each segment, in the order of segments.
        rows: each row lifted by itself, at sorted places.
        segments: the rows by key.
    """
    starts = np.flatnonzero(segments.first)
    if len(starts) == len(segments.codes):
        return aggregate.combine(before, rows)
    lengths = np.diff(starts, append=len(segments.codes))
    result = tuple(np.empty_like(array) for array in rows)
    nth = np.arange(len(segments.codes)) - np.repeat(starts, lengths)
    hot = lengths > _HOT
    nth[np.repeat(hot, lengths)] = -1
    for number, places in enumerate(in_turn(nth)):
        last = taken(result, places - 1) if number else taken(before, ~hot)
        put(result, places, aggregate.combine(last, taken(rows, places)))
    for number in np.flatnonzero(hot).tolist():
        rest = slice(int(starts[number]), int(starts[number] + lengths[number]))
        first = taken(before, slice(number, number + 1))
        put(result, rest, along(aggregate, first, taken(rows, rest)))
    return result


@singledispatch
def along(aggregate: Aggregate, before: State, rows: State) -> State:
    """The state after each of the rows, which belong to one key.

    Args:
        aggregate: whose states they are.
        before: of one group.
        rows: of n >= 1 groups, each a row lifted by itself.
    """
    if aggregate.exact:
        return _doubling(aggregate, before, rows)
    states = [before]
    for number in range(len(rows[0])):
        row = taken(rows, slice(number, number + 1))
        states.append(aggregate.combine(states[-1], row))
    return concatenated(states[1:])


def _doubling(aggregate: Aggregate, before: State, rows: State) -> State:
    first = aggregate.combine(before, taken(rows, slice(0, 1)))
    states, step = concatenated([first, taken(rows, slice(1, None))]), 1
    while step < len(rows[0]):
        later = aggregate.combine(
            taken(states, slice(None, -step)), taken(states, slice(step, None))
        )
        states = concatenated([taken(states, slice(0, step)), later])
        step *= 2
    return states


@along.register(Count)
@along.register(Mean)
def _summing(aggregate: Count | Mean, before: State, rows: State) -> State:
    del aggregate
    with np.errstate(invalid="ignore", over="ignore"):
        return tuple(
            np.add.accumulate(np.concatenate(pair))[1:] for pair in zip(before, rows, strict=True)
        )


@along.register(Sum)
def _sum(aggregate: Sum, before: State, rows: State) -> State:
    del aggregate
    high, low, part, seen = (np.concatenate(pair) for pair in zip(before, rows, strict=True))
    low = np.add.accumulate(low)
    high = np.add.accumulate(high) + (low >> 32)
    with np.errstate(invalid="ignore", over="ignore"):
        part = np.add.accumulate(part)
    return high[1:], low[1:] & _LOW, part[1:], np.bitwise_or.accumulate(seen)[1:]


@along.register(Var)
def _var(aggregate: Var, before: State, rows: State) -> State:
    """As `Var.combine` has it, in Python's floats, which are numpy's."""
    del aggregate
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
