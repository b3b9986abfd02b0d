"""OrderStatistic: a value that some row has, as the largest or the median of a window, if there is one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.possible.search import among, between
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
        """P(it exists and is <= x)."""
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
        x = np.asarray(x, np.float64)
        return np.broadcast_to(x, np.broadcast_shapes(x.shape, self.rows.shape))

    def ppf(self, q: ArrayLike) -> Floats:
        """The smallest x with cdf(x) >= q, given that it exists; NaN where it cannot.

        Known values: one of them. Uncertain ones: by bisection, to 1e-30 of what is spanned.

        Args:
            q: within (0, 1].

        Raises:
            ValueError: it is not.
        """
        levels = self._broadcast(q)
        if not np.all((levels > 0) & (levels <= 1)):
            raise ValueError(f"q is {levels.tolist()}: give probabilities within (0, 1]")
        if self.rows.v.size == 0:
            return np.full(levels.shape, np.nan)
        with np.errstate(under="ignore"):
            wanted = levels * self.exists
        found = self._found(wanted)
        return np.where(np.broadcast_to(self.exists, found.shape) > 0, found, np.nan)

    def _found(self, wanted: Floats) -> Floats:
        rows = self.rows
        values = rows.v.reshape(*rows.shape, rows.v.shape[-2] * rows.v.shape[-1])
        there = rows.p.reshape(values.shape) > 0
        if rows.s is None or not np.any(rows.s):
            known = np.where(there, values, np.inf)
            return among(self._below, self._candidates(np.sort(known, axis=-1), there), wanted)
        reach = _REACH * rows.s.reshape(values.shape)
        low = np.where(there, values - reach, np.inf).min(axis=-1)
        high = np.where(there, values + reach, -np.inf).max(axis=-1)
        none = low > high
        low, high = np.where(none, 0.0, low), np.where(none, 0.0, high)
        with np.errstate(under="ignore"):  # next to 0 are the smallest of all floats
            low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
        shaped = [np.broadcast_to(end, wanted.shape) for end in (low, high)]
        return between(self._below, shaped[0], shaped[1], wanted)

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
        outside = (1.0 - np.asarray(level, np.float64)) / 2
        return self.ppf(outside), self.ppf(1.0 - outside)
