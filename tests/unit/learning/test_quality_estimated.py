"""estimate_quality: accuracy that is estimated at first and measured as labels come, by key, in bounded windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import CheckpointError, DistributionError, PipelineError, SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning import EstimatedQuality, Label, QualityReport
from rxml.testing.virtual_time import run
from rxml.uncertain import Bernoulli, Beta, Categorical
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

NAMES = ["red", "green", "blue"]


def watched(**how: Any) -> EstimatedQuality:
    settings: dict[str, Any] = {"every": 1, **how}
    return EstimatedQuality(**settings)


def estimated(quality: EstimatedQuality, **how: Any) -> Operator[Any, Any]:
    settings: dict[str, Any] = {"prediction": "p", **how}
    return ops.estimate_quality(quality, **settings)


def after(
    elements: list[Any], quality: EstimatedQuality | None = None, **how: Any
) -> QualityReport:
    watches = watched() if quality is None else quality
    results(elements, estimated(watches, **how))
    assert watches.now is not None
    return watches.now


def said(name: Any, p: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "p": p, **more}


def test_what_is_estimated_gives_way_to_what_is_measured() -> None:
    rows = [said(1, 0.9), said(2, 0.2), said(3, 0.7)]
    before = after(rows)
    assert (before.value, before.measured) == pytest.approx((0.8, 0.0))
    assert np.isnan(before.rectified)
    one = after([*rows, Label(2, 1)])
    assert (one.value, one.measured) == pytest.approx((1.6 / 3, 1 / 3))
    known = after([*rows, Label(2, 1), Label(3, True), Label(1, 1)])
    assert (known.value, known.measured) == pytest.approx((2 / 3, 1.0))
    assert (known.lower, known.upper) == (known.value, known.value)
    assert known.rectified == pytest.approx(2 / 3)
    assert known.counts.labelled == 3


def test_elements_go_through_as_they_are_and_labels_come_to_nothing() -> None:
    rows = [said(1, 0.9), said(2, 0.2)]
    assert results([rows[0], Label(1, 0), rows[1]], estimated(watched())) == rows
    assert results(["ab", "c"], estimated(watched(), prediction=len_share, id=str)) == ["ab", "c"]
    passed = results([rows[0], Label(1, 0)], estimated(watched(), pass_labels=True))
    assert passed == [rows[0], Label(1, 0)]


def len_share(text: str) -> float:
    return 1 / len(text)


@pytest.mark.parametrize(
    ("p", "truths", "sure", "how"),
    [
        (0.8, (1, 0), 0.8, {}),
        (np.bool_(True), (True, False), 1.0, {}),
        (Bernoulli(0.8), (True, False), 0.8, {}),
        (Beta(2.0, 8.0), (0, 1), 0.8, {}),
        (0.8, ("yes", "no"), 0.8, {"classes": ["no", "yes"]}),
        (0.6, (0, 1), 0.4, {"threshold": 0.7}),
        (Categorical([0.2, 0.1, 0.7], NAMES), ("blue", "red"), 0.7, {}),
        (Categorical([0.2, 0.1, 0.7]), (2, 0), 0.7, {}),
        (np.array([0.2, 0.5, 0.3]), ("green", "red"), 0.5, {"classes": NAMES}),
        (np.array([0.2, 0.5, 0.3]), (1, 2), 0.5, {}),
    ],
)
def test_every_kind_of_probability_says_what_is_predicted_and_how_surely(
    p: Any, truths: tuple[Any, Any], sure: float, how: dict[str, Any]
) -> None:
    assert after([said(1, p)], **how).value == pytest.approx(sure)
    values = [after([said(1, p), Label(1, truth)], **how).value for truth in truths]
    assert values == [1.0, 0.0]


def test_the_interval_holds_what_labels_will_show_where_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(40):
        p = rng.random(60)
        right = np.where(p >= 0.5, p, 1 - p) > rng.random(60)
        quality = watched(every=60, level=0.9)
        results([said(at, each) for at, each in enumerate(p.tolist())], estimated(quality))
        assert quality.now is not None
        held += quality.now.lower <= right.mean() <= quality.now.upper
    assert held >= 33  # of 36 on average; a count is discrete, so it is rather more


def test_f1_is_told_where_it_is_asked_for() -> None:
    rows = [said(1, 0.9), said(2, 0.2), said(3, 0.7)]
    assert after(rows).f1 is None
    report = after([*rows, Label(3, "no")], watched(f1=True), classes=["no", "yes"])
    assert report.f1 is not None
    assert report.f1 == pytest.approx(1.8 / (2 + 0.9 + 0.2))
    off = (
        1.959964
        * (0.9 * 0.1 * ((2 - report.f1) / 3.1) ** 2 + 0.2 * 0.8 * (report.f1 / 3.1) ** 2) ** 0.5
    )
    assert (report.f1_lower, report.f1_upper) == pytest.approx((report.f1 - off, report.f1 + off))
    p = [Categorical([0.7, 0.2, 0.1], NAMES), Categorical([0.1, 0.2, 0.7], NAMES)]
    two = after([said(1, p[0]), said(2, p[1]), Label(1, "red"), Label(2, "blue")], watched(f1=True))
    assert (two.f1, two.f1_lower, two.f1_upper) == (1.0, 1.0, 1.0)
    keyed = after([*(dict(row, k=row["id"]) for row in rows)], watched(f1=True), by="k")
    assert keyed.f1 == pytest.approx(1.4 / 1.7)


def test_labels_correct_probabilities_that_are_not_calibrated() -> None:
    rng = np.random.default_rng(8)
    elements: list[Any] = [said(at, 0.9) for at in range(400)]
    elements += [Label(at, bool(rng.random() < 0.6)) for at in rng.permutation(400)[:100].tolist()]
    report = after(elements, watched(every=500))
    assert report.rectified_lower < 0.6 < report.rectified_upper < 0.75
    assert report.measured == 0.25


def test_each_key_has_a_window_of_its_own_and_begins_anew_when_it_was_given_up() -> None:
    quality = watched(window=2)
    rows = [
        said(at, p, k=key)
        for at, (p, key) in enumerate([(0.9, "a"), (0.6, "b"), (0.7, "a"), (0.8, "a")])
    ]
    results([*rows, Label(0, 0), Label(1, 0)], estimated(quality, by="k"))
    values = {key: report.value for key, report in quality.by_key.items()}
    assert values == {
        "a": pytest.approx(0.75),
        "b": 0.0,
    }  # the label of the first came too late for the window
    fresh = watched()
    some = [said(1, 0.9, k="a"), said(2, 0.9, k="b"), said(3, 0.6, k="a"), Label(1, 0)]
    results(some, ops.key_by("k", max_keys=1), estimated(fresh))
    assert fresh.now is not None
    assert fresh.now.key == "a"
    assert (fresh.now.value, fresh.now.measured) == pytest.approx((0.6, 0.0))


def test_reports_come_after_so_many_and_are_remembered_for_readers() -> None:
    quality = watched(every=3, keep=2, keys=1)
    elements: list[Any] = [said(at, 0.75, k=at % 2) for at in range(8)]
    for each in elements:
        results([each], estimated(quality, by="k"))
    assert quality.now is None  # each run begins anew, and none came to three
    results([*elements, Label(0, 1), Label(2, 1)], estimated(quality, by="k"))
    assert list(quality.by_key) == [0]
    assert quality.by_key[0].measured == 0.5
    assert run(quality.reports.pipe(ops.take(1)).to_list())[0].value >= 0.75


def test_a_batch_of_many_keys_tells_of_each() -> None:
    batch = Batch({"id": np.arange(200), "k": np.arange(200), "p": np.linspace(0.5, 1, 200)})
    quality = watched(keep=500, f1=True)
    run(rxml.from_batches([batch]).pipe(estimated(quality, by="k")).to_list())
    reports, p = quality.by_key, batch["p"]
    assert [reports[key].value for key in range(200)] == p.tolist()
    assert [reports[key].f1 for key in range(200)] == pytest.approx(2 * p / (1 + p))


def test_batches_and_rows_come_to_the_same() -> None:
    rng = np.random.default_rng(1)
    batch = Batch({"id": np.arange(30), "k": rng.integers(0, 2, 30), "p": rng.random(30)})
    whole, alone = watched(every=30), watched(every=1)
    found = run(rxml.from_batches([batch]).pipe(estimated(whole)).to_list())
    results(list(batch), estimated(alone))
    assert found == list(batch)
    assert repr(whole.now) == repr(alone.now)  # of which what is rectified is NaN


def test_what_is_saved_goes_on_as_if_nothing_had_happened() -> None:
    elements = [
        each
        for at in range(8)
        for each in (
            said(at, Categorical([0.1 * at, 1 - 0.1 * at], ["x", "y"])),
            Label(at - 2, "x"),
        )
    ]

    async def known(store: MemoryStore) -> Any:
        quality = watched(window=6, f1=True)
        flow = rxml.from_iterable(elements).pipe(estimated(quality))
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            return quality.now, quality.by_key

    once = run(known(MemoryStore()))
    assert run(known(MemoryStore(*range(1, 12)))) == once
    assert once[0].counts.labelled == 6


def test_a_state_of_other_settings_is_refused() -> None:
    saved = Checkpoint(MemoryStore(1), every=None, elements=1)
    rows = rxml.from_iterable([said(1, 0.5), said(2, 0.5)])
    with pytest.raises(Died):
        run(rows.pipe(estimated(watched())).run(checkpoint=saved))
    for other in ({"window": 5}, {"f1": True}):
        with pytest.raises(CheckpointError, match=r"threshold 0\.5, window 1000"):
            run(rows.pipe(estimated(watched(**other))).run(checkpoint=saved))


@pytest.mark.parametrize(
    ("elements", "how", "error", "words"),
    [
        ([said(1, 1.5)], {}, DistributionError, "row 0 says"),
        ([said(1, float("nan"))], {}, DistributionError, "row 0 says"),
        ([said(1, "x")], {}, SchemaError, "no column of numbers"),
        ([said(1, Categorical([0.5, 0.5]))], {"classes": NAMES}, SchemaError, "2 classes"),
        ([said(1, 0.5), Label(1, 2)], {}, SchemaError, "one of 2 classes"),
        ([{"p": 0.5}], {}, SchemaError, "no 'id'"),
    ],
)
def test_what_is_wrong_with_elements_is_told(
    elements: list[Any], how: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        results(elements, estimated(watched(), **how))


def test_classes_stay_the_same_in_a_run() -> None:
    rows = [said(1, Categorical([0.5, 0.5], ["x", "y"])), said(2, Categorical([0.5, 0.5]))]
    with pytest.raises(SchemaError, match="probabilities of 2 classes, not of"):
        results(rows, ops.map(dict), estimated(watched()))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: watched(level=1.0), "level"),
        (lambda: watched(window=0), "window"),
        (lambda: watched(every=0), "every"),
        (lambda: watched(keys=0), "keys"),
        (lambda: estimated(watched(), threshold=2.0), "threshold"),
        (lambda: estimated(watched(), capacity=0), "capacity"),
    ],
)
def test_what_is_wrong_with_settings_is_told_at_once(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_expiry_wants_event_time() -> None:
    with pytest.raises(PipelineError, match="with_event_time"):
        results([said(1, 0.5)], estimated(watched(), expire=1))
