"""The CRPS and the probability integral transform of columns of distributions, each kind by its own formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.errors import DistributionError
from rxml.evaluation.scores.crps import crps_ensemble, crps_mixture, crps_normal, crps_quantile
from rxml.evaluation.scores.inputs import floats, quiet
from rxml.evaluation.scores.pit import pit_ensemble
from rxml.uncertain import Alternatives, Beta, Distribution, Mixture, Normal, Quantiles, Worlds
from rxml.uncertain.special import betainc, betaln

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from rxml.evaluation.scores.inputs import Floats


def crps_column(obs: ArrayLike, column: Distribution) -> Floats:
    """The continuous ranked probability score of a column of any kind.

    Of `Quantiles` twice their mean pinball loss; of `Alternatives` as they are if there is a value.

    Args:
        obs: (N,).
        column: (N,).

    Raises:
        DistributionError: the column has no numbers, or there is no formula for its kind.
    """
    for kind, score in _SCORES.items():
        if isinstance(column, kind):
            return score(floats(obs), column)
    raise DistributionError(f"there is no CRPS of {type(column).__name__}")


def pit_column(obs: ArrayLike, column: Distribution, *, u: ArrayLike = 0.5) -> Floats:
    """P(X < obs) + u P(X = obs), X as the column says: uniform on [0, 1] where that is right and `u` is drawn so.

    Of `Worlds` that weigh alike the place among them, as `pit_ensemble` has it. NaN where `obs` is.

    Args:
        obs: (N,).
        column: (N,).
        u: numbers in [0, 1], drawn for each row (N,), or the middle.
    """
    y = floats(obs)
    if isinstance(column, Worlds) and np.ptp(column.weights) == 0:
        return pit_ensemble(y, column.values, u=u)
    known = np.where(np.isnan(y), 0.0, y)
    below = column.below(known)
    place: Floats = below + floats(u) * (column.cdf(known) - below)
    return np.where(np.isnan(y), np.nan, place)


def _normal(y: Floats, column: Normal) -> Floats:
    return crps_normal(y, column.mean(), np.sqrt(column.var()))


def _mixture(y: Floats, column: Mixture) -> Floats:
    mean, var = column.components
    return crps_mixture(y, column.weights, mean, np.sqrt(var))


def _quantiles(y: Floats, column: Quantiles) -> Floats:
    return crps_quantile(y, column.values, column.taus)


def _worlds(y: Floats, column: Worlds) -> Floats:
    return crps_ensemble(y, column.values, weights=column.weights)


def _alternatives(y: Floats, column: Alternatives) -> Floats:
    if column.values.dtype.kind != "f":
        raise DistributionError("there is no CRPS of names")
    worlds, weights = (np.moveaxis(each, -1, 0) for each in (column.values, column.given_present))
    return crps_ensemble(y, worlds, weights=weights)


@quiet
def _beta(y: Floats, column: Beta) -> Floats:
    """Jordan, Krueger and Lerch, "Evaluating Probabilistic Forecasts with scoringRules", JSS 2019, appendix A."""
    a, b = column.a, column.b
    within = np.clip(y, 0.0, 1.0)
    apart = 2 * np.exp(betaln(2 * a, 2 * b) - 2 * betaln(a, b)) / a
    score = y * (2 * betainc(a, b, within) - 1) + column.mean() * (
        1 - 2 * betainc(a + 1, b, within) - apart
    )
    return np.maximum(score, 0.0)


_SCORES: Final = cast(
    "dict[type[Distribution], Callable[[Floats, Any], Floats]]",
    {
        Normal: _normal,
        Mixture: _mixture,
        Quantiles: _quantiles,
        Worlds: _worlds,
        Alternatives: _alternatives,
        Beta: _beta,
    },
)
