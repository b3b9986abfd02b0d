"""From one kind to another, and what is kept: as a rule the mean and the variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.beta import Beta
from rxml.uncertain.checks import require
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.interval import Interval
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.quantiles import Quantiles
from rxml.uncertain.rules import rule
from rxml.uncertain.special import ndtri
from rxml.uncertain.sums import as_mixture
from rxml.uncertain.worlds import Worlds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.draws import Draws

TAUS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@rule("to", Distribution, Normal)
def _normal(x: Distribution) -> Normal:
    return Normal(x.mean(), x.var())


@rule("to", Quantiles, Normal)
def _normal_of_quantiles(x: Quantiles) -> Normal:
    """The normal whose quantiles are nearest by least squares, since the tails are not in the moments of quantiles."""
    z = ndtri(x.taus)
    centred = z - z.mean()
    slope = np.sum(x.values * centred, axis=-1) / np.square(centred).sum()
    mean = x.values.mean(axis=-1) - slope * z.mean()
    return Normal(mean, np.square(slope))


@rule("to", Interval, Normal)
def _normal_of_interval(x: Interval) -> Normal:
    """A central interval is a normal's; bounds are a uniform distribution's, of variance (hi - lo)^2 / 12."""
    if x.sort == "conformal":
        raise DistributionError(
            "a conformal interval tells no distribution within it: use `.lo`, `.hi`, `.level`"
        )
    require(np.isfinite(x.lo) & np.isfinite(x.hi), "a bounded interval is wanted", x.width)
    if x.sort == "bound":
        return Normal(x.center, np.square(x.width) / 12)
    return Normal(x.center, np.square(x.std_if_normal()))


@rule("to", Distribution, Worlds)
def _worlds(x: Distribution, draws: Draws, name: str, ids: ArrayLike) -> Worlds:
    _require_facts(x, ids)
    return Worlds(x.sample(draws, name, ids), world=draws.key)


def _require_facts(x: Distribution | Interval, ids: ArrayLike) -> None:
    if x.shape and np.shape(ids) != x.shape:
        raise DistributionError(
            f"worlds of {len(x)} rows want one id a row; got ids of shape {np.shape(ids)}"
        )


@rule("to", Interval, Worlds)
def _worlds_of_interval(x: Interval, draws: Draws, name: str, ids: ArrayLike) -> Worlds:
    if x.sort == "bound":
        _require_facts(x, ids)
        require(np.isfinite(x.lo) & np.isfinite(x.hi), "a bounded interval is wanted", x.width)
        return Worlds(x.lo + x.width * draws.uniform(name, ids), world=draws.key)
    return _worlds(_normal_of_interval(x), draws, name, ids)


@rule("to", Distribution, Quantiles)
def _quantiles(x: Distribution, taus: ArrayLike = TAUS) -> Quantiles:
    levels = np.asarray(taus, np.float64)
    across = levels.reshape(-1, *(1,) * len(x.shape))
    return Quantiles(levels, np.moveaxis(x.ppf(across).reshape(len(levels), *x.shape), 0, -1))


@rule("to", Distribution, Beta)
def _beta(x: Distribution) -> Beta:
    return Beta.of_moments(x.mean(), x.var())


@rule("to", Normal, Mixture)
def _mixture(x: Normal) -> Mixture:
    return as_mixture(x)


@rule("to", Distribution, Interval)
def _interval(x: Distribution, level: float) -> Interval:
    return x.interval(level)
