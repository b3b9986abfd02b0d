"""Estimated precision, recall and F1 of several classes: against all worlds, and worlds that are drawn."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml import wire
from rxml.evaluation.estimated import (
    EstimatedF1,
    EstimatedMacroF1,
    EstimatedMacroPrecision,
    EstimatedMacroRecall,
)
from rxml.evaluation.metrics import F1, Metrics, Precision, Recall
from tests.unit.evaluation.metrics.streams import MODES, bits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from rxml.evaluation.metrics import Metric

KINDS: dict[str, Callable[..., Metric[Any]]] = {"precision": Precision, "recall": Recall, "f1": F1}


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def every(classes: int, mode: dict[str, Any]) -> Metrics:
    return Metrics(
        precision=EstimatedMacroPrecision(classes, **mode),
        recall=EstimatedMacroRecall(classes, **mode),
        f1=EstimatedMacroF1(classes, **mode),
    )


def drawn(n: int, classes: int, seed: int, sure: float = 0.4) -> NDArray[np.float64]:
    return np.random.default_rng(seed).dirichlet(np.full(classes, sure), n)


def measured(name: str, truths: NDArray[np.intp], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The metric of each world (worlds, n) of truths."""
    metric = KINDS[name](range(p.shape[1]), "macro")
    metric.grow(len(truths))
    slots = np.repeat(np.arange(len(truths)), len(p))
    said = np.tile(p.argmax(axis=1), len(truths))
    metric.update(truths.ravel(), said, slots=slots)
    return metric.value()


def worlds(p: NDArray[np.float64], count: int, seed: int) -> NDArray[np.intp]:
    u = np.random.default_rng(seed).uniform(size=(count, len(p), 1))
    return np.asarray((u > np.cumsum(p, axis=1)[:, :-1]).sum(axis=-1), np.intp)


@pytest.mark.parametrize("mode", [{}, {"window": 6}], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_near_the_mean_over_all_worlds_of_six_rows(seed: int, mode: dict[str, Any]) -> None:
    p = drawn(6, 3, seed)
    all_of_them = np.array(list(product(range(3), repeat=6)))
    with np.errstate(under="ignore"):
        chance = p[np.arange(6), all_of_them].prod(axis=1)
    metrics = every(3, mode)
    metrics.update({"probability": p})
    for name, value in metrics.values().items():
        mean = chance @ measured(name, all_of_them, p)
        assert value[0] == pytest.approx(mean, abs=0.5 / 6), name


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_of_many_rows_the_mean_and_the_deviation_are_those_of_drawn_worlds(classes: int) -> None:
    p = drawn(300, classes, classes)
    metrics = every(classes, {})
    metrics.update({"probability": p})
    for name in metrics.names:
        came = measured(name, worlds(p, 400, 1), p)
        value, (low, high) = metrics[name].value()[0], metrics[name].interval(0.6826894921370859)
        assert value == pytest.approx(came.mean(), abs=4 * came.std() / 20 + 1 / 300)
        assert (high[0] - low[0]) / 2 == pytest.approx(came.std(), rel=0.15)


def test_calibrated_rows_come_out_within_the_interval() -> None:
    metrics = every(4, {})
    metrics.grow(300)
    p = drawn(300 * 60, 4, 7).reshape(300, 60, 4)
    metrics.update({"probability": p.reshape(-1, 4)}, np.repeat(np.arange(300), 60))
    for name in metrics.names:
        came = np.array([measured(name, worlds(each, 1, at), each)[0] for at, each in enumerate(p)])
        low, high = metrics[name].interval(0.9)
        assert 0.86 < ((low <= came) & (came <= high)).mean() < 0.95, name


def test_of_two_classes_each_is_the_ratio_of_the_positive_one() -> None:
    p = drawn(40, 2, 3)
    both, one = EstimatedMacroF1(2), EstimatedF1()
    both.update(p)
    one.update(p[:, 1])
    assert both.by_class()[0, 1] == pytest.approx(one.value()[0], rel=1e-12)
    assert [bound[0, 1] for bound in both.by_class_interval()] == pytest.approx(
        [bound[0] for bound in one.interval()], rel=1e-12
    )
    assert both.matrix() == pytest.approx(one.matrix())
    assert both.value()[0] == pytest.approx(both.by_class().mean())


def test_certain_probabilities_are_measured() -> None:
    truths = np.array([0, 2, 1, 1, 2, 0])
    metrics = every(4, {})  # the last never comes
    metrics.update({"probability": np.eye(4)[truths]})
    assert [value.tolist() for value in metrics.values().values()] == [[1.0]] * 3
    assert [bound.tolist() for bound in metrics.intervals()["f1"]] == [[1.0], [1.0]]
    by_class = EstimatedMacroF1(4)
    by_class.update(np.eye(4)[truths])
    assert by_class.by_class()[0, :3].tolist() == [1.0] * 3
    assert np.isnan(by_class.by_class()[0, 3])
    assert [bound[0, 3] for bound in by_class.by_class_interval()] == [0.0, 1.0]


@pytest.mark.parametrize("mass", [1.0, 0.8])
def test_from_rows_it_is_what_it_is_from_sums(mass: float) -> None:
    p = mass * drawn(30, 4, 8)  # with less than 1 a row may be of no class
    sums, rows = EstimatedMacroF1(4), EstimatedMacroF1(4, window=30)
    for each in (sums, rows):
        each.grow(2)
        each.update(p, slots=np.arange(30) % 2)
    for of in (EstimatedMacroF1.interval, EstimatedMacroF1.by_class_interval):
        assert np.array(of(sums, 0.9)) == pytest.approx(np.array(of(rows, 0.9)), rel=1e-9)


def test_a_thousand_classes_in_a_window_fit_into_memory() -> None:
    estimated = EstimatedMacroF1(1000, window=50)
    estimated.update(drawn(50, 1000, 9, sure=0.001))
    low, high = estimated.interval()
    assert 0 < low[0] < estimated.value()[0] < high[0] < 1


@pytest.mark.parametrize("rare", [1e-300, 1e-4, 0.004, 0.015, 0.05])
def test_a_class_that_hardly_comes_counts_as_often_as_it_comes(rare: float) -> None:
    p = np.tile([[0.7, 0.3 - rare, rare], [0.2, 0.8 - rare, rare]], (50, 1))
    estimated = EstimatedMacroF1(3)
    estimated.update(p)
    came = measured("f1", worlds(p, 400, 2), p)
    assert estimated.value()[0] == pytest.approx(came.mean(), abs=4 * came.std() / 20 + 0.005)
    low, high = estimated.interval(0.9)
    open_yet = rare == 0.015  # whether it comes: in four of five worlds it does
    assert ((low <= came) & (came <= high)).mean() > (0.76 if open_yet else 0.84)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_weights_are_those_of_the_memory(mode: dict[str, Any]) -> None:
    p = drawn(40, 3, 5)
    estimated = EstimatedMacroF1(3, **mode)
    estimated.update(p)
    w = mode.get("fading", 1.0) ** np.arange(39, -1, -1.0)
    w[: 40 - mode.get("window", 40)] = 0
    said = np.eye(3)[p.argmax(axis=1)]
    matrix = (w[:, None] * p).T @ said
    assert estimated.matrix()[0] == pytest.approx(matrix)
    f1 = 2 * np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1))
    assert estimated.by_class()[0] == pytest.approx(f1)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_cut_anyhow_rows_give_the_same_bits(mode: dict[str, Any]) -> None:
    p, slots = drawn(40, 3, 6), np.random.default_rng(6).integers(0, 3, 40)
    whole, parts = every(3, mode), every(3, mode)
    for metrics in (whole, parts):
        metrics.grow(3)
    whole.update({"probability": p}, slots)
    for rows in np.split(np.arange(40), [1, 2, 9, 30]):
        parts.update({"probability": p[rows]}, slots[rows])
        parts.restore(wire.loads(wire.dumps(parts.snapshot())))
    assert bits(whole.snapshot()) == bits(parts.snapshot())
    together = whole["f1"].interval()
    for slot in range(3):
        alone = whole["f1"].interval(slots=np.array([slot]))
        assert [bound[slot] for bound in together] == [bound[0] for bound in alone]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_without_rows_nothing_is_known(mode: dict[str, Any]) -> None:
    metrics = every(3, mode)
    metrics.update({"probability": [[np.nan, 0.5, 0.5]]})
    assert metrics["f1"].skipped.tolist() == [1]
    assert all(np.isnan(value).all() for value in metrics.values().values())
    assert all(
        np.array(bounds).tolist() == [[0.0], [1.0]] for bounds in metrics.intervals().values()
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: EstimatedMacroF1(1), "at least 2"),
        (lambda: EstimatedMacroF1(3).update([[0.5, 0.5]]), "probability wants 3"),
        (lambda: EstimatedMacroF1(2).update([0.5]), "probability wants 2"),
        (lambda: EstimatedMacroF1(3).interval(1.0), "level wants"),
        (lambda: EstimatedMacroF1(3).by_class_interval(1.0), "level wants"),
        (lambda: EstimatedMacroF1(3).merge(EstimatedMacroF1(4)), "set alike"),
        (lambda: EstimatedMacroF1(3, window=3, fading=0.5), "fades or has a window"),
    ],
)
def test_what_cannot_be_set_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrong()
