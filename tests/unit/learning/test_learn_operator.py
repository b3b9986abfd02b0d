"""learn: predictions before labels, and learning from exactly what was predicted."""

from __future__ import annotations

import asyncio
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch, Field, Schema
from rxml.errors import CheckpointError, ModelError, PipelineError, SchemaError
from rxml.evaluation.drift import DDM
from rxml.evaluation.metrics import Metrics
from rxml.features import Features, TargetEncoder
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning import Evaluation, Label, LastValue, OnlineModel, RiverOnline, RunningMean
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import MemoryStore
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rxml.flow.operator import Operator


class Recorder:
    """Predicts how many it has learned, and remembers what from."""

    def __init__(self, calls: list[Any], *, fails_at: Any = None) -> None:
        self.inputs: Schema = Schema([Field("x", np.float64)])
        self._calls = calls
        self._learned = 0
        self._fails_at = fails_at

    def predict(self, batch: Batch) -> Batch:
        return Batch({"value": np.full(len(batch), self._learned), "more": batch["x"] * 2})

    def learn(self, batch: Batch, labels: Sequence[Any]) -> None:
        if self._fails_at in labels:
            raise ModelError(f"cannot learn {self._fails_at}")
        self._calls.append((batch["x"].tolist(), list(labels)))
        self._learned += len(labels)

    def copied(self) -> Recorder:
        return Recorder(self._calls, fails_at=self._fails_at)

    def snapshot(self) -> Any:
        return self._learned

    def restore(self, state: Any) -> None:
        self._learned = state


def x(name: Any, value: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"id": name, "x": value, **more}


def values(rows: list[Any], name: str = "value") -> list[Any]:
    return [row[name] for row in rows]


def test_a_model_is_told_what_it_has_predicted_however_late() -> None:
    calls: list[Any] = []
    elements = [
        x(1, 10.0),
        x(2, 20.0),
        Label(2, "b"),
        x(1, 99.0),
        Label(1, "a"),
        Label(1, "again"),
        x(3),
    ]
    rows = results(elements, ops.learn(Recorder(calls)))
    assert calls == [([20.0], ["b"]), ([10.0], ["a"])]
    assert values(rows) == [0, 0, 1, 2]
    assert values(rows, "more") == [20.0, 40.0, 198.0, 0.0]


def test_a_mini_batch_counts_once_it_is_whole() -> None:
    calls: list[Any] = []
    pairs = [each for at in range(5) for each in (x(at, float(at)), Label(at, at))]
    rows = results(pairs, ops.learn(Recorder(calls), mini_batch=2))
    assert calls == [([0.0, 1.0], [0, 1]), ([2.0, 3.0], [2, 3])]
    assert values(rows) == [0, 0, 2, 2, 4]


def test_each_key_has_a_model_and_one_that_is_given_up_teaches_nobody() -> None:
    calls: list[Any] = []
    elements = [x(1, k="a"), x(2, k="b"), Label(1, 1), Label(2, 2), x(3, k="a"), x(4, k="b")]
    assert values(results(elements, ops.learn(Recorder(calls), by="k"))) == [0, 0, 1, 1]
    few: Operator[Any, Any] = ops.key_by("k", max_keys=1)
    late = [x(1, k="a"), x(2, k="b"), Label(1, 1), x(3, k="b")]
    calls.clear()
    assert values(results(late, few, ops.learn(Recorder(calls)))) == [0, 0, 0]
    assert calls == []


def test_keys_within_a_batch_are_put_together_in_order() -> None:
    batch = Batch({"id": np.arange(6), "x": np.arange(6.0), "k": np.array([0, 1, 0, 2, 1, 0])})
    elements = [*batch.rows()[:2], Label(1, 0)]
    taught = results([*elements, *batch.rows()[2:]], ops.learn(Recorder([]), by="k"))
    assert values(taught) == [0, 0, 0, 0, 1, 0]
    whole = results([batch], ops.unbatch(), ops.learn(Recorder([]), by="k"))
    assert values(whole, "more") == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


def test_labels_may_go_on_to_the_next_who_hears_them() -> None:
    elements = [x(1), Label(1, 4.0), x(2), Label(2, nan)]
    learning = ops.learn(RunningMean(), pass_labels=True)
    out = results(elements, learning, ops.learn(LastValue(), into="last"))
    assert [row["last"] for row in out] == [pytest.approx(nan, nan_ok=True), 4.0]
    assert isnan(out[0]["value"])
    assert out[1]["value"] == 4.0
    with pytest.raises(PipelineError, match="pass_labels"):
        ops.learn(RunningMean(), labels=rxml.of(Label(1, 2)), pass_labels=True)


def test_a_label_that_cannot_be_learned_from_fails_the_stream_or_is_left_out_alone() -> None:
    calls: list[Any] = []
    pairs = [each for at in range(4) for each in (x(at, float(at)), Label(at, at))]
    learning = ops.learn(Recorder(calls, fails_at=1))
    with pytest.raises(ModelError, match="cannot learn 1"):
        results(pairs, learning)
    calls.clear()
    rows = results(pairs, learning, ops.supervise("resume"))
    assert calls == [([0.0], [0]), ([2.0], [2]), ([3.0], [3])]
    assert values(rows) == [0, 1, 1, 2]


def test_many_labels_at_once_are_learned_one_by_one() -> None:
    calls: list[Any] = []
    elements = [*(x(at, float(at)) for at in range(3)), *(Label(at, at) for at in (2, 0, 1)), x(9)]
    assert values(results(elements, ops.learn(Recorder(calls)))) == [0, 0, 0, 3]
    assert [each[1] for each in calls] == [[2], [0], [1]]


def test_no_more_wait_than_may_and_what_expires_is_late() -> None:
    calls: list[Any] = []
    learning = ops.learn(Recorder(calls), capacity=2)
    results([x(1), x(2), x(3), Label(1, 1), Label(2, 2)], learning)
    assert [each[1] for each in calls] == [[2]]


@pytest.mark.parametrize(("expire", "learned"), [(2.5e-9, []), (3.5e-9, [[0], [1]])])
def test_a_label_that_comes_too_late_is_not_learned(expire: float, learned: list[Any]) -> None:
    calls: list[Any] = []
    clock: Operator[Any, Any] = ops.with_event_time("at", unit="ns")
    rows = [x(at, at=at, y=at) for at in range(5)]
    steps = (clock, ops.delayed_labels(3e-9), ops.learn(Recorder(calls), expire=expire))
    assert len(results(rows, *steps, ops.take(5))) == 5
    assert [each[1] for each in calls] == learned


def test_each_run_begins_with_the_model_as_it_was() -> None:
    model = RunningMean(0.0)
    flow = rxml.from_iterable([x(1), Label(1, 8.0), x(2)]).pipe(ops.learn(model))
    assert values(run(flow.to_list())) == [0.0, 8.0]
    assert values(run(flow.to_list())) == [0.0, 8.0]


def test_what_is_no_model_is_refused() -> None:
    wrong: Any = object()
    with pytest.raises(PipelineError, match="learn wants a model"):
        ops.learn(wrong)
    with pytest.raises(ValueError, match="mini_batch"):
        ops.learn(RunningMean(), mini_batch=0)
    assert isinstance(RunningMean(), OnlineModel)
    with pytest.raises(SchemaError, match="'x'"):
        results([{"id": 1}], ops.learn(Recorder([])))


def test_a_model_of_river_cannot_be_saved_and_says_why() -> None:
    linear: Any = pytest.importorskip("river.linear_model")
    model = RiverOnline(linear.LinearRegression(), ["x"])
    flow = rxml.from_iterable([x(1), x(2)]).pipe(ops.learn(model), ops.do_action(lambda _: None))
    with pytest.raises(CheckpointError, match="River cannot be saved"):
        run(flow.run(checkpoint=Checkpoint(MemoryStore(), every=None, elements=1)))


def test_a_classifier_of_river_gives_probabilities_of_the_classes_that_are_told() -> None:
    bayes: Any = pytest.importorskip("river.naive_bayes")
    model = RiverOnline(bayes.GaussianNB(), ["x"], classes=("cold", "hot"))
    seen = [
        each
        for at in range(8)
        for each in (x(at, at % 2 * 10.0 + at / 8), Label(at, "hot" if at % 2 else "cold"))
    ]
    rows = results([*seen, x("new", 10.2)], ops.learn(model))
    assert rows[0]["value"] is None
    assert rows[-1]["value"] == "hot"
    assert rows[-1]["probabilities"][1] > 0.99
    with pytest.raises(PipelineError, match="River does not tell"):
        RiverOnline(object(), ["x"])


async def one_by_one(elements: list[Any]) -> AsyncIterator[Any]:
    for element in elements:
        await asyncio.sleep(0)
        yield element


def test_a_key_whose_time_is_over_teaches_nobody_though_its_place_is_taken() -> None:
    """The watermark of 20 gives up "a", "c" gets its place in the state, and then the label of "a" comes, at 30."""
    calls: list[Any] = []
    clock: Operator[Any, Any] = ops.with_event_time("at", unit="ns")
    lives: Operator[Any, Any] = ops.key_by("k", ttl=5e-9)
    times = [("a", 0), ("b", 20), ("c", 21), ("c", 25), ("c", 30), ("c", 34)]
    rows = [x(nth, at=at, k=k, y=k) for nth, (k, at) in enumerate(times)]
    source: Any = rxml.from_async_iterable(lambda: one_by_one(rows))
    flow = source.pipe(clock, ops.delayed_labels(30e-9), lives, ops.learn(Recorder(calls)))
    assert values(run(flow.to_list())) == [0] * 6
    assert "a" not in [label for _, labels in calls for label in labels]


def test_a_mini_batch_of_river_is_learned_as_one_frame() -> None:
    linear: Any = pytest.importorskip("river.linear_model")
    pandas: Any = pytest.importorskip("pandas")
    rng = np.random.default_rng(9)
    numbers = rng.normal(size=40).tolist()
    pairs = [each for at, it in enumerate(numbers) for each in (x(at, it), Label(at, 3 * it))]
    whole = RiverOnline(linear.LinearRegression(), ["x"], many=True)
    rows = results(pairs, ops.learn(whole, mini_batch=8))
    theirs, want = linear.LinearRegression(), list[float]()
    for start in range(0, 40, 8):
        part = numbers[start : start + 8]
        want += [theirs.predict_one({"x": it}) for it in part]
        theirs.learn_many(pandas.DataFrame({"x": part}), pandas.Series([3 * it for it in part]))
    assert values(rows) == want
    singly = results(pairs, ops.learn(RiverOnline(linear.LinearRegression(), ["x"]), mini_batch=8))
    assert values(singly) != want
    mean: Any = pytest.importorskip("river.dummy").NoChangeClassifier()
    with pytest.raises(PipelineError, match="no learn_many"):
        RiverOnline(mean, ["x"], many=True)


@pytest.mark.parametrize(
    "hears",
    [
        ops.learn(RunningMean(0.0)),
        ops.evaluate(Evaluation(Metrics("mae")), prediction="x"),
        ops.features(Features(of=TargetEncoder("x", "y")), late=True),
        ops.detect_drift(DDM(), "x", loss=lambda p, y: p != y),
    ],
    ids=["learn", "evaluate", "features", "detect_drift"],
)
def test_a_label_of_no_id_is_refused_alone(hears: Any) -> None:
    with pytest.raises(SchemaError, match="an id is"):
        results([x(1), Label([1], 1.0)], hears)
    out = results([x(1), Label([1], 1.0), Label(1, 1.0), x(2)], hears, ops.supervise("resume"))
    assert len(out) == 2
