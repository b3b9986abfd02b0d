"""The k-th value of a window, and its median or another quantile, where rows may not be there."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
from typing_extensions import override

from rxml.uncertain.possible.convolution import fewer_than
from rxml.uncertain.possible.logic import none_of
from rxml.uncertain.possible.orders import OrderStatistic
from rxml.uncertain.possible.shapes import places, windowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.possible.rows import UncertainRows

_PARTS: Final = 1000  # a quantile is a fraction of at most so many parts
_CELLS: Final = 1 << 22  # numbers at once


class Kth(OrderStatistic):
    """The distribution of the k-th smallest value, or of the k-th largest.

    Attributes:
        k: which, from 1.
        from_top: counted from the largest.
    """

    k: int
    from_top: bool

    def __init__(self, rows: UncertainRows, k: int, *, from_top: bool) -> None:
        super().__init__(rows, _tail(rows.presence, k))
        self.k = k
        self.from_top = from_top

    @override
    def _below(self, x: Floats) -> Floats:
        if self.from_top:
            return np.maximum(self.exists - _tail(self.rows.above(x), self.k), 0.0)
        return _tail(self.rows.up_to(x), self.k)

    @override
    def _above(self, x: Floats) -> Floats:
        if self.from_top:
            return _tail(self.rows.above(x), self.k)
        return np.maximum(self.exists - _tail(self.rows.up_to(x), self.k), 0.0)


def kth(rows: UncertainRows, k: int, *, from_top: bool = False) -> Kth:
    """The k-th smallest of the rows that are there, if so many are: P(<= x) = P(k or more are there and <= x).

    Each look at the distribution costs O(nk); a quantile takes as many looks as bisection does.

    Args:
        rows: of one window or of many; infinite values are admitted.
        k: at least 1.
        from_top: the k-th largest instead.

    Raises:
        ValueError: k is less than 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}: give a rank of at least 1")
    return Kth(rows, k, from_top=from_top)


class Quantile(OrderStatistic):
    """The distribution of a quantile of the rows that are there, of however many these are.

    Attributes:
        level: which, as a fraction.
    """

    level: Fraction

    def __init__(self, rows: UncertainRows, level: Fraction) -> None:
        super().__init__(rows, -np.expm1(none_of(rows.presence)))
        self.level = level

    @override
    def _below(self, x: Floats) -> Floats:
        return self._balance(x, lambda place, centre: place >= centre)

    @override
    def _above(self, x: Floats) -> Floats:
        return self._balance(x, lambda place, centre: place < centre)

    def _balance(self, x: Floats, side: Callable[[NDArray[np.intp], int], Mask]) -> Floats:
        """The probability of one side of the balance D, where some row is there."""
        rows, n = self.rows, self.rows.p.shape[-2]
        sides = windowed(rows.up_to(x)), windowed(rows.above(x))
        up, down = self.level.denominator - self.level.numerator, self.level.numerator
        at_once = max(1, _CELLS // max(1, n * (up + down)))
        chunks = range(0, len(sides[0]), at_once)
        cuts = [slice(at, at + at_once) for at in chunks]
        absent = windowed(np.broadcast_to(1.0 - rows.presence, (*x.shape, n)))
        parts = [_balanced(sides[0][cut], sides[1][cut], absent[cut], up, down) for cut in cuts]
        f = np.concatenate(parts) if parts else np.zeros((0, 1))
        chosen = side(places(f.shape[1]), n * down)
        with np.errstate(under="ignore"):
            return np.asarray(np.minimum((f * chosen).sum(axis=1), 1.0)).reshape(x.shape)


def quantile(rows: UncertainRows, q: float) -> Quantile:
    """The quantile of the rows that are there: the smallest value such that at least the share q of them is up to it.

    It is the one of rank ceil(q N), as `numpy.quantile(..., method="inverted_cdf")`; its rank hangs on how many rows
    are there. So with A rows up to x and B above it, it is up to x if (1 - q) A >= q B: the recurrence runs over
    that balance, in steps of whole numbers, for q a fraction. For the median it is A - B. Each look at the distribution costs O(n^2)
    times the denominator of q.

    Args:
        rows: of one window or of many; infinite values are admitted.
        q: within (0, 1]; taken as the nearest fraction with a denominator of at most 1,000.

    Raises:
        ValueError: it is not.
    """
    level = Fraction(q).limit_denominator(_PARTS) if 0 < q <= 1 else Fraction(0)
    if level == 0:
        raise ValueError(f"q is {q}: give a quantile within (0, 1], at least 1 / {_PARTS}")
    return Quantile(rows, level)


def median(rows: UncertainRows) -> Quantile:
    """The lower median of the rows that are there: `quantile` of 1 / 2.

    Args:
        rows: of one window or of many; infinite values are admitted.
    """
    return quantile(rows, 0.5)


def _tail(p: Floats, k: int) -> Floats:
    """P(k or more), over the last axis."""
    if k > p.shape[-1]:
        return np.zeros(p.shape[:-1])
    tails = fewer_than(windowed(p), k)[:, -1]
    return np.minimum(tails, 1.0).reshape(p.shape[:-1])


@np.errstate(under="ignore")
def _balanced(a: Floats, b: Floats, absent: Floats, up: int, down: int) -> Floats:
    """The distribution of the balance where some row is there: (G, n (up + down) + 1), with 0 at n * down.

    The worlds without rows are kept apart, so that the others keep their relative accuracy.

    Args:
        a: P(a row is there and up to x), (G, n).
        b: P(a row is there and above x), (G, n).
        absent: P(it is not there), (G, n): known better than what a and b leave of 1.
        up: what a row up to x adds, at least 0.
        down: what one above takes off, at least 1.
    """
    groups, n = a.shape
    centre, size = n * down, n * (up + down) + 1
    f, none = np.zeros((size, groups)), np.ones(groups)
    for there, over, away in zip(a.T, b.T, absent.T, strict=True):
        new = f * away
        new[up:] += f[: size - up] * there
        new[: size - down] += f[down:] * over
        new[centre + up] += none * there
        new[centre - down] += none * over
        f, none = new, none * away
    return np.ascontiguousarray(f.T)
