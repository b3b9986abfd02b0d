"""Pooling: one estimate, or one distribution, of several that sensors and models give of the same quantity.

    >>> import numpy as np
    >>> from rxml.uncertain.pooling import inverse_variance
    >>> pooled = inverse_variance([[10.0, 13.0, np.nan]], [[1.0, 2.0, 1.0]])
    >>> pooled.mean.tolist(), pooled.var.round(3).tolist(), pooled.k.tolist()
    ([11.0], [0.667], [2])

Members of a row are along the second axis, (N, K). Who has a NaN, or is not in the mask `awake`, is absent: that is no
error, and the others are pooled without it. A variance of 0 makes a fact, which wins; facts that contradict each
other are an error that names the rows. A variance of inf tells nothing.

Which to take:

- members with errors of their own that measure the same: `inverse_variance`; that may be biased as well, which is the
  usual case: `random_effects`; whose errors depend, as is known: `correlated`; as is not known:
  `covariance_intersection`, for vectors `intersect`;
- as they come: `Natural`, `Moments` (merged in any order); of a quantity that moves: `LocalLevel`;
- distributions: `log_pool`, `linear_pool` and `vincent`, and their kin for probabilities, choices and betas;
- weights that are learned from losses: `FixedShare` to begin with; `Hedge`, `AdaHedge`, `ModelAveraging`;
  `ExponentiatedGradient` and `OnlineRidge` for the best mixture rather than the best model.
"""

from __future__ import annotations

from rxml.uncertain.pooling.averaging import ModelAveraging
from rxml.uncertain.pooling.betas import linear_pool_beta, log_pool_beta, product_beta
from rxml.uncertain.pooling.dependence import correlated, covariance_intersection
from rxml.uncertain.pooling.distributions import (
    LinearPool,
    Split,
    linear_pool,
    log_pool,
    product,
    variance_split,
    vincent,
)
from rxml.uncertain.pooling.estimates import Pooled, inverse_variance, random_effects
from rxml.uncertain.pooling.fixed_share import FixedShare
from rxml.uncertain.pooling.hedge import AdaHedge, Hedge
from rxml.uncertain.pooling.intersection import Intersection, intersect
from rxml.uncertain.pooling.kalman import Filtered, LocalLevel, steady_var
from rxml.uncertain.pooling.moments import Moments
from rxml.uncertain.pooling.natural import Natural
from rxml.uncertain.pooling.probabilities import (
    entropy_split,
    linear_pool_categorical,
    linear_pool_probability,
    log_pool_categorical,
    log_pool_probability,
    product_probability,
)
from rxml.uncertain.pooling.ridge import OnlineRidge
from rxml.uncertain.pooling.smoother import smooth
from rxml.uncertain.pooling.stacking import (
    ExponentiatedGradient,
    crps_gradient,
    log_gradient,
    squared_gradient,
)
from rxml.uncertain.pooling.weights import Weights

__all__ = [
    "AdaHedge",
    "ExponentiatedGradient",
    "Filtered",
    "FixedShare",
    "Hedge",
    "Intersection",
    "LinearPool",
    "LocalLevel",
    "ModelAveraging",
    "Moments",
    "Natural",
    "OnlineRidge",
    "Pooled",
    "Split",
    "Weights",
    "correlated",
    "covariance_intersection",
    "crps_gradient",
    "entropy_split",
    "intersect",
    "inverse_variance",
    "linear_pool",
    "linear_pool_beta",
    "linear_pool_categorical",
    "linear_pool_probability",
    "log_gradient",
    "log_pool",
    "log_pool_beta",
    "log_pool_categorical",
    "log_pool_probability",
    "product",
    "product_beta",
    "product_probability",
    "random_effects",
    "smooth",
    "squared_gradient",
    "steady_var",
    "variance_split",
    "vincent",
]
