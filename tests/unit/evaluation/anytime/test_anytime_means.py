"""Confidence sequences of bounded means: they hold, they narrow, and rows may come in any batches."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import DistributionError
from rxml.evaluation.anytime import BernsteinMean, BettingMean
from rxml.wire import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAKERS: dict[str, Callable[[], BernsteinMean | BettingMean]] = {
    "bernstein": lambda: BernsteinMean(-1.0, 1.0, keys=3),
    "betting": lambda: BettingMean(-1.0, 1.0, grid=20, keys=3),
    "lower": lambda: BettingMean(-1.0, 1.0, grid=20, sides="lower", keys=3),
    "upper": lambda: BettingMean(-1.0, 1.0, grid=20, sides="upper", keys=3),
}
values = st.floats(-1.0, 1.0) | st.sampled_from([-1.0, 0.0, 1.0])


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), values), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=3),
    name=st.sampled_from(sorted(MAKERS)),
)
def test_rows_however_cut_and_saved_leave_the_same_state(
    rows: list[tuple[int, float]], cuts: list[int], name: str
) -> None:
    slots, numbers = np.array([place for place, _ in rows], np.intp), [each for _, each in rows]
    whole, cut = MAKERS[name](), MAKERS[name]()
    whole.update(slots, numbers)
    for begin, end in pairwise([0, *sorted(min(each, len(rows)) for each in cuts), len(rows)]):
        cut.update(slots[begin:end], numbers[begin:end])
        again = MAKERS[name]()
        again.restore(loads(dumps(cut.snapshot())))
        cut = again
    for key, array in whole.snapshot().items():
        np.testing.assert_array_equal(array, cut.snapshot()[key])
    lower, upper = whole.interval([0, 1, 2])
    assert (lower >= -1.0).all()
    assert (lower <= upper).all()
    assert (upper <= 1.0).all()


@given(numbers=st.lists(values, min_size=1, max_size=30))
def test_the_sequence_of_bernstein_is_that_of_the_formula(numbers: list[float]) -> None:
    mean = BernsteinMean(-1.0, 1.0, 0.9)
    mean.update([0] * len(numbers), numbers)
    x = (np.array(numbers) + 1.0) / 2.0
    t = np.arange(1, len(x) + 1)
    means = (0.5 + np.cumsum(x)) / (t + 1)
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (t + 1)
    before, spread = np.r_[0.5, means[:-1]], np.r_[0.25, variances[:-1]]
    bets = np.minimum(np.sqrt(2 * np.log(2 / 0.1) / (spread * t * np.log(1 + t))), 0.5)
    paid = 4 * (x - before) ** 2 * (-np.log(1 - bets) - bets) / 4
    middle, half = (bets * x).sum() / bets.sum(), (np.log(2 / 0.1) + paid.sum()) / bets.sum()
    bounds = 2 * np.clip([middle - half, middle + half], 0, 1) - 1
    np.testing.assert_allclose(np.ravel(mean.interval([0])), bounds, atol=1e-12)


@given(numbers=st.lists(values, min_size=1, max_size=30))
def test_a_bound_of_betting_is_the_last_mean_against_which_enough_was_won(
    numbers: list[float],
) -> None:
    mean = BettingMean(0.0, 1.0, 0.8, grid=10)
    x = (np.array(numbers) + 1.0) / 2.0
    mean.update([0] * len(x), x)
    capital = mean.snapshot()
    # what is won by betting on more falls in m, and what is won by betting on less rises
    assert (np.diff(capital["above"][0]) <= 1e-9).all()
    assert (np.diff(capital["below"][0]) >= -1e-9).all()
    lower, upper = mean.interval([0])
    grid = np.arange(11) / 10
    refuted = capital["above"][0] >= np.log(10.0)
    assert lower[0] == (grid[refuted].max() if refuted.any() else 0.0)
    refuted = capital["below"][0] >= np.log(10.0)
    assert upper[0] == pytest.approx(grid[refuted].min() if refuted.any() else 1.0)


@pytest.mark.parametrize("kind", [BernsteinMean, BettingMean])
def test_all_intervals_hold_at_once_with_the_probability_that_is_told(
    kind: type[BernsteinMean | BettingMean],
) -> None:
    runs = np.arange(100)
    draws = np.random.default_rng(11).beta(1.0, 3.0, (300, 100))
    mean = kind(0.0, 1.0, 0.9, keys=100)
    missed = np.zeros(100, bool)
    for row in draws:
        mean.update(runs, row)
        lower, upper = mean.interval(runs)
        missed |= (lower > 0.25) | (upper < 0.25)
    assert missed.mean() <= 0.1
    lower, upper = mean.interval(runs)
    assert (upper - lower).max() < 0.25


def test_a_challenger_is_promoted_when_its_losses_are_surely_smaller() -> None:
    better = np.random.default_rng(5).uniform(-0.3, 0.4, 1500)
    evidence = BettingMean(-1.0, 1.0, sides="lower", keys=2)
    promoted: dict[int, int] = {}
    for count, each in enumerate(better, 1):
        evidence.update([0, 1], [each, -each])
        for slot in np.flatnonzero(evidence.interval([0, 1])[0] > 0.0).tolist():
            promoted.setdefault(slot, count)
    assert set(promoted) == {0}
    assert promoted[0] < 1000


def test_where_nothing_is_known_the_bounds_are_those_of_the_values() -> None:
    for make in MAKERS.values():
        mean = make()
        mean.grow(5)
        mean.update([], [])
        np.testing.assert_array_equal(mean.interval([0, 4]), [[-1.0, -1.0], [1.0, 1.0]])
        assert np.isnan(mean.estimate([4])).all()
        mean.update([4, 4], [0.5, 0.0])
        assert mean.estimate([4]).tolist() == [0.25]
        mean.reset([4])
        assert np.isnan(mean.estimate([4])).all()


def test_values_that_cannot_be_are_refused_and_leave_no_trace() -> None:
    mean = BettingMean(grid=4)
    for bad in (np.nan, 1.5, -0.1):
        with pytest.raises(DistributionError, match=r"row\(s\): 1"):
            mean.update([0, 0], [0.5, bad])
    assert mean.snapshot()["rows"].tolist() == [0]
    for wrong in (
        lambda: BettingMean(1.0, 0.0),
        lambda: BernsteinMean(0.0, np.inf),
        lambda: BettingMean(grid=1),
        lambda: BettingMean(sides="left"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: BernsteinMean(level=1.0),
        lambda: BernsteinMean().restore({"rows": [0]}),
    ):
        with pytest.raises(ValueError, match=r"give|has no"):
            wrong()
