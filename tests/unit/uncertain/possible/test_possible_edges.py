"""Where numbers end: infinite values, spreads that floats hardly tell, values too large to be squared, NaN, neighbours."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from rxml.errors import DistributionError
from rxml.uncertain.possible.averages import average
from rxml.uncertain.possible.counts import at_least, count
from rxml.uncertain.possible.extremes import largest, smallest
from rxml.uncertain.possible.monoids import ExtremeMonoid, SumMonoid
from rxml.uncertain.possible.pmf import Pmf
from rxml.uncertain.possible.ranks import median
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.possible.skewed import Skewed, bound, skewed_score
from rxml.uncertain.possible.sums import on_lattice, total
from rxml.uncertain.possible.tops import expected_rank, top_k
from tests.unit.uncertain.possible.enumeration import near

stats: Any = import_module("scipy.stats")


@pytest.mark.parametrize("p", [5e-324, 1e-300, 1e-206, 1e-100])
def test_counts_of_hardly_anything_can_be_approximated(p: float) -> None:
    for method in ("normal", "poisson"):
        near(count(np.full(3, p), method=method).cdf([0, 3]), 1.0)


@pytest.mark.parametrize("end", [-np.inf, np.inf])
def test_infinite_values_beside_noise(end: float) -> None:
    rows = UncertainRows.of([1.0, 0.1], [0.0, end], [1.0, 0.0])
    one = largest(rows) if end > 0 else smallest(rows)
    sign = np.sign(end)
    near(one.ppf(0.5), sign * stats.norm.ppf(0.5 / 0.9), 1e-12)
    assert one.ppf(0.95 if end > 0 else 0.05) == end
    near(one.up_to([-np.inf, np.inf]), [0.1 if end < 0 else 0.0, 1.0])
    near(expected_rank(rows), [0.1, 0.9] if end > 0 else [0.0, 1.0])
    near(top_k(rows, 1).p, [0.9, 0.1] if end > 0 else [1.0, 0.0], 1e-12, 1e-15)


def test_the_smallest_spreads_do_not_hide_rows() -> None:
    above = stats.norm.sf(0.3)
    for var in ([1.0, 1e-36], [1.0, 1e-36, 1e-36], [1.0, 1e-36, 1e-300]):
        several = len(var) - 1
        got = top_k(UncertainRows.of(np.ones(len(var)), [0.0] + [0.3] * several, var), 1)
        near(got.p, [above] + [(1 - above) / several] * several, 1e-12)
    far = top_k(UncertainRows.of(np.ones(3), [0.0, 5.0, 5.0], [1e-60, 1e-40, 1e-300]), 1)
    near(far.p, [0.0, 0.5, 0.5], 1e-12, 1e-15)


def test_more_are_asked_for_than_there_are() -> None:
    rows = UncertainRows.of([0.5, 0.25, 1.0], [0.0, 1.0, 0.5], [1.0, 0.0, 0.0])
    near(top_k(rows, 10**12).p, [0.5, 0.25, 1.0], 1e-12)


@pytest.mark.parametrize("scale", [1e-170, 1e160, 1e300])
def test_sums_of_values_that_cannot_be_squared(scale: float) -> None:
    v = np.random.default_rng(2).integers(-3, 9, 300).astype(float)
    p = np.full(300, 0.5)
    exact = total(UncertainRows.of(p, v), method="exact")
    mean, std = float(exact.mean()), float(exact.std())
    x = mean + std * np.array([-2.0, -0.5, 0.0, 1.0, 2.0])
    rows = UncertainRows.of(p, v * scale)
    for method in ("skewed", "grid", "auto"):
        got = total(rows, method=method)
        near([got.mean() / scale, got.std() / scale], [mean, std], 0.02)
        slack = 0.01 if isinstance(got, Pmf) else float(got.error)
        assert np.abs(got.cdf(x * scale) - exact.cdf(x)).max() <= slack
        assert np.isfinite(got.interval(0.9)).all()


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e299])
def test_hardly_any_value_is_too_small_or_too_large(size: float) -> None:
    rows = UncertainRows.of([0.5, 1e-300, 1.0, 0.25], np.array([0.0, size, size, -size]))
    for method in ("skewed", "grid", "auto"):
        got = total(rows, method=method)
        told: list[Any] = [got.mean(), got.std(), *got.interval(0.9)]
        assert np.isfinite(told).all()
        assert got.cdf([-np.inf, np.inf]).tolist() == [0.0, 1.0]
    of_rows = average(rows)
    assert np.isfinite(of_rows.mean)
    assert not np.isnan(of_rows.var)
    assert np.isfinite(
        expected_rank(UncertainRows.of([1.0, 1.0], [size, -size], [1e-300, 1.0]))
    ).all()
    with pytest.raises(DistributionError, match="within"):
        SumMonoid().lift([np.ones(1), np.array([1e101])], np.zeros(1, np.intp), 1)


@pytest.mark.parametrize("big", [0.0, 3000.0])
def test_what_a_grid_moves_is_bounded_where_it_hides_a_jump(big: float) -> None:
    p, v = np.full(200, 0.5), np.random.default_rng(3).integers(0, 9, 200).astype(float)
    v[0] = big
    rows = UncertainRows.of(np.stack([p, p]), np.stack([v, v / 2]))
    exact = total(rows, method="exact", step=0.5)
    grid = total(rows, method="grid", cells=512)
    assert isinstance(grid, Pmf)
    x = np.arange(0.0, 4000.0, 0.5)[:, np.newaxis]
    apart = np.abs(exact.cdf(x) - grid.cdf(x)).max(axis=0)
    assert np.all(grid.error == 0)
    assert np.all(apart <= grid.bound())
    assert np.all(grid.bound() < grid.bound(100.0))
    assert np.all(grid.bound(1e9) == 1)
    assert grid[0].bound() == grid.bound()[0]
    assert count(p).bound() == 0


def test_a_value_beside_the_lattice_is_not_taken_as_on_it() -> None:
    beside, on = UncertainRows.of([0.5], [9e5 + 1e-4]), UncertainRows.of([0.5], [0.1 + 0.2])
    with pytest.raises(ValueError, match="multiples"):
        total(beside, method="exact")
    near(total(on, method="exact", step=0.1).mean(), 0.15)
    assert on_lattice(np.array([1234567.89, 0.01, 98765.43, 0.07]) / 0.01)


def test_a_sum_of_too_many_values_is_not_tried() -> None:
    rows = UncertainRows.of([0.5, 0.5], [1e8, 2.0**52])
    with pytest.raises(ValueError, match="take another method"):
        total(rows, method="exact")
    other = total(rows)
    assert not isinstance(other, Pmf) or np.all(other.shift > 0)
    assert total(UncertainRows.of([0.5], [3e7])).var() == pytest.approx(2.25e14)


def test_rows_that_add_up_to_a_little_more_than_1_are_as_if_to_1() -> None:
    rows = UncertainRows.of_alternatives(
        np.full((1000, 2), 0.5 + 4e-10), np.tile([1.0, 2.0], (1000, 1))
    )
    pmf = total(rows, method="exact")
    assert isinstance(pmf, Pmf)
    near([pmf.p.sum(), pmf.mean()], [1.0, 1500.0])


def test_values_far_up_a_fine_lattice_are_found() -> None:
    pmf = Pmf(np.array(123456789), np.array([0.25, 0.25, 0.5]), np.array(0.0), 0.1)
    assert pmf.cdf(pmf.support).tolist() == [0.25, 0.5, 1.0]
    assert pmf.at_least(pmf.support).tolist() == [1.0, 0.75, 0.5]


def test_the_distance_of_a_skewed_distribution_from_the_normal_one_is_bounded() -> None:
    skew = np.geomspace(1e-3, 1.7, 12)
    z = np.linspace(-8.0, 8.0, 4001)[:, np.newaxis]
    reached = np.where(z < -3.0 / skew, -3.0 / skew, z)
    with np.errstate(under="ignore"):
        x = skewed_score(reached, skew)
        begins = stats.norm.cdf(x[0])  # below which it has nothing
        apart = np.abs(stats.norm.cdf(reached) - stats.norm.cdf(x)).max(axis=0)
    none = np.zeros(len(skew))
    for sign in (1.0, -1.0):
        told, wanted = bound(sign * skew, none), np.maximum(apart, begins)
        assert np.all(told >= wanted * (1 - 1e-9))
        assert np.all(told <= wanted * 1.01)
    assert bound(np.zeros(1), none[:1]) == 0.0


def test_a_skewed_distribution_ends_at_infinity() -> None:
    for skew in (0.0, 1e-9, 0.5, 1e150):
        one = Skewed(np.array(1.0), np.array(2.0), np.array(skew), np.array(1.0))
        assert one.cdf([-np.inf, np.inf]).tolist() == [0.0, 1.0]
        assert one.sf([-np.inf, np.inf]).tolist() == [1.0, 0.0]


def test_no_number_and_no_level_are_refused() -> None:
    rows = UncertainRows.of([0.5, 0.5], [1.0, 2.0])
    sums = total(rows, method="skewed")
    for one in (largest(rows), median(rows), sums, count([0.5])):
        for ask in (one.cdf, one.sf):
            with pytest.raises(DistributionError, match="NaN"):
                ask(np.nan)
            with pytest.raises(DistributionError, match=r"got \[nan\] in row 2"):
                ask([[0.0, 1.0, np.nan]])
        for level in (-0.5, 1.5, np.nan):
            with pytest.raises(ValueError, match="level"):
                one.interval(level)
    with pytest.raises(ValueError, match="finite"):
        ExtremeMonoid(np.array([0.0, np.inf]))


def test_extremes_keep_their_tails() -> None:
    rare = UncertainRows.of([0.5, 1e-160], [5.0, -3.0])
    near([largest(rare).up_to(0.0), smallest(rare).up_to(0.0)], [0.5e-160, 1e-160])
    normal = UncertainRows.of([1.0, 1.0], [0.0, 0.0], [1.0, 1.0])
    below = stats.norm.cdf(-12.0)
    near([largest(normal).up_to(-12.0), smallest(normal).above(12.0)], [below**2] * 2)
    for side in (True, False):
        slid = ExtremeMonoid(np.array([12.0 if side else -12.0]), smallest=side)
        state = slid.lift([np.ones(2), np.zeros(2), np.ones(2)], np.zeros(2, np.intp), 1)
        near(slid.lower(state), [[below**2, 0.0]])


def test_a_median_keeps_its_tail_where_rows_are_certain() -> None:
    rows = UncertainRows.of([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    near(median(rows).up_to(-20.0), 3 * stats.norm.cdf(-20.0) ** 2, 1e-11)


def test_a_window_is_the_same_to_the_last_bit_whatever_is_beside_it() -> None:
    rng = np.random.default_rng(7)
    sizes = [300, 0, 1, 170, 64, 161]
    p, mask = rng.uniform(0, 1, (6, 300)), np.arange(300) < np.array(sizes)[:, np.newaxis]
    together, k = count(p, mask=mask), np.arange(302)
    for g, size in enumerate(sizes):
        alone = count(p[g, :size])
        assert together[g].cdf(k).tolist() == alone.cdf(k).tolist()
        assert together[g].sf(k).tolist() == alone.sf(k).tolist()
        for least in (1, 5, 70):
            assert at_least(p, least, mask=mask)[g] == at_least(p[g, :size], least)
    many = np.repeat(p, 12, axis=0)
    assert at_least(many, 5)[::12].tolist() == at_least(p, 5).tolist()


def test_a_known_window_beside_a_noisy_one_is_as_it_is_alone() -> None:
    p, v = np.array([[0.5, 0.7, 0.9]] * 2), np.array([[1.1, 2.2, 3.3], [0.1, 0.2, 0.3]])
    both = UncertainRows.of(p, v, [[0.0] * 3, [1.0] * 3])
    alone = UncertainRows.of(p[0], v[0])
    for statistic in (largest, smallest, median):
        assert statistic(both).ppf(0.4)[0] == statistic(alone).ppf(0.4)
        assert statistic(both).ppf(0.4)[1] == statistic(
            UncertainRows.of(p[1], v[1], np.ones(3))
        ).ppf(0.4)
    assert top_k(both, 2).p[0].tolist() == top_k(alone, 2).p.tolist()
    assert expected_rank(both)[0].tolist() == expected_rank(alone).tolist()
