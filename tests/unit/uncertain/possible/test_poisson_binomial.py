"""The distribution of a count: its tails, very many rows, its approximations, and what it is good for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import DistributionError
from rxml.uncertain.possible.convolution import recurrence
from rxml.uncertain.possible.counts import at_least, count, count_moments
from tests.unit.uncertain.possible.enumeration import near

if TYPE_CHECKING:
    from numpy.typing import NDArray


stats: Any = import_module("scipy.stats")


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def log_recurrence(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms of the probabilities, which no tail is too small for."""
    with np.errstate(divide="ignore"):
        yes, no = np.log(p), np.log1p(-p)
        f = np.full(len(p) + 1, -np.inf)
        f[0] = 0.0
        for there, absent in zip(yes, no, strict=True):
            f[1:] = np.logaddexp(f[1:] + absent, f[:-1] + there)
            f[0] += absent
    return f


SHAPES = {"uniform": (1, 1), "rare": (1, 99), "likely": (30, 1), "both ends": (0.1, 0.1)}


@pytest.mark.parametrize("name", SHAPES)
def test_tails_keep_their_relative_accuracy(name: str) -> None:
    a, b = SHAPES[name]
    p = rng().beta(a, b, 5000)
    pmf = count(p)
    wanted = log_recurrence(p)
    there = pmf.start + np.arange(len(pmf.p))
    held = np.flatnonzero(pmf.p > 1e-290)
    near(np.log(pmf.p[held]), wanted[there[held]], rtol=0, atol=1e-9)
    assert held[0] == 0 or pmf.p[held[0]] < 1e-280
    assert abs(pmf.p.sum() - 1.0) < 1e-12
    assert pmf.error == 0


@pytest.mark.parametrize("p", [1e-300, 1e-5, 0.5, 1.0 - 2.0**-53])
def test_a_hundred_thousand_rows_add_up_to_one(p: float) -> None:
    pmf = count(np.full(100_000, p))
    assert abs(pmf.p.sum() - 1.0) < 1e-12
    mean, var = count_moments(np.full(100_000, p))
    near(pmf.mean(), mean, rtol=1e-12)
    near(pmf.var(), var, rtol=1e-9, atol=1e-9)


def test_it_is_scipys() -> None:
    p = rng().uniform(0, 1, 400)
    with np.errstate(all="ignore"):
        wanted = stats.poisson_binom(p).pmf(np.arange(401))
    pmf = count(p)
    full = np.zeros(401)
    full[int(pmf.start) : int(pmf.start) + len(pmf.p)] = pmf.p
    near(full, wanted, atol=1e-14)


def test_many_windows_at_once_are_each_as_alone() -> None:
    p = rng().uniform(0, 1, (5, 300))
    mask = np.arange(300) < np.array([[300], [0], [1], [170], [64]])
    together = count(np.where(mask, p, np.nan), mask=mask)
    k = np.arange(301)[:, np.newaxis]
    for g, size in enumerate(mask.sum(axis=1).tolist()):
        alone = count(p[g, :size])
        near(together.cdf(k)[:, g], alone.cdf(k[:, 0]), rtol=1e-13)
        near(together[g].sf(k[:, 0]), alone.sf(k[:, 0]), rtol=1e-12)
        assert together.ppf(0.3)[g] == alone.ppf(0.3)


def test_p_of_at_least_k_is_right_however_small() -> None:
    p = rng().uniform(0, 0.01, 300)
    with np.errstate(under="ignore"):
        exact = np.exp(log_recurrence(p))
    for k in (0, 1, 3, 40):
        near(at_least(p, k), exact[k:].sum(), rtol=1e-11)
        near(count(p).at_least(k), exact[k:].sum(), rtol=1e-11)
    assert at_least(p, 301) == 0


@pytest.mark.parametrize(("method", "scale"), [("normal", 1.0), ("poisson", 0.01)])
def test_approximations_keep_their_bounds(method: str, scale: float) -> None:
    for n in (300, 3_000, 30_000):
        p = rng(n).uniform(0, scale, n)
        exact, rough = count(p, method="exact"), count(p, method=method)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        k = np.arange(n + 1)
        apart = np.abs(exact.cdf(k) - rough.cdf(k)).max()
        assert apart <= rough.error
        assert abs(rough.p.sum() - 1.0) < 1e-12
        assert apart < 1e-3 or n == 300


def test_auto_takes_the_better_bound_where_exact_costs_too_much() -> None:
    n = 200_000
    p = np.stack([np.full(n, 0.4), np.full(n, 1e-6)])
    got = count(p)
    bounds = np.array([count(p, method="normal").error, count(p, method="poisson").error])
    np.testing.assert_array_equal(got.error, bounds.min(axis=0))
    assert got.error.max() < 1e-4
    near(got.mean(), [80_000, 0.2], rtol=1e-6)


@given(st.lists(st.sampled_from([0.0, 1e-300, 0.3, 0.5, 1.0]), max_size=200))
def test_order_and_cuts_do_not_matter(chances: list[float]) -> None:
    p = np.array(chances)
    whole = count(p)
    k = np.arange(len(p) + 1)
    near(count(p[::-1]).cdf(k), whole.cdf(k))
    cut = len(p) // 3
    pieces = count(p[:cut]).plus(count(p[cut:]))
    near(pieces.cdf(k), whole.cdf(k))
    near(pieces.sf(k), whole.sf(k))


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=300))
def test_certain_rows_are_counted_to_the_last_bit(chances: list[float]) -> None:
    p = np.array(chances)
    n = int(np.count_nonzero(p))
    pmf = count(p)
    assert pmf.mean() == n
    assert pmf.var() == 0
    assert pmf.ppf([0.0, 0.5, 1.0]).tolist() == [n, n, n]
    assert pmf.cdf([n - 1, n]).tolist() == [0.0, 1.0]
    assert pmf.sf([n - 1, n]).tolist() == [1.0, 0.0]
    assert [float(each) for each in pmf.interval(0.99)] == [n, n]


@given(st.lists(st.floats(0, 1), max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_and_intervals(chances: list[float], a: float, b: float) -> None:
    pmf = count(np.array(chances))
    x = pmf.ppf(a)
    assert pmf.cdf(x) >= a - 1e-15
    assert pmf.cdf(x - 1) <= a + 1e-15
    (low, high), (wide_low, wide_high) = pmf.interval(min(a, b)), pmf.interval(max(a, b))
    assert wide_low <= low <= high <= wide_high
    assert pmf.cdf(high) - pmf.cdf(low - 1) >= min(a, b) - 1e-12


def test_what_is_no_probability_is_refused_with_its_rows() -> None:
    with pytest.raises(DistributionError, match="row 1"):
        count(np.array([0.5, np.nan, 0.1]))
    with pytest.raises(DistributionError, match="row 0"):
        count(np.array([[0.5, 1.1]]))
    with pytest.raises(DistributionError, match="mask"):
        count(np.array([0.5]), mask=np.array([1]))
    with pytest.raises(ValueError, match="method"):
        count(np.array([0.5]), method="best")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="q is"):
        count(np.array([0.5])).ppf(1.1)
    with pytest.raises(ValueError, match="k is -1"):
        at_least(np.array([0.5]), -1)


def test_why_it_pays() -> None:
    """100 events a window, calibrated probabilities of Beta(1, 9): counting those above one half is far off."""
    draws = rng(24)
    p = draws.beta(1, 9, (2000, 100))
    truth = (draws.uniform(size=p.shape) < p).sum(axis=1)
    hard = np.abs((p > 0.5).sum(axis=1) - truth).mean()
    pmf = count(p)
    soft = np.abs(pmf.mean() - truth).mean()
    assert 9.4 < hard < 10.2
    assert 2.0 < soft < 2.4
    low, high = pmf.interval(0.9)
    covered = ((low <= truth) & (truth <= high)).mean()
    assert 0.90 <= covered < 0.96


def test_blocks_are_what_rows_one_by_one_give() -> None:
    p = rng().uniform(0, 1, (1, 500))
    pmf = count(p[0])
    slow = recurrence(p)[0, int(pmf.start) : int(pmf.start) + len(pmf.p)]
    near(pmf.p, slow, rtol=1e-11, atol=1e-307)
