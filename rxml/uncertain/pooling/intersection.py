"""Covariance intersection of vectors: estimates whose errors may depend in any way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.members import mask, matched, numbers, require_choice, simplex

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask

Criterion: TypeAlias = Literal["determinant", "trace"]

_STEPS: Final = 128  # multiplicative steps; any convex weights are safe, so that more would only narrow a little


@dataclass(frozen=True, slots=True, eq=False)
class Intersection:
    """One vector a row.

    Attributes:
        mean: (N, D); NaN where nobody is awake.
        cov: (N, D, D) its covariance; inf on the diagonal where nobody is awake.
        weights: (N, K) convex weights it was made with; 0 where nobody is awake.
    """

    mean: Floats
    cov: Floats
    weights: Floats


def intersect(
    means: ArrayLike,
    covs: ArrayLike,
    awake: ArrayLike | None = None,
    *,
    criterion: Criterion = "determinant",
    weights: ArrayLike | None = None,
) -> Intersection:
    """Vectors of K members, pooled with precision sum w_i C_i^-1 and convex w (Julier and Uhlmann 1997).

    Never overconfident, whatever the correlation, if no member is. The weights make the determinant or the trace of
    the pooled covariance small, by the multiplicative steps for optimal designs, which never let it grow (Silvey,
    Titterington and Torsney 1978; Yu 2010), and are no worse than all weight on one member.

    Args:
        means: (N, K, D) estimates; a member with a NaN is absent.
        covs: (D, D), (K, D, D) or (N, K, D, D) covariances, positive definite.
        awake: (N, K) mask of those who count; all, if None.
        criterion: what is made small: "determinant" does not depend on the units of the axes, "trace" does.
        weights: (K,) or (N, K), >= 0, made convex over those who are awake, in place of the best ones.

    Raises:
        DistributionError: a covariance that is not positive definite, or a negative weight; names the rows.
        ValueError: there is no such criterion.
    """
    require_choice("criterion", criterion, ("determinant", "trace"))
    values, full, there = _vectors(means, covs, awake)
    unit = _unit(full, there)
    with np.errstate(under="ignore", over="ignore"):
        scaled = full / unit
        precisions = _inverse(scaled)
        if weights is None:
            weights = _best(scaled, precisions, there, criterion)
        trust = simplex(weights, there)
        cov = _inverse(_pooled(precisions, trust))
        informed = (precisions * values[:, :, None, :]).sum(axis=3)
        mean = (cov * (trust[:, :, None] * informed).sum(axis=1)[:, None, :]).sum(axis=2)
        cov *= unit[:, 0]
    nobody = ~(trust > 0).any(axis=1)
    mean[nobody] = np.nan
    cov[nobody] = np.where(np.eye(cov.shape[1], dtype=np.bool_), np.inf, 0.0)
    return Intersection(mean, cov, trust)


def _unit(full: Floats, there: Mask) -> Floats:
    """A power of two near the variances of the most precise member of each row, (N, 1, 1, 1): products stay numbers."""
    sizes = np.diagonal(full, axis1=2, axis2=3).max(axis=2, initial=0.0)
    least = np.where(there, sizes, np.inf).min(axis=1, initial=np.inf)
    _, power = np.frexp(np.where(np.isfinite(least), least, 1.0))
    return np.asarray(np.ldexp(1.0, np.clip(power, -1000, 1000)))[:, None, None, None]


def _inverse(matrices: Floats) -> Floats:
    return np.linalg.inv(matrices).astype(np.float64)


def _pooled(precisions: Floats, trust: Floats) -> Floats:
    """Sum of w_i C_i^-1; of rows in which no one is awake, ones, so that they can be inverted."""
    eye = np.eye(precisions.shape[2])
    total = (trust[:, :, None, None] * precisions).sum(axis=1)
    return np.where(trust.sum(axis=1)[:, None, None] > 0, total, eye)


def _best(covs: Floats, precisions: Floats, there: Mask, criterion: Criterion) -> Floats:
    weights = simplex(None, there)
    for _ in range(_STEPS):
        weights = simplex(weights * _gain(precisions, weights, criterion), there)
    if not there.shape[1]:
        return weights
    alone = np.where(there, _objective(covs, criterion), np.inf)
    chosen = alone.argmin(axis=1)
    reached = _objective(_inverse(_pooled(precisions, weights)), criterion)
    single = np.eye(there.shape[1])[chosen]
    better = alone.min(axis=1, initial=np.inf) < reached
    return np.where(better[:, None], single, weights)


def _gain(precisions: Floats, weights: Floats, criterion: Criterion) -> Floats:
    """How much more precise the pool gets by more weight on each member, as the factor of a step."""
    cov = _inverse(_pooled(precisions, weights))[:, None]
    if criterion == "determinant":
        gain: Floats = (cov * precisions).sum(axis=(2, 3))
        return gain
    squared = (cov[..., None] * cov[..., None, :, :]).sum(axis=3)
    root: Floats = np.sqrt((squared * precisions).sum(axis=(2, 3)))
    return root


def _objective(covs: Floats, criterion: Criterion) -> Floats:
    if criterion == "determinant":
        volumes: Floats = np.linalg.slogdet(covs)[1]
        return volumes
    traces: Floats = np.trace(covs, axis1=-2, axis2=-1)
    return traces


def _vectors(
    means: ArrayLike, covs: ArrayLike, awake: ArrayLike | None
) -> tuple[Floats, Floats, Mask]:
    """Vectors (N, K, D), their covariances (N, K, D, D) and who is awake; who sleeps has zeros and ones.

    Raises:
        DistributionError: shapes that do not fit, or a covariance that is not positive definite; names the rows.
    """
    values = numbers("means", means, 3)
    rows, members, size = values.shape
    full = matched("covs", covs, (rows, members, size, size))
    there = mask(awake, (rows, members)) & ~np.isnan(values).any(axis=2)
    _require_positive_definite(full, there)
    wide = there[:, :, None]
    return np.where(wide, values, 0.0), np.where(wide[..., None], full, np.eye(size)), there


def _require_positive_definite(cov: Floats, there: Mask) -> None:
    """Refuse rows with a member that is awake and whose covariance is not positive definite.

    Args:
        cov: (N, K, D, D).
        there: (N, K) who is awake.

    Raises:
        DistributionError: naming the rows.
    """
    turned = cov.transpose(0, 1, 3, 2)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        alike = np.abs(cov - turned) <= 1e-9 * (np.abs(cov) + np.abs(turned))
    fine = alike.all(axis=(2, 3)) | ~there
    require(fine.all(axis=1), "a covariance is symmetric and finite", cov)
    safe = np.where(there[:, :, None, None], cov, np.eye(cov.shape[2]))
    least = np.linalg.eigvalsh(safe).min(axis=2, initial=np.inf)
    require((least > 0).all(axis=1), "a covariance is positive definite", cov)
