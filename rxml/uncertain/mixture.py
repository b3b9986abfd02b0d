"""Mixture: K weighted normals a row, what pooling several models gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.bounding import times
from rxml.uncertain.checks import (
    QUIET,
    Floats,
    Numbers,
    floats,
    probabilities,
    read_only,
    require,
    shares,
    summed,
)
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.normal import Normal, standardised
from rxml.uncertain.special import logsumexp, normal_pdf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from rxml.uncertain.draws import Draws

_FIRST: Final = 20
_LAST: Final = 60
_STEPS: Final = 4
_NEAR: Final = 1e-13


class Mixture(Distribution):
    """A mixture of normals a row.

    Args:
        logw: log weights, shape (N, K) or (K,), up to a constant in each row.
        mean: as much, finite.
        var: as much, at least 0.

    Raises:
        DistributionError: shapes differ, or naming the rows with parameters that are none.
    """

    __slots__ = ("_logw", "_mean", "_var")

    kind: str = "mixture"
    axes: ClassVar[Mapping[str, int | None]] = {"logw": 0, "mean": 0, "var": 0}

    _logw: Floats
    _mean: Floats
    _var: Floats

    def __init__(self, logw: ArrayLike, mean: ArrayLike, var: ArrayLike) -> None:
        weights, self._mean, self._var = (
            floats("logw", logw),
            floats("mean", mean),
            floats("var", var),
        )
        shapes = {weights.shape, self._mean.shape, self._var.shape}
        if len(shapes) > 1 or weights.ndim not in {1, 2} or not weights.shape[-1]:
            raise DistributionError(
                f"logw, mean and var have one shape, (N, K) or (K,); got {sorted(shapes)}"
            )
        require(np.isfinite(self._mean).all(axis=-1), "means are finite", self._mean)
        require((self._var >= 0).all(axis=-1), "variances are >= 0", self._var)
        fine = (weights < np.inf).all(axis=-1) & (weights > -np.inf).any(axis=-1)
        require(fine, "log weights are below inf, and one is above -inf", weights)
        self._logw = read_only(weights - logsumexp(weights, axis=-1)[..., None])

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._logw.shape[:-1]

    @property
    def weights(self) -> Floats:
        """Of the components, shape (N, K); rows add up to 1."""
        return shares(self._logw)

    @property
    def components(self) -> tuple[Floats, Floats]:
        """Means and variances of the components, shape (N, K) each."""
        return self._mean, self._var

    @override
    @QUIET
    def mean(self) -> Floats:
        return summed(self.weights * self._mean)

    @override
    def var(self) -> Floats:
        within, between = self.parts()
        return within + between

    @QUIET
    def parts(self) -> tuple[Floats, Floats]:
        """The mean of the variances and the variance of the means, shape (N,) each: their sum is the variance.

        The first is what every component says is left open, the second how far they disagree.
        """
        weights = self.weights
        used = np.where(weights > 0, self._var, 0.0)  # 0 * inf
        between = summed(weights * np.square(self._mean - self.mean()[..., None]))
        return summed(weights * used), between

    @override
    def cdf(self, x: Numbers) -> Floats:
        return self._over(Normal.cdf, x)

    @override
    def sf(self, x: Numbers) -> Floats:
        return self._over(Normal.sf, x)

    @override
    def below(self, x: Numbers) -> Floats:
        return self._over(Normal.below, x)

    @QUIET
    def _over(self, tail: object, x: Numbers) -> Floats:
        points = np.asarray(x, np.float64)[..., None]
        each = getattr(self._parts, getattr(tail, "__name__"))(points)  # noqa: B009
        return np.minimum(summed(self.weights * each), 1.0)

    @property
    def _parts(self) -> Normal:
        return Normal.adopt(mean=self._mean, var=self._var)

    @override
    def ppf(self, q: Numbers) -> Floats:
        """Between the least and the greatest quantile of the components: halved, then by Newton's steps where that ends."""
        levels = probabilities(q)
        if np.isinf(self._var).any():
            return self._ppf_beside_vacuous(levels)
        each = self._parts.ppf(levels[..., None])
        shape = each.shape[:-1]
        rows = Mixture.adopt(
            **{
                name: np.broadcast_to(array, each.shape).reshape(-1, each.shape[-1])
                for name, array in self.parameters().items()
                if array is not None
            }
        )
        low, high = (np.reshape(end(each, axis=-1), -1) for end in (np.min, np.max))
        return _inverse(rows, np.broadcast_to(levels, shape).reshape(-1), low, high).reshape(shape)

    @QUIET
    def _ppf_beside_vacuous(self, q: Floats) -> Floats:
        """Components of infinite variance have half of their weight at either infinity; the others have the rest."""
        known = np.isfinite(self._var)
        lost = summed(np.where(known, 0.0, self.weights))
        rest = (q - lost / 2) / (1 - lost)
        some = known.any(axis=-1) & (lost < 1)
        logw = np.where(known, self._logw, -np.inf)
        logw = np.where(some[..., None], logw, 0.0)
        finite = Mixture(logw, self._mean, np.where(known, self._var, 0.0))
        inner = finite.ppf(np.clip(np.where(some, rest, 0.5), 0.0, 1.0))
        halves = np.where(q == 0.5, self.mean(), np.where(q < 0.5, -np.inf, np.inf))
        outer = np.where(rest <= 0, -np.inf, np.where(rest > 1, np.inf, inner))
        return np.where(some, np.where(lost > 0, outer, inner), halves)

    def pdf(self, x: Numbers) -> Floats:
        """The density of each row at x; components without variance have none."""
        std = np.sqrt(self._var)
        z = standardised(np.asarray(x, np.float64)[..., None], self._mean, self._var)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            each = np.where(
                (std > 0) & np.isfinite(std),
                normal_pdf(np.where(np.isfinite(z), z, 0.0)) / std,
                0.0,
            )
        return summed(self.weights * each)

    @override
    def affine(self, scale: Numbers, shift: Numbers) -> Mixture:
        a, b = (np.asarray(v, np.float64)[..., None] for v in (scale, shift))
        return self._moved(a * self._mean + b, times(np.square(a), self._var))

    @override
    @QUIET
    def divided(self, by: Numbers) -> Mixture:
        a = np.asarray(by, np.float64)[..., None]
        return self._moved(self._mean / a, self._var / np.square(a))

    def _moved(self, mean: Floats, var: Floats) -> Mixture:
        """The same weights, of other components; for each row of those, where this is a scalar."""
        return Mixture(*np.broadcast_arrays(self._logw, mean, var))

    def reduced(self, count: int) -> Mixture:
        """At most so many components: the lightest are merged into one of their mean and variance.

        Args:
            count: at least 1.
        """
        if count < 1:
            raise ValueError(f"a mixture has at least one component; got {count}")
        if count >= self._logw.shape[-1]:
            return self
        order = np.argsort(-self._logw, axis=-1, kind="stable")
        logw, mean, var = (
            np.take_along_axis(v, order, -1) for v in (self._logw, self._mean, self._var)
        )
        weight = logsumexp(logw[..., count - 1 :], axis=-1)
        none = np.isneginf(weight)[..., None]  # then it does not matter what the last one is
        rest = Mixture(
            np.where(none, 0.0, logw[..., count - 1 :]), *(v[..., count - 1 :] for v in (mean, var))
        )
        last = (weight, rest.mean(), rest.var())
        kept = (
            np.concatenate([v[..., : count - 1], one[..., None]], axis=-1)
            for v, one in zip((logw, mean, var), last, strict=True)
        )
        return Mixture(*kept)

    @override
    def sample(self, draws: Draws, name: str, ids: ArrayLike) -> Floats:
        chosen = draws.uniform(f"{name}/component", ids)
        place = (np.cumsum(self.weights, axis=-1) < chosen[..., None]).sum(axis=-1)
        place = np.minimum(place, self._logw.shape[-1] - 1)[..., None]
        mean, std = (
            np.broadcast_to(v, (*chosen.shape, v.shape[-1]))
            for v in (self._mean, np.sqrt(self._var))
        )
        mean, std = (np.take_along_axis(v, place, axis=-1)[..., 0] for v in (mean, std))
        z = draws.normal(name, ids)
        return mean + times(std, z)


@QUIET
def _inverse(x: Mixture, q: Floats, low: Floats, high: Floats) -> Floats:
    for _ in range(_FIRST):
        low, high = _halved(x, q, low, high)
    found = _by_newton(x, q, low, high)
    open_ = np.flatnonzero(np.abs(x.cdf(found) - q) > _NEAR * q)
    if len(open_):
        rest, bounds = x.take(open_), (low[open_], high[open_])
        for _ in range(_LAST):
            bounds = _halved(rest, q[open_], *bounds)
        found[open_] = bounds[1]
    return found


def _halved(x: Mixture, q: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    with np.errstate(invalid="ignore"):  # inf - inf, where nothing is known
        middle = np.where(np.isfinite(low) & np.isfinite(high), low / 2 + high / 2, low)
    reached = x.cdf(middle) >= q
    return np.where(reached, low, middle), np.where(reached, middle, high)


def _by_newton(x: Mixture, q: Floats, low: Floats, high: Floats) -> Floats:
    at = high
    for _ in range(_STEPS):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            following = at - (x.cdf(at) - q) / x.pdf(at)
        at = np.where((following >= low) & (following <= high), following, at)
    return at.copy()
