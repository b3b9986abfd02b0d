"""Distributions of one quantity, pooled to one: normals and quantiles, and how their variance splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.estimates import weighed
from rxml.uncertain.pooling.members import (
    estimates,
    mask,
    numbers,
    raw,
    require_agreement,
    simplex,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A variance, or an entropy, by where it comes from; (N,) each.

    Attributes:
        total: of the pool.
        within: what members say of themselves, on average: noise that more members will not take away (aleatoric).
        between: what they differ by: ignorance that more data would take away (epistemic).
    """

    total: Floats
    within: Floats
    between: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LinearPool:
    """A mixture of normals a row, as parameters: the pool sum w_i F_i.

    Attributes:
        weights: (N, K) convex; 0 for who sleeps, and in rows in which no one is awake.
        mean: (N, K) of the components; 0 for who sleeps.
        var: (N, K) of the components; inf for who sleeps.
    """

    weights: Floats
    mean: Floats
    var: Floats

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and variance of the mixture, (N,) each; NaN and inf where no one is awake."""
        split = self.split()
        center = _average(self.weights, self.mean)
        some = self.weights.sum(axis=1) > 0
        return np.where(some, center, np.nan), np.where(some, split.total, np.inf)

    def split(self) -> Split:
        """E[var] + Var[mean], the law of total variance."""
        center = _average(self.weights, self.mean)
        with np.errstate(under="ignore"):
            within = _average(self.weights, self.var)
            between = _average(self.weights, (self.mean - center[:, None]) ** 2)
        return Split(within + between, within, between)


def linear_pool(
    mean: ArrayLike,
    var: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> LinearPool:
    """Normals, of which one is right with the probability of its weight: their mixture.

    Wider than its members where they are calibrated, so that the pool wants calibration of its own (Gneiting and
    Ranjan 2013).

    Args:
        mean: (N, K) of the members; NaN is absent. Sizes up to 1e150.
        var: (N, K), or what broadcasts to it: variances, from 0 (a fact) to inf.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Raises:
        DistributionError: a negative variance or weight; names the rows.
    """
    means, variances, there = estimates(mean, var, awake)
    return LinearPool(simplex(weights, there), means, variances)


def log_pool(
    mean: ArrayLike,
    var: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Normals of members that share what they know: the density prod p_i^w_i with convex w, again a normal.

    Precision sum w_i/v_i, mean sum(w_i m_i/v_i) over it (Genest and Zidek 1986). Members of one mind are pooled to
    just that mind, however many they are. For evidence that members found independently see `product`.

    Args:
        mean: (N, K) of the members; NaN is absent. Sizes up to 1e150.
        var: (N, K), or what broadcasts to it: variances, from 0 (a fact, which wins) to inf (tells nothing).
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        Means and variances, (N,) each; NaN and inf where no one is awake.

    Raises:
        DistributionError: a negative variance or weight, or facts that contradict each other; names the rows.
    """
    means, variances, there = estimates(mean, var, awake)
    trust = simplex(weights, there)
    require_agreement(means, np.where(trust > 0, variances, np.inf))
    return weighed(means, variances, trust)


def product(
    mean: ArrayLike,
    var: ArrayLike,
    prior: tuple[float, float] | None = None,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Normals of members that found what they know independently of each other: the density prod p_i / prior^(k-1).

    Args:
        mean: (N, K) of the members; NaN is absent. Sizes up to 1e150.
        var: (N, K), or what broadcasts to it: variances, from 0 (a fact, which wins) to inf (tells nothing).
        prior: mean and variance of what all members knew beforehand and which would else count for each of them;
            None if that was nothing.
        weights: (K,) or (N, K), >= 0, powers of the members as they are; 1 is a full and independent one.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        Means and variances, (N,) each; NaN and inf where no one is awake and there is no prior.

    Raises:
        DistributionError: a negative variance or weight, facts that contradict each other, or members that know less
            than the prior; names the rows.
        ValueError: a prior that is no normal of finite variance above 0.
    """
    means, variances, there = estimates(mean, var, awake)
    power = raw(weights, there)
    require_agreement(means, np.where(power > 0, variances, np.inf))
    center, spread = weighed(means, variances, power)
    if prior is not None:
        center = np.where(np.isnan(center), 0.0, center)
        return _less_prior(center, spread, power.sum(axis=1) - 1.0, prior)
    return center, spread


def _less_prior(
    mean: Floats, var: Floats, times: Floats, prior: tuple[float, float]
) -> tuple[Floats, Floats]:
    """The normal divided by the prior to the power of `times`; a fact stays one."""
    first, wide = prior
    if not (0 < wide < np.inf and np.isfinite(first)):
        raise ValueError(f"prior must be a finite mean and a finite variance > 0, got {prior!r}")
    # in units of the smaller variance, so that no precision overflows
    unit = np.minimum(var, wide)
    with np.errstate(under="ignore"):
        own = np.where(var > 0, unit / np.where(var > 0, var, 1.0), 1.0)
        taken = times * (unit / wide)
        left = own - taken
        require(left > 0, "members must know more than the prior that is taken from them", var)
        return (own / left) * mean - (taken / left) * first, unit / left


def vincent(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> Floats:
    """Quantiles averaged level by level: the pool keeps its members' shape, and is narrower than the linear one.

    Vincent (1912), Ratcliff (1979); for normals the means and the standard deviations are averaged.

    Args:
        values: (N, K, Q) quantiles of the members at Q levels they share, increasing along Q; a member with a NaN is
            absent. Infinite ones are kept.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        (N, Q) quantiles; NaN where no one is awake.

    Raises:
        DistributionError: quantiles that decrease, or a negative weight; names the rows.
    """
    quantiles = numbers("values", values, 3)
    there = mask(awake, quantiles.shape[:2]) & ~np.isnan(quantiles).any(axis=2)
    trust = simplex(weights, there)[:, :, None]
    heard = np.where(trust > 0, quantiles, 0.0)
    rising = (heard[:, :, 1:] >= heard[:, :, :-1]).all(axis=(1, 2))
    require(rising, "the quantiles of a member must not decrease", quantiles)
    with np.errstate(under="ignore", invalid="ignore"):
        # an average of -inf and inf is no number: then there is no such pool
        average: Floats = (trust * heard).sum(axis=1)
    require(~np.isnan(average).any(axis=1), "a level must not be both -inf and inf", quantiles)
    return np.where(trust.sum(axis=1) > 0, average, np.nan)


def variance_split(
    mean: ArrayLike,
    var: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> Split:
    """The variance of members that each give a mean and a variance: E[var] + Var[mean].

    Args:
        mean: (N, K) of the members, of any distribution; NaN is absent. Sizes up to 1e150.
        var: (N, K), or what broadcasts to it: variances.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        The split; all NaN where no one is awake.

    Raises:
        DistributionError: a negative variance or weight; names the rows.
    """
    pool = linear_pool(mean, var, weights, awake)
    split = pool.split()
    none = np.where(pool.weights.sum(axis=1) > 0, 0.0, np.nan)
    return Split(split.total + none, split.within + none, split.between + none)


def _average(weights: Floats, values: Floats) -> Floats:
    """By convex weights; who has none may be infinite."""
    with np.errstate(under="ignore"):
        average: Floats = (weights * np.where(weights > 0, values, 0.0)).sum(axis=1)
    return average
