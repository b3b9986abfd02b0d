"""What metrics tell, against scikit-learn, plain formulas and published ones."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.errors import DistributionError
from rxml.evaluation import scores
from rxml.evaluation.metrics import (
    ECE,
    F1,
    PIT,
    Accuracy,
    FromConfusion,
    Mean,
    Metrics,
    Precision,
    Recall,
    Reliability,
    RootMean,
    SpiegelhalterZ,
)
from rxml.evaluation.metrics.bins import cell_of
from rxml.evaluation.metrics.bounds import student_quantile
from rxml.evaluation.metrics.cells import faded
from tests.unit.evaluation.metrics.streams import LABELS, fed, labelled, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

sk: Any = import_module("sklearn.metrics")
stats: Any = import_module("scipy.stats")

RATIOS: tuple[Callable[..., FromConfusion], ...] = (Precision, Recall, F1)


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def test_fading_is_the_formula_of_gama() -> None:
    x = np.random.default_rng(0).exponential(size=50)
    mean = Mean(np.asarray, ["x"], name="x", fading=0.9)
    total = weight = 0.0
    for value in x:
        mean.update([value])
        total, weight = value + 0.9 * total, 1 + 0.9 * weight
        assert mean.value()[0] == pytest.approx(total / weight, rel=1e-13)


def test_fading_weights_have_their_variance_and_so_many_rows() -> None:
    x = np.random.default_rng(1).normal(size=80)
    mean = Mean(np.asarray, ["x"], name="x", fading=0.95)
    mean.update(x)
    w = 0.95 ** np.arange(79, -1, -1.0)
    found = mean.moments()
    centre = np.average(x, weights=w)
    assert found.weight[0] == pytest.approx(w.sum())
    assert found.rows[0] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    spread = (w * (x - centre) ** 2).sum() / (w.sum() - (w**2).sum() / w.sum())
    assert found.var[0] == pytest.approx(spread)


def test_cells_fade_as_means_do() -> None:
    columns = labelled(90)
    there = columns["prediction"] != None  # noqa: E711 - of each
    hits = (columns["truth"] == columns["prediction"])[there].astype(float)
    mean = Mean(np.asarray, ["x"], name="x", fading=0.97)
    mean.update(hits)
    accuracy = fed(Accuracy(fading=0.97), columns)
    assert accuracy.value() == pytest.approx(mean.value(), rel=1e-12)


def test_powers_of_the_factor_are_the_same_singly() -> None:
    gap = np.array([0, 1, 2, 7, 63, 1000, 10**6, 10**12])
    left = faded(0.97, gap)
    assert left == pytest.approx([0.97 ** float(each) for each in gap], rel=1e-12)
    assert left.tolist() == [faded(0.97, gap[[nth]])[0] for nth in range(len(gap))]
    assert gap[-1] == 10**12


def test_cells_are_fine_at_both_ends() -> None:
    p = np.array([0.0, 1e-300, 2.9e-5, 3.1e-5, 0.5, 1 - 3.1e-5, 1 - 2.9e-5, 1.0])
    assert cell_of(p, 256).tolist() == [0, 0, 0, 1, 128, 254, 255, 255]


def test_a_matrix_that_fades_has_the_weights_of_its_rows() -> None:
    metric = F1(fading=0.9)
    metric.update([True, True, False], [True, False, False])
    metric.update([True], [True])
    assert metric.matrix()[0] == pytest.approx(np.array([[0.9, 0.0], [0.81, 1 + 0.729]]))


def test_of_few_rows_there_are_few_bins() -> None:
    ece = ECE()
    ece.update(np.arange(9) > 4, np.linspace(0.05, 0.95, 9))
    assert np.count_nonzero(ece.reliability().share) == 2


def test_a_window_forgets_all_but_the_last_rows() -> None:
    x = np.r_[1e18, np.random.default_rng(2).normal(size=30)]
    mean = Mean(np.asarray, ["x"], name="x", window=10)
    mean.update(x)
    assert mean.value()[0] == pytest.approx(x[-10:].mean(), rel=1e-14)
    assert mean.moments().var[0] == pytest.approx(x[-10:].var(ddof=1), rel=1e-13)


def test_student_has_the_interval_of_scipy() -> None:
    columns = numbers(12)
    metrics = Metrics("mae", "rmse")
    metrics.update(columns)
    there = ~np.isnan(columns["prediction"])
    errors = np.abs(columns["truth"] - columns["prediction"])[there]
    assert metrics["mae"].skipped[0] == (~there).sum()
    for name, x in (("mae", errors), ("rmse", errors**2)):
        low, high = stats.ttest_1samp(x, 0).confidence_interval(0.9)
        found = metrics.intervals(0.9)[name]
        wanted = (low, high) if name == "mae" else (np.sqrt(max(low, 0)), np.sqrt(high))
        assert np.array(found)[:, 0] == pytest.approx(wanted, rel=1e-9)
    assert metrics.values()["rmse"][0] == pytest.approx(np.sqrt((errors**2).mean()))


@pytest.mark.parametrize("tail", [0.6, 0.975, 0.9999, 1 - 1e-7])
def test_the_expansion_of_many_degrees_of_freedom_has_six_digits(tail: float) -> None:
    free = np.array([0.5, 3.0, 29.9, 30.0, 3.0, 1e3, 1e8])
    assert student_quantile(free, tail) == pytest.approx(stats.t.ppf(tail, free), rel=1.1e-6)


def test_one_row_tells_no_spread() -> None:
    metrics = Metrics("mae", "accuracy")
    metrics.update({"truth": [1.0], "prediction": [3.0]})
    assert metrics.values()["mae"].tolist() == [2.0]
    assert np.array(metrics.intervals()["mae"]).tolist() == [[0.0], [np.inf]]


def test_an_infinite_score_stays_unless_a_window_forgets_it() -> None:
    lower, upper = [-np.inf, 0.0, 0.0], [np.inf, 1.0, 3.0]
    whole, last = Metrics("width"), Metrics("width", window=2)
    for metrics in (whole, last):
        metrics.update({"lower": lower, "upper": upper})
    assert whole.values()["width"].tolist() == [np.inf]
    assert np.array(whole.intervals()["width"]).tolist() == [[np.inf], [np.inf]]
    assert last.values()["width"].tolist() == [2.0]


def test_wilson_has_the_interval_of_scipy() -> None:
    columns = labelled(40)
    accuracy = fed(Accuracy(), columns)
    there = columns["prediction"] != None  # noqa: E711 - of each
    hits = int((columns["truth"] == columns["prediction"])[there].sum())
    wanted = stats.binomtest(hits, int(there.sum())).proportion_ci(0.9, method="wilson")
    assert np.array(accuracy.interval(0.9))[:, 0] == pytest.approx([wanted.low, wanted.high])


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_ratios_of_many_classes_are_those_of_scikit_learn(average: str) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 60)
    prediction = np.where(rng.uniform(size=60) < 0.5, truth, rng.integers(0, 3, 60))
    # a class that is never predicted, and one that never comes
    labels = [0, 1, 2, 3, 4]
    wanted = sk.precision_recall_fscore_support(
        truth, prediction, average=average, zero_division=0.0
    )
    for kind, value in zip(RATIOS, wanted, strict=False):
        metric = kind(labels, average)
        metric.update(truth, prediction)
        assert metric.value()[0] == pytest.approx(value)
        low, high = metric.interval(0.9)
        assert 0 <= low[0] < value < high[0] <= 1
        counts = sk.confusion_matrix(truth, prediction, labels=labels)
        assert metric.matrix()[0].tolist() == counts.tolist()


def test_ratios_of_two_classes_are_those_of_scikit_learn() -> None:
    columns = labelled(70)
    there = columns["prediction"] != None  # noqa: E711 - of each
    truth, prediction = (columns[name][there].tolist() for name in ("truth", "prediction"))
    wanted = sk.precision_recall_fscore_support(
        truth, prediction, average="binary", pos_label="yes"
    )
    for kind, value in zip(RATIOS, wanted, strict=False):
        assert fed(kind(LABELS), columns).value()[0] == pytest.approx(value)


def test_ratios_of_nothing_are_not_known() -> None:
    metrics = Metrics("precision", "recall", "f1", "macro_f1")
    metrics.update({"truth": [False, False], "prediction": [False, False]})
    values = metrics.values()
    assert all(np.isnan(values[name]).all() for name in ("precision", "recall", "f1"))
    assert values["macro_f1"].tolist() == [1.0]
    low, high = metrics.intervals(0.9)["macro_f1"]
    assert low[0] < 0.8
    assert high[0] == 1.0


def test_labels_that_were_not_declared_are_refused_with_their_row() -> None:
    with pytest.raises(
        DistributionError, match=r"truth is one of \['no', 'yes'\]; got maybe in row 1"
    ):
        F1(LABELS).update(["yes", "maybe"], ["yes", "no"])


def test_probabilities_of_all_classes_are_judged_too() -> None:
    rng = np.random.default_rng(4)
    prob, truth = rng.dirichlet(np.ones(3), 40), rng.integers(0, 3, 40)
    prob[7, 1] = np.nan
    metrics = Metrics("log_loss", "brier", "ece", labels=(0, 1, 2))
    metrics.update({"truth": truth, "probability": prob})
    there = np.arange(40) != 7
    losses = scores.log_loss_categorical(truth[there], prob[there])
    assert metrics.values()["log_loss"][0] == pytest.approx(losses.mean())
    squares = scores.brier_categorical(truth[there], prob[there])
    assert metrics.values()["brier"][0] == pytest.approx(squares.mean())
    assert metrics["ece"].skipped.tolist() == [1]


def test_ece_of_bins_of_equal_mass_by_hand() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    truth = np.array([0, 0, 0, 1, 0, 1, 1, 1], bool)
    ece = ECE(bins=2)
    ece.update(truth, p)
    assert ece.value()[0] == pytest.approx((abs(0.25 - 0.25) + abs(0.75 - 0.75)) / 2, abs=1e-12)
    bold = ECE(bins=2)
    bold.update(truth, np.where(p < 0.5, p / 2, p / 2 + 0.5))
    assert bold.value()[0] == pytest.approx((0.125 + 0.125) / 2)
    assert bold.reliability().share.tolist() == [[0.5, 0.5]]


def test_debiased_ece_of_right_probabilities_is_nearer_to_nothing() -> None:
    rng = np.random.default_rng(5)
    p = rng.uniform(size=600)
    ece = ECE()
    ece.update(rng.uniform(size=600) < p, p)
    assert 0 <= ece.debiased()[0] < 0.5 * ece.value()[0]
    assert ece.interval()[0].tolist() == [0.0]


def test_parts_of_the_brier_score_add_up() -> None:
    rng = np.random.default_rng(6)
    p = rng.choice([0.1, 0.3, 0.5, 0.8], 400)
    truth = rng.uniform(size=400) < np.clip(p + 0.1, 0, 1)
    metrics = Metrics("brier", "reliability", "resolution", "uncertainty")
    metrics.update({"truth": truth, "probability": p})
    reliability = metrics["reliability"]
    assert isinstance(reliability, Reliability)
    parts = metrics.values()
    # what was taken off as chance, and put on, cancels
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"]
    assert total[0] == pytest.approx(parts["brier"][0], abs=1e-12)
    assert reliability.reliability().share.sum() == pytest.approx(1.0)


def test_spiegelhalter_by_its_formula() -> None:
    columns = labelled(100)
    there = ~np.isnan(columns["probability"])
    p, y = columns["probability"][there], (columns["truth"] == "yes")[there]
    metric = fed(SpiegelhalterZ(LABELS), columns)
    above = ((y - p) * (1 - 2 * p)).sum()
    z = above / np.sqrt(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    assert metric.value()[0] == pytest.approx(z)
    assert isinstance(metric, SpiegelhalterZ)
    assert metric.p_value()[0] == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_kuiper_tells_wrong_spread_from_right() -> None:
    rng = np.random.default_rng(7)
    y = rng.normal(size=500)
    right, narrow = PIT(), PIT()
    right.update(y, 0.0, 1.0)
    narrow.update(y, 0.0, 0.5)
    u = np.sort(stats.norm.cdf(y))
    exact = (np.arange(1, 501) / 500 - u).max() + (u - np.arange(500) / 500).max()
    assert exact - 0.02 <= right.value()[0] <= exact
    assert right.p_value()[0] > 1e-3
    assert narrow.p_value()[0] < 1e-6
    assert narrow.histogram()[0, [0, -1]].min() > 0.02


def test_kuiper_has_its_published_quantile() -> None:
    # Stephens (1970): 1.747 is the 95 % point of the scaled V
    metric = PIT(cells=1000)
    metric.update((np.arange(1000) + 0.5) / 1000, 0.5, 1.0)
    rows = 1000
    factor = np.sqrt(rows) + 0.155 + 0.24 / np.sqrt(rows)
    low, high = metric.interval(0.95)
    assert (high - metric.value() - 2 / 1000)[0] * factor == pytest.approx(1.747, abs=1e-3)
    assert low[0] > 0


def test_the_root_of_what_is_negative_is_refused() -> None:
    with pytest.raises(DistributionError, match="root of scores >= 0"):
        RootMean(np.asarray, ["x"], name="x").update([-1.0])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Metrics, "wants names that differ"),
        (lambda: Metrics("f1", "f1"), "wants names that differ"),
        (lambda: Metrics("f2"), "there is no metric 'f2': one of accuracy"),
        (lambda: Metrics("f1", labels=("a",)), "at least two that differ"),
        (lambda: Metrics("f1", labels=(0, False)), "at least two that differ"),
        (lambda: F1((0, 1, 2), "binary"), "binary only for two labels"),
        (lambda: Metrics("mae", fading=0.0), r"a factor in \(0, 1\]"),
        (lambda: Metrics("mae", window=0), "a number of rows, at least 1"),
        (lambda: Metrics("mae", window=3, fading=0.5), "fades or has a window"),
        (lambda: ECE(bins=0), "bins wants at least 1"),
        (lambda: PIT(cells=1), "cells wants at least 2"),
        (lambda: Metrics("mae").update({"truth": [1.0]}), "got none of prediction"),
        (lambda: Accuracy().update([1.0]), "wants truth, prediction, got 1 columns"),
        (lambda: Accuracy().update([1.0], [1.0, 2.0]), "want one length"),
        (
            lambda: Accuracy().update([1.0], [1.0], slots=np.array([1])),
            r"slots want numbers of 0..0",
        ),
        (
            lambda: Metrics("brier").update({"truth": [True], "probability": [[0.1, 0.2, 0.7]]}),
            "one of each of 2 labels",
        ),
    ],
)
def test_what_cannot_be_set_or_fed_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrong()
