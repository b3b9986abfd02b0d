"""Skewed: a distribution known by three moments, with quantiles by Cornish and Fisher."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import points
from rxml.uncertain.possible.search import levels
from rxml.uncertain.special import ndtr, ndtri

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask

_BERRY_ESSEEN: Final = 0.5600
"""For summands that need not be alike: Shevtsova, "An improvement of convergence rate estimates in the Lyapunov theorem",
Doklady Mathematics 82 (2010). Looked up: surveys name it for this case; the smaller 0.4748 is for summands that are alike."""
_APART: Final = 1.0 / (6.0 * math.sqrt(2.0 * math.pi))
_FARTHEST: Final = 1e100  # standard deviations: infinity times no skewness would be no number


@dataclass(frozen=True, slots=True, eq=False)
class Skewed:
    """Standardised it is z + skew (z^2 - 1) / 6 of a standard normal z, where that grows (Cornish and Fisher, 1938).

    What methods take is broadcast against the shape of the windows, as that of `Pmf`.

    Attributes:
        centre: the mean, shape of the windows.
        spread: the standard deviation, at least 0.
        skew: the third standardised moment.
        error: a bound on how far any value of `cdf` may be off.
    """

    centre: Floats
    spread: Floats
    skew: Floats
    error: Floats

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the windows: () or (G,)."""
        return self.centre.shape

    def mean(self) -> Floats:
        """The expected value."""
        return self.centre

    def var(self) -> Floats:
        """The variance."""
        with np.errstate(under="ignore", over="ignore"):
            return self.spread**2

    def std(self) -> Floats:
        """The standard deviation."""
        return self.spread

    def cdf(self, x: ArrayLike) -> Floats:
        """P(X <= x).

        Raises:
            DistributionError: x is NaN.
        """
        x = points(x)
        return np.asarray(np.where(self._past(x), 1.0, ndtr(self._score(x))) * self._reached(x))

    def sf(self, x: ArrayLike) -> Floats:
        """P(X > x).

        Raises:
            DistributionError: x is NaN.
        """
        x = points(x)
        left = np.where(self._past(x), 0.0, ndtr(-self._score(x)))
        return np.asarray(np.where(self._reached(x), left, 1.0))

    def _past(self, x: Floats) -> Mask:
        """It has no spread and x is not below it."""
        return np.asarray((self.spread == 0) & (x >= self.centre))

    def _reached(self, x: Floats) -> Mask:
        """It has a spread, or x is not below it."""
        return (self.spread > 0) | (x >= self.centre)

    @np.errstate(under="ignore", over="ignore")
    def _score(self, x: Floats) -> Floats:
        spread = np.where(self.spread > 0, self.spread, 1.0)
        away = np.clip((x - self.centre) / spread, -_FARTHEST, _FARTHEST)
        return np.where(np.isinf(x), x, normal_score(away, self.skew))

    def ppf(self, q: ArrayLike) -> Floats:
        """The value x with P(X <= x) = q.

        Args:
            q: within (0, 1).

        Raises:
            ValueError: it is not.
        """
        asked = np.asarray(q, np.float64)
        if not np.all((asked > 0) & (asked < 1)):
            raise ValueError(f"q is {asked.tolist()}: give probabilities between 0 and 1")
        with np.errstate(under="ignore", over="ignore"):
            away = self.spread * skewed_score(ndtri(asked), self.skew)
            return np.asarray(self.centre + away)

    def interval(self, level: ArrayLike) -> tuple[Floats, Floats]:
        """The central interval of a level within [0, 1).

        Raises:
            ValueError: the level is not within it.
        """
        outside = (1.0 - levels("level", level)) / 2
        return self.ppf(outside), self.ppf(1.0 - outside)


@np.errstate(under="ignore", over="ignore")
def skewed_score(z: Floats, skew: Floats) -> Floats:
    """Cornish and Fisher's quantile of a standardised variable, kept from turning back: z + skew (z^2 - 1) / 6."""
    turn = -3.0 / np.where(skew == 0, 1.0, skew)
    kept = np.where(skew > 0, np.maximum(z, turn), np.where(skew < 0, np.minimum(z, turn), z))
    return np.asarray(kept + skew * (kept * kept - 1.0) / 6.0)


@np.errstate(under="ignore")
def normal_score(x: Floats, skew: Floats) -> Floats:
    """The z of which `skewed_score` is x: the root of skew z^2 / 6 + z - (x + skew / 6) next to x."""
    shifted = x + skew / 6.0
    inside = 1.0 + skew * shifted * (2.0 / 3.0)
    root = 2.0 * shifted / (1.0 + np.sqrt(np.maximum(inside, 0.0)))
    beyond = np.where(skew > 0, -np.inf, np.inf)  # what no z reaches
    return np.asarray(np.where(inside < 0, beyond, root))


@np.errstate(under="ignore", over="ignore")
def bound(skew: Floats, lyapunov: Floats) -> Floats:
    """How far `Skewed.cdf` may be off, (G,): Berry and Esseen's bound for the normal distribution, and its distance from it.

    From the normal distribution it is farthest in the middle, by |skew| / 6 of the density there, or where it begins (ends,
    for a negative skewness), with all the normal distribution has beyond.

    Args:
        skew: the third standardised moment, (G,).
        lyapunov: the sum of the third absolute central moments, divided by the cubed standard deviation, (G,).
    """
    size = np.abs(skew)
    some = np.where(size > 0, size, 1.0)
    beyond = np.where(size > 0, ndtr(-1.5 / some - some / 6.0), 0.0)
    apart = np.maximum(_APART * size, beyond)
    return np.asarray(np.minimum(_BERRY_ESSEEN * lyapunov + apart, 1.0))
