"""P(X > Y) and its like for two independent columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.alternatives import Alternatives
from rxml.uncertain.arithmetic import MIRRORED
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.rules import rule

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats

_NODES: Final = 128
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(_NODES)


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


def _over_values(known: Alternatives, other: Distribution, relation: str) -> Bernoulli:
    total = np.zeros(known.shape)
    for m in range(known.p.shape[-1]):
        total = total + known.p[..., m] * other.compared(relation, known.values[..., m]).p
    return Bernoulli(np.minimum(total, 1.0))


@rule("compare", Distribution, Distribution)
def _by_quadrature(x: Distribution, relation: str, y: Distribution) -> Bernoulli:
    """The mean of P(X relation y) over 128 quantiles of Y (Gauss-Legendre): within 1e-3 where both are continuous."""
    levels = ((_POINTS + 1) / 2).reshape(-1, *(1,) * len(y.shape))
    total: Floats = np.zeros(x.shape)
    for level, weight in zip(levels, _WEIGHTS / 2, strict=True):
        total = total + weight * x.compared(relation, y.ppf(level[()] if not y.shape else level)).p
    return Bernoulli(np.clip(total, 0.0, 1.0))
