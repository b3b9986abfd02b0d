"""Distributions as data, and what is computed with them; pure numpy.

A column of a batch may hold one distribution a row: `Normal`, `Beta`, `Quantiles`, `Worlds`, `Alternatives`, `Mixture`,
`Categorical`, or an `Interval`, or a `Bernoulli`, which comparing them gives. What two of them give together stands
in rules (`sums`, `comparing`, `conversion`, `propagation`, `exact`), which are known as soon as this room is.
"""

from __future__ import annotations

from rxml.uncertain import comparing, conversion
from rxml.uncertain.alternatives import Alternatives
from rxml.uncertain.bernoulli import Bernoulli, prob
from rxml.uncertain.beta import Beta
from rxml.uncertain.categorical import Categorical
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.draws import Draws
from rxml.uncertain.exact import expected_expit, expected_probability, greater
from rxml.uncertain.interval import Interval
from rxml.uncertain.kinds import KINDS
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.pools import pool
from rxml.uncertain.propagation import Propagated, delta, unscented
from rxml.uncertain.quantiles import Quantiles
from rxml.uncertain.rows import Rows
from rxml.uncertain.sums import add
from rxml.uncertain.worlds import Worlds

__all__ = [
    "KINDS",
    "Alternatives",
    "Bernoulli",
    "Beta",
    "Categorical",
    "Distribution",
    "Draws",
    "Interval",
    "Mixture",
    "Normal",
    "Propagated",
    "Quantiles",
    "Rows",
    "Worlds",
    "add",
    "comparing",
    "conversion",
    "delta",
    "expected_expit",
    "expected_probability",
    "greater",
    "pool",
    "prob",
    "unscented",
]
