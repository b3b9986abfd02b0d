"""Normal: a Gaussian a row."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from typing_extensions import override

from rxml.uncertain.checks import Floats, Numbers, batched, probabilities, require
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.special import log_ndtr, ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike


class Normal(Distribution):
    """A normal distribution a row. Variance 0 is a fact; infinite variance says that nothing is known.

    Args:
        mean: finite, shape (N,) or ().
        var: at least 0, or inf; in squared units of the mean.

    Raises:
        DistributionError: naming the rows with a NaN or infinite mean, or a variance that is negative or NaN.
    """

    __slots__ = ("_mean", "_var")

    kind: str = "normal"
    axes: ClassVar[Mapping[str, int | None]] = {"mean": 0, "var": 0}

    _mean: Floats
    _var: Floats

    def __init__(self, mean: ArrayLike, var: ArrayLike) -> None:
        self._mean, self._var = batched(mean=mean, var=var)
        require(np.isfinite(self._mean), "a mean is finite", self._mean)
        require(self._var >= 0, "a variance is >= 0", self._var)

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._mean.shape

    @override
    def mean(self) -> Floats:
        return self._mean

    @override
    def var(self) -> Floats:
        return self._var

    @override
    def cdf(self, x: Numbers) -> Floats:
        return ndtr(standardised(x, self._mean, self._var))

    @override
    def sf(self, x: Numbers) -> Floats:
        # the other tail, not 1 - cdf, which would be 0 far out; at x itself a fact is not above it
        z = standardised(x, self._mean, self._var)
        return np.where(np.isposinf(z), 0.0, ndtr(-z))

    def logsf(self, x: Numbers) -> Floats:
        """The logarithm of P(X > x) for each row, which is finite where P(X > x) is too small for a float."""
        return log_ndtr(-standardised(x, self._mean, self._var))

    @override
    def below(self, x: Numbers) -> Floats:
        fact = (self._var == 0) & (np.asarray(x) <= self._mean)
        return np.where(fact, 0.0, self.cdf(x))

    @override
    def prob(self, lo: Numbers, hi: Numbers) -> Floats:
        a, b = (standardised(x, self._mean, self._var) for x in (lo, hi))
        upper = a > 0  # both tails are small there; their difference from one is not
        inside = ndtr(np.where(upper, -a, b)) - ndtr(np.where(upper, -b, a))
        return np.maximum(inside, 0.0)

    @override
    def ppf(self, q: Numbers) -> Floats:
        z = ndtri(probabilities(q))
        std = self.std()
        with np.errstate(
            invalid="ignore"
        ):  # 0 * inf: the median of the vacuous, any quantile of a fact
            return self._mean + np.where((std == 0) | (z == 0), 0.0, std * z)

    @override
    def affine(self, scale: Numbers, shift: Numbers) -> Normal:
        mean = scale * self._mean + shift  # numpy works in place where operators follow one another
        var = _scaled(self._var, np.square(scale))
        if mean.shape != var.shape or mean.ndim > 1:  # a shift for each row of a scalar
            return Normal(mean, var)
        if not isfinite(mean.sum()):  # one pass; a sum may overflow where no mean does
            require(np.isfinite(mean), "a mean is finite", mean)
        return self.adopt(mean=mean, var=var)

    @override
    def divided(self, by: Numbers) -> Normal:
        square = np.square(by)
        with np.errstate(under="ignore"):
            return Normal(self._mean / by, self._var / square)


def _scaled(var: Floats, by: Floats) -> Floats:
    """A variance times a square, where nothing times infinity is nothing."""
    if np.ndim(by) == 0 and by > 0:
        return np.multiply(var, by)
    with np.errstate(invalid="ignore"):
        return np.where(by == 0, 0.0, by * var)


def standardised(x: Numbers, mean: Floats, var: Floats) -> Floats:
    """(x - mean) / std, as P(X <= x) has it: a fact is at or below x by +inf, else above it by -inf; vacuous is 0."""
    gap = np.asarray(x, np.float64) - mean
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        z = gap / np.sqrt(var)
    z = np.where(var == 0, np.where(gap >= 0, np.inf, -np.inf), z)
    return np.where(np.isinf(gap), gap, z)  # whatever the variance
