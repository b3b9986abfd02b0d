"""Scalers and the imputer against River, scikit-learn and definitions, and at the ends of what floats can say."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.errors import SchemaError
from rxml.features import ExponentialScaler, Imputer, MinMaxScaler, RobustScaler, StandardScaler

preprocessing: Any = import_module("river.preprocessing")  # neither tells its types
sk: Any = import_module("sklearn.preprocessing")
finite = st.floats(-1e6, 1e6)
columns = st.lists(finite, min_size=1, max_size=60).map(np.array)


def numbers(seed: int, rows: int = 300) -> Any:
    return np.random.default_rng(seed).normal(1e3, 5.0, rows)


def test_standard_scores_are_those_of_river_and_of_scikit_learn() -> None:
    x = numbers(1)
    ours, river = StandardScaler("x"), preprocessing.StandardScaler()
    made = ours.learn_transform(x)["scaled"]
    for row, value in enumerate(x.tolist()):
        if row:
            theirs = river.transform_one({"x": value})["x"]
            assert made[row] == pytest.approx(theirs, rel=1e-9, abs=1e-9)
        river.learn_one({"x": value})
    wanted = sk.StandardScaler().fit_transform(x[:, None])[:, 0]
    np.testing.assert_allclose(ours.transform(x)["scaled"], wanted, rtol=1e-9, atol=1e-12)


def test_exponential_scores_are_those_of_weights_that_fall() -> None:
    x, alpha = numbers(2, 80), 0.1
    made = ExponentialScaler("x", alpha=alpha).learn_transform(x)["scaled"]
    for row in range(2, len(x)):
        weights = alpha * (1 - alpha) ** np.arange(row - 1, -1, -1.0)
        weights[0] /= alpha  # the first value is where the mean starts
        mean = weights @ x[:row]
        var = weights @ (x[:row] - mean) ** 2
        assert weights.sum() == pytest.approx(1)
        assert made[row] == pytest.approx((x[row] - mean) / np.sqrt(var), rel=1e-8)


def test_exponential_scores_are_those_of_river() -> None:
    x = numbers(3, 200)
    ours = ExponentialScaler("x", alpha=0.3)
    river = preprocessing.AdaptiveStandardScaler(fading_factor=0.3)
    for value in x.tolist():
        ours.learn(np.array([value]))
        river.learn_one({"x": value})
    theirs = river.transform_one({"x": 1010.0})["x"]
    assert ours.transform([1010.0])["scaled"][0] == pytest.approx(theirs, rel=1e-5)


@given(x=columns)
def test_shares_of_the_range_are_those_of_river_and_of_scikit_learn(x: Any) -> None:
    ours, river = MinMaxScaler("x"), preprocessing.MinMaxScaler()
    made = ours.learn_transform(x)["scaled"]
    for row, value in enumerate(x.tolist()):
        if row:
            assert made[row] == pytest.approx(river.transform_one({"x": value})["x"], abs=1e-12)
        river.learn_one({"x": value})
    if np.ptp(x) > 1e-3:
        wanted = sk.MinMaxScaler().fit_transform(x[:, None])[:, 0]
        np.testing.assert_allclose(ours.transform(x)["scaled"], wanted, atol=1e-9)


@given(x=st.lists(finite, min_size=1, max_size=30).map(np.array))
def test_robust_scores_are_those_of_scikit_learn_over_the_window(x: Any) -> None:
    ours = RobustScaler("x", 12)
    ours.learn(x)
    seen = x[-12:]
    low, high = np.percentile(seen, [25, 75])
    if high - low < 1e-3:
        return
    theirs = sk.RobustScaler().fit(seen[:, None]).transform([[3.0]])[0, 0]
    assert ours.transform([3.0])["scaled"][0] == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@settings(max_examples=20)
@given(x=columns, cut=st.integers(0, 60))
def test_merged_states_are_those_of_one_that_saw_both(x: Any, cut: int) -> None:
    kinds: list[Any] = [StandardScaler, MinMaxScaler, Imputer]
    for kind in kinds:
        left, right, both = kind("x"), kind("x"), kind("x")
        left.learn(x[:cut])
        right.learn(x[cut:])
        both.learn(x)
        left.merge(right)
        asked = np.array([np.nan, 0.0, 17.0])
        got, wanted = left.transform(asked), both.transform(asked)
        if np.ptp(x) == 0 or np.std(x) > 1e-3:
            for part in wanted:
                np.testing.assert_allclose(got[part], wanted[part], rtol=1e-6, atol=1e-9)


def test_only_states_that_are_alike_merge() -> None:
    kinds: list[Any] = [StandardScaler, Imputer, MinMaxScaler]
    for left, right in [
        *((kind("x"), kind("x", keys=2)) for kind in kinds),
        *((kind("x", keys=2), kind("x", width=2)) for kind in kinds),
        *((kind("x"), kind("y")) for kind in kinds),
    ]:
        with pytest.raises(ValueError, match="must be alike"):
            left.merge(right)


def test_each_key_and_each_element_of_a_vector_is_scaled_by_itself() -> None:
    rng = np.random.default_rng(4)
    x, slots = rng.normal(size=(200, 3)), rng.integers(0, 4, 200)
    vectors = StandardScaler("v", width=3, keys=4).learn_transform(x, slots)["scaled"]
    assert vectors.shape == (200, 3)
    for element in range(3):
        for slot in range(4):
            rows = slots == slot
            alone = StandardScaler("x").learn_transform(x[rows, element])["scaled"]
            assert np.array_equal(vectors[rows, element], alone)


@pytest.mark.parametrize("value", [0.1, 1e308, -1e-308, 5e-324, 0.0])
def test_a_constant_column_is_scaled_to_zero(value: float) -> None:
    x = np.full(50, value)
    for scaler in (
        StandardScaler("x"),
        ExponentialScaler("x"),
        MinMaxScaler("x"),
        RobustScaler("x", 8),
    ):
        with np.errstate(all="raise"):
            assert np.array_equal(scaler.learn_transform(x)["scaled"], np.zeros(50))
    filled = Imputer("x")
    filled.learn(x[:2])
    made = [part[0] for part in filled.transform([np.nan]).values()]
    assert made == ([value, 0.0, 1.0] if value < 1e150 else [0.0, np.inf, 1.0])


def test_values_as_large_as_floats_get_scores_that_are_numbers() -> None:
    x = np.array([1e308, -1e308, 1.7e308, -1.7e308, 0.0, 1e308] * 10)
    for scaler in (
        StandardScaler("x"),
        ExponentialScaler("x"),
        MinMaxScaler("x"),
        RobustScaler("x", 8),
    ):
        with np.errstate(all="raise"):
            assert np.isfinite(scaler.learn_transform(x)["scaled"]).all()
    shares = MinMaxScaler("x")
    shares.learn(x)
    assert shares.transform([0.0, 1.7e308])["scaled"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("outlier", [1e200, -1.7e308, np.inf])
def test_what_has_no_square_does_not_spoil_what_is_known(outlier: float) -> None:
    x = np.r_[np.random.default_rng(9).normal(size=50), outlier, 1.0]
    for kind in (StandardScaler, ExponentialScaler, Imputer):
        left, right = kind("x"), kind("x")
        with np.errstate(all="raise"):
            left.learn(x)
            right.learn(np.delete(x, 50))
            for part, made in left.transform([2.0, np.nan]).items():
                assert np.array_equal(made, right.transform([2.0, np.nan])[part], equal_nan=True)


def test_the_greatest_numbers_that_have_squares_are_learned() -> None:
    x = np.array([1e150, -1e150] * 50)
    for scaler in (StandardScaler("x"), ExponentialScaler("x")):
        with np.errstate(all="raise"):
            assert abs(scaler.learn_transform(x)["scaled"][-1]) == pytest.approx(1, rel=0.1)
    imputer = Imputer("x")
    with np.errstate(all="raise"):
        imputer.learn(x)
        assert imputer.transform([np.nan])["var"][0] == pytest.approx(1e300, rel=0.03)


def test_values_next_to_zero_are_scaled_without_a_warning() -> None:
    x = np.random.default_rng(8).normal(size=60) * 1e-306
    for scaler in (
        StandardScaler("x"),
        ExponentialScaler("x"),
        MinMaxScaler("x"),
        RobustScaler("x", 8),
        Imputer("x"),
    ):
        with np.errstate(all="raise"):
            for part in scaler.learn_transform(x).values():
                assert not np.isnan(part).any()


def test_digits_are_not_lost_where_the_mean_is_huge_or_the_first_value_far_away() -> None:
    rng = np.random.default_rng(5)
    for shift, first in ((1e9, 1e9), (0.0, 1e8)):
        x = np.r_[first, shift + rng.normal(size=20_000)]
        scaler = StandardScaler("x")
        scaler.learn(x)
        exact = x.astype(np.longdouble)
        wanted = (1.5 + shift - exact.mean()) / exact.std()
        got = scaler.transform([1.5 + shift])["scaled"][0]
        assert got == pytest.approx(float(wanted), rel=1e-7, abs=1e-7)


def test_missing_numbers_and_infinities_are_not_learned() -> None:
    clean = np.array([1.0, 4.0, 2.0])
    dirty = np.array([1.0, np.nan, 4.0, np.inf, -np.inf, 2.0])
    for kind in (StandardScaler, ExponentialScaler, MinMaxScaler, RobustScaler, Imputer):
        left, right = kind("x"), kind("x")
        left.learn(clean)
        right.learn(dirty)
        for part, made in left.transform([3.0, np.nan]).items():
            assert np.array_equal(made, right.transform([3.0, np.nan])[part], equal_nan=True)
    scaler = StandardScaler("x")
    scaler.learn(clean)
    assert np.isnan(scaler.transform([np.nan])["scaled"][0])


def test_a_missing_number_has_the_variance_of_a_next_one() -> None:
    imputer = Imputer("x")
    nan = np.nan
    made = imputer.learn_transform([nan, 1.0, nan, 4.0, nan, 2.0, nan])
    assert made["missing"].tolist() == [1, 0, 1, 0, 1, 0, 1]
    assert made["mean"].tolist() == [0, 1, 1, 4, 2.5, 2, pytest.approx(7 / 3)]
    wanted = np.var([1.0, 4.0, 2.0], ddof=1) * (4 / 3)
    assert made["var"].tolist() == [np.inf, 0, np.inf, 0, 4.5 * 1.5, 0, pytest.approx(wanted)]


def test_a_missing_number_is_covered_as_its_variance_says() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(5, 2, (4000, 6))
    slots, last = np.repeat(np.arange(4000), 5), x[:, 5]
    imputer = Imputer("x", keys=4000)
    imputer.learn(x[:, :5].ravel(), slots)
    made = imputer.transform(np.full(4000, np.nan), np.arange(4000))
    away = (last - made["mean"]) ** 2
    assert np.mean(away) == pytest.approx(np.mean(made["var"]), rel=0.08)


def test_shares_are_held_between_zero_and_one_if_asked() -> None:
    x = [0.0, 1.0, 3.0, -1.0]
    assert MinMaxScaler("x").learn_transform(x)["scaled"].tolist() == [0, 0, 3, -1 / 3]
    assert MinMaxScaler("x", clip=True).learn_transform(x)["scaled"].tolist() == [0, 0, 1, 0]


def test_what_is_not_a_number_or_not_an_option_is_refused() -> None:
    with pytest.raises(SchemaError, match="'x' holds <U1"):
        StandardScaler("x").learn(np.array(["a"]))
    with pytest.raises(SchemaError, match=r"rows of shape \(3,\) were declared"):
        StandardScaler("x", width=3).learn(np.zeros((2, 2)))
    for alpha in (0.0, -1.0, 1.5, np.nan):
        with pytest.raises(ValueError, match="alpha must be"):
            ExponentialScaler("x", alpha=alpha)
    with pytest.raises(ValueError, match="window must be a whole number"):
        RobustScaler("x", 0)
    with pytest.raises(ValueError, match="width must be a whole number"):
        StandardScaler("x", width=0)
