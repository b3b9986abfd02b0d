"""features: made before they are learned, key by key, of rows and batches, with targets at once or late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import DistributionError, PipelineError, SchemaError
from rxml.features import (
    Calendar,
    FeatureHasher,
    Features,
    Imputer,
    Lags,
    OneHot,
    StandardScaler,
    TargetEncoder,
)
from rxml.learning import Label
from rxml.testing.virtual_time import run
from rxml.uncertain import Beta, Normal
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from rxml.flow.operator import Operator


def lags() -> Features:
    return Features(lag=Lags("x", [1]))


def column(rows: list[Any], name: str) -> list[Any]:
    return [row[name] for row in rows]


def picked(rows: list[Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """These columns of rows, and no labels."""
    return [{name: row[name] for name in names} for row in rows if not isinstance(row, Label)]


def encoder() -> Features:
    return Features(of=TargetEncoder("c", "y", strength=1.0, family="beta"))


def test_a_feature_is_of_the_rows_before_and_each_key_has_its_own() -> None:
    rows = [{"x": float(at), "k": at % 2} for at in range(5)]
    together = column(results(rows, ops.features(lags())), "lag")
    assert together == [pytest.approx(nan, nan_ok=True), 0.0, 1.0, 2.0, 3.0]
    apart = column(results(rows, ops.features(lags(), by="k")), "lag")
    assert apart[2:] == [0.0, 1.0, 2.0]
    keyed: Operator[Any, Any] = ops.key_by("k")
    assert column(results(rows, keyed, ops.features(lags())), "lag")[2:] == apart[2:]


def test_a_key_that_is_given_up_is_forgotten() -> None:
    few: Operator[Any, Any] = ops.key_by("k", max_keys=1)
    rows = [{"x": 1.0, "k": "a"}, {"x": 2.0, "k": "b"}, {"x": 3.0, "k": "a"}, {"x": 4.0, "k": "a"}]
    got = column(results(rows, few, ops.features(lags())), "lag")
    assert np.isnan(got[:3]).all()
    assert got[3] == 3.0


def test_what_is_not_known_is_a_distribution() -> None:
    rows = [{"x": value, "c": "a", "y": 1.0} for value in (2.0, 4.0, None)]
    made = Features(
        filled=Imputer("x"),
        of=TargetEncoder("c", "y"),
        share=TargetEncoder("c", "y", family="beta"),
    )
    last = results(rows, ops.features(made))[-1]
    assert last["filled"].equals(Normal(3.0, 3.0))
    assert last["filled_missing"] == 1.0
    assert isinstance(last["of"], Normal)
    assert isinstance(last["share"], Beta)
    plain = results(rows, ops.features(made, distributions=False))[-1]
    assert (plain["filled_mean"], plain["filled_var"]) == (3.0, 3.0)
    assert {"of_mean", "of_var", "share_a", "share_b"} <= set(plain)


@settings(max_examples=settings().max_examples // 2)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, 1.0, 2.5, 4.0]), st.sampled_from("ab")),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 5),
)
def test_rows_and_batches_of_any_size_are_the_same(data: list[tuple[Any, str]], size: int) -> None:
    rows = [{"x": x, "k": k, "y": float(at % 2)} for at, (x, k) in enumerate(data)]
    made = Features(
        filled=Imputer("x"), scaled=StandardScaler("filled_mean"), of=TargetEncoder("k", "y")
    )
    batch = Batch({
        "x": np.array([nan if row["x"] is None else row["x"] for row in rows]),
        "k": column(rows, "k"),
        "y": column(rows, "y"),
    })  # fmt: skip
    parts = [batch[at : at + size] for at in range(0, len(rows), size)]
    by_rows = results(rows, ops.features(made, by="k"))
    by_batches = results(parts, ops.unbatch(), ops.features(made, by="k"))
    names = ("filled", "filled_missing", "scaled", "of")
    want, got = picked(by_rows, names), picked(by_batches, names)
    assert Batch.from_rows(want) == Batch.from_rows(got)


def test_values_are_told_apart_as_they_are_whatever_comes_with_them() -> None:
    """1 among floats and None stays 1: its hash is another one than that of 1.0."""
    made = Features(hot=OneHot("c", size=4), hashed=FeatureHasher("c", width=64))
    alone = results([{"c": 1}], ops.features(made))[0]
    among = results([{"c": 1}, {"c": None}, {"c": 2.5}], ops.features(made))[0]
    batch = results([Batch({"c": np.array([1])})], ops.unbatch(), ops.features(made))[0]
    assert np.array_equal(alone["hashed"], among["hashed"])
    assert np.array_equal(alone["hashed"], batch["hashed"])


def test_times_may_be_datetimes() -> None:
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)
    rows = [{"at": start + timedelta(hours=hour)} for hour in range(3)]
    names = results(rows, ops.features(Features(when=Calendar("at"))))[0].keys()
    assert len(names) > 1
    assert (
        results(rows, ops.features(Features(when=Calendar("at"))))[0]
        == results(rows[:1], ops.features(Features(when=Calendar("at"))))[0]
    )


def test_late_targets_are_learned_when_they_come_and_once() -> None:
    elements = [
        {"id": 1, "c": "a"},
        {"id": 2, "c": "b"},
        {"id": 3, "c": "a"},
        *(Label(1, 1.0), Label(1, 0.0), Label("nobody", 1.0), Label(2, None), Label(2, 1.0)),
        {"id": 4, "c": "a"},
        {"id": 5, "c": "b"},
    ]
    made = column(results(elements, ops.features(encoder(), late=True)), "of")
    blank = Beta(0.5, 0.5)
    assert all(each.equals(blank) for each in made[:3])
    assert made[3].equals(Beta(1.75, 0.25))
    assert made[4].equals(Beta(0.75, 0.25))


def test_behind_delayed_labels_late_targets_are_those_in_the_rows() -> None:
    """With no delay the label of a row is learned before the next row, which is what targets in rows come to."""
    rng = np.random.default_rng(4)
    rows = [
        {
            "id": at,
            "at": at,
            "c": "abc"[rng.integers(3)],
            "x": rng.normal(),
            "y": float(rng.integers(2)),
        }
        for at in range(200)
    ]
    made = Features(
        of=TargetEncoder("c", "y"), lag=Lags("x", [1, 2]), again=TargetEncoder("lag_lag_1", "y")
    )
    at_once = results(rows, ops.features(made))
    clock: Operator[Any, Any] = ops.with_event_time("at", unit="s")
    late = results(rows, clock, ops.delayed_labels(0), ops.features(made, late=True))
    names = ("of", "again", "lag_lag_1", "lag_lag_2")
    assert Batch.from_rows(picked(at_once, names)) == Batch.from_rows(picked(late, names))


def test_labels_pass_where_nothing_is_learned_of_them() -> None:
    elements = [{"x": 1.0}, Label(1, 2.0), {"x": 2.0}]
    out = results(elements, ops.features(lags()))
    assert out[1] == Label(1, 2.0)
    assert out[2]["lag"] == 1.0


def test_labels_beside_are_learned_too() -> None:
    rows = rxml.of({"id": 1, "c": "a"}).pipe(
        ops.concat(rxml.of({"id": 2, "c": "a"}).pipe(ops.delay(5.0)))
    )
    labels = rxml.of((1, 1.0)).pipe(ops.delay(1.0))
    out = run(rows.pipe(ops.features(encoder(), labels=labels)).to_list())
    assert out[1]["of"].equals(Beta(1.75, 0.25))


def test_what_was_learned_before_is_frozen_or_goes_on() -> None:
    scaler = Features(scaled=StandardScaler("x"))
    scaler.learn({"x": np.array([0.0, 10.0])})
    rows = [{"x": 10.0}, {"x": 10.0}, {"x": 1000.0}]
    frozen = results(rows, ops.features(scaler, learn=False))
    assert column(frozen, "scaled") == [1.0, 1.0, 199.0]
    on = column(results(rows, ops.features(scaler)), "scaled")
    assert on[0] == 1.0
    assert on[1] < 1.0
    assert column(results(rows, ops.features(scaler, learn=False)), "scaled") == [1.0, 1.0, 199.0]


def test_nothing_is_learned_of_what_is_refused() -> None:
    rows: list[Any] = [{"x": 1.0}, {"x": "text"}, {"z": 1.0}, {"x": 2.0}]
    out = results(rows, ops.features(lags()), ops.supervise("resume"))
    assert column(out, "lag") == [pytest.approx(nan, nan_ok=True), 1.0]
    filled = ops.features(Features(filled=Imputer("x")))
    with pytest.raises(DistributionError, match="'x' is infinite in rows"):
        results([{"x": inf}], filled)
    with pytest.raises(SchemaError, match="mappings"):
        results([Label], ops.features(Features(hashed=FeatureHasher("__name__", width=2))))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing here learns of targets"):
        ops.features(lags(), late=True)
    with pytest.raises(ValueError, match="nothing here learns of targets"):
        ops.features(encoder(), learn=False, labels=rxml.of((1, 1)))
    with pytest.raises(ValueError, match="no keys"):
        ops.features(lags(), learn=False, by="k")
    with pytest.raises(PipelineError, match="pass_labels"):
        ops.features(encoder(), labels=rxml.of((1, 1)), pass_labels=True)
