"""Laws: certain rows give numpy's own numbers, order and masks do not matter, tiny and many are no trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.uncertain.possible.averages import average
from rxml.uncertain.possible.counts import count
from rxml.uncertain.possible.distinct import count_distinct
from rxml.uncertain.possible.extremes import largest, smallest
from rxml.uncertain.possible.groups import group_counts
from rxml.uncertain.possible.pmf import Pmf
from rxml.uncertain.possible.ranks import kth, median, quantile
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.possible.sums import sum_moments, total
from rxml.uncertain.possible.tops import expected_rank, top_k
from tests.unit.uncertain.possible.enumeration import near

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), FLOATS), max_size=40))
def test_certain_rows_give_what_numpy_gives_to_the_last_bit(
    pairs: list[tuple[float, float]],
) -> None:
    p, v = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    rows, there = UncertainRows.of(p, v), v[p == 1]
    moments = sum_moments(rows)
    assert moments.mean == np.sum(there)
    assert moments.var == moments.skew == 0
    if not len(there):
        undefined = [largest(rows).ppf(0.5), median(rows).ppf(0.5), average(rows).mean]
        assert np.isnan(undefined).all()
        return
    got = average(rows)
    assert got.mean == np.mean(there)
    assert (float(got.var), float(got.exists), float(got.error)) == (0.0, 1.0, 0.0)
    for q in (0.01, 0.5, 1.0):
        assert largest(rows).ppf(q) == np.max(there)
        assert smallest(rows).ppf(q) == np.min(there)
        assert kth(rows, len(there)).ppf(q) == np.max(there)
        wanted = np.quantile(there, 0.25, method="inverted_cdf")
        assert quantile(rows, 0.25).ppf(q) == wanted
    assert largest(rows).up_to(np.max(there)) == 1
    assert largest(rows).above(np.max(there)) == 0
    assert count_distinct(p, v).mean() == len(np.unique(there))
    counts = group_counts(v, p)
    for key, mean in zip(counts.keys, counts.mean, strict=True):
        assert mean == np.count_nonzero(there == key)
    assert not counts.cov.any()


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(-9, 9)), max_size=40))
def test_certain_rows_are_ranked_as_they_are(pairs: list[tuple[float, int]]) -> None:
    p, v = np.array([a for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    rows = UncertainRows.of(p, v)
    order = [i for i in np.argsort(-v, kind="stable").tolist() if p[i]]
    assert np.flatnonzero(top_k(rows, 3).p).tolist() == sorted(order[:3])
    for i, rank in enumerate(expected_rank(rows).tolist()):
        assert rank == (np.count_nonzero(v[p == 1] > v[i]) if p[i] else len(order))
    pmf = total(rows, method="exact")
    assert isinstance(pmf, Pmf)
    assert pmf.p.tolist() == [1.0]
    assert pmf.start == v[p == 1].sum()


def aggregates(rows: UncertainRows) -> list[Any]:
    """Numbers that must not hang on the order of rows."""
    got = average(rows)
    x = np.asarray(1.5)
    exact = total(rows, method="exact")
    return [
        *(sum_moments(rows).mean, sum_moments(rows).var, got.mean, got.var),
        *(largest(rows).up_to(x), smallest(rows).above(x), median(rows).up_to(x)),
        *(kth(rows, 2).up_to(x), exact.cdf(3.0), exact.sf(3.0)),
    ]


CHANCES = st.sampled_from([1e-300, 0.1, 0.5, 0.9, 1.0])


@settings(max_examples=25)
@given(st.lists(st.tuples(CHANCES, st.integers(-3, 5)), min_size=1, max_size=20), st.data())
def test_order_does_not_matter(pairs: list[tuple[float, int]], data: st.DataObject) -> None:
    p, v = np.array([a for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    order = data.draw(st.permutations(range(len(p))))
    whole, shuffled = (aggregates(UncertainRows.of(p[o], v[o])) for o in (slice(None), order))
    near(shuffled, whole, 1e-11, 1e-12)


def test_a_window_among_many_is_as_it_is_alone() -> None:
    rng = np.random.default_rng(3)
    sizes, p, v = [0, 1, 7, 20], rng.uniform(0, 1, (4, 20)), rng.integers(-4, 5, (4, 20))
    mask = np.arange(20) < np.array(sizes)[:, np.newaxis]
    together = UncertainRows.of(np.where(mask, p, 7.0), np.where(mask, v, np.nan), mask=mask)
    codes = np.repeat(np.arange(4), sizes)
    ragged = UncertainRows.ragged(codes, 4, p[mask], v[mask].astype(float))
    np.testing.assert_array_equal(together.p, ragged.p)
    np.testing.assert_array_equal(together.v, ragged.v)
    ranks, best = expected_rank(together), top_k(together, 3).p
    for g, size in enumerate(sizes):
        alone = UncertainRows.of(p[g, :size], v[g, :size])
        near([each[g] for each in aggregates(together)], aggregates(alone), 1e-12, 1e-13)
        near(ranks[g, :size], expected_rank(alone))
        near(best[g, :size], top_k(alone, 3).p)
        near(largest(together).ppf(0.4)[g], largest(alone).ppf(0.4))
        near(median(together).ppf(0.4)[g], median(alone).ppf(0.4))


def test_rows_that_are_all_but_impossible() -> None:
    p, v = np.array([1e-300, 2e-300, 1e-300]), np.array([1.0, 2.0, 3.0])
    rows = UncertainRows.of(p, v)
    for statistic in (largest(rows), smallest(rows), median(rows), kth(rows, 1)):
        near(statistic.exists, 4e-300)
        near(statistic.cdf([0.0, 1.0, 2.0, 3.0]), [0.0, 0.25, 0.75, 1.0])
        assert statistic.ppf(0.5) == 2.0
    got = average(rows)
    near([got.mean, got.var, got.exists], [2.0, 0.5, 4e-300])
    near(top_k(rows, 1).p, p)
    near(count_distinct(p, v).at_least(1), 4e-300)


def test_averages_of_many_rows_are_those_of_the_exact_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    chances = [
        rng.uniform(0, 1, 250),
        rng.uniform(0, 1e-3, 250),
        np.append(rng.uniform(0, 0.01, 249), 1.0),
    ]
    for p in chances:
        rows = UncertainRows.of(p, rng.normal(5, 2, 250), rng.uniform(0, 1, 250))
        panels = average(rows)
        with monkeypatch.context() as patch:
            patch.setattr("rxml.uncertain.possible.averages._EXACT", 250)
            whole = average(rows)
        near([panels.mean, panels.var], [whole.mean, whole.var], 1e-12)
        assert 0 < panels.error < 1e-12
        assert whole.error == 0


def test_tens_of_thousands_of_rows() -> None:
    rng = np.random.default_rng(5)
    p, v = rng.uniform(0, 0.3, 30_000), rng.normal(0, 1, 30_000)
    rows = UncertainRows.of(p, v)
    got = average(rows)
    assert got.exists == 1.0
    near(got.mean, (p * v).sum() / p.sum(), atol=1e-3)
    near(got.var, (p * (1 - p) * v**2).sum() / p.sum() ** 2, rtol=1e-2)
    x = float(largest(rows).ppf(0.5))
    assert np.prod(1 - p[v > x]) >= 0.5 - 1e-9
    assert np.prod(1 - p[v >= x]) < 0.5 + 1e-9
    assert expected_rank(rows).min() >= 0
    distinct = count_distinct(p, np.arange(30_000) % 1000)
    assert distinct.ppf(0.5) > 900
    assert count(p).ppf(0.5) == np.rint(p.sum())


@pytest.mark.parametrize("p", [1e-310, 1e-4, 1.0 - 2.0**-53, 1.0])
@pytest.mark.parametrize("scale", [1e-160, 1.0, 1e150])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_any_scale_is_no_trouble(p: float, scale: float, noise: float) -> None:
    v = np.random.default_rng(6).normal(0, 1, 30)
    chances = np.where(np.arange(30) % 7, p, 0.5)
    small = UncertainRows.of(chances, v, np.full(30, noise))
    with np.errstate(under="ignore"):
        large = UncertainRows.of(chances, v * scale, np.full(30, noise) * scale * scale)
    for rows, unit in ((small, 1.0), (large, scale)):
        got, moments = average(rows), sum_moments(rows)
        near([got.mean / unit, moments.mean / unit], numbers(small)[:2], 1e-9, 1e-9)
        near([moments.skew], numbers(small)[2:], 1e-6, 1e-6)
        for method in ("grid", "skewed", "auto"):
            pmf = total(rows, method=method)
            near(pmf.mean() / unit, moments.mean / unit, atol=1e-9)
            low, high = pmf.interval(0.9)
            assert low <= high
        assert np.all(np.isfinite(median(rows).interval(0.5)))
        assert np.all(np.isfinite(largest(rows).interval(0.5)))


def numbers(rows: UncertainRows) -> list[Any]:
    return [average(rows).mean, sum_moments(rows).mean, sum_moments(rows).skew]


def test_a_rare_large_value_is_not_folded_over_the_grid() -> None:
    rows = UncertainRows.of([1e-4, 0.5, 0.5], [100.3, 1.1, -0.7])
    pmf = total(rows, method="grid")
    near([pmf.sf(90.0), pmf.cdf(-2.0)], [1e-4, 0.0], 1e-9, 1e-12)
    near(pmf.mean(), sum_moments(rows).mean, 1e-9)
    near(pmf.var(), sum_moments(rows).var, 1e-4)


def empty(*shape: int) -> NDArray[np.float64]:
    return np.zeros(shape)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (0, 0)])
def test_no_rows_and_no_windows(shape: tuple[int, ...]) -> None:
    p = empty(*shape)
    rows, windows = UncertainRows.of(p, p), shape[:-1]
    assert count(p).mean().shape == windows
    assert sum_moments(rows).mean.shape == windows
    assert total(rows).mean().shape == windows
    assert average(rows).mean.shape == windows
    assert np.isnan(average(rows).mean).all()
    for statistic in (largest(rows), smallest(rows), median(rows), kth(rows, 2)):
        assert statistic.exists.shape == windows
        assert np.isnan(statistic.ppf(0.5)).all()
        assert not np.any(statistic.up_to(1.0))
    assert top_k(rows, 2).p.shape == expected_rank(rows).shape == shape
    assert count_distinct(p, p).mean().shape == windows
