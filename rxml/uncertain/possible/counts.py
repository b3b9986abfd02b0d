"""COUNT over rows that may not be there: the Poisson binomial distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from rxml.uncertain.possible.approximations import closest, poisson, refined_normal
from rxml.uncertain.possible.convolution import bernoulli_sums, fewer_than
from rxml.uncertain.possible.pmf import Pmf
from rxml.uncertain.possible.rows import presence
from rxml.uncertain.possible.shapes import windowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.approximations import Approximation

Method: TypeAlias = Literal["auto", "exact", "normal", "poisson"]

EXACT_ROWS: Final = 100_000
"""Up to so many rows in a window `auto` is exact: a tenth to a quarter of a second there, 6 ms for 5,000 rows."""


def count(p: ArrayLike, *, mask: ArrayLike | None = None, method: Method = "auto") -> Pmf:
    """How many of independent rows are there. For COUNT WHERE, multiply p by the probability of the predicate.

    Args:
        p: presence, (n,) for one window, (G, n) for many, within [0, 1].
        mask: which cells are rows, of the same shape; None for all.
        method: `exact`, whatever it costs: O(n^2) for few rows, then about n times the width of the distribution;
            `normal`, corrected for skewness, with the bound (s + 3) / (4 s^3) of Mikhailov (1994) for s, the standard
            deviation, of at least 10; `poisson`, with the bound min(1, 1/m) sum p^2 of Barbour and Hall (1984), m the
            mean (it improves that of Le Cam); `auto` is exact up to `EXACT_ROWS` rows, then the better of the others.

    Returns:
        the distribution; its `error` bounds how far any of its cumulative probabilities is off.

    Raises:
        DistributionError: probabilities outside [0, 1]; the message names the rows, or the windows.
        ValueError: no such method.
    """
    there = presence(p, mask)
    windows = windowed(there)
    start, f, error = _by(method, windows.shape[1])(windows)
    shape = there.shape[:-1]
    return Pmf(start.reshape(shape), f.reshape(*shape, f.shape[1]), error.reshape(shape))


def _by(method: Method, n: int) -> Callable[[Floats], Approximation]:
    ways = {"exact": _exact, "normal": refined_normal, "poisson": poisson}
    if method == "auto":
        return _exact if n <= EXACT_ROWS else closest
    if method not in ways:
        raise ValueError(f"no method is called {method!r}: give auto, {', '.join(ways)}")
    return ways[method]


def _exact(p: Floats) -> Approximation:
    return *bernoulli_sums(p), np.zeros(len(p))


def count_moments(p: ArrayLike, *, mask: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Mean and variance of how many rows are there, in O(n): sum p, and sum p (1 - p).

    Args:
        p: presence, (n,) or (G, n), within [0, 1].
        mask: which cells are rows; None for all.

    Raises:
        DistributionError: probabilities outside [0, 1]; the message names the rows, or the windows.
    """
    there = presence(p, mask)
    with np.errstate(under="ignore"):
        return np.asarray(there.sum(axis=-1)), np.asarray((there * (1.0 - there)).sum(axis=-1))


def at_least(p: ArrayLike, k: int, *, mask: ArrayLike | None = None) -> Floats:
    """P(COUNT >= k) in O(nk), right to a few digits of the last place however small it is.

    Args:
        p: presence, (n,) or (G, n), within [0, 1].
        k: at least 0.
        mask: which cells are rows; None for all.

    Raises:
        DistributionError: probabilities outside [0, 1]; the message names the rows, or the windows.
        ValueError: k is negative.
    """
    if k < 0:
        raise ValueError(f"k is {k}: give a count of at least 0")
    there = presence(p, mask)
    n = there.shape[-1]
    if k > n:
        return np.zeros(there.shape[:-1])
    tail = fewer_than(windowed(there), k)[:, -1]
    return np.minimum(tail, 1.0).reshape(there.shape[:-1])
