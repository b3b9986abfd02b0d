"""Segments: the rows of a chunk key by key, in their order, without a loop over keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHORT: Final = 64
_SMALL: Final = 1 << 16
"""Numbers below this are sorted by radix, several times as fast."""


def sorting(numbers: NDArray[np.intp]) -> NDArray[np.intp]:
    """The stable order of n >= 1 whole numbers >= 0, as `np.argsort` gives it."""
    if len(numbers) > _SHORT and numbers.max() < _SMALL:
        return np.argsort(numbers.astype(np.uint16), kind="stable")
    return np.argsort(numbers, kind="stable")


def inverse(order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where each row of an order stands in it."""
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


class Segments:
    """Rows sorted by their code; those of one code, a segment, stay in their order.

    Args:
        codes: shape (n,), n >= 1.

    Attributes:
        order: the row at each sorted place, shape (n,).
        codes: sorted, shape (n,).
        first: whether a segment begins at a sorted place, shape (n,).
    """

    __slots__ = ("codes", "first", "order")

    def __init__(self, codes: NDArray[np.intp]) -> None:
        self.order: NDArray[np.intp] = sorting(codes)
        self.codes: NDArray[np.intp] = codes[self.order]
        self.first: NDArray[np.bool_] = np.empty(len(codes), np.bool_)
        self.first[0] = True
        np.not_equal(self.codes[1:], self.codes[:-1], out=self.first[1:])

    @property
    def last(self) -> NDArray[np.intp]:
        """The sorted place at which each segment ends."""
        return np.flatnonzero(np.append(self.first[1:], True))

    @property
    def nth(self) -> NDArray[np.intp]:
        """At each sorted place, how many rows of its segment are before it."""
        starts = np.flatnonzero(self.first)
        return np.arange(len(self.codes)) - np.repeat(
            starts, np.diff(starts, append=len(self.codes))
        )

    def highest_before(
        self, values: NDArray[np.int64], floor: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """At each sorted place, the highest value before it in its segment, or the floor of the segment if that is higher.

        Args:
            values: of the rows, in their own order, int64, shape (n,).
            floor: of each row's segment, the same for all its rows, int64, shape (n,).
        """
        ours = values[self.order]
        shifted = np.empty_like(ours)
        shifted[1:] = ours[:-1]
        grounds = floor[self.order]
        shifted[self.first] = grounds[self.first]
        np.maximum(shifted, grounds, out=shifted)
        return self._risen(shifted)

    def _risen(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The running maximum in each segment."""
        falls = values[1:] < values[:-1]
        falls &= ~self.first[1:]
        if not falls.any():
            return values
        # Ranks instead of values: then the segments can be told apart by adding to them without an overflow.
        known, ranks = np.unique(values, return_inverse=True)
        segment = np.cumsum(self.first) * len(known)
        highest: NDArray[np.int64] = known[np.maximum.accumulate(ranks + segment) - segment]
        return highest
