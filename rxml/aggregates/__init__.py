"""Aggregates: monoids over the rows of many groups at once, for windows and keyed state.

    >>> import numpy as np
    >>> from rxml import aggregates as agg
    >>> mean = agg.mean("price")
    >>> times, groups = np.array([1, 2, 3]), np.array([0, 1, 0])
    >>> early = mean.lift([np.array([1.0, 2.0, 3.0])], times, groups, 2)
    >>> late = mean.lift([np.array([8.0])], np.array([4]), np.array([1]), 2)
    >>> mean.lower(mean.combine(early, late))
    array([2., 5.])

Nothing here knows of streams or event loops: this room is numpy and the standard library, and for what an
extra brings, its library. What holds for every
aggregate is said at `Aggregate`; own ones are made with `monoid`, or are a subclass. Those of rows that may be there or not,
and of uncertain values, are in `rxml.aggregates.possible`.
"""

from __future__ import annotations

from rxml.aggregates.aggregate import Aggregate, Column, State
from rxml.aggregates.collect import collect
from rxml.aggregates.distinct import distinct
from rxml.aggregates.ends import first, last
from rxml.aggregates.extremes import max, min  # noqa: A004 - what they are
from rxml.aggregates.kll import quantile_kll, quantiles_kll
from rxml.aggregates.own import monoid
from rxml.aggregates.quantiles import quantile, quantiles
from rxml.aggregates.spread import std, var
from rxml.aggregates.sums import count, mean, sum  # noqa: A004 - what they are
from rxml.aggregates.top import top_k

__all__ = [
    "Aggregate",
    "Column",
    "State",
    "collect",
    "count",
    "distinct",
    "first",
    "last",
    "max",
    "mean",
    "min",
    "monoid",
    "quantile",
    "quantile_kll",
    "quantiles",
    "quantiles_kll",
    "std",
    "sum",
    "top_k",
    "var",
]
