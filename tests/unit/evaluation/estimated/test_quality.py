"""Labels that come late, out of order, twice or never: against a list of rows; and what is told of the quality then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import DistributionError
from rxml.evaluation.estimated import EstimatedF1, Quality
from rxml.evaluation.metrics import F1
from tests.unit.evaluation.metrics.streams import bits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WINDOW = 5
SLOTS = 2

Predicted = st.tuples(st.just("predicted"), st.integers(0, SLOTS - 1), st.floats(0.5, 1))
Labelled = st.tuples(
    st.just("labelled"), st.integers(0, SLOTS - 1), st.integers(0, 9), st.booleans()
)


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def quality(classes: int | None = None) -> Quality:
    made = Quality(WINDOW, classes=classes)
    made.grow(SLOTS)
    return made


@given(st.lists(Predicted | Labelled, max_size=30))
def test_it_is_that_of_a_list_of_rows(steps: list[tuple[Any, ...]]) -> None:
    made = quality()
    rows: list[list[list[Any]]] = [[] for _ in range(SLOTS)]
    late = [0] * SLOTS
    for kind, slot, *rest in steps:
        at = np.array([slot])
        if kind == "predicted":
            assert made.predicted(rest, at).tolist() == [len(rows[slot])]
            rows[slot].append([rest[0], None])
        elif rest[0] < len(rows[slot]):
            made.labelled([rest[0]], [rest[1]], at)
            rows[slot][rest[0]][1] = rest[1]
            late[slot] += rest[0] < len(rows[slot]) - WINDOW
    assert made.late.tolist() == late
    for slot, known in enumerate(rows):
        last = known[-WINDOW:]
        one = np.array([slot])
        if not last:
            assert np.isnan(made.value(one)).all()
            continue
        each = [sure if label is None else float(label) for sure, label in last]
        labels = [label for _, label in last if label is not None]
        assert made.value(one)[0] == pytest.approx(np.mean(each))
        assert made.measured(one)[0] == pytest.approx(len(labels) / len(last))
        low, high = made.interval(0.9, one)
        assert 0 <= low[0] <= high[0] <= 1
        if len(labels) == len(last):
            assert low[0] == high[0] == pytest.approx(np.mean(labels))


@settings(max_examples=20)
@given(st.lists(st.integers(0, 20), max_size=3), st.integers(0, 99), st.sampled_from([None, 2]))
def test_cut_anyhow_rows_give_the_same_bits(
    cuts: list[int], seed: int, classes: int | None
) -> None:
    rng = np.random.default_rng(seed)
    p, slots, right = rng.uniform(size=20), rng.integers(0, SLOTS, 20), rng.uniform(size=20) < 0.7
    truths = np.where(right, p >= 0.5, p < 0.5)
    whole, parts = quality(classes), quality(classes)
    tickets = whole.predicted(p, slots)
    found = [
        parts.predicted(p[rows], slots[rows]) for rows in np.split(np.arange(20), sorted(cuts))
    ]
    assert np.concatenate(found).tolist() == tickets.tolist()
    order = rng.permutation(20)
    whole.labelled(tickets[order], right[order], slots[order], truths=truths[order])
    for rows in np.split(order, sorted(cuts)):
        parts.labelled(tickets[rows], right[rows], slots[rows], truths=truths[rows])
        restored = quality(classes)
        restored.restore(wire.loads(wire.dumps(parts.snapshot())))
        parts = restored
    assert bits(whole.snapshot()) == bits(parts.snapshot())


def test_it_turns_from_estimated_to_measured() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(2, 1, 200)
    made = Quality(200)
    tickets = made.predicted(p)
    right = rng.uniform(size=200) < np.maximum(p, 1 - p)
    widths: list[float] = []
    for part in np.split(np.arange(200), 4):
        low, high = made.interval(0.95)
        assert low[0] <= right.mean() <= high[0]
        widths.append(high[0] - low[0])
        made.labelled(tickets[part], right[part])
    assert widths == sorted(widths, reverse=True)
    assert made.measured().tolist() == [1.0]
    assert made.value()[0] == pytest.approx(right.mean())
    assert [bound[0] for bound in made.interval()] == pytest.approx([right.mean()] * 2)


def test_rectified_is_right_where_confidences_are_not() -> None:
    rng = np.random.default_rng(1)
    made = Quality(400)
    made.grow(200)
    slots = np.repeat(np.arange(200), 400)
    # they say 0.7 to 1, and are right in 0.6 of all
    tickets = made.predicted(rng.uniform(0.7, 1.0, 80_000), slots)
    some = np.flatnonzero(rng.uniform(size=80_000) < 0.2)
    made.labelled(tickets[some], rng.uniform(size=len(some)) < 0.6, slots[some])
    value, low, high = made.rectified(0.9)
    assert value.mean() == pytest.approx(0.6, abs=0.01)
    assert 0.84 < ((low <= 0.6) & (high >= 0.6)).mean() < 0.96
    assert made.value().mean() > 0.75


def test_rectified_of_all_labels_is_their_mean() -> None:
    rng = np.random.default_rng(2)
    made = Quality(50)
    right = rng.uniform(size=50) < 0.8
    made.labelled(made.predicted(rng.uniform(0.5, 1, 50)), right)
    more = np.append(right, [True, False])
    away = 1.6448536269514722 * more.std(ddof=1) / np.sqrt(52)
    found = np.array(made.rectified(0.9))[:, 0]
    assert found == pytest.approx([right.mean(), more.mean() - away, more.mean() + away])


def test_rectified_of_some_labels_by_its_formula() -> None:
    rng = np.random.default_rng(3)
    sure, right = rng.uniform(0.5, 1, 60), rng.uniform(size=20) < 0.5
    made = Quality(60)
    made.labelled(made.predicted(sure)[:20], right)
    value = sure.mean() + (right - sure[:20]).mean()
    middle = np.append(sure[:20], [sure[:20].mean()] * 2)
    off = np.append(right, [1, 0]) - middle
    var = (middle / 3 + off).var(ddof=1) / 22 + sure.var(ddof=1) * 40 / 60**2
    away = 1.6448536269514722 * np.sqrt(var)
    found = np.array(made.rectified(0.9))[:, 0]
    bounds = sure.mean() + off.mean() - away, sure.mean() + off.mean() + away
    assert found == pytest.approx([value, *bounds])


@pytest.mark.parametrize("accuracy", [0.6, 0.9, 0.99])
@pytest.mark.parametrize("labels", [2, 5, 20, 60])
def test_rectified_holds_with_few_labels_too(accuracy: float, labels: int) -> None:
    rng = np.random.default_rng(labels)
    made, keys, rows = Quality(100), 400, 100
    made.grow(keys)
    slots = np.repeat(np.arange(keys), rows)
    sure = np.clip(rng.beta(20 * accuracy, 20 * (1 - accuracy), keys * rows), 0.5, 1.0)
    tickets = made.predicted(sure, slots)
    some = tickets < labels
    right = rng.uniform(size=np.count_nonzero(some)) < accuracy
    made.labelled(tickets[some], right, slots[some])
    value, low, high = made.rectified(0.9)
    assert ((low <= value) & (value <= high)).all()
    assert ((low <= accuracy) & (accuracy <= high)).mean() > 0.9 - 3 * 0.015


@pytest.mark.parametrize("classes", [2, 3])
def test_f1_is_of_expected_truths_and_of_those_that_came(classes: int) -> None:
    rng = np.random.default_rng(classes)
    p = rng.dirichlet(np.ones(classes), 30)
    said = p.argmax(axis=1)
    truths = (rng.uniform(size=(30, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    made = Quality(20, classes=classes)
    tickets = made.predicted(p)
    some = rng.permutation(30)[:15]
    made.labelled(tickets[some], (said == truths)[some], truths=truths[some])
    known = p.copy()
    known[some] = np.eye(classes)[truths[some]]
    matrix = known[10:].T @ np.eye(classes)[said[10:]]
    each = 2 * np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1))
    value, low, high = made.f1()
    assert value[0] == pytest.approx(each[1] if classes == 2 else each.mean())
    metric = F1(range(classes), window=20)
    metric.update(truths, said)
    assert low[0] < metric.value()[0] < high[0]
    made.labelled(tickets, said == truths, truths=truths)
    value, low, high = made.f1()
    assert value[0] == low[0] == high[0] == pytest.approx(metric.value()[0])


def test_f1_of_an_event_is_that_of_what_is_predicted_from_the_threshold_on() -> None:
    p = np.array([0.75, 0.65, 0.1])
    made, estimated = Quality(3, threshold=0.7, classes=2), EstimatedF1(0.7)
    assert np.isnan(made.f1()[0]).all()
    made.predicted(p)
    estimated.update(p)
    wanted = np.array([estimated.value(), *estimated.interval(0.9)])
    assert np.array(made.f1(0.9)) == pytest.approx(wanted)


def test_without_labels_nothing_is_rectified() -> None:
    made = Quality(3)
    made.predicted([0.9, 0.8])
    value, low, high = made.rectified()
    assert np.isnan(value).all()
    assert (low[0], high[0]) == (0.0, 1.0)
    empty = Quality(3)
    assert [bound.tolist() for bound in empty.interval()] == [[0.0], [1.0]]


def of_two() -> Quality:
    made = Quality(3, classes=2)
    made.predicted([0.5])
    return made


WRONG: list[tuple[Callable[[Quality], Any], str]] = [
    (lambda made: made.labelled([2], [True]), "to have been given"),
    (lambda made: made.labelled([-1], [True]), "to have been given"),
    (lambda made: made.labelled([0, 1], [True]), "one label each"),
    (lambda made: made.predicted([0.5], np.array([1])), "slots want one of 0..0"),
    (lambda made: made.predicted([0.5], np.array([0, 0])), "slots want one"),
    (lambda made: made.interval(1.0), "level wants"),
    (lambda made: made.restore(Quality(4, threshold=0.5).snapshot()), "fading, window"),
    (lambda made: made.restore(Quality(3, threshold=0.6).snapshot()), "threshold"),
    (lambda made: Quality(0), "window wants"),
    (lambda made: Quality(3, classes=1), "at least 2"),
    (lambda made: made.f1(), "wants classes"),
    (lambda made: made.restore(Quality(3, classes=2).snapshot()), "the snapshot has rows"),
    (lambda made: Quality(3, classes=3).predicted([0.5]), "probability wants 3"),
    (lambda made: of_two().labelled([0], [True]), "truths want one of 0..1"),
    (lambda made: of_two().labelled([0], [True], truths=[2]), "truths want one of 0..1"),
    (lambda made: Quality(3, threshold=2.0), "threshold wants"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_what_cannot_be_done_is_refused(wrong: Callable[[Quality], Any], said: str) -> None:
    made = Quality(3)
    made.predicted([0.9, 0.8])
    with pytest.raises(ValueError, match=said):
        wrong(made)


def test_a_row_without_a_probability_is_refused() -> None:
    with pytest.raises(DistributionError, match="probability is known; got nan in row 1"):
        Quality(3).predicted([0.9, np.nan])
