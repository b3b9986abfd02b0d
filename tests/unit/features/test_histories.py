"""What is remembered of a key: lags, rolling and decayed statistics, ranks; and the calendar."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import SchemaError
from rxml.features import (
    Calendar,
    DecayedStatistics,
    Lags,
    QuantileTransform,
    RollingStatistics,
    TargetEncoder,
)
from tests.unit.features.streams import HOUR, Stream, streams

ALL = ("count", "sum", "mean", "std", "min", "max")


@given(stream=streams())
def test_lags_are_shifts_within_a_key(stream: Stream) -> None:
    made = Lags("x", (1, 4), keys=5).learn_transform(stream.data["x"], stream.slots)
    frame = pd.Series(stream.data["x"]).groupby(stream.slots)
    for lag in (1, 4):
        assert np.array_equal(made[f"lag_{lag}"], frame.shift(lag).to_numpy(), equal_nan=True)


@given(stream=streams())
def test_rolling_statistics_are_those_of_the_values_before(stream: Stream) -> None:
    x, slots = stream.data["x"], stream.slots
    made = RollingStatistics("x", 4, ALL, keys=5).learn_transform(x, slots)
    for row in range(len(stream)):
        past = x[:row][slots[:row] == slots[row]]
        past = past[np.isfinite(past)][-4:]
        got = [made[part][row] for part in ALL]
        wanted = [float(len(past)), past.sum()]
        wanted += [f(past) if len(past) else math.nan for f in (np.mean, np.std, np.min, np.max)]
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-6)


def test_rolling_statistics_do_not_drift() -> None:
    """After a value that swamps all digits has gone, nothing is left of it; a constant has no spread at all."""
    x = np.r_[1e300, np.full(20, 0.1)]
    made = RollingStatistics("x", 5, ALL).learn_transform(x)
    last = {part: column[-1] for part, column in made.items()}
    assert (last["std"], last["min"], last["max"], last["count"]) == (0.0, 0.1, 0.1, 5.0)
    assert last["mean"] == pytest.approx(0.1, rel=1e-15)


def test_a_rolling_spread_is_right_where_the_mean_cannot_be() -> None:
    """Floats near 1e16 are 2 apart: the mean, 4/3 above it, is rounded to 2 above it."""
    x = np.array([1e16, 1e16 + 2, 1e16 + 2, 0.0])
    std = RollingStatistics("x", 3, ("std",)).learn_transform(x)["std"][-1]
    assert std == pytest.approx(np.sqrt(8 / 9), rel=1e-14)


def test_rolling_statistics_of_values_as_large_as_floats_are_infinite_and_no_error() -> None:
    with np.errstate(all="raise"):
        made = RollingStatistics("x", 3, ALL).learn_transform([1.7e308] * 4)
    assert made["sum"].tolist() == [0.0, 1.7e308, np.inf, np.inf]
    assert made["max"].tolist()[1:] == [1.7e308] * 3


def test_many_rows_of_wide_windows_are_taken_in_blocks() -> None:
    x = np.random.default_rng(1).normal(size=3000)
    made = RollingStatistics("x", 500, ("max",)).learn_transform(x)["max"]
    wanted = pd.Series(x).shift(1).rolling(500, min_periods=1).max().to_numpy()
    assert np.array_equal(made, wanted, equal_nan=True)


@given(stream=streams())
def test_ranks_count_what_is_below_and_half_of_what_is_equal(stream: Stream) -> None:
    x, slots = stream.data["x"], stream.slots
    made = QuantileTransform("x", 6, keys=5).learn_transform(x, slots)["rank"]
    bins = QuantileTransform("x", 6, bins=4, keys=5).learn_transform(x, slots)["bin"]
    for row in range(len(stream)):
        past = x[:row][slots[:row] == slots[row]]
        past = past[np.isfinite(past)][-6:]
        if np.isnan(x[row]):
            assert np.isnan(made[row])
            assert np.isnan(bins[row])
            continue
        below, equal = (past < x[row]).sum(), (past == x[row]).sum()
        share = (below + equal / 2 + 0.5) / (len(past) + 1)
        assert made[row] == share
        assert bins[row] == math.floor(share * 4)


def test_ranks_are_uniform_whatever_the_distribution() -> None:
    x = np.exp(3 * np.random.default_rng(2).normal(size=20_000))
    bins = QuantileTransform("x", 199, bins=10).learn_transform(x)["bin"][199:]
    counts = np.bincount(bins.astype(int), minlength=10)
    assert np.abs(counts / len(bins) - 0.1).max() < 0.015


@given(stream=streams())
def test_decayed_statistics_are_weighted_by_age(stream: Stream) -> None:
    x, times, slots = stream.data["x"], stream.data["t"], stream.slots
    x = np.where(np.abs(x) > 1e8, np.nan, x)
    decayed = DecayedStatistics("x", "t", half_life=HOUR, keys=5)
    made = decayed.learn_transform(x, slots, time=times)
    for row in range(len(stream)):
        past = (slots[:row] == slots[row]) & np.isfinite(x[:row])
        if not past.any():
            assert np.isnan(made["mean"][row])
            assert made["weight"][row] == 0
            continue
        newest = times[:row][past].max()
        weights = 0.5 ** ((newest - times[:row][past]) / HOUR)
        mean = np.average(x[:row][past], weights=weights)
        var = np.average((x[:row][past] - mean) ** 2, weights=weights)
        left = weights.sum() * 0.5 ** (max(times[row] - newest, 0) / HOUR)
        scale = np.abs(x[:row][past]).max() + 1e-9
        assert made["mean"][row] == pytest.approx(mean, rel=1e-8, abs=1e-9 * scale)
        assert made["var"][row] == pytest.approx(var, rel=1e-6, abs=1e-9 * scale**2)
        assert made["weight"][row] == pytest.approx(left, rel=1e-9)


def test_a_value_counts_half_after_a_half_life() -> None:
    decayed = DecayedStatistics("x", "t", half_life=10)
    decayed.learn([8.0], time=[100])
    made = decayed.transform([0.0, 0.0, 0.0], time=[100, 110, 90])
    assert made["weight"].tolist() == [1.0, 0.5, 1.0]
    decayed.learn([2.0, 5.0], time=[110, 110])
    assert decayed.transform([0.0], time=[110])["mean"][0] == pytest.approx(11 / 2.5)


def test_late_rows_weigh_what_their_age_leaves_them() -> None:
    rng = np.random.default_rng(3)
    x, times = rng.normal(size=50), rng.integers(0, 100, 50)
    asked: dict[str, Any] = {"x": [0.0], "time": [120]}
    states: list[Any] = []
    for order in (np.argsort(times), rng.permutation(50)):
        decayed = DecayedStatistics("x", "t", half_life=10)
        decayed.learn(x[order], time=times[order])
        states.append(decayed.transform(**asked))
    for part in states[0]:
        np.testing.assert_allclose(states[0][part], states[1][part], rtol=1e-9)


@given(cut=st.integers(0, 40))
def test_decayed_states_merge_at_the_later_time(cut: int) -> None:
    rng = np.random.default_rng(4)
    x, times = rng.normal(size=40), rng.integers(0, 100, 40)
    left, right, both = (DecayedStatistics("x", "t", half_life=20) for _ in range(3))
    left.learn(x[:cut], time=times[:cut])
    right.learn(x[cut:], time=times[cut:])
    both.learn(x, time=times)
    left.merge(right)
    got, wanted = (each.transform([0.0], time=[130]) for each in (left, both))
    for part in wanted:
        np.testing.assert_allclose(got[part], wanted[part], rtol=1e-9)


def test_only_states_of_one_half_life_merge() -> None:
    left = DecayedStatistics("x", "t", half_life=20)
    with pytest.raises(ValueError, match="must be alike"):
        left.merge(DecayedStatistics("x", "t", half_life=21))


def test_ages_beyond_what_floats_can_fade_leave_nothing_and_warn_of_nothing() -> None:
    low, high = -(2**63) + 1, 2**63 - 1
    decayed = DecayedStatistics("x", "t", half_life=1)
    with np.errstate(all="raise"):
        made = decayed.learn_transform([1.0, 5.0, 1e308, -1e308], time=[low, high, low, high])
        last = decayed.transform([0.0], time=[high])
    assert made["weight"].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert made["mean"][2:].tolist() == [5.0, 5.0]
    assert (last["weight"].tolist(), last["mean"].tolist()) == ([1.0], [5.0])
    assert last["var"].tolist() == [0.0]


def test_the_time_of_day_the_week_and_the_year_are_points_on_a_circle() -> None:
    times = [datetime(2024, 7, 1, hour, tzinfo=UTC) for hour in (0, 6, 18)]  # a Monday
    stamps = np.array([int(time.timestamp()) * 10**9 for time in times])
    made = Calendar("t", ("day", "week", "year")).transform(stamps)
    np.testing.assert_allclose(made["day_sin"], [0, 1, -1], atol=1e-12)
    np.testing.assert_allclose(made["day_cos"], [1, 0, 0], atol=1e-12)
    assert made["week_cos"][0] == pytest.approx(1)
    assert made["week_sin"][2] == pytest.approx(math.sin(2 * math.pi * 0.75 / 7))
    assert made["year_cos"][0] < -0.99
    there = Calendar("t", ("day",), offset=6 * HOUR).transform(stamps[:1])
    assert there["day_sin"][0] == pytest.approx(1)
    days = stamps.astype("M8[ns]")
    assert np.array_equal(Calendar("t").transform(days)["day_sin"], made["day_sin"])
    with np.errstate(all="raise"):
        Calendar("t", offset=-HOUR).transform(np.array([2**63 - 1, -(2**63) + 1]))


def test_times_must_be_there_and_of_nanoseconds() -> None:
    for times, words in (
        (np.array(["2024-01-01", "NaT"], "M8[s]"), r"no time in rows \[1\]"),
        (np.array([1.5, 2.0]), "holds float64"),
    ):
        with pytest.raises(SchemaError, match=words):
            Calendar("t").transform(times)
        with pytest.raises(SchemaError, match=words):
            DecayedStatistics("x", "t", half_life=1).learn([1.0, 2.0], time=times)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Lags("x", ()), "lags must be distinct and at least one"),
        (lambda: Lags("x", (1, 1)), "lags must be distinct"),
        (lambda: Lags("x", (0,)), "a lag must be a whole number of at least 1"),
        (lambda: RollingStatistics("x", 3, ("median",)), "statistics must be distinct ones of"),
        (lambda: QuantileTransform("x", 3, bins=1), "bins must be a whole number of at least 2"),
        (lambda: Calendar("t", ("moon",)), "cycles must be distinct ones of day, week, year"),
        (lambda: DecayedStatistics("x", "t", half_life=0), "half_life must be a whole number"),
        (lambda: TargetEncoder("c", "y", strength=0), "strength must be a finite number above 0"),
        (lambda: RollingStatistics("x", 3, keys=-1), "keys must be a whole number of at least 0"),
    ],
)
def test_options_out_of_their_bounds_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
