"""evaluate: predictions judged once, in the order of their labels, and what is told of it."""

from __future__ import annotations

import asyncio
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import DistributionError, PipelineError, SchemaError
from rxml.evaluation.metrics import Metrics
from rxml.evaluation.scores import crps_normal, interval_score
from rxml.learning import Evaluation, EvaluationReport, Label
from rxml.testing.virtual_time import run
from rxml.uncertain import Beta, Categorical, Interval, Normal
from tests.unit.learning.labelled import results, row, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rxml.flow.operator import Operator


def judged(elements: list[Any], *names: str, every: int = 100, **how: Any) -> Evaluation:
    evaluation = Evaluation(Metrics(*names), every=every)
    results(elements, ops.evaluate(evaluation, **how))
    return evaluation


async def one_by_one(elements: list[Any]) -> AsyncIterator[Any]:
    for element in elements:
        await asyncio.sleep(0)
        yield element


def test_elements_go_on_as_they_are_and_labels_do_not() -> None:
    first, second = row(1, 1.0), row(2, 2.0)
    evaluation = Evaluation(Metrics("mae"))
    out = results([first, told(1, 3.0), second], ops.evaluate(evaluation))
    assert [each is one for each, one in zip(out, (first, second), strict=True)] == [True, True]
    passing = ops.evaluate(evaluation, pass_labels=True)
    assert results([first, told(1, 3.0)], passing) == [first, told(1, 3.0)]
    with pytest.raises(PipelineError, match="pass_labels"):
        ops.evaluate(evaluation, pass_labels=True, labels=rxml.of((1, 2)))


def test_a_prediction_counts_once_and_what_never_comes_is_counted() -> None:
    odd = [
        *(row(at, float(at)) for at in range(4)),
        *(told(1, 2.0), told(1, 99.0), told("nobody", 5.0), told(2, nan), told(2, 7.0)),
        row(1, 50.0),
        told(1, 50.0),
    ]
    now = judged(odd, "mae").now
    assert (now["mae"], now.labels) == (1.0, 1)
    counts = now.counts
    assert (counts.predicted, counts.labelled, counts.abstained) == (4, 1, 1)
    assert (counts.repeated, counts.unknown, counts.late, counts.again) == (2, 1, 1, 1)


def test_none_and_nan_are_no_predictions() -> None:
    rows = [{"id": at, "value": value} for at, value in enumerate([None, "a", "b", "a"])]
    labels = [told(at, "a") for at in range(4)]
    evaluation = judged([*rows, *labels], "accuracy")
    assert (evaluation.now["accuracy"], evaluation.now.labels) == (2 / 3, 4)
    numbers = [row(0, nan), row(1, 2.0), told(0, 1.0), told(1, 4.0)]
    assert judged(numbers, "mae").now["mae"] == 2.0


def test_there_is_a_report_after_every_so_many_and_at_the_end() -> None:
    pairs = [each for at in range(5) for each in (row(at, 0.0), told(at, float(at)))]
    evaluation = judged(pairs, "mae", every=2)
    assert [(each.labels, each["mae"]) for each in evaluation.recent] == [
        (2, 0.5),
        (4, 1.5),
        (5, 2.0),
    ]
    low, high = evaluation.now.intervals["mae"]
    assert low < 2.0 < high


@settings(max_examples=settings().max_examples // 3)
@given(
    st.integers(1, 4),
    st.permutations(range(8)),
    st.lists(st.sampled_from([1.0, 2.0, None]), min_size=8, max_size=8),
)
def test_reports_do_not_depend_on_how_labels_come(
    every: int, order: list[int], truths: list[float | None]
) -> None:
    rows = [{"id": at, "value": 0.0, "k": at % 2} for at in range(8)]
    elements = [*rows, *(told(at, truths[at]) for at in order)]
    apart = Evaluation(Metrics("mae", "rmse"), every=every)
    whole = Evaluation(Metrics("mae", "rmse"), every=every)
    slow: Any = rxml.from_async_iterable(lambda: one_by_one(elements))
    assert run(slow.pipe(ops.evaluate(apart, by="k")).to_list()) == rows
    assert results(elements, ops.evaluate(whole, by="k")) == rows
    known = [at for at in range(8) if truths[at] is not None]
    of_keys = [sum(at % 2 == k for at in known) // every for k in (0, 1)]
    assert len(whole.recent) == -(-len(known) // every) + sum(of_keys)
    assert apart.recent == whole.recent


def test_keys_have_reports_of_their_own_and_all_together_too() -> None:
    rows = [{"id": at, "value": 0.0, "k": "ab"[at % 2]} for at in range(4)]
    labels = [told(at, float(at)) for at in range(4)]
    evaluation = judged([*rows, *labels], "mae", every=2, by="k")
    assert [(each.key, each.labels, each["mae"]) for each in evaluation.recent] == [
        (None, 2, 0.5),
        ("a", 2, 1.0),
        ("b", 2, 2.0),
        (None, 4, 1.5),
    ]


def test_a_key_that_was_given_up_counts_among_all_and_for_no_other_key() -> None:
    few: Operator[Any, Any] = ops.key_by("k", max_keys=1)
    evaluation = Evaluation(Metrics("mae"), every=1)
    rows = [{"id": 1, "value": 0.0, "k": "a"}, {"id": 2, "value": 0.0, "k": "b"}]
    results([*rows, told(1, 9.0), told(2, 1.0)], few, ops.evaluate(evaluation))
    assert [(each.key, each["mae"]) for each in evaluation.recent] == [
        (None, 9.0),
        ("b", 1.0),
        (None, 5.0),
    ]


@pytest.mark.parametrize("how", [{}, {"fading": 0.9}, {"window": 3}])
@pytest.mark.parametrize("name", ["accuracy", "f1", "mae", "ece"])
def test_metrics_of_a_slot_that_was_forgotten_are_as_at_first(name: str, how: Any) -> None:
    """The columns suit all of these: numbers, classes and probabilities of 0 and 1."""
    columns = {part: np.array([1.0, 0.0, 1.0, nan]) for part in ("prediction", "probability")}
    columns["truth"] = np.array([1.0, 0.0, 0.0, 1.0])
    slots = np.array([0, 1, 1, 1])
    metrics, blank = (Metrics(name, labels=(0.0, 1.0), **how) for _ in range(2))
    for each in (metrics, blank):
        each.grow(2)
    metrics.update(columns, slots)
    metrics.forget(np.array([1]))
    blank.update({part: column[:1] for part, column in columns.items()}, slots[:1])
    for each in (metrics, blank):
        each.update(columns, slots)
    assert np.array_equal(metrics.values()[name], blank.values()[name], equal_nan=True)
    assert np.array_equal(metrics[name].skipped, blank[name].skipped)


def test_a_label_that_nothing_can_be_judged_by_is_the_only_one_left_out() -> None:
    rows = [row(at, True) for at in range(4)]
    labels = [told(0, True), told(1, "what"), told(2, False), told(3, True)]
    evaluation = Evaluation(Metrics("f1"), every=1)
    with pytest.raises(DistributionError, match="what"):
        results([*rows, *labels], ops.evaluate(evaluation))
    again = ops.evaluate(evaluation)
    results([*rows, *labels], again, ops.supervise("resume"))
    assert (evaluation.now.labels, evaluation.now["f1"]) == (3, 0.8)
    assert evaluation.now.counts.repeated == 0


def test_distributions_are_judged_as_what_they_are() -> None:
    normal, interval = Normal([0.0, 1.0], [1.0, 4.0]), Interval([0.0, 1.0], [2.0, 3.0], level=0.8)
    batch = Batch({"id": [0, 1], "n": normal, "i": interval})
    labels = [told(0, 1.0), told(1, 5.0)]

    def of(names: tuple[str, ...], where: Any) -> EvaluationReport:
        return judged([*batch.rows(), *labels], *names, prediction=where).now

    truth = np.array([1.0, 5.0])
    assert of(("mae", "crps"), "n").values == {
        "mae": 2.5,
        "crps": pytest.approx(crps_normal(truth, [0.0, 1.0], [1.0, 2.0]).mean()),
    }
    got = of(("coverage", "interval_score"), "i")
    assert got["coverage"] == 0.5
    want = interval_score(truth, [0.0, 1.0], [2.0, 3.0], 0.8).mean()
    assert got["interval_score"] == pytest.approx(want)
    apart = {"lower": "i", "upper": "i", "level": 0.8, "mean": "n", "var": "n"}
    both = of(("interval_score", "nis"), apart)
    assert both["interval_score"] == pytest.approx(want)
    assert both["nis"] == pytest.approx((1.0 + 4.0) / 2)


def test_probabilities_may_be_numbers_vectors_or_distributions() -> None:
    p = np.array([[0.2, 0.8], [0.6, 0.4]])
    batch = Batch(
        {"id": [0, 1], "c": Categorical(p), "v": p, "b": Beta([8.0, 4.0], [2.0, 6.0]), "p": p[:, 1]}
    )
    elements = [*batch.rows(), told(0, True), told(1, False)]
    brier = {name: judged(elements, "brier", prediction=name).now["brier"] for name in "cvbp"}
    assert brier["c"] == pytest.approx(brier["v"])
    assert brier["p"] == pytest.approx(brier["b"])


def test_what_does_not_say_where_all_is_is_refused() -> None:
    evaluation = Evaluation(Metrics("interval_score"))
    with pytest.raises(ValueError, match=r"says where \['level', 'lower', 'upper'\] are"):
        ops.evaluate(evaluation, prediction={"lower": "lo"})
    with pytest.raises(SchemaError, match="is normal and has no 'lower'"):
        results([{"id": 1, "value": Normal(0.0, 1.0)}], ops.evaluate(evaluation))
    with pytest.raises(ValueError, match="level"):
        Evaluation(Metrics("mae"), level=1.0)
    with pytest.raises(ValueError, match="every"):
        Evaluation(Metrics("mae"), every=0)


def test_each_run_begins_anew() -> None:
    evaluation = Evaluation(Metrics("mae"))
    flow = rxml.from_iterable([row(1), told(1, 2.0)]).pipe(ops.evaluate(evaluation))
    for _ in range(2):
        run(flow.to_list())
        assert (evaluation.now.labels, evaluation.now["mae"]) == (1, 2.0)


def test_labels_may_come_beside_and_batches_stay_batches() -> None:
    """Batches that are asked for one at a time, and labels that are there before the last of them."""
    evaluation = Evaluation(Metrics("mae"))
    batches = [Batch({"id": [at, at + 1], "value": [1.0, 1.0]}) for at in (0, 2, 4)]
    labels: Any = rxml.from_iterable([(0, 2.0), {"id": 1, "value": 4.0}, Label(3, 1.0)])
    source: Any = rxml.from_async_iterable(lambda: one_by_one(batches)).pipe(ops.unbatch())
    late = labels.pipe(ops.delay(2.0))
    last = ops.concat(
        rxml.of(Batch({"id": [9], "value": [0.0]})).pipe(ops.delay(5.0), ops.unbatch())
    )
    out = run(source.pipe(last, ops.evaluate(evaluation, labels=late)).to_list())
    assert [each["id"] for each in out] == [0, 1, 2, 3, 4, 5, 9]
    assert evaluation.now.labels == 3
    assert evaluation.now["mae"] == pytest.approx(4.0 / 3)
