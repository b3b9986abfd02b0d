"""detect_drift: what has changed is said beside elements, and told."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import DistributionError
from rxml.evaluation.drift import ADWIN, DDM, PageHinkley, RiverDetector
from rxml.learning import Drift, Drifts, Label
from rxml.testing.virtual_time import run
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from rxml.evaluation.drift import DriftDetector
    from rxml.flow.operator import Operator


def series(*means: float, rows: int = 300, seed: int = 0, **more: Any) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {"id": nth * rows + at, "value": mean + 0.1 * rng.normal(), **more}
        for nth, mean in enumerate(means)
        for at in range(rows)
    ]


def flagged(rows: list[Any]) -> list[int]:
    return [at for at, row in enumerate(rows) if row["drift"]]


@pytest.mark.parametrize("detector", [ADWIN(), PageHinkley(threshold=5.0)])
def test_a_change_of_the_mean_is_seen_soon_and_nothing_else(detector: DriftDetector) -> None:
    drifts = Drifts()
    out = results(series(0.0, 1.0), ops.detect_drift(detector, drifts=drifts))
    first = flagged(out)[0]
    assert 300 <= first <= 340
    assert drifts.recent[0] == Drift(None, first + 1, out[first]["value"])
    assert drifts.count == len(flagged(out))
    facts = run(drifts.facts.pipe(ops.take(1)).to_list())
    assert facts == [drifts.recent[0]]


def test_what_the_detector_says_is_what_it_says_by_itself() -> None:
    rows = series(0.0, 1.0, 0.2)
    alone = ADWIN().update_many([row["value"] for row in rows])
    assert flagged(results(rows, ops.detect_drift(ADWIN()))) == np.flatnonzero(alone).tolist()
    batch = Batch.from_rows(rows)
    parts = [batch[at : at + 37] for at in range(0, len(batch), 37)]
    assert flagged(results(parts, ops.unbatch(), ops.detect_drift(ADWIN()))) == flagged(
        results(rows, ops.detect_drift(ADWIN()))
    )


def test_each_key_is_watched_by_itself() -> None:
    drifts = Drifts()
    calm, moved = series(0.0, 0.0, k="calm"), series(0.0, 1.0, seed=1, k="moved")
    mixed = [row for pair in zip(calm, moved, strict=True) for row in pair]
    out = results(mixed, ops.detect_drift(ADWIN(), by="k", drifts=drifts))
    assert {row["k"] for row in out if row["drift"]} == {"moved"}
    assert {drift.key for drift in drifts.recent} == {"moved"}


def test_a_key_that_is_given_up_is_watched_anew() -> None:
    few: Operator[Any, Any] = ops.key_by("k", max_keys=1)
    sensitive = PageHinkley(min_instances=2, threshold=0.5)
    rows = [{"value": 0.0, "k": "a"}] * 3 + [{"value": 9.0, "k": "b"}] + [{"value": 9.0, "k": "a"}]
    assert flagged(results(rows, few, ops.detect_drift(sensitive))) == []
    assert flagged(results(rows, ops.detect_drift(sensitive, by="k"))) == [4]


def test_errors_are_watched_as_labels_come() -> None:
    """A model that is right for 200 labels and then wrong: the element behind the label that shows it says so."""
    drifts = Drifts()
    pairs: list[Any] = []
    for at in range(300):
        pairs += [{"id": at, "value": True}, Label(at, at < 200)]
    wrong = ops.detect_drift(DDM(), loss=lambda p, y: p != y, drifts=drifts)
    out = results(pairs, wrong)
    assert len(out) == 300
    told = drifts.recent[0].number
    assert 200 < told <= 240
    assert flagged(out)[0] == told
    alone = DDM().update_many(np.arange(300) >= 200)
    assert drifts.recent[0].number == np.flatnonzero(alone)[0] + 1


def test_labels_pass_if_nobody_asks_for_them_and_missing_numbers_do_not_count() -> None:
    label = Label(1, 2)
    elements = [{"value": 1.0}, label, {"value": None}, {"value": nan}, {"value": 2.0}]
    out = results(elements, ops.detect_drift(ADWIN(), into="moved"))
    assert out[1] == label
    assert [row["moved"] for row in out if row != label] == [False] * 4


def test_what_is_no_number_is_left_out_alone() -> None:
    rows: list[Any] = [
        *series(0.0),
        {"id": -1, "value": inf},
        {"id": -2, "value": "x"},
        *series(1.0),
    ]
    with pytest.raises(DistributionError, match="finite"):
        results(rows[:301], ops.detect_drift(ADWIN()))
    out = results(rows, ops.detect_drift(ADWIN()), ops.supervise("resume"))
    assert len(out) == 600
    assert flagged(out) == flagged(results(series(0.0) + series(1.0), ops.detect_drift(ADWIN())))


def test_a_detector_of_river_does_as_well() -> None:
    pytest.importorskip("river")
    out = results(series(0.0, 1.0), ops.detect_drift(RiverDetector("ADWIN")))
    assert flagged(out) == flagged(results(series(0.0, 1.0), ops.detect_drift(ADWIN())))


def test_labels_without_a_loss_are_refused() -> None:
    with pytest.raises(ValueError, match="without a loss"):
        ops.detect_drift(ADWIN(), labels=rxml.of((1, 2)))
