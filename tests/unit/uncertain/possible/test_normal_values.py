"""Rows whose values are normal: sums, averages, extremes, ranks and top k against integrals and enumeration."""

from __future__ import annotations

from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.errors import DistributionError
from rxml.uncertain.possible.averages import average
from rxml.uncertain.possible.counts import count
from rxml.uncertain.possible.extremes import largest, smallest
from rxml.uncertain.possible.pmf import Pmf
from rxml.uncertain.possible.ranks import kth, median
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.possible.sums import sum_moments, total
from rxml.uncertain.possible.tops import expected_rank, top_k
from tests.unit.uncertain.possible.enumeration import near

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

integrate: Any = import_module("scipy.integrate")
stats: Any = import_module("scipy.stats")

Columns = tuple[Any, Any, Any]


@st.composite
def drawn(draw: st.DrawFn, least: int = 1, most: int = 5) -> Columns:
    """Presence, means and variances; some are equal, some variances are 0 or far apart."""
    n = draw(st.integers(least, most))
    lists = [
        draw(st.lists(st.sampled_from(kind), min_size=n, max_size=n))
        for kind in ([0.0, 1e-12, 0.3, 0.5, 1.0], [-1.0, 0.0, 0.0, 2.5], [0.0, 1e-4, 1.0, 4.0])
    ]
    return np.array(lists[0]), np.array(lists[1]), np.array(lists[2])


def worlds(p: NDArray[np.float64]) -> Iterator[tuple[float, list[int]]]:
    for choice in product([0, 1], repeat=len(p)):
        chance = float(np.prod(np.where(choice, p, 1 - p)))
        if chance > 0:
            yield chance, [i for i, c in enumerate(choice) if c]


def up_to(
    v: NDArray[np.float64], var: NDArray[np.float64], x: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return np.where(var > 0, stats.norm.cdf(x, v, np.sqrt(var)), v <= x)


@settings(max_examples=30)
@given(drawn(0))
def test_moments_of_sum_and_average(columns: Columns) -> None:
    p, v, var = columns
    rows = UncertainRows.of(p, v, var)
    known = list(worlds(p))
    means = [float(v[there].sum()) for _, there in known]
    mean = sum(chance * m for (chance, _), m in zip(known, means, strict=True))
    second = sum(
        chance * (m**2 + float(var[there].sum()))
        for (chance, there), m in zip(known, means, strict=True)
    )
    moments = sum_moments(rows)
    near(moments.mean, mean, atol=1e-12)
    near(moments.var, second - mean**2, rtol=1e-10, atol=1e-10)
    some = [(chance, there) for chance, there in known if there]
    exists = sum(chance for chance, _ in some)
    if exists < 1e-9:
        return
    mean = sum(chance * float(v[there].mean()) for chance, there in some) / exists
    second = (
        sum(
            chance * (float(v[there].mean()) ** 2 + float(var[there].sum()) / len(there) ** 2)
            for chance, there in some
        )
        / exists
    )
    got = average(rows)
    near(got.mean, mean, atol=1e-12)
    near(got.var, second - mean**2, rtol=1e-10, atol=1e-10)


@settings(max_examples=20)
@given(drawn(), st.sampled_from([-1.5, 0.0, 0.01, 3.0]))
def test_orders_are_products_over_worlds(columns: Columns, x: float) -> None:
    p, v, var = columns
    rows = UncertainRows.of(p, v, var)
    f = up_to(v, var, x)
    some = [(chance, there) for chance, there in worlds(p) if there]
    near(largest(rows).up_to(x), sum(c * np.prod(f[t]) for c, t in some), 1e-10, 1e-12)
    near(smallest(rows).above(x), sum(c * np.prod(1 - f[t]) for c, t in some), 1e-10, 1e-12)
    ranks = {"second": 0.0, "median": 0.0}
    for chance, there in some:
        few = count(f[there])
        ranks["second"] += chance * float(few.at_least(2))
        ranks["median"] += chance * float(few.at_least((len(there) + 1) // 2))
    near(kth(rows, 2).up_to(x), ranks["second"], 1e-10, 1e-12)
    near(median(rows).up_to(x), ranks["median"], 1e-10, 1e-12)


@settings(max_examples=12)
@given(drawn(1, 4), st.sampled_from([0.1, 0.5, 0.99]))
def test_quantiles_go_back(columns: Columns, q: float) -> None:
    rows = UncertainRows.of(*columns)
    for statistic in (largest(rows), smallest(rows), median(rows), kth(rows, 1, from_top=True)):
        x = statistic.ppf(q)
        if not statistic.exists > 0:
            assert np.isnan(x)
            continue
        assert statistic.cdf(x) >= q - 1e-9
        assert statistic.cdf(x - 1e-6 * (1 + abs(float(x)))) <= q + 1e-9


@settings(max_examples=10)
@given(drawn(1, 3), st.integers(1, 2))
def test_top_k_is_the_integral(columns: Columns, k: int) -> None:
    p, v, var = columns
    got = top_k(UncertainRows.of(p, v, var), k)
    size = count(p)
    near(got.p.sum(), (np.minimum(size.support, k) * size.p).sum(), 1e-11, 1e-12)
    assert got.error < 1e-11
    for i in np.flatnonzero((var > 0) & (p > 0)).tolist():
        others = np.delete(np.arange(len(p)), i)
        density = stats.norm(v[i], var[i] ** 0.5)

        def at(x: float, i: int = i, others: Any = others, density: Any = density) -> float:
            above = p[others] * (1 - up_to(v[others], var[others], x))
            return float(density.pdf(x) * (1 - float(count(above).at_least(k))))

        with np.errstate(all="ignore"):
            near_ends = sorted({*v.tolist(), *(v[i] + np.array([-2e-2, 2e-2])).tolist()})
            reach = 9 * var[i] ** 0.5
            wanted = integrate.quad(
                at, v[i] - reach, v[i] + reach, points=near_ends, limit=200, epsabs=1e-9
            )[0]
        near(got.p[i], p[i] * wanted, 1e-6, 1e-7)


def test_scales_far_apart_do_not_hide_a_row() -> None:
    rows = UncertainRows.of([1.0, 1.0, 1.0], [0.0, 0.3, 0.3], [1.0, 1e-20, 0.0])
    got = top_k(rows, 1)
    above = stats.norm.sf(0.3)
    near(got.p, [above, (1 - above) / 2, (1 - above) / 2], 1e-9)
    assert abs(got.p.sum() - 1) < 1e-12


def test_the_best_of_many_normal_scores() -> None:
    rng = np.random.default_rng(5)
    rows = UncertainRows.of(np.ones(40), rng.normal(0, 1, 40), rng.uniform(0.1, 2, 40))
    assert abs(top_k(rows, 1).p.sum() - 1.0) < 1e-13
    assert abs(top_k(rows, 7).p.sum() - 7.0) < 1e-12


@settings(max_examples=20)
@given(drawn())
def test_expected_rank(columns: Columns) -> None:
    p, v, var = columns
    got = expected_rank(UncertainRows.of(p, v, var))
    for i in range(len(p)):
        others = [j for j in range(len(p)) if j != i]
        beaten = sum(p[j] * (1 - up_to(v[j] - v[i], var[i] + var[j], 0.0)) for j in others)
        near(got[i], p[i] * beaten + (1 - p[i]) * p[others].sum(), 1e-11, 1e-12)


def test_sums_on_a_grid_are_those_of_worlds() -> None:
    rng = np.random.default_rng(8)
    p, v = rng.uniform(0, 1, 10), rng.normal(0, 3, 10)
    var = np.where(rng.uniform(size=10) < 0.5, 0.0, rng.uniform(0.1, 2, 10))
    got = total(UncertainRows.of(p, v, var), method="grid")
    assert isinstance(got, Pmf)
    chances, places = zip(*worlds(p), strict=True)
    x = np.linspace(-12, 12, 49)
    wanted = sum(
        chance * up_to(np.array(v[there].sum()), np.array(var[there].sum()), x)
        for chance, there in zip(chances, places, strict=True)
    )
    # known values move by a step, so compare with what is a step and a moved square away
    slack = got.step + 2 * float(got.shift)
    low, high = got.cdf(x - slack), got.cdf(x + slack)
    assert np.all(low - 2e-3 <= wanted)
    assert np.all(wanted <= high + 2e-3)
    moments = sum_moments(UncertainRows.of(p, v, var))
    near(got.mean(), moments.mean, atol=1e-9)
    near(got.var(), moments.var, rtol=1e-3)


def test_sums_of_many_are_nearly_normal_and_the_bound_says_how_nearly() -> None:
    rng = np.random.default_rng(9)
    p, v = rng.uniform(0, 1, (3, 400)), rng.integers(0, 9, (3, 400))
    rows = UncertainRows.of(p, v)
    exact, rough = total(rows, method="exact"), total(rows, method="skewed")
    x = np.arange(0, 3000, 7)[:, np.newaxis]
    apart = np.abs(exact.cdf(x) - rough.cdf(x)).max(axis=0)
    assert np.all(apart <= rough.error)
    assert np.all(apart < 0.01)
    levels = np.array([[0.01], [0.5], [0.99]])
    near(rough.cdf(rough.ppf(levels)), np.broadcast_to(levels, (3, 3)), 1e-9)
    low, high = rough.interval(0.9)
    near(exact.cdf(high) - exact.cdf(low), 0.9, atol=0.02)


def test_what_can_be_no_value_is_refused_with_its_rows() -> None:
    with pytest.raises(DistributionError, match="row 1"):
        UncertainRows.of([0.5, 0.5], [0.0, np.nan])
    with pytest.raises(DistributionError, match="row 0"):
        UncertainRows.of([0.5], [0.0], [-1.0])
    with pytest.raises(DistributionError, match="finite"):
        UncertainRows.of([0.5], [0.0], [np.inf])
    with pytest.raises(DistributionError, match="row 0"):
        UncertainRows.of_alternatives([[0.6, 0.6]], [[0.0, 1.0]])
    with pytest.raises(DistributionError, match="shape"):
        UncertainRows.of([0.5], [0.0, 1.0])
    infinite = UncertainRows.of([0.5], [np.inf])
    for refused in (sum_moments, total, average):
        with pytest.raises(DistributionError, match="infinite"):
            refused(infinite)
    assert largest(infinite).ppf(0.5) == np.inf
