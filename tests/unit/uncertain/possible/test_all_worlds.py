"""Every aggregate is what an enumeration of all worlds comes to, up to 1e-12: counts, sums, averages, distinct, groups."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain.possible.averages import average
from rxml.uncertain.possible.counts import at_least, count, count_moments
from rxml.uncertain.possible.distinct import count_distinct
from rxml.uncertain.possible.groups import group_counts
from rxml.uncertain.possible.pmf import Pmf
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.possible.sums import sum_moments, total
from tests.unit.uncertain.possible.enumeration import (
    Rows,
    World,
    close,
    close_tail,
    expected,
    several,
    single,
    worlds,
)

both_kinds = st.one_of(single(), several())


def uncertain(rows: Rows) -> UncertainRows:
    return UncertainRows.of_alternatives(rows.p, rows.v)


@given(single())
def test_count(rows: Rows) -> None:
    among = worlds(rows)
    p = rows.p[:, 0]
    pmf = count(p)
    for k in range(rows.n + 1):
        wanted = expected((w.chance, float(len(w.rows) == k)) for w in among)
        close_tail(pmf.p[k], wanted)
        close_tail(at_least(p, k), expected((w.chance, float(len(w.rows) >= k)) for w in among))
        close_tail(pmf.at_least(k), expected((w.chance, float(len(w.rows) >= k)) for w in among))
        close_tail(pmf.cdf(k), expected((w.chance, float(len(w.rows) <= k)) for w in among))
    mean = expected((w.chance, len(w.rows)) for w in among)
    var = expected((w.chance, (len(w.rows) - mean) ** 2) for w in among)
    for got in (count_moments(p), (pmf.mean(), pmf.var())):
        close(got[0], mean)
        close(got[1], var)


@given(both_kinds)
def test_sum(rows: Rows) -> None:
    among = worlds(rows)
    mean = expected((w.chance, float(w.values.sum())) for w in among)
    var = expected((w.chance, (float(w.values.sum()) - mean) ** 2) for w in among)
    third = expected((w.chance, (float(w.values.sum()) - mean) ** 3) for w in among)
    moments = sum_moments(uncertain(rows))
    close(moments.mean, mean, 10)
    close(moments.var, var, 10)
    with np.errstate(under="ignore"):
        close(moments.skew * moments.var * np.sqrt(moments.var), third, 100)
    pmf = total(uncertain(rows), method="exact")
    assert isinstance(pmf, Pmf)
    for x in {float(w.values.sum()) for w in among}:
        wanted = expected((w.chance, float(w.values.sum() == x)) for w in among)
        close_tail(pmf.p[int(x) - int(pmf.start)], wanted)
    close(pmf.p.sum(), 1.0)
    close(pmf.mean(), mean, 10)
    close(pmf.var(), var, 10)


@given(both_kinds)
def test_average(rows: Rows) -> None:
    among = [w for w in worlds(rows) if w.rows]
    exists = expected((w.chance, 1.0) for w in among)
    got = average(uncertain(rows))
    close_tail(got.exists, exists)
    assert got.error == got.var_error == 0
    if exists == 0:
        assert np.isnan(got.mean)
        assert np.isnan(got.var)
        return
    mean = expected((w.chance, float(w.values.mean())) for w in among) / exists
    close(got.mean, mean, 10)
    var = expected((w.chance, (float(w.values.mean()) - mean) ** 2) for w in among) / exists
    close(got.var, var, 10)


@given(single(7))
def test_count_distinct(rows: Rows) -> None:
    among = worlds(rows)
    pmf = count_distinct(rows.p[:, 0], rows.v[:, 0])
    for k in range(rows.n + 1):
        wanted = expected((w.chance, float(len(set(w.values.tolist())) == k)) for w in among)
        close(pmf.cdf(k) - pmf.cdf(k - 1), wanted)


@given(both_kinds)
def test_counts_by_uncertain_key(rows: Rows) -> None:
    among = worlds(rows)
    got = group_counts(rows.v, rows.p)
    assert got.keys.tolist() == sorted(set(rows.v.reshape(-1).tolist()))

    def size(world: World, key: float) -> float:
        return float(np.count_nonzero(world.values == key))

    for a, key in enumerate(got.keys.tolist()):
        close(got.mean[a], expected((w.chance, size(w, key)) for w in among))
        for k in range(rows.n + 1):
            wanted = expected((w.chance, float(size(w, key) == k)) for w in among)
            close(got.pmf[a].cdf(k) - got.pmf[a].cdf(k - 1), wanted)
        means = got.mean.tolist()
        for b, other in enumerate(got.keys.tolist()):
            apart = [(size(w, key) - means[a], size(w, other) - means[b]) for w in among]
            products = zip([w.chance for w in among], apart, strict=True)
            close(got.cov[a, b], expected((chance, x * y) for chance, (x, y) in products))
