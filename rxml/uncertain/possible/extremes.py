"""MAX and MIN over rows that may not be there and whose values are uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.uncertain.checks import summed
from rxml.uncertain.possible.logic import none_of
from rxml.uncertain.possible.orders import OrderStatistic

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.rows import UncertainRows


class Largest(OrderStatistic):
    """The distribution of the largest value."""

    @override
    def _below(self, x: Floats) -> Floats:
        return _only(self.rows.up_to(x), self.rows.not_above(x))

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
        return _only(self.rows.above(x), self.rows.not_up_to(x))


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
def _only(here: Floats, not_beyond: Floats) -> Floats:
    """P(some row is on this side, and none on the other): no difference of any two, which would lose digits.

    Args:
        here: of each row, shape of x + (n,).
        not_beyond: the logarithm of the probability of each row that it is not on the other side, of the same shape.
    """
    left = np.exp(not_beyond)
    share = np.minimum(here / np.where(left > 0, left, 1.0), 1.0)
    return np.exp(summed(not_beyond)) * -np.expm1(none_of(share))
