"""P(X > Y) and its like for two independent columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.alternatives import Alternatives
from rxml.uncertain.arithmetic import MIRRORED
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.checks import QUIET
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.quantiles import Quantiles
from rxml.uncertain.rules import rule

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats

_NODES: Final = 128
_AT_ONCE: Final = 1 << 16  # probabilities
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(_NODES)
_FEW, _FEW_WEIGHTS = (
    (each + add) / 2 for each, add in zip(np.polynomial.legendre.leggauss(24), (1, 0), strict=True)
)


@rule("compare", Normal, Normal)
@rule("compare", Normal, Mixture)
@rule("compare", Mixture, Normal)
@rule("compare", Mixture, Mixture)
def _by_difference(x: Distribution, relation: str, y: Distribution) -> Bernoulli:
    event: Bernoulli = (x - y).compared(relation, 0.0)
    return event


@rule("compare", Alternatives, Alternatives)
def _each_pair(x: Alternatives, relation: str, y: Alternatives) -> Bernoulli:
    """The probability that both are there and compare so, exactly."""
    return _over_values(x, y, MIRRORED[relation])


@rule("compare", Distribution, Alternatives)
def _with_alternatives(x: Distribution, relation: str, y: Alternatives) -> Bernoulli:
    return _over_values(y, x, relation)


@rule("compare", Alternatives, Distribution)
def _of_alternatives(x: Alternatives, relation: str, y: Distribution) -> Bernoulli:
    return _over_values(x, y, MIRRORED[relation])


@QUIET
def _over_values(known: Alternatives, other: Distribution, relation: str) -> Bernoulli:
    """Bounds, where the other knows no more."""
    low = high = np.zeros(known.shape)
    for m in range(known.p.shape[-1]):
        least, most = other.compared(relation, known.values[..., m]).bounds
        low, high = low + known.p[..., m] * least, high + known.p[..., m] * most
    return Bernoulli.between(np.minimum(low, 1.0), np.minimum(high, 1.0))


@rule("compare", Distribution, Distribution)
@QUIET
def _by_quadrature(x: Distribution, relation: str, y: Distribution) -> Bernoulli:
    """The mean of P(X relation y) over 128 quantiles of Y (Gauss-Legendre): within 1e-3 where both are continuous."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    levels = ((_POINTS + 1) / 2).reshape(-1, *(1,) * len(shape))
    together = max(1, _AT_ONCE // max(1, int(np.prod(shape))))
    total: Floats = np.zeros(shape)
    for start in range(0, _NODES, together):
        nodes = slice(start, start + together)
        at = x.relations(relation, y.ppf(levels[nodes]))
        for each, weight in zip(at, _WEIGHTS[nodes] / 2, strict=True):
            total = total + weight * each
    return Bernoulli(np.clip(total, 0.0, 1.0))


@rule("compare", Quantiles, Distribution)
@rule("compare", Quantiles, Quantiles)
def _of_quantiles(x: Quantiles, relation: str, y: Distribution) -> Bernoulli:
    return _over_pieces(x, y, MIRRORED[relation])


@rule("compare", Distribution, Quantiles)
def _with_quantiles(x: Distribution, relation: str, y: Quantiles) -> Bernoulli:
    return _over_pieces(y, x, relation)


@rule("compare", Quantiles, Alternatives)
def _quantiles_with_alternatives(x: Quantiles, relation: str, y: Alternatives) -> Bernoulli:
    return _over_values(y, x, relation)


@QUIET
def _over_pieces(known: Quantiles, other: Distribution, relation: str) -> Bernoulli:
    """Bounds of P(other relation known): by quadrature between quantiles; beyond them only the side is known."""
    low, high = _beyond(known, other, relation)
    for piece, mass in enumerate(np.diff(known.taus)):
        left, right = known.values[..., piece], known.values[..., piece + 1]
        for at, weight in zip(_FEW, _FEW_WEIGHTS * mass, strict=True):
            least, most = other.compared(relation, left + at * (right - left)).bounds
            low, high = low + weight * least, high + weight * most
    return Bernoulli.between(np.clip(np.minimum(low, high), 0.0, 1.0), np.clip(high, 0.0, 1.0))


def _beyond(known: Quantiles, other: Distribution, relation: str) -> tuple[Floats, Floats]:
    masses, ends = (known.taus[0], 1 - known.taus[-1]), known.values[..., [0, -1]]
    if relation in {"==", "!="}:
        return np.zeros(known.shape), np.full(known.shape, masses[0] + masses[1])
    # what is below the first quantile is passed by whatever passes it; what is above the last by nothing else
    passed, kept = (0, 1) if relation[0] == ">" else (1, 0)
    least = other.compared(relation, ends[..., passed]).bounds[0]
    most = other.compared(relation, ends[..., kept]).bounds[1]
    return masses[passed] * least, masses[passed] + masses[kept] * most
