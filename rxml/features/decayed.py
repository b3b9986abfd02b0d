"""Mean, variance and weight of the past of a key, in which a value counts half as much after each half-life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.features.checks import squarable, whole
from rxml.features.numeric import NumericTransform
from rxml.features.table import Table
from rxml.features.turns import Turns, faded, toward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows

_NEVER: Final = np.iinfo(np.int64).min


class DecayedStatistics(NumericTransform):
    """What was learned, each value weighing 2^(-age / half-life) by event time; parts: `mean`, `var`, `weight`.

    `weight` is the sum of the weights at the row's time: how many fresh values the past is worth. The variance has
    it in the denominator. Mean and variance are NaN where nothing was learned. A late row (older than the newest of
    its key) is learned with the weight that its age leaves it, so that but for rounding the order does not matter;
    what it finds is of the newest time. NaN, infinities and
    what is beyond 1e150 are not learned. The recurrences are those of West,
    "Updating Mean and Variance Estimates: An Improved Method" (1979). A monoid: `merge`.

    Args:
        column: the name of a column of numbers.
        time: the name of the column of event times.
        half_life: after which a value counts half, in nanoseconds, at least 1.
        width: the length of the vectors in the column, each element for itself; None is plain numbers.
        keys: how many slots to begin with.

    Raises:
        ValueError: the half-life is no whole number above 0.
    """

    half_life: int

    def __init__(
        self,
        column: str,
        time: str,
        *,
        half_life: int,
        width: int | None = None,
        keys: int = 1,
    ) -> None:
        self.half_life = whole("half_life", half_life)
        zero = np.float64(0)
        table = Table(keys, last=np.int64(_NEVER), weight=zero, mean=zero, m2=zero)
        parts = ("mean", "var", "weight")
        options = {"half_life": self.half_life}
        super().__init__(column, parts, options, table, width=width, time=time)

    def merge(self, other: DecayedStatistics) -> None:
        """Learns what another has learned, slot by slot, both brought to the later of their times.

        Raises:
            ValueError: it has another number of keys, or was made with other arguments.
        """
        self._require_alike(other)
        mine, its = self.table, other.table
        last = np.maximum(mine["last"], its["last"])
        left, right = (self._kept(last, each["last"]) for each in (mine, its))
        n, more = mine["weight"] * left, its["weight"] * right
        weight = n + more
        share = more / np.where(weight > 0, weight, 1.0)
        with np.errstate(all="ignore"):
            away = its["mean"] - mine["mean"]
            m2 = mine["m2"] * left + its["m2"] * right + away * away * (n * share)
            mine["mean"][:] = np.where(n > 0, mine["mean"] + share * away, its["mean"])
        mine["m2"][:], mine["last"][:], mine["weight"][:] = m2, last, weight

    @override
    def _held(self, rows: Rows) -> Found:
        return tuple(self.table[name][rows.slots] for name in ("last", "weight", "mean", "m2"))

    @override
    def _advance(self, rows: Rows) -> Found:
        x, times, table = rows.values, rows.times, self.table
        turns = Turns(rows.slots, squarable(x))
        last, newest = turns.scan(np.maximum, table["last"], times)
        fade, fresh = self._kept(newest, last), self._kept(newest, times)
        with np.errstate(all="ignore"):
            weight, total = turns.scan(faded, table["weight"], fade, fresh)
            share = fresh / np.where(total > 0, total, 1.0)
            mean, later = turns.scan(toward, table["mean"], x, share)
            squares = np.maximum(fresh * (x - mean) * (x - later), 0.0)
            m2, _ = turns.scan(faded, table["m2"], fade, squares)
        return last, weight, mean, m2

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[Any], ...]:
        last, weight, mean, m2 = found
        seen = last != _NEVER
        now = np.maximum(last, rows.times)
        with np.errstate(all="ignore"):
            var = m2 / np.where(seen, weight, 1.0)
            left = weight * self._kept(now, last)
        return np.where(seen, mean, np.nan), np.where(seen, var, np.nan), np.where(seen, left, 0.0)

    def _kept(self, now: NDArray[np.int64], then: NDArray[np.int64]) -> NDArray[np.float64]:
        """What is left at a time of a weight of an earlier one; of none, nothing."""
        ages = now.astype(np.uint64) - then.astype(
            np.uint64
        )  # never below 0: right also beyond int64
        with np.errstate(all="ignore"):
            kept = np.exp2(-(ages / np.float64(self.half_life)))
        return np.where(then == _NEVER, 0.0, kept)
