"""Kinds: the types of column by the names that schemas and the wire know them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rxml.uncertain.alternatives import Alternatives
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.beta import Beta
from rxml.uncertain.categorical import Categorical
from rxml.uncertain.interval import Interval
from rxml.uncertain.mixture import Mixture
from rxml.uncertain.normal import Normal
from rxml.uncertain.quantiles import Quantiles
from rxml.uncertain.worlds import Worlds

if TYPE_CHECKING:
    from rxml.uncertain.rows import Rows

KINDS: Final[dict[str, type[Rows]]] = {
    each.kind: each
    for each in (
        Alternatives,
        Bernoulli,
        Beta,
        Categorical,
        Interval,
        Mixture,
        Normal,
        Quantiles,
        Worlds,
    )
}
