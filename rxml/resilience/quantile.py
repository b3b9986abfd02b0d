"""RecentQuantile: exact quantiles of the newest values, in bounded memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from math import ceil

from rxml.resilience.numbers import require_range


class RecentQuantile:
    """Quantiles of the newest `size` values, exactly: they are kept in order, too.

    A value costs a binary search and a move of at most `size` references (about a microsecond for 128).

    Args:
        size: values that are remembered, >= 1.

    Raises:
        ValueError: size below 1.
    """

    __slots__ = ("_newest", "_size", "_sorted")

    def __init__(self, size: int = 128) -> None:
        self._size = int(require_range("RecentQuantile(size)", size, 1))
        self._newest: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._newest)

    def add(self, value: float) -> None:
        """Remember a value; of more than `size` the oldest is forgotten. NaN is refused, since it has no place."""
        if value != value:  # noqa: PLR0124 - NaN alone differs from itself
            raise ValueError("RecentQuantile wants a number, got nan")
        if len(self._newest) == self._size:
            self._sorted.pop(bisect_left(self._sorted, self._newest.popleft()))
        self._newest.append(value)
        insort(self._sorted, value)

    def quantile(self, q: float) -> float | None:
        """The smallest value that at least the share q (0..1) of those remembered do not exceed; None without values."""
        if not self._sorted:
            return None
        return self._sorted[max(0, ceil(q * len(self._sorted)) - 1)]

    def clear(self) -> None:
        """Forget everything."""
        self._newest.clear()
        self._sorted.clear()
