"""Propagation: the mean and variance of a function of uncertain inputs, from one call on a batch of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.checks import summed
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.exact import clipped, exact, has_form
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.quantiles import Quantiles
from rxml.uncertain.rules import rule
from rxml.uncertain.worlds import Worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Numbers
    from rxml.uncertain.draws import Draws

_REACH: Final = np.sqrt(3.0)  # nodes and weights of the three-point Gauss-Hermite rule
_OUTER: Final = 1 / 6
_STEP: Final = (
    1e-4  # of a standard deviation: differences lose half the digits, and what is left is ample
)


@dataclass(frozen=True, slots=True)
class Propagated:
    """What a function of K independent inputs has for moments.

    Attributes:
        mean: shape (N, *outputs).
        parts: the share of each input in the variance, shape (K, N, *outputs); they add up to it.
    """

    mean: Floats
    parts: Floats

    @property
    def var(self) -> Floats:
        """The variance, shape (N, *outputs)."""
        return summed(self.parts, axis=0)


def sigma_points(mean: Floats, var: Floats, reach: float = _REACH) -> Floats:
    """The mean and, along each input, a point on either side of it; shape (2K + 1, N, K).

    Args:
        mean: shape (N, K), finite.
        var: shape (N, K), finite.
        reach: how many standard deviations away.

    Raises:
        DistributionError: a variance is infinite: no finite point stands for it.
    """
    if not np.isfinite(var).all():
        raise DistributionError(
            "an infinite variance cannot be propagated: impute the value, or leave the row out"
        )
    inputs = mean.shape[-1]
    points = np.repeat(mean[None], 2 * inputs + 1, axis=0)
    for k in range(inputs):
        away = reach * np.sqrt(var[..., k])
        points[1 + 2 * k, ..., k] += away
        points[2 + 2 * k, ..., k] -= away
    return points


def unscented(f: Callable[[Floats], ArrayLike], mean: Floats, var: Floats) -> Propagated:
    """Moments of f from 2K + 1 points a row and one call: exact for sums of polynomials of one input each.

    Along each input it is the three-point Gauss-Hermite rule: exact in the mean up to degree 5, in the variance up to
    degree 2. No weight is negative, so no variance is (Julier and Uhlmann's points with kappa = 3 - K, whose variance
    may be below 0 from four inputs on; the parts of the inputs are added up instead).

    Args:
        f: takes points, shape (R, K), and gives shape (R, *outputs).
        mean: of the inputs, shape (N, K).
        var: of the inputs, shape (N, K).
    """
    values = _at_once(f, sigma_points(mean, var))
    up, down = values[1::2] - values[0], values[2::2] - values[0]
    shift = _OUTER * (up + down)
    parts = _OUTER * (np.square(up) + np.square(down)) - np.square(shift)
    return Propagated(values[0] + summed(shift, axis=0), np.maximum(parts, 0.0))


def delta(f: Callable[[Floats], ArrayLike], mean: Floats, var: Floats) -> Propagated:
    """Moments of f by its slopes at the mean (first order), by central differences in one call; arguments as `unscented`.

    Exact for affine f. Nothing of the curve is seen: with large variances take `unscented`.
    """
    values = _at_once(f, sigma_points(mean, var, _STEP))
    slopes = (values[1::2] - values[2::2]) / (2 * _STEP)  # per standard deviation
    return Propagated(values[0], np.square(slopes))


def _at_once(f: Callable[[Floats], ArrayLike], points: Floats) -> Floats:
    flat = np.asarray(f(points.reshape(-1, points.shape[-1])), np.float64)
    if len(flat) != points.shape[0] * points.shape[1]:
        want = f"{points.shape[0] * points.shape[1]} values, one a point"
        raise DistributionError(
            f"a function that is propagated gives {want}; got shape {flat.shape}"
        )
    return flat.reshape(points.shape[:2] + flat.shape[1:])


@rule("map", Distribution)
def mapped(
    x: Distribution,
    f: Callable[[Any], Any],
    method: str = "auto",
    *,
    smooth: bool = False,
    draws: Draws | None = None,
    name: str = "x",
    ids: ArrayLike | None = None,
) -> Distribution:
    """The distribution of f(X); see `Distribution.map`."""
    match _chosen(x, f, method, smooth=smooth, drawn=draws is not None):
        case "exact":
            return _exactly(x, f)
        case "worlds":
            if draws is None or ids is None:
                raise DistributionError(
                    "method 'worlds' needs draws= and ids=, which worlds follow from"
                )
            worlds: Worlds = x.to(Worlds, draws=draws, name=name, ids=ids)
            return worlds.map(f)
        case "delta":
            return _moments(delta, x, f)
        case "unscented":
            return _moments(unscented, x, f)
        case unknown:
            known = "exact, delta, unscented, worlds or auto"
            raise DistributionError(f"a method is {known}; got {unknown!r}")


def _chosen(x: Distribution, f: Any, method: str, *, smooth: bool, drawn: bool) -> str:
    if method != "auto":
        return method
    if _exact_for(x, f):
        return "exact"
    if smooth:
        return "unscented"
    if drawn:
        return "worlds"
    name = getattr(f, "__name__", f)
    raise DistributionError(
        f"{name}: declare smooth=True, or give a method, or draws= and ids= for worlds"
    )


def _exact_for(x: Distribution, f: Any) -> bool:
    return has_form(f) and isinstance(x, Normal | Mixture)


def _exactly(x: Distribution, f: Any) -> Distribution:
    match x:
        case Normal():
            return exact(x, f)
        case Mixture():
            return _each(x, lambda parts: exact(parts, f))
        case _:
            name = getattr(f, "__name__", f)
            raise DistributionError(
                f"no exact form of {name} for {type(x).__name__}: use `x.map(f, method=...)`"
            )


def _each(x: Mixture, f: Callable[[Normal], Normal]) -> Mixture:
    mean, var = x.components
    each = f(Normal(mean.reshape(-1), var.reshape(-1)))
    with np.errstate(divide="ignore"):
        weights = np.log(x.weights)
    return Mixture(weights, each.mean().reshape(mean.shape), each.var().reshape(var.shape))


def _moments(method: Callable[..., Propagated], x: Distribution, f: Callable[[Any], Any]) -> Normal:
    mean, var = (np.atleast_1d(each)[:, None] for each in (x.mean(), x.var()))

    def of_points(points: Floats) -> Any:
        return f(points[:, 0])

    found = method(of_points, mean, var)
    return Normal(found.mean.reshape(x.shape), found.var.reshape(x.shape))


@rule("clip", Mixture)
def _clip_mixture(x: Mixture, lo: Numbers, hi: Numbers) -> Mixture:
    ends = (np.asarray(end, np.float64)[..., None] for end in (lo, hi))
    mean, var = x.components
    with np.errstate(divide="ignore"):
        weights = np.log(x.weights)
    kept = clipped(Normal.adopt(mean=mean, var=var), *ends)
    return Mixture(*np.broadcast_arrays(weights, *kept))


@rule("clip", Quantiles)
def _clip_quantiles(x: Quantiles, lo: Numbers, hi: Numbers) -> Quantiles:
    ends = (np.asarray(end, np.float64)[..., None] for end in (lo, hi))
    return Quantiles(x.taus, np.clip(x.values, *ends))
