"""Quality without labels: what is estimated is the mean over all worlds, and its interval holds in so many of them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import DistributionError
from rxml.evaluation.estimated import (
    EstimatedAccuracy,
    EstimatedF1,
    EstimatedPrecision,
    EstimatedRecall,
    confidence,
)
from rxml.evaluation.metrics import F1, Metrics, Precision, Recall
from tests.unit.evaluation.metrics.streams import MODES, bits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.evaluation.metrics import Metric

PROBABILITY = st.sampled_from([0.0, 1e-300, 0.2, 0.5, 0.9, 1 - 1e-16, 1.0]) | st.floats(0, 1)


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def every(mode: dict[str, Any]) -> Metrics:
    return Metrics(
        accuracy=EstimatedAccuracy(exact=5, **mode),
        precision=EstimatedPrecision(**mode),
        recall=EstimatedRecall(**mode),
        f1=EstimatedF1(**mode),
    )


@settings(max_examples=30)
@given(st.lists(PROBABILITY, min_size=1, max_size=8), st.sampled_from([{}, {"window": 8}]))
def test_accuracy_is_that_of_all_worlds(rows: list[float], mode: dict[str, Any]) -> None:
    estimated = EstimatedAccuracy(**mode)
    estimated.update(rows)
    sure = confidence(rows)
    pmf = np.zeros(len(rows) + 1)
    with np.errstate(under="ignore"):
        for world in product([0, 1], repeat=len(rows)):
            right = np.array(world, bool)
            pmf[right.sum()] += np.prod(np.where(right, sure, 1 - sure))
        mean = pmf @ np.arange(len(pmf)) / len(rows)
    assert estimated.value()[0] == pytest.approx(mean, abs=1e-12)
    low, high = (round(bound[0] * len(rows)) for bound in estimated.interval(0.8))
    assert pmf[low : high + 1].sum() >= 0.8 - 1e-9
    # and no world at either end could be left out
    assert pmf[: low + 1].sum() > 0.1 - 1e-9
    assert pmf[high:].sum() > 0.1 - 1e-9


def test_beyond_the_exact_rows_moments_are_nearly_as_good() -> None:
    p = np.random.default_rng(0).beta(2, 1, 300)
    exact, nearly = EstimatedAccuracy(exact=300), EstimatedAccuracy()
    for each in (exact, nearly):
        each.update(p)
    assert exact.value() == nearly.value()
    for one, other in zip(exact.interval(0.9), nearly.interval(0.9), strict=True):
        assert one == pytest.approx(other, abs=1.1 / 300)


def test_calibrated_rows_come_out_within_the_interval() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.7, 0.7, (400, 50))
    truth = rng.uniform(size=p.shape) < p
    accuracy = ((p >= 0.5) == truth).mean(axis=1)
    slots = np.repeat(np.arange(400), 50)
    metrics = every({})
    metrics.grow(400)
    metrics.update({"probability": p.ravel()}, slots)
    low, high = metrics["accuracy"].interval(0.9)
    assert 0.88 < ((low <= accuracy) & (accuracy <= high)).mean() <= 0.97
    for name, kind in (("precision", Precision), ("recall", Recall), ("f1", F1)):
        measured: Metric[Any] = kind()
        measured.grow(400)
        measured.update(truth.ravel(), p.ravel() >= 0.5, slots=slots)
        low, high = metrics[name].interval(0.9)
        came = measured.value()
        assert 0.85 < ((low <= came) & (came <= high)).mean() < 0.95, name
        assert metrics[name].value().mean() == pytest.approx(came.mean(), abs=0.01)


def test_certain_probabilities_are_measured() -> None:
    truth = np.array([True, False, True, True])
    metrics = every({})
    metrics.update({"probability": truth.astype(float)})
    assert [value.tolist() for value in metrics.values().values()] == [[1.0]] * 4
    assert [bound.tolist() for bound in metrics.intervals()["f1"]] == [[1.0], [1.0]]


def test_the_expected_matrix_by_hand() -> None:
    estimated = EstimatedF1(threshold=0.7)
    estimated.update([0.9, 0.6, 0.1])
    assert estimated.matrix()[0] == pytest.approx(np.array([[1.3, 0.1], [0.7, 0.9]]))
    assert estimated.value()[0] == pytest.approx(1.8 / (1.8 + 0.1 + 0.7))


def test_of_many_classes_the_likeliest_is_predicted() -> None:
    estimated = EstimatedAccuracy()
    estimated.update([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [np.nan, 0.5, 0.5]])
    assert estimated.value()[0] == pytest.approx(0.65)
    assert estimated.skipped.tolist() == [1]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_moments_are_those_of_weighted_trials(mode: dict[str, Any]) -> None:
    p = np.random.default_rng(4).beta(8, 1, 40)
    estimated = EstimatedAccuracy(**mode)
    estimated.update(p)
    w = mode.get("fading", 1.0) ** np.arange(39, -1, -1.0)
    w[: 40 - mode.get("window", 40)] = 0
    sure = confidence(p)
    var = (w**2 * sure * (1 - sure)).sum()
    third = (w**3 * sure * (1 - sure) * (1 - 2 * sure)).sum()
    hits = estimated.kept.read(np.array([0]))
    assert hits.spread[0] == pytest.approx(np.sqrt(var))
    assert hits.skew[0] == pytest.approx(third / var**1.5)
    assert hits.mean[0] == pytest.approx((w * sure).sum())


def test_fading_is_the_formula_of_gama() -> None:
    p = np.random.default_rng(2).uniform(size=40)
    estimated = EstimatedAccuracy(fading=0.9)
    estimated.update(p)
    w = 0.9 ** np.arange(39, -1, -1.0)
    assert estimated.value()[0] == pytest.approx(np.average(confidence(p), weights=w))


@pytest.mark.parametrize("mode", MODES, ids=str)
@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 40), max_size=4), seed=st.integers(0, 99))
def test_cut_anyhow_rows_give_the_same_bits(
    mode: dict[str, Any], cuts: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    p, slots = rng.uniform(size=40), rng.integers(0, 3, 40)
    whole, parts = every(mode), every(mode)
    for metrics in (whole, parts):
        metrics.grow(3)
    whole.update({"probability": p}, slots)
    for rows in np.split(np.arange(40), sorted(cuts)):
        parts.update({"probability": p[rows]}, slots[rows])
        parts.restore(wire.loads(wire.dumps(parts.snapshot())))
    assert bits(whole.snapshot()) == bits(parts.snapshot())
    assert all(np.isfinite(bounds).all() for bounds in whole.intervals().values())


@pytest.mark.parametrize("sizes", [(2, 2), (2, 9), (9, 2), (4, 1)])
def test_halves_merge_to_the_whole(sizes: tuple[int, int]) -> None:
    p = np.random.default_rng(3).uniform(size=sum(sizes))
    left, right, whole = every({}), every({}), every({})
    left.update({"probability": p[: sizes[0]]})
    right.update({"probability": p[sizes[0] :]})
    whole.update({"probability": p})
    left.merge(right)
    for name in whole.names:
        assert left[name].value() == pytest.approx(whole[name].value(), rel=1e-12)
        assert np.array(left[name].interval()) == pytest.approx(np.array(whole[name].interval()))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_without_rows_nothing_is_known(mode: dict[str, Any]) -> None:
    metrics = every(mode)
    assert all(np.isnan(value).all() for value in metrics.values().values())
    assert all(
        np.array(bounds).tolist() == [[0.0], [1.0]] for bounds in metrics.intervals().values()
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: EstimatedAccuracy(1.5), "threshold wants"),
        (lambda: EstimatedAccuracy(exact=0), "exact wants"),
        (lambda: EstimatedF1(-0.1), "threshold wants"),
        (lambda: EstimatedF1().update([[0.5, 0.5]]), "that of the positive class"),
        (lambda: EstimatedF1().interval(1.0), "level wants"),
        (lambda: EstimatedAccuracy().interval(0.0), "level wants"),
        (lambda: EstimatedF1(0.5).merge(EstimatedF1(0.6)), "set alike"),
    ],
)
def test_what_cannot_be_set_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrong()


def test_what_is_no_probability_is_refused_with_its_row() -> None:
    with pytest.raises(DistributionError, match="in row 1"):
        EstimatedAccuracy().update([0.5, 1.5])
