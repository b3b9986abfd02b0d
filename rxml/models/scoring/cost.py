"""Cost: how long a batch of n rows takes, learnt as it goes, and so how many rows go into one."""

from __future__ import annotations

from typing import Final

_FORGET: Final = 0.97
"""What is left of the weight of a measurement when the next one comes: the last thirty or so count."""

_OUTLIER: Final = 4.0
"""Times the expected: what takes longer counts as no more, or one pause would shrink the batches for long."""

_BESIDE: Final = 1.25
"""Times what one row takes, that a batch may take where one row alone takes longer than the budget: what is free is taken."""

_BACK_OFF: Final = 0.9
"""Of the batch size, after one that took longer than the budget (Clipper, NSDI 2017)."""


class Cost:
    """Fits seconds = a n + b to the latest batches by least squares, forgetting older ones.

    Beside the fit stands a guard, since a fit may be wrong: the size doubles until a batch takes too long, and from then
    on grows by one and shrinks by a tenth (AIMD). A batch has as many rows as both allow.

    Args:
        budget: seconds that a batch may take.
        most: rows of a batch, whatever the fit says.
    """

    __slots__ = (
        "_budget",
        "_guard",
        "_line",
        "_most",
        "_n",
        "_nn",
        "_nt",
        "_rising",
        "_size",
        "_t",
        "_weight",
    )

    def __init__(self, budget: float, most: int) -> None:
        self._budget = budget
        self._most = most
        self._guard = 8.0
        self._rising = True
        self._weight = self._n = self._nn = self._t = self._nt = 0.0
        self._line: tuple[float, float] | None = None
        self._size = 0

    def record(self, rows: int, seconds: float) -> None:
        """Learn from a batch; one without rows teaches nothing."""
        if rows < 1:
            return
        self._guarded(rows, seconds)
        if self._weight:
            usual = max(self.expected(rows), self._t / self._weight)  # one size alone tells no line
            seconds = min(seconds, _OUTLIER * max(usual, 1e-6))
        keep = _FORGET
        self._weight = keep * self._weight + 1.0
        self._n = keep * self._n + rows
        self._nn = keep * self._nn + rows * rows
        self._t = keep * self._t + seconds
        self._nt = keep * self._nt + rows * seconds
        self._line, self._size = None, 0

    def forget(self) -> None:
        """What was learnt of seconds does not hold any more."""
        self._weight = self._n = self._nn = self._t = self._nt = 0.0
        self._line, self._size = None, 0

    def _guarded(self, rows: int, seconds: float) -> None:
        if seconds > self._allowed:
            self._rising = False
            self._guard = max(1.0, _BACK_OFF * min(self._guard, rows))
        elif 2 * rows > self._guard:  # elements that are batches seldom fill it to the last row
            self._guard = min(
                float(self._most), self._guard * 2 if self._rising else self._guard + 1
            )

    def line(self) -> tuple[float, float]:
        """Seconds for each row, and seconds for each batch; zeros before the first measurement.

        While all batches were of one size nothing tells the two apart: then all is laid on the rows.
        """
        if self._line is None:
            self._line = self._fitted()
        return self._line

    def _fitted(self) -> tuple[float, float]:
        if not self._weight:
            return 0.0, 0.0
        spread = self._weight * self._nn - self._n * self._n
        if spread > 1e-3 * self._n * self._n:
            slope = (self._weight * self._nt - self._n * self._t) / spread
            base = (self._t - slope * self._n) / self._weight
            if slope > 0 and base >= 0:
                return slope, base
            if slope <= 0:
                return 0.0, self._t / self._weight
        return self._t / self._n, 0.0

    def expected(self, rows: int) -> float:
        """Seconds that a batch of so many rows will probably take."""
        slope, base = self.line()
        return slope * rows + base

    @property
    def _allowed(self) -> float:
        """Seconds that a batch may take: fewer rows help nobody where one takes longer than the budget and others are free."""
        return max(self._budget, _BESIDE * self.expected(1))

    @property
    def size(self) -> int:
        """Rows of the next batch, at most."""
        if not self._size:
            self._size = self._fitting()
        return self._size

    def _fitting(self) -> int:
        slope, base = self.line()
        fits = (self._allowed - base) / slope if slope > 0 else float(self._most)
        return max(1, int(min(fits, self._guard, self._most)))
