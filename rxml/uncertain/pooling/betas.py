"""Beta distributions of one probability, pooled to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.members import mask, matched, numbers, raw, simplex

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask

_LARGEST: Final = 1e100  # the variance of a greater one would vanish


def log_pool_beta(
    a: ArrayLike,
    b: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Betas of members that share what they know: prod p_i^w_i with convex w is the beta of averaged a and b.

    Args:
        a: (N, K) of the members, from 1e-100 to 1e100; NaN is absent.
        b: (N, K), or what broadcasts to it, from 1e-100 to 1e100.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        a and b of the pools, (N,) each; NaN where no one is awake.

    Raises:
        DistributionError: an a or b that is out of these bounds, or a negative weight; names the rows.
    """
    ones, zeros, there = _members(a, b, awake)
    trust = simplex(weights, there)
    none = np.where(trust.sum(axis=1) > 0, 0.0, np.nan)
    with np.errstate(under="ignore"):
        return (trust * ones).sum(axis=1) + none, (trust * zeros).sum(axis=1) + none


def product_beta(
    a: ArrayLike,
    b: ArrayLike,
    prior: tuple[float, float] = (1.0, 1.0),
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Betas of members that counted different things: the counts beyond the prior add up.

    Args:
        a: (N, K) of the members, from 1e-100 to 1e100; NaN is absent.
        b: (N, K), or what broadcasts to it, from 1e-100 to 1e100.
        prior: a and b that all members started from, and which counts once.
        weights: (K,) or (N, K), >= 0, as they are; 1 is full and independent evidence.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        a and b of the pools, (N,) each; the prior where no one is awake.

    Raises:
        DistributionError: an a or b that is out of these bounds, a negative weight, or members that know less than
            the prior; names the rows.
        ValueError: a prior that is no beta distribution.
    """
    if not all(0 < each < np.inf for each in prior):
        raise ValueError(f"prior must be two numbers > 0 and finite, got {prior!r}")
    ones, zeros, there = _members(a, b, awake)
    power = raw(weights, there)
    with np.errstate(under="ignore"):
        pools = [
            first + (power * (each - first)).sum(axis=1)
            for first, each in zip(prior, (ones, zeros), strict=True)
        ]
    fine = (pools[0] > 0) & (pools[1] > 0)
    require(fine, "members must know more than the prior that is taken from them", ones)
    return pools[0], pools[1]


def linear_pool_beta(
    a: ArrayLike,
    b: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Betas, of which one is right with the probability of its weight: the beta with the mixture's mean and variance.

    Args:
        a: (N, K) of the members, from 1e-100 to 1e100; NaN is absent.
        b: (N, K), or what broadcasts to it, from 1e-100 to 1e100.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        a and b of the pools, (N,) each; NaN where no one is awake.

    Raises:
        DistributionError: an a or b that is out of these bounds, or a negative weight; names the rows.
    """
    ones, zeros, there = _members(a, b, awake)
    trust = simplex(weights, there)
    total = ones + zeros
    with np.errstate(under="ignore"):
        mean, rest = (trust * (ones / total)).sum(axis=1), (trust * (zeros / total)).sum(axis=1)
        each = (ones / total) * (zeros / total)
        # k = m (1 - m) / v - 1 is E[x (1 - x)] / v, in which nothing is taken away from anything
        left = (trust * (each * (total / (total + 1.0)))).sum(axis=1)
        apart = ones / total - mean[:, None]
        var = (trust * (each / (total + 1.0) + apart * apart)).sum(axis=1)
        some = trust.sum(axis=1) > 0
        k = np.where(some, left, np.nan) / np.where(some, var, 1.0)
        return mean * k, rest * k


def _members(a: ArrayLike, b: ArrayLike, awake: ArrayLike | None) -> tuple[Floats, Floats, Mask]:
    """Both parameters, 1 for who sleeps, and who is awake."""
    ones = numbers("a", a, 2)
    zeros = matched("b", b, ones.shape)
    there = mask(awake, ones.shape) & ~np.isnan(ones)
    for name, values in (("a", ones), ("b", zeros)):
        fine = ~there | ((values >= 1 / _LARGEST) & (values <= _LARGEST))
        require(
            fine.all(axis=1), f"{name} of a beta is from {1 / _LARGEST:g} to {_LARGEST:g}", values
        )
    return np.where(there, ones, 1.0), np.where(there, zeros, 1.0), there
