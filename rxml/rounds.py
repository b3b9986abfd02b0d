"""Rows that share places, taken in rounds: within one no place occurs twice, so it is one numpy call, and order is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMALL: Final = 1 << 16


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
    return in_turn(rank)


def in_turn(nth: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The rows of each number from 0 on, in order; those of -1 are left out."""
    if nth.max(initial=-1) < 0:
        return []
    numbers = nth + 1
    # small numbers are sorted by radix, several times as fast
    narrow = numbers.astype(np.uint16) if numbers.max() < _SMALL else numbers
    order = np.argsort(narrow, kind="stable")
    return np.split(order, np.cumsum(np.bincount(numbers))[:-1])[1:]
