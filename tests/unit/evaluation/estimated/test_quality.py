"""Labels that come late, out of order, twice or never: against a list of rows; and what is told of the quality then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import DistributionError
from rxml.evaluation.estimated import Quality
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


def quality() -> Quality:
    made = Quality(WINDOW)
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
@given(st.lists(st.integers(0, 20), max_size=3), st.integers(0, 99))
def test_cut_anyhow_rows_give_the_same_bits(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, slots, right = rng.uniform(size=20), rng.integers(0, SLOTS, 20), rng.uniform(size=20) < 0.7
    whole, parts = quality(), quality()
    tickets = whole.predicted(p, slots)
    found = [
        parts.predicted(p[rows], slots[rows]) for rows in np.split(np.arange(20), sorted(cuts))
    ]
    assert np.concatenate(found).tolist() == tickets.tolist()
    order = rng.permutation(20)
    whole.labelled(tickets[order], right[order], slots[order])
    for rows in np.split(order, sorted(cuts)):
        parts.labelled(tickets[rows], right[rows], slots[rows])
        restored = quality()
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
    away = 1.6448536269514722 * right.std(ddof=1) / np.sqrt(50)
    found = np.array(made.rectified(0.9))[:, 0]
    assert found == pytest.approx([right.mean(), right.mean() - away, min(right.mean() + away, 1)])


def test_rectified_of_some_labels_by_its_formula() -> None:
    rng = np.random.default_rng(3)
    sure, right = rng.uniform(0.5, 1, 60), rng.uniform(size=20) < 0.5
    made = Quality(60)
    made.labelled(made.predicted(sure)[:20], right)
    value = sure.mean() + (right - sure[:20]).mean()
    told = sure[:20] / 3 + (right - sure[:20])
    var = told.var(ddof=1) / 20 + sure.var(ddof=1) * 40 / 60**2
    away = 1.6448536269514722 * np.sqrt(var)
    found = np.array(made.rectified(0.9))[:, 0]
    assert found == pytest.approx([value, value - away, value + away])


def test_without_labels_nothing_is_rectified() -> None:
    made = Quality(3)
    made.predicted([0.9, 0.8])
    value, low, high = made.rectified()
    assert np.isnan(value).all()
    assert (low[0], high[0]) == (0.0, 1.0)
    empty = Quality(3)
    assert [bound.tolist() for bound in empty.interval()] == [[0.0], [1.0]]


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
