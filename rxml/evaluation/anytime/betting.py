"""BettingMean: a confidence sequence from the capital of bets against each mean there could be."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.evaluation.anytime.bounded import BoundedMean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows

    Floats: TypeAlias = NDArray[np.float64]

Sides: TypeAlias = Literal["both", "lower", "upper"]

_TRUNCATION: Final = 0.5


class BettingMean(BoundedMean):
    """The hedged capital process of Waudby-Smith and Ramdas (JRSS B 2024, theorem 3) on a grid of means, by key.

    Against each mean m of the grid one gambler bets that the values are larger, and one that they are smaller; a
    bound is the outermost m against which no capital has reached 1 / (1 - level), so that with probability
    `level` all intervals hold at once. The capital falls (rises) in m, hence the grid costs width, never validity.

    A challenger is promoted when the lower bound of mean(loss of champion - loss of challenger) is above 0, with
    `sides="lower"`, which leaves the whole of 1 - level to that bound.

    Args:
        low: the least value there can be; of differences of losses in [0, 1] it is -1.
        high: the largest.
        level: probability that all intervals hold, in (0, 1).
        sides: "both" bounds, or only "lower", or only "upper", the other being that of the values.
        grid: cells of the grid, >= 2; even ones hold the middle exactly. A key keeps 2 (grid + 1) numbers,
            and a bound is up to (high - low) / grid wider than it might be.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    sides: Sides
    grid: int

    def __init__(
        self,
        low: float = 0.0,
        high: float = 1.0,
        level: float = 0.95,
        *,
        sides: Sides = "both",
        grid: int = 400,
        keys: int = 1,
    ) -> None:
        if sides not in {"both", "lower", "upper"}:
            raise ValueError(f'sides are {sides!r}: give "both", "lower" or "upper"')
        if grid < 2:
            raise ValueError(f"grid is {grid!r}: give at least 2 cells")
        self.sides = sides
        self.grid = grid
        self._means: Floats = np.arange(grid + 1) / grid
        nothing = np.zeros(grid + 1)
        super().__init__(low, high, level, {"above": nothing, "below": nothing}, keys)
        self._error = (1.0 - self.level) / (2.0 if sides == "both" else 1.0)

    @override
    def _step(self, at: Rows, x: Floats) -> None:
        bet = self._bet(at, self._error)[:, None]
        m = self._means
        away = x[:, None] - m
        # a bet is at most half of what can be lost, so that no capital is ever gone
        for side, most, sign in (("above", m, 1.0), ("below", 1.0 - m, -1.0)):
            room = np.maximum(most, np.finfo(np.float64).tiny)
            size = np.minimum(bet, np.minimum(_TRUNCATION / room, 1e300))
            self._table[side][at] += np.log1p(sign * size * away)
        self._count(at, x)

    @override
    def _unit_interval(self, at: Rows) -> tuple[Floats, Floats]:
        enough = -log(self._error)
        lower = self._outermost(self._table["above"][at] >= enough)
        upper = 1.0 - self._outermost(self._table["below"][at][:, ::-1] >= enough)
        if self.sides == "lower":
            upper = np.ones_like(upper)
        if self.sides == "upper":
            lower = np.zeros_like(lower)
        return lower, upper

    def _outermost(self, refuted: NDArray[np.bool_]) -> Floats:
        # the capital is monotone in m: the last that is refuted is the bound, since all before it are, too
        last = refuted.shape[1] - 1 - refuted[:, ::-1].argmax(axis=1)
        found: Floats = np.where(refuted.any(axis=1), self._means[last], 0.0)
        return found
