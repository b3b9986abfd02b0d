"""Running: the state of an aggregate after each row, to the last bit as if the rows had come one by one.

Rows are taken in rounds: the first row of each key at once, then the second ones, and so on. That is fast where there are
many keys. The rows of a key that has many in one chunk, a hot one, are taken by themselves, as the aggregate does it best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.aggregates.states import put, taken
from rxml.rounds import in_turn

if TYPE_CHECKING:
    from rxml.aggregates.aggregate import Aggregate, State
    from rxml.eventtime.keyed.segments import Segments

_HOT: Final = 16
"""Rows of a key in one chunk from which on it goes by itself."""


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
    nth = segments.nth
    hot = lengths > _HOT
    nth[np.repeat(hot, lengths)] = -1
    for number, places in enumerate(in_turn(nth)):
        last = taken(result, places - 1) if number else taken(before, ~hot)
        put(result, places, aggregate.combine(last, taken(rows, places)))
    for number in np.flatnonzero(hot).tolist():
        rest = slice(int(starts[number]), int(starts[number] + lengths[number]))
        first = taken(before, slice(number, number + 1))
        put(result, rest, aggregate.along(first, taken(rows, rest)))
    return result
