"""Possible worlds over windows: aggregates of rows that may be there or not, and whose values are uncertain.

    >>> import rxml
    >>> from rxml import operators as ops
    >>> from rxml.aggregates import possible as pw
    >>> from rxml.testing import run
    >>> from rxml.uncertain import Normal, prob
    >>> from rxml.windows import tumbling
    >>> readings = [{"t": at, "celsius": Normal(29.0 + at, 1.0)} for at in range(4)]
    >>> timed = rxml.of(*readings).pipe(ops.with_event_time("t", unit="s"))
    >>> hot = timed.pipe(ops.where(lambda b: b["celsius"] > 30))
    >>> (row,) = run(hot.pipe(ops.window(tumbling(10)).aggregate(n=pw.count())).to_list())
    >>> float(row["n"].mean().round(3)), float(prob(row["n"] >= 3).round(3))
    (2.477, 0.49)

Each result is what the plain aggregate would be over all worlds, by their probability: a column of distributions, with
`mean`, `var`, `cdf`, `ppf`, `interval` and comparisons, beside which `NAME_error` tells how far probabilities may be off
(0 where they are exact). Without presence, and with plain values, they are the plain aggregates' results.

Columns of values may be plain numbers, `Normal`, `Alternatives`, `Mixture` or others (see `Amounts`); of presence, which
`operators.where` gives and rows may lack that are surely there, `Bernoulli`, booleans or probabilities. Rows are taken as
independent; with `dependence="unknown"` bounds are told that hold whatever the rows have to do with each other, and with
"worlds" columns that were drawn together are aggregated world by world.

What is known of all rows that are there, as that none is above 40, is `given`: results are over the worlds in which it holds, and
`NAME_given` is the probability of them, 0 where it cannot be; nothing is known then, and `NAME_error` is 1.

    >>> from rxml.uncertain import Bernoulli
    >>> half = Bernoulli(0.5)
    >>> doubtful = rxml.of(*({"t": at, "ok": half, "presence": half} for at in range(2)))
    >>> timed = doubtful.pipe(ops.with_event_time("t", unit="s"))
    >>> checked = ops.window(tumbling(10)).aggregate(n=pw.count(given="ok"))
    >>> (row,) = run(timed.pipe(checked).to_list())
    >>> float(row["n"].mean().round(3)), row["n_given"]
    (0.667, 0.5625)
"""

from __future__ import annotations

from rxml.aggregates.possible.counts import exists, having
from rxml.aggregates.possible.selections import (
    count_by,
    count_distinct,
    fuse,
    max,  # noqa: A004 - what they are
    median,
    min,  # noqa: A004
    quantile,
    top_k,
)
from rxml.aggregates.possible.totals import average, count, sum  # noqa: A004

__all__ = [
    "average",
    "count",
    "count_by",
    "count_distinct",
    "exists",
    "fuse",
    "having",
    "max",
    "median",
    "min",
    "quantile",
    "sum",
    "top_k",
]
