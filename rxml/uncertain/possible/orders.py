"""OrderStatistic: a value that some row has, as the largest or the median of a window, if there is one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import points
from rxml.uncertain.possible.search import among, between, levels
from rxml.uncertain.possible.shapes import places

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.possible.rows import UncertainRows

_REACH: Final = (
    40.0  # standard deviations beyond which a normal distribution has less than a float can tell
)


class OrderStatistic(ABC):
    """The distribution of a value that rows determine by their order.

    What methods take is broadcast against the shape of the windows: for one window it may have any shape, for G of
    them it is a scalar or ends in (G,).

    Args:
        rows: of one window or of many.
        exists: the probability that there is such a value, of the shape of the windows.

    Attributes:
        rows: the same.
        exists: the same.
    """

    rows: UncertainRows
    exists: Floats

    def __init__(self, rows: UncertainRows, exists: Floats) -> None:
        self.rows = rows
        self.exists = exists

    @abstractmethod
    def _below(self, x: Floats) -> Floats:
        """P(it exists and is <= x); the shape of x ends in that of the windows."""

    @abstractmethod
    def _above(self, x: Floats) -> Floats:
        """P(it exists and is > x)."""

    def up_to(self, x: ArrayLike) -> Floats:
        """P(it exists and is <= x).

        Raises:
            DistributionError: x is NaN.
        """
        return self._below(self._broadcast(x))

    def above(self, x: ArrayLike) -> Floats:
        """P(it exists and is > x)."""
        return self._above(self._broadcast(x))

    def cdf(self, x: ArrayLike) -> Floats:
        """P(<= x) given that it exists; NaN where it cannot."""
        return self._given(self.up_to(x))

    def sf(self, x: ArrayLike) -> Floats:
        """P(> x) given that it exists; NaN where it cannot."""
        return self._given(self.above(x))

    def _given(self, joint: Floats) -> Floats:
        known = np.where(self.exists > 0, self.exists, np.nan)
        with np.errstate(under="ignore"):
            return np.asarray(np.minimum(joint / known, 1.0))

    def _broadcast(self, x: ArrayLike) -> Floats:
        x = points(x)
        return np.broadcast_to(x, np.broadcast_shapes(x.shape, self.rows.shape))

    def ppf(self, q: ArrayLike) -> Floats:
        """The smallest x with cdf(x) >= q, given that it exists; NaN where it cannot.

        Known values: one of them. Uncertain ones: by bisection, to 1e-30 of what is spanned.

        Args:
            q: within (0, 1].

        Raises:
            ValueError: it is not.
        """
        asked = np.asarray(q, np.float64)
        if not np.all((asked > 0) & (asked <= 1)):
            raise ValueError(f"q is {asked.tolist()}: give probabilities within (0, 1]")
        asked = self._broadcast(asked)
        if self.rows.v.size == 0:
            return np.full(asked.shape, np.nan)
        with np.errstate(under="ignore"):
            wanted = asked * self.exists
        found = self._found(wanted)
        return np.where(np.broadcast_to(self.exists, found.shape) > 0, found, np.nan)

    def _found(self, wanted: Floats) -> Floats:
        rows = self.rows
        values = rows.v.reshape(*rows.shape, rows.v.shape[-2] * rows.v.shape[-1])
        there = rows.p.reshape(values.shape) > 0
        s = np.zeros_like(values) if rows.s is None else rows.s.reshape(values.shape)
        noisy = s.any(axis=-1)
        if np.all(noisy):
            return self._between(values, s, there, wanted)
        known = np.where(there, values, np.inf)
        found = among(self._below, self._candidates(np.sort(known, axis=-1), there), wanted)
        if not np.any(noisy):
            return found
        return np.where(noisy, self._between(values, s, there, wanted), found)

    def _between(self, values: Floats, s: Floats, there: Mask, wanted: Floats) -> Floats:
        """By bisection; of values and standard deviations that are as there are windows, + (cells,)."""
        finite, reach = there & np.isfinite(values), _REACH * s
        low = np.where(finite, values - reach, np.inf).min(axis=-1)
        high = np.where(finite, values + reach, -np.inf).max(axis=-1)
        none = low > high
        low, high = np.where(none, 0.0, low), np.where(none, 0.0, high)
        with np.errstate(under="ignore"):  # next to 0 are the smallest of all floats
            low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
        shaped = [np.broadcast_to(end, wanted.shape) for end in (low, high)]
        found = between(self._below, shaped[0], shaped[1], wanted)
        if np.array_equal(finite, there):
            return found
        ends = [(there & (values == end)).any(axis=-1) for end in (-np.inf, np.inf)]
        return self._with_ends(found, shaped[1], wanted, ends)

    def _with_ends(self, found: Floats, high: Floats, wanted: Floats, ends: list[Mask]) -> Floats:
        """Quantiles that are at -inf or at inf, where values can be so."""
        least = self._below(np.full(wanted.shape, -np.inf))
        found = np.where(ends[0] & (least >= wanted), -np.inf, found)
        return np.where(ends[1] & (self._below(high) < wanted), np.inf, found)

    @staticmethod
    def _candidates(ordered: Floats, there: Mask) -> Floats:
        """Rising values; those of rows that cannot be there are put to the largest that can."""
        several = there.sum(axis=-1, keepdims=True)
        most = np.take_along_axis(ordered, np.maximum(several - 1, 0), axis=-1)
        return np.where(places(ordered.shape[-1]) >= several, most, ordered)

    def interval(self, level: ArrayLike) -> tuple[Floats, Floats]:
        """The central interval of a level within [0, 1), given that it exists: at most (1 - level) / 2 on each side.

        Raises:
            ValueError: the level is not within it.
        """
        outside = (1.0 - levels("level", level)) / 2
        return self.ppf(outside), self.ppf(1.0 - outside)
