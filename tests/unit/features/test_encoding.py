"""Categories as columns, hashes and targets: against definitions, River, and in other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.errors import DistributionError, SchemaError
from rxml.features import FeatureHasher, OneHot, TargetEncoder, buckets
from rxml.features.vocabulary import Vocabulary
from rxml.hashes import of_numbers, of_object

extraction: Any = import_module("river.feature_extraction")  # neither tells its types
stats: Any = import_module("river.stats")
sk: Any = import_module("sklearn.preprocessing")

PROBE = """
import numpy as np
from rxml.features import FeatureHasher
rows = np.array(["a", b"a", "\\u00e9", 7, -1, 2.5, ("a", 1), ["x", "y", "x"], {"x": 0.5}, None], object)
made = FeatureHasher("c", 16, seed=5).transform(rows)["hashed"]
print(made.tolist(), FeatureHasher("c", 16).transform([1.0, 2.5])["hashed"].tolist())
"""


def objects(*items: Any) -> Any:
    array = np.empty(len(items), object)
    for row, item in enumerate(items):
        array[row] = item
    return array


def test_hashes_are_the_same_in_processes_with_other_seeds() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PROBE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "4711")
    }
    assert len(said) == 1


def test_hashes_are_those_that_were_always_given() -> None:
    """What models have learned of hashed features depends on these numbers."""
    assert of_object("a") == 7302950092046304935
    assert of_numbers(np.array([1, -1])).tolist() == [17135239835083093536, 11319988376762405108]
    where, signs = buckets(np.array([0, 1, 2, 3], np.uint64), 1000)
    assert (where.tolist(), signs.tolist()) == ([158, 128, 442, 496], [-1.0, -1.0, 1.0, 1.0])


def test_equal_tokens_are_hashed_alike_whatever_holds_them() -> None:
    hasher = FeatureHasher("c", 1 << 20)
    texts = hasher.transform(np.array(["a", "b"]))["hashed"]
    assert np.array_equal(hasher.transform(objects("a", "b"))["hashed"], texts)
    assert np.array_equal(hasher.transform(objects(["a"], {"b": 1.0}))["hashed"], texts)
    numbers = hasher.transform(np.array([3.0, 4.0]))["hashed"]
    assert np.array_equal(hasher.transform(np.array([3, 4]))["hashed"], numbers)
    assert np.array_equal(hasher.transform(objects(3, 4.0))["hashed"], numbers)
    days = np.array(["2024-01-01", "NaT"], "M8[D]")
    made = hasher.transform(days)["hashed"]
    assert np.abs(made).sum(axis=1).tolist() == [1.0, 0.0]
    assert np.array_equal(hasher.transform(days.astype("M8[us]"))["hashed"], made)


def test_bags_are_sums_of_their_tokens() -> None:
    hasher = FeatureHasher("c", 32)
    a, b, bag, weighed, empty, gone = hasher.transform(
        objects("a", "b", ["a", "b", "a"], {"a": 2.5, "b": -1.0}, [], float("nan"))
    )["hashed"]
    assert np.array_equal(bag, 2 * a + b)
    assert np.array_equal(weighed, 2.5 * a - b)
    assert not empty.any()
    assert not gone.any()


def test_dot_products_of_hashed_bags_are_right_on_average() -> None:
    """The mean over seeds is within five standard errors; without signs it would be twice too large."""
    rng = np.random.default_rng(3)
    words = [f"w{each}" for each in range(60)]
    left, right = rng.normal(size=(2, 60)) + 0.5
    bags = objects(*(dict(zip(words, each.tolist(), strict=True)) for each in (left, right)))
    made = [FeatureHasher("c", 16, seed=seed).transform(bags)["hashed"] for seed in range(400)]
    dots = np.array([one @ other for one, other in made])
    error = dots.std() / np.sqrt(len(dots))
    assert abs(dots.mean() - left @ right) < 5 * error
    assert error < 0.05 * np.linalg.norm(left) * np.linalg.norm(right)


def test_places_and_signs_are_spread_evenly_and_apart() -> None:
    where, signs = buckets(of_numbers(np.arange(64_000)), 64)
    counts = np.bincount(where, minlength=64)
    assert ((counts - 1000) ** 2 / 1000).sum() < 120  # chi-squared with 63 degrees: 1 in 10,000
    assert abs(signs.sum()) < 5 * np.sqrt(64_000)
    assert np.abs(np.bincount(where, signs, 64)).max() < 5 * np.sqrt(1000)


def test_what_cannot_be_hashed_is_named() -> None:
    hasher = FeatureHasher("c", 4)
    for item in (object(), {"a": float("inf")}, {"a": "b"}, [["a"]]):
        with pytest.raises(SchemaError, match="row 1: column 'c'"):
            hasher.transform(objects("a", item))
    for seed in (-1, 2**64):
        with pytest.raises(ValueError, match="seed must be"):
            FeatureHasher("c", 4, seed=seed)


def test_one_hot_columns_are_those_of_scikit_learn() -> None:
    x = np.array(["b", "a", "c", "a", "b"])
    ours = OneHot("c", 3, unknown="zeros")
    ours.learn(x)
    asked = np.array(["a", "b", "z", "c"])
    theirs = sk.OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(x[:, None])
    order = [ours.vocabulary.labels.index(label) for label in theirs.categories_[0]]
    made = ours.transform(asked)["onehot"]
    assert np.array_equal(made[:, order], theirs.transform(asked[:, None]))


def test_what_is_unknown_or_missing_has_a_column_of_its_own() -> None:
    made = OneHot("c", 2).learn_transform(objects("a", "a", None, float("nan"), "b", "b"))
    assert made["onehot"].argmax(axis=1).tolist() == [2, 0, 2, 2, 2, 1]
    numbers = OneHot("c", 2).learn_transform(np.array([1.0, np.nan, 1.0]))["onehot"]
    assert numbers.tolist() == [[0, 0, 1], [0, 0, 1], [1, 0, 0]]


def test_equal_numbers_are_one_category() -> None:
    encoder = OneHot("c", 2)
    encoder.learn(objects(1, 1.0, True, np.float32(1), np.int8(1)))
    assert (encoder.vocabulary.labels, encoder.vocabulary.counts) == ([1], [5])


@given(items=st.lists(st.sampled_from("abcdefgh"), max_size=120), size=st.integers(1, 8))
def test_what_comes_often_is_kept_and_counts_are_bounds(items: list[str], size: int) -> None:
    vocabulary = Vocabulary(size)
    vocabulary.learn([*items], [True] * len(items))
    truth = Counter(items)
    held = dict(zip(vocabulary.labels, vocabulary.counts, strict=True))
    assert sum(held.values()) == len(items)
    assert len(held) == min(size, len(truth))
    for item, count in truth.items():
        if count > len(items) / size:
            assert item in held
        if item in held:
            assert count <= held[item] <= count + len(items) / size


def test_a_vocabulary_that_is_set_back_forgets_what_came_since() -> None:
    used, fresh = Vocabulary(3), Vocabulary(3)
    used.learn(list("aabbbc"), [True] * 6)
    state = used.snapshot()
    used.learn(list("ddddddeeeeeeefffffff"), [True] * 20)
    for vocabulary in (used, fresh):
        vocabulary.restore(state)
        vocabulary.learn(list("gxgh"), [True] * 4)
    assert used.snapshot() == fresh.snapshot()


def test_another_life_begins_only_where_a_category_takes_over() -> None:
    lives = Vocabulary(2).learn(["a", "b", "a", "c", "c", "a", None], [True] * 7)
    assert lives.found.tolist() == [-1, -1, 0, -1, 1, 0, -1]
    assert lives.life.tolist() == [0, 1, 0, 2, 2, 0, -1]
    assert lives.born == [1]


def test_the_first_categories_stay_if_asked() -> None:
    encoder = OneHot("c", 2, replace=False)
    encoder.learn(np.array(list("abcccccc")))
    assert encoder.vocabulary.labels == ["a", "b"]
    assert encoder.vocabulary.replaced == 0
    taken = OneHot("c", 2)
    taken.learn(np.array(list("abcccccc")))
    assert (taken.vocabulary.labels, taken.vocabulary.replaced) == (["c", "b"], 1)


def test_categories_must_be_plain_values() -> None:
    for x in (objects("a", ("b",)), np.array(["2024-01-01"], "M8[D]")):
        with pytest.raises(SchemaError, match="texts, bytes or numbers"):
            OneHot("c", 2).learn(x)
    with pytest.raises(ValueError, match="unknown must be one of column, zeros"):
        OneHot("c", 2, unknown="drop")
    with pytest.raises(SchemaError, match="2 places"):
        OneHot("c", 2).restore(_learned(OneHot("c", 3)).snapshot())


def _learned(encoder: OneHot) -> OneHot:
    encoder.learn(np.array(list("abc")))
    return encoder


def test_encoded_targets_are_those_of_river_with_a_prior_of_all() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.choice(list("abc"), 200), rng.normal(3, 1, 200)
    ours = TargetEncoder("c", "y", strength=5.0)
    river = extraction.TargetAgg(by="c", how=stats.Mean())
    made = ours.learn_transform(x, y=y)["mean"]
    river.learn_one({"c": x[0]}, y[0])
    for row in range(1, 200):
        seen = x[:row] == x[row]
        n, mean = seen.sum(), y[:row].mean()
        theirs = next(iter(river.transform_one({"c": x[row]}).values())) if n else 0.0
        if n:
            assert theirs == pytest.approx(y[:row][seen].mean())
        assert made[row] == pytest.approx((n * (theirs if n else 0.0) + 5.0 * mean) / (n + 5.0))
        river.learn_one({"c": x[row]}, y[row])


def test_the_variance_of_a_category_is_that_of_the_conjugate_posterior() -> None:
    x, y = np.array(list("aabbb")), np.array([1.0, 3.0, 2.0, 8.0, 5.0])
    encoder = TargetEncoder("c", "y", strength=2.0)
    encoder.learn(x, y=y)
    made = encoder.transform(np.array(["a", "new"]))
    m, s2 = y.mean(), y.var(ddof=1)
    posterior = (2 * s2 + 2.0 + 2 * 2 / 4 * (2.0 - m) ** 2) / 4
    assert made["mean"].tolist() == pytest.approx([(2 * 2.0 + 2 * m) / 4, m])
    assert made["var"].tolist() == pytest.approx([posterior / 4, s2 / 2])


def test_means_of_categories_are_as_far_off_as_their_variance_says() -> None:
    rng = np.random.default_rng(12)
    truth = rng.normal(0, 1, 500)
    x = np.repeat(np.arange(500), 4)
    y = rng.normal(truth[x], 2.0)
    encoder = TargetEncoder("c", "y", strength=4.0, size=500)  # k = 2^2 / 1^2, as is best here
    encoder.learn(x, y=y)
    made = encoder.transform(np.arange(500))
    scores = (truth - made["mean"]) ** 2 / made["var"]
    assert 0.6 < scores.mean() < 1.1  # the spread of all is 5, of one category 4: a little too wide


def test_shares_are_beta_distributions_that_are_always_proper() -> None:
    encoder = TargetEncoder("c", "y", strength=4.0, family="beta")
    x = np.array(list("aabb"))
    made = encoder.learn_transform(x, y=[1.0, 1.0, 1.0, 1.0])
    assert (made["a"] > 0).all()
    assert (made["b"] > 0).all()
    assert (made["a"][0], made["b"][0]) == (2.0, 2.0)
    after = encoder.transform(np.array(["a", "z"]))
    assert (after["a"] + after["b"]).tolist() == pytest.approx([6.0, 4.0])
    assert after["a"].tolist() == pytest.approx([2 + 4 * 0.9, 4 * 0.9])
    with pytest.raises(DistributionError, match=r"rows \[1, 2\]"):
        encoder.learn(x[:3], y=[0.5, -0.1, 1.1])


def test_a_category_that_comes_back_after_it_lost_its_place_starts_from_nothing() -> None:
    encoder = TargetEncoder("c", "y", strength=1.0, size=1)
    made = encoder.learn_transform(np.array(list("aaba")), y=[4.0, 4.0, 0.0, 9.0])
    assert made["mean"].tolist() == pytest.approx([0.0, 4.0, 4.0, 8 / 3])
    assert encoder.vocabulary.labels == ["a"]


def test_targets_that_are_missing_are_not_learned() -> None:
    left, right = TargetEncoder("c", "y"), TargetEncoder("c", "y")
    left.learn(np.array(["a", "b"]), y=[1.0, 2.0])
    right.learn(np.array(["a", "z", "b", "b"]), y=[1.0, np.nan, 2.0, np.inf])
    assert right.vocabulary.labels == ["a", "b"]
    asked = np.array(["a", "b", "z"])
    for part, made in left.transform(asked).items():
        assert np.array_equal(made, right.transform(asked)[part])


@settings(max_examples=20)
@given(st.lists(st.sampled_from("abcdef"), max_size=80), st.integers(1, 4))
def test_encoding_is_that_of_a_model_row_by_row(items: list[str], size: int) -> None:
    """Against a dict of lists that forgets what loses its place."""
    y = np.random.default_rng(len(items)).normal(size=len(items))
    encoder = TargetEncoder("c", "y", strength=3.0, size=size)
    made = encoder.learn_transform(np.array(items, object), y=y)["mean"]
    vocabulary, known = Vocabulary(size), dict[str, list[float]]()
    for row, item in enumerate(items):
        mean, held = y[:row].mean() if row else 0.0, known.get(item, [])
        assert made[row] == pytest.approx((sum(held) + 3.0 * mean) / (len(held) + 3.0))
        vocabulary.learn([item], [True])
        known = {each: known.get(each, []) for each in vocabulary.labels}
        known[item].append(float(y[row]))
