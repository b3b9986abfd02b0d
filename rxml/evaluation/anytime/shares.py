"""ShareSequence: an interval for a share (of covered cases, of clicks), that holds at all times together."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.evaluation.anytime.keyed import KeyedTable
from rxml.evaluation.anytime.rows import checked_bools, require_share
from rxml.uncertain.calibration.table import checked_slots
from rxml.uncertain.special import betaln, expit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

_STEPS: Final = 100


class ShareSequence(KeyedTable):
    """The confidence sequence of a Bernoulli mean, of each key: with probability `level` all its intervals hold.

    The interval holds the shares against which the beta-binomial e-process of `MissMonitor` has not reached
    1 / (1 - level) (Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021). Its width is of order
    sqrt(log(n) / n). The newest interval is given, not the intersection of all: if the share drifts, it follows.

    Args:
        level: probability that all intervals hold, in (0, 1).
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    level: float

    def __init__(self, level: float = 0.95, *, keys: int = 1) -> None:
        self.level = require_share("level", level)
        zero = np.int64(0)
        super().__init__(keys, {"rows": zero, "hits": zero})

    def update(self, slots: ArrayLike, hits: ArrayLike) -> None:
        """Take rows in: slots (n,), and whether each row is a hit (n,)."""
        places = checked_slots(slots, self.keys)
        ones = checked_bools("hits", hits, len(places))
        np.add.at(self._table["rows"], places, 1)
        np.add.at(self._table["hits"], places, ones)

    def interval(self, slots: ArrayLike) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the shares of these keys; 0 and 1 of one that has no rows."""
        at = checked_slots(slots, self.keys)
        return share_interval(self._table["hits"][at], self._table["rows"][at], self.level)

    def estimate(self, slots: ArrayLike) -> Floats:
        """The shares of hits of these keys so far; NaN of one that has no rows."""
        at = checked_slots(slots, self.keys)
        rows = self._table["rows"][at]
        return np.where(rows > 0, self._table["hits"][at] / np.maximum(rows, 1), np.nan)


def share_interval(hits: ArrayLike, rows: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """The interval of `ShareSequence` after so many hits in so many rows (n,)."""
    s = np.asarray(hits, np.float64)
    n = np.asarray(rows, np.float64)
    least = betaln(s + 0.5, n - s + 0.5) - betaln(0.5, 0.5) + log1m(level)
    return _lower(s, n, least), 1.0 - _lower(n - s, n, least)


def log1m(level: float) -> float:
    """Log(1 - level)."""
    return log(1.0 - require_share("level", level))


def _lower(s: Floats, n: Floats, least: Floats) -> Floats:
    """The smaller share whose log likelihood is `least`: by Newton's steps in its logit, all from below.

    The log likelihood s u - n log(1 + exp(u)) is concave in the logit u, and below s u: the steps begin where
    that is `least`, and can only come nearer.
    """
    some = s > 0.0
    hits, rows, wanted = s[some], n[some], least[some]
    u = wanted / hits
    for _ in range(_STEPS):
        error = hits * u - rows * np.logaddexp(0.0, u) - wanted
        step = -error / (hits - rows * expit(u))
        # a row that stands still does so however long the others go on
        step = np.where(step > 1e-14 * np.maximum(1.0, np.abs(u)), step, 0.0)
        if not step.any():
            break
        u = u + step
    result = np.zeros_like(s)
    result[some] = expit(u)
    return result
