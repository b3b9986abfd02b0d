"""Estimates whose errors depend on each other: in a known way, or in none that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.estimates import Pooled, between, counted, pooled, weighed
from rxml.uncertain.pooling.members import (
    estimates,
    matched,
    numbers,
    require_agreement,
    require_level,
    simplex,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask

_FLAT: Final = 1e-12  # an eigenvalue of a correlation matrix below this, for each member, is 0
_ROUNDED: Final = (
    1e-9  # what computing a covariance may leave of an asymmetry, or of an eigenvalue of 0
)


def correlated(
    y: ArrayLike, cov: ArrayLike, awake: ArrayLike | None = None, *, level: float = 0.95
) -> Pooled:
    """Estimates of one quantity whose errors have a known covariance: the best linear unbiased one.

    Weights S^-1 1 / (1' S^-1 1), which may be negative (Aitken 1936). Members that repeat each other (correlation 1
    and equal variances) count once; where they differ all the same, by their average. `q` has the covariance in it; `tau2` is 0 by assumption.

    Args:
        y: (N, K) estimates; NaN is absent. Sizes up to 1e150.
        cov: (K, K) or (N, K, K) covariance of their errors, in squared units of y. A variance of 0 is a fact, one of
            inf tells nothing: what stands beside it in its row and column is not looked at.
        awake: (N, K) mask of those who count; all, if None.
        level: of the interval, which is normal.

    Raises:
        DistributionError: a matrix that is no covariance (not symmetric, a negative variance or eigenvalue), members
            whose errors cancel out, or facts that contradict each other; names the rows.
        ValueError: level is not between 0 and 1.
    """
    require_level(level)
    raw = numbers("y", y, 2)
    rows, members = raw.shape
    full = matched("cov", cov, (rows, members, members))
    values, variances, there = estimates(raw, np.diagonal(full, axis1=1, axis2=2), awake)
    require_agreement(values, variances)
    k = counted(variances)
    sure = (variances == 0).any(axis=1, keepdims=True)
    free = np.isfinite(variances) & ~sure
    # of facts, or of what tells nothing
    plain, certain = weighed(values, np.where(free, np.inf, variances), there.astype(np.float64))
    best, var, q = _best_linear(values, np.where(free, variances, np.inf), full)
    some = free.any(axis=1)
    mean = np.where(some, best, plain)
    excess = np.maximum(q - np.maximum(k - 1, 0), 0.0)
    i2 = excess / np.where(excess > 0, q, 1.0)
    return pooled(mean, np.where(some, var, certain), level, k, q=q, i2=i2)


def _best_linear(y: Floats, v: Floats, cov: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, variance and Q, by the members of finite variance, in units of the least error of a row."""
    scale = np.sqrt(np.where(np.isfinite(v), v, 1.0))
    least = np.where(np.isfinite(v), scale, np.inf).min(axis=1, initial=np.inf)
    unit = np.where(np.isfinite(least), least, 1.0)
    values, along = _eigen(_correlation(cov, scale, np.isfinite(v)), cov)
    with np.errstate(under="ignore"):
        ones = np.where(np.isfinite(v), unit[:, None] / scale, 0.0)
        solved = ones * _solve(values, along, ones, cov)
        precision = np.where(np.isfinite(v).any(axis=1), solved.sum(axis=1), 1.0)
        mean = (solved / precision[:, None] * y).sum(axis=1)
        apart = np.where(np.isfinite(v), (y - mean[:, None]) / scale, 0.0)
        q = (apart * _solve(values, along, apart)).sum(axis=1)
        return mean, unit / precision * unit, np.maximum(q, 0.0)


def _correlation(cov: Floats, scale: Floats, heard: Mask) -> Floats:
    """Of those who are heard; the others are by themselves."""
    both = heard[:, :, None] & heard[:, None, :]
    with np.errstate(under="ignore", over="ignore", invalid="ignore"):
        inside = np.where(both, cov, 0.0) / scale[:, :, None] / scale[:, None, :]
        away = np.abs(inside - inside.transpose(0, 2, 1))
    require((away <= _ROUNDED).all(axis=(1, 2)), "a covariance is symmetric and finite", cov)
    return np.where(np.eye(scale.shape[1], dtype=np.bool_), 1.0, inside)


def _eigen(corr: Floats, cov: Floats) -> tuple[Floats, Floats]:
    values, along = np.linalg.eigh(corr)
    require((values >= -_ROUNDED).all(axis=1), "a covariance has no negative eigenvalue", cov)
    return values, along


def _solve(values: Floats, along: Floats, right: Floats, cov: Floats | None = None) -> Floats:
    """C^-1 b by the eigenvalues of C; those of 0 are left out, or refused where b has a part along them."""
    parts = (along * right[:, :, None]).sum(axis=1)
    flat = values <= _FLAT * values.shape[1]
    if cov is not None:
        fine = ~(flat & (np.abs(parts) > 1e-6)).any(axis=1)
        require(fine, "a covariance must not let errors cancel out, which would make a fact", cov)
    scaled = np.where(flat, 0.0, parts / np.where(flat, 1.0, values))
    solved: Floats = (along * scaled[:, None, :]).sum(axis=2)
    return solved


def covariance_intersection(
    y: ArrayLike,
    v: ArrayLike,
    awake: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Estimates of one quantity whose errors may depend in any way: precision sum w_i/v_i with convex w.

    Never overconfident, whatever the correlation, if no member is (Julier and Uhlmann 1997). For a single quantity
    the weights that leave the least variance are all on the most precise member (or the most precise ones, alike);
    others take part where `weights` say so. For vectors see `intersect`. `q`, `i2` and `tau2` are those of
    independent members, to look at; the interval does not use them.

    Args:
        y: (N, K) estimates; NaN is absent. Sizes up to 1e150.
        v: (N, K), or what broadcasts to it: variances, in squared units of y. A 0 is a fact; inf tells nothing.
        awake: (N, K) mask of those who count; all, if None.
        weights: (K,) or (N, K), >= 0: how much each is trusted; made convex over those who are awake. None: the best.
        level: of the interval, which is normal.

    Raises:
        DistributionError: a negative variance or weight, or facts that contradict each other; names the rows.
        ValueError: level is not between 0 and 1.
    """
    require_level(level)
    values, variances, there = estimates(y, v, awake)
    trust = simplex(_best(variances, there) if weights is None else weights, there)
    require_agreement(values, np.where(trust > 0, variances, np.inf))
    mean, var = weighed(values, variances, trust)
    q, i2, tau2 = between(values, variances)
    return pooled(mean, var, level, counted(variances), q=q, i2=i2, tau2=tau2)


def _best(v: Floats, there: Mask) -> Floats:
    return np.where(there & (v == v.min(axis=1, initial=np.inf, keepdims=True)), 1.0, 0.0)
