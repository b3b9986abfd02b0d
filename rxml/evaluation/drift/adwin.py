"""ADWIN: a window that is as long as its numbers look alike."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from typing_extensions import override

from rxml.evaluation.drift.detector import DriftDetector, require

if TYPE_CHECKING:
    from collections.abc import Mapping

    Bucket: TypeAlias = list[float]


class ADWIN(DriftDetector):
    """The adaptive window of Bifet and Gavalda (SDM 2007), in O(log n) memory: ADWIN2, as in River.

    The window is kept in buckets of 1, 2, 4, ... numbers. At every `clock`-th number all cuts between buckets are
    looked at; where the means of both parts differ by more than chance allows, the oldest bucket is dropped, and
    again until no cut does. That differences are real holds with confidence `delta` for each look, not for all.

    Args:
        delta: confidence of a cut, in (0, 1).
        clock: numbers from one look to the next, >= 1.
        max_buckets: buckets of a size before two of them become one, >= 1.
        min_window_length: numbers that either part of a cut must have, >= 1.
        grace_period: numbers of the window before it is looked at, >= 0.
        restart: begin with an empty window after a change, as River does; False keeps the newer part, as in the
            paper.

    Raises:
        ValueError: an argument out of its range.
    """

    _plain: ClassVar[tuple[str, ...]] = ("width", "total", "variance", "_ticks", "_levels")

    delta: float
    clock: int
    max_buckets: int
    min_window_length: int
    grace_period: int
    restart: bool
    width: int
    total: float
    variance: float
    _ticks: int
    _levels: list[list[Bucket]]

    def __init__(
        self,
        delta: float = 0.002,
        clock: int = 32,
        max_buckets: int = 5,
        min_window_length: int = 5,
        grace_period: int = 10,
        *,
        restart: bool = True,
    ) -> None:
        require("delta", delta, good=0.0 < delta < 1.0, wanted="a number in (0, 1)")
        for name, value in (
            ("clock", clock),
            ("max_buckets", max_buckets),
            ("min_window_length", min_window_length),
        ):
            require(name, value, good=1 <= value < inf, wanted="at least 1")
        require("grace_period", grace_period, good=0 <= grace_period < inf, wanted="at least 0")
        self.delta = delta
        self.clock = clock
        self.max_buckets = max_buckets
        self.min_window_length = min_window_length
        self.grace_period = grace_period
        self.restart = restart
        self._clear()
        super().__init__()

    @property
    def estimation(self) -> float:
        """The mean of the window; 0 without numbers."""
        return self.total / self.width if self.width else 0.0

    @override
    def reset(self) -> None:
        self._clear()
        super().reset()

    @override
    def snapshot(self) -> dict[str, Any]:
        levels = [[list(bucket) for bucket in level] for level in self._levels]
        return {**super().snapshot(), "_levels": levels}

    @override
    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._levels = [[list(bucket) for bucket in level] for level in state["_levels"]]

    @override
    def _begin(self) -> None:
        if self.restart:
            self._clear()

    def _clear(self) -> None:
        self.width = 0
        self.total = 0.0
        # squares of the distances to the mean, summed
        self.variance = 0.0
        self._ticks = 0
        # of each size the buckets, oldest first: their sums, and their own squares
        self._levels = [[]]

    @override
    def _take(self, x: float) -> bool:
        self._levels[0].append([x, 0.0])
        if self.width:
            away = x - self.total / self.width
            self.variance += self.width * away * away / (self.width + 1)
        self.width += 1
        self.total += x
        self._merge_buckets()
        self._ticks += 1
        if self._ticks % self.clock or self.width <= self.grace_period:
            return False
        changed = False
        while self._has_cut():
            self._drop_oldest()
            changed = True
        return changed

    def _merge_buckets(self) -> None:
        """Make one of the two oldest buckets of a size where there are too many, from the smallest size on."""
        for exponent, level in enumerate(self._levels):
            if len(level) <= self.max_buckets:
                return
            size = float(1 << exponent)
            (total1, squares1), (total2, squares2) = level[:2]
            del level[:2]
            apart = total1 / size - total2 / size
            if exponent + 1 == len(self._levels):
                self._levels.append([])
            squares = squares1 + squares2 + size * 0.5 * apart * apart
            self._levels[exponent + 1].append([total1 + total2, squares])

    def _has_cut(self) -> bool:
        """Whether between any two buckets, from the oldest on, the means differ too much."""
        older, total = 0, 0.0
        newer, rest = self.width, self.total
        for exponent in range(len(self._levels) - 1, -1, -1):
            for bucket in self._levels[exponent]:
                older += 1 << exponent
                newer -= 1 << exponent
                total += bucket[0]
                rest -= bucket[0]
                long_enough = min(older, newer) >= self.min_window_length
                if long_enough and self._differ(older, newer, total / older - rest / newer):
                    return True
        return False

    def _differ(self, older: int, newer: int, apart: float) -> bool:
        confidence = log(2.0 * log(self.width) / self.delta)
        least = self.min_window_length
        inverse = 1.0 / (older - least + 1) + 1.0 / (newer - least + 1)
        # rounding may leave the squares of numbers that are all the same a little below 0
        variance = max(self.variance, 0.0) / self.width
        return abs(apart) > (
            sqrt(2.0 * inverse * variance * confidence) + 2.0 / 3.0 * confidence * inverse
        )

    def _drop_oldest(self) -> None:
        size = 1 << (len(self._levels) - 1)
        total, squares = self._levels[-1].pop(0)
        if not self._levels[-1]:
            self._levels.pop()
        self.width -= size
        self.total -= total
        apart = total / size - self.total / self.width
        self.variance -= squares + size * self.width * apart * apart / (size + self.width)
