"""MissMonitor: evidence that predictions miss more often than they may, or not as often; an alarm at any time."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rxml.evaluation.anytime.keyed import KeyedTable
from rxml.evaluation.anytime.rows import Running, checked_bools, require_share
from rxml.uncertain.calibration.table import checked_slots
from rxml.uncertain.special import betaln, log_betainc, log_betaincc

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.calibration.table import Slots

    Floats: TypeAlias = NDArray[np.float64]

Side: TypeAlias = Literal["both", "above", "below"]


class MissMonitor(KeyedTable):
    """An e-process for "the share of misses is `alpha`", of each key; it alarms when E >= 1 / `delta`.

    E mixes likelihood ratios of Bernoulli(a') against Bernoulli(alpha) by Jeffreys' prior of a': over all of (0, 1),
    or one side of alpha. If the chance of a miss is alpha at each row, whatever came before, then E is at most
    1 / delta forever with probability 1 - delta (Ville 1939); of a side, also if the chance is always on the other.
    An alarm stays until `reset`.

    Args:
        alpha: share of misses that is claimed, in (0, 1): of a 90% interval .1.
        delta: chance of a false alarm over all time, in (0, 1).
        side: "both"; "above": misses are too many; "below": too few.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    alpha: float
    delta: float
    side: Side

    def __init__(
        self, alpha: float = 0.1, delta: float = 0.05, *, side: Side = "both", keys: int = 1
    ) -> None:
        self.alpha = require_share("alpha", alpha)
        self.delta = require_share("delta", delta)
        self.side = require_side(side)
        zero = np.int64(0)
        blank: dict[str, ArrayLike] = {"rows": zero, "misses": zero, "peak": 0.0, "alarm": zero}
        super().__init__(keys, blank)

    def update(self, slots: ArrayLike, missed: ArrayLike) -> Floats:
        """Take rows in; returns log E of each row's key after it.

        Args:
            slots: of each row (n,); one may occur several times.
            missed: whether the prediction missed (n,).
        """
        places = checked_slots(slots, self.keys)
        ones = checked_bools("missed", missed, len(places))
        running = Running(places)
        rows = running.sums(np.ones_like(ones), self._table["rows"])
        misses = running.sums(ones, self._table["misses"])
        last = running.last
        self._table["rows"][places[last]] = rows[last]
        self._table["misses"][places[last]] = misses[last]
        found = log_e_value(misses, rows, self.alpha, side=self.side)
        self._remember(running, places, rows, found)
        return found

    def log_e(self, slots: ArrayLike) -> Floats:
        """The evidence as it is now: log E of these keys."""
        at = checked_slots(slots, self.keys)
        counts = self._table["misses"][at], self._table["rows"][at]
        return log_e_value(*counts, self.alpha, side=self.side)

    def p_value(self, slots: ArrayLike) -> Floats:
        """The p-values that hold at any time: 1 / the largest E so far."""
        peak: Floats = self._table["peak"][checked_slots(slots, self.keys)]
        return np.exp(-peak)

    def alarmed_at(self, slots: ArrayLike) -> NDArray[np.int64]:
        """The row, counted from 1 since the last `reset`, at which each key has alarmed; 0 if it has not."""
        found: NDArray[np.int64] = self._table["alarm"][checked_slots(slots, self.keys)]
        return found

    def _remember(
        self, running: Running, places: Slots, rows: NDArray[np.int64], found: Floats
    ) -> None:
        np.maximum.at(self._table["peak"], places, found)
        crossing = running.first(found >= -log(self.delta))
        alarm = self._table["alarm"]
        at = places[crossing]
        alarm[at] = np.where(alarm[at] == 0, rows[crossing], alarm[at])


def log_e_value(
    misses: ArrayLike, rows: ArrayLike, alpha: ArrayLike, *, side: Side = "both"
) -> Floats:
    """Log E of `MissMonitor` after so many misses in so many rows; arrays of shapes that broadcast."""
    s = np.asarray(misses, np.float64)
    n = np.asarray(rows, np.float64)
    a = np.asarray(alpha, np.float64)
    beta = s + 0.5, n - s + 0.5
    likelihood = s * np.log(a) + (n - s) * np.log1p(-a)
    mixed = betaln(*beta) - betaln(0.5, 0.5) - likelihood
    if side == "both":
        return mixed
    log_tail = log_betaincc if side == "above" else log_betainc
    return mixed + log_tail(*beta, a) - log_tail(0.5, 0.5, a)


def require_side(side: Side) -> Side:
    """One of the sides.

    Raises:
        ValueError: it is none.
    """
    if side not in {"both", "above", "below"}:
        raise ValueError(f'side is {side!r}: give "both", "above" or "below"')
    return side
