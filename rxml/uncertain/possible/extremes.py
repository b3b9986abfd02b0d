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
        return _only(self.rows, self.rows.up_to(x), self.rows.above(x))

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
        return _only(self.rows, self.rows.above(x), self.rows.up_to(x))


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
def _only(rows: UncertainRows, here: Floats, beyond: Floats) -> Floats:
    """P(some row is on this side, and none on the other): no difference of any two, which would lose digits.

    Args:
        rows: of the windows.
        here: P(a row is on this side), shape of x + (n,).
        beyond: P(it is on the other), of the same shape.
    """
    not_beyond = rows.log_rest(beyond, here)
    left = np.exp(not_beyond)
    share = np.minimum(here / np.where(left > 0, left, 1.0), 1.0)
    return np.exp(summed(not_beyond)) * -np.expm1(none_of(share))
