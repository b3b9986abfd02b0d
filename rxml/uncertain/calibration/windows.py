"""ScoreWindows: the newest scores of each key, kept in order of arrival and of size."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil, inf
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rxml.uncertain.calibration.calibrator import Unbounded

    Floats: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = NDArray[np.intp] | slice

_SLACK: Final = 1e-9
"""Of a rank: (n + 1)(1 - alpha) that is a whole number but for rounding is that number."""


class ScoreWindows(Table):
    """The newest `size` scores of each key.

    A row that is not full yet is filled up with infinity, so that taking one in is always: put it in the place of
    the oldest. Both ways to take scores in, row by row and many keys at once, leave the same numbers.

    Args:
        keys: rows at first.
        size: scores that are kept for a key, >= 1; 16 bytes each.
    """

    size: int

    def __init__(self, keys: int, size: int) -> None:
        self.size = size
        empty = np.full(size, inf)
        none = np.zeros((), np.int64)
        blank: dict[str, NDArray[Any]] = {
            "arrived": empty,
            "ordered": empty,
            "count": none,
            "next": none,
        }
        super().__init__(keys, blank)

    @override
    def snapshot(self) -> dict[str, Any]:
        state = super().snapshot()
        del state["ordered"]  # it is the other, sorted
        return state

    @override
    def restore(self, state: Mapping[str, Any]) -> None:
        arrived = self._fitting("arrived", state)
        super().restore({**state, "ordered": np.sort(arrived, axis=1)})
        self._look()

    def put(self, rows: Rows, scores: Floats) -> None:
        """Take in a score for each of these rows, of which none occurs twice."""
        arrived, ordered, following = self["arrived"], self["ordered"], self["next"]
        place = following[rows]
        arrived[np.arange(self.keys)[rows], place] = scores
        # sorting a row of some hundred anew costs less than to find out where one of them was
        if isinstance(rows, slice):
            np.copyto(ordered[rows], arrived[rows])
            ordered[rows].sort(axis=1)
        else:
            ordered[rows] = np.sort(arrived[rows], axis=1)
        following[rows] = (place + 1) % self.size
        self["count"][rows] = np.minimum(self["count"][rows] + 1, self.size)

    def put_one(self, slot: int, score: float) -> None:
        """Take in a score for one key: two binary searches and one move."""
        ordered, size = self._ordered, self.size
        base, place = slot * size, self._next[slot]
        oldest = self._arrived[base + place]
        self._arrived[base + place] = score
        gap = bisect_left(ordered, oldest, base, base + size)
        if score >= oldest:
            end = bisect_left(ordered, score, gap + 1, base + size)
            ordered[gap : end - 1] = ordered[gap + 1 : end]
            ordered[end - 1] = score
        else:
            start = bisect_left(ordered, score, base, gap)
            ordered[start + 1 : gap + 1] = ordered[start:gap]
            ordered[start] = score
        self._next[slot] = (place + 1) % size
        if (count := self._count[slot]) < size:
            self._count[slot] = count + 1

    def put_many(self, slot: int, scores: Floats) -> None:
        """Take in scores for one key, in order."""
        places = (self["next"][slot] + np.arange(len(scores))) % self.size
        self["arrived"][slot, places[-self.size :]] = scores[-self.size :]
        self["ordered"][slot] = np.sort(self["arrived"][slot])
        self["next"][slot] = (self["next"][slot] + len(scores)) % self.size
        self["count"][slot] = min(self["count"][slot] + len(scores), self.size)

    def radii(self, rows: Rows, alpha: Floats | float, policy: Unbounded) -> Floats:
        """The (1 - alpha) quantile of the scores of each of these rows, alpha being any number."""
        count = self["count"][rows]
        rank = ranks(count, alpha)
        most = np.maximum(count, 1)
        place = np.clip(rank, 1, most).astype(np.intp) - 1
        radius: Floats = self["ordered"][np.arange(self.keys)[rows], place]
        if policy == "max":
            return radius
        radius = np.where(rank > count, inf, np.where(rank < 1, -inf, radius))
        return radius if policy == "inf" else np.minimum(radius, policy)

    def radius_one(self, slot: int, alpha: float, policy: Unbounded) -> float:
        """The same for one key."""
        count = self._count[slot]
        rank = ceil((count + 1.0) * (1.0 - alpha) - _SLACK)
        if policy == "max" or 1 <= rank <= count:
            place = min(max(rank, 1), max(count, 1))
            radius = self._ordered[slot * self.size + place - 1]
        else:
            radius = inf if rank > count else -inf
        return radius if isinstance(policy, str) else min(radius, float(policy))

    def below(self, rows: Rows, scores: Floats) -> NDArray[np.intp]:
        """How many scores of each of these rows are smaller than the one given."""
        smaller: NDArray[np.bool_] = self["ordered"][rows] < scores[:, None]
        return np.asarray(np.count_nonzero(smaller, axis=1), np.intp)

    @override
    def _make_room(self, rows: int) -> None:
        super()._make_room(rows)
        self._look()

    def _look(self) -> None:
        # a view hands out plain floats several times as fast as an array does
        self._arrived = cast("memoryview[float]", self["arrived"].reshape(-1).data)
        self._ordered = cast("memoryview[float]", self["ordered"].reshape(-1).data)
        self._count = self["count"].data
        self._next = self["next"].data


def ranks(count: NDArray[np.int64], alpha: Floats | float) -> Floats:
    """ceil((n + 1)(1 - alpha)): which of n sorted scores is the radius, counted from 1; above n there is none."""
    result: Floats = np.ceil((count + 1.0) * (1.0 - alpha) - _SLACK)
    return result
