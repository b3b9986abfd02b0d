"""WindowedCounts: several counts over the last seconds, forgotten slice by slice."""

from __future__ import annotations

from collections import deque

from rxml.resilience.numbers import require_above, require_range


class WindowedCounts:
    """Counts over the last `seconds`, in `slices` parts that are forgotten one by one; memory is bounded by them.

    Counted is what came in the slice of `now` and in the `slices - 1` before it: between `seconds - seconds / slices` and
    `seconds` of time. A clock that goes back counts into the newest slice.

    Args:
        seconds: that are remembered, > 0.
        slices: parts, >= 1.
        width: counts that are kept side by side, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_slice", "_slices", "_sums", "_width", "_window")

    def __init__(self, seconds: float, slices: int = 10, width: int = 1) -> None:
        self._slices = int(require_range("WindowedCounts(slices)", slices, 1))
        self._slice = require_above("WindowedCounts(seconds)", seconds) / self._slices
        self._width = int(require_range("WindowedCounts(width)", width, 1))
        self._window: deque[tuple[int, list[int]]] = deque()
        self._sums = [0] * self._width

    def add(self, now: float, *amounts: int) -> None:
        """Add to each of the counts, at the time `now` in seconds."""
        self._forget(now)
        index = int(now // self._slice)
        if not self._window or self._window[-1][0] < index:
            self._window.append((index, [0] * self._width))
        newest = self._window[-1][1]
        for at, amount in enumerate(amounts):
            newest[at] += amount
            self._sums[at] += amount

    def totals(self, now: float) -> tuple[int, ...]:
        """Each count over the window that ends at `now`."""
        self._forget(now)
        return tuple(self._sums)

    def clear(self) -> None:
        """Forget everything."""
        self._window.clear()
        self._sums = [0] * self._width

    def _forget(self, now: float) -> None:
        oldest = int(now // self._slice) - self._slices
        while self._window and self._window[0][0] <= oldest:
            for at, amount in enumerate(self._window.popleft()[1]):
                self._sums[at] -= amount
