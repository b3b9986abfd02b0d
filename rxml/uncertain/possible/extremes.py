"""MAX and MIN over rows that may not be there and whose values are uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.uncertain.possible.logic import none_of
from rxml.uncertain.possible.orders import OrderStatistic

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.rows import UncertainRows


class Largest(OrderStatistic):
    """The distribution of the largest value."""

    @override
    def _below(self, x: Floats) -> Floats:
        return _and_some(none_of(self.rows.above(x)), none_of(self.rows.presence))

    @override
    def _above(self, x: Floats) -> Floats:
        return -np.expm1(none_of(self.rows.above(x)))


class Smallest(OrderStatistic):
    """The distribution of the smallest value."""

    @override
    def _below(self, x: Floats) -> Floats:
        return -np.expm1(none_of(self.rows.up_to(x)))

    @override
    def _above(self, x: Floats) -> Floats:
        return _and_some(none_of(self.rows.up_to(x)), none_of(self.rows.presence))


def largest(rows: UncertainRows) -> Largest:
    """MAX, where some row is there; P(MAX <= x, or no row is there) = prod (1 - p_i P(V_i > x)).

    Sums of logarithms, so that tiny probabilities keep their relative accuracy. Where it is certain who is there,
    quantiles are what `numpy.max` gives for them.

    Args:
        rows: of one window or of many; infinite values are admitted.
    """
    return Largest(rows, -np.expm1(none_of(rows.presence)))


def smallest(rows: UncertainRows) -> Smallest:
    """MIN, where some row is there; as `largest`.

    Args:
        rows: of one window or of many; infinite values are admitted.
    """
    return Smallest(rows, -np.expm1(none_of(rows.presence)))


@np.errstate(under="ignore")
def _and_some(none_here: Floats, none_at_all: Floats) -> Floats:
    """P(no row is on this side, but some row is there), from the logarithms of P(none here) and of P(none at all)."""
    certain = none_at_all == -np.inf
    kept = np.where(certain, 0.0, none_at_all)
    apart = np.where(certain, 0.0, np.maximum(none_here - kept, 0.0))
    close = np.exp(kept) * np.expm1(np.minimum(apart, 1.0))  # a difference would lose digits
    return np.where(certain | (apart > 1.0), np.exp(none_here) - np.exp(none_at_all), close)
