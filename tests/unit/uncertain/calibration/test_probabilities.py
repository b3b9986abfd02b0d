"""Calibrators of probabilities against fits of all labels at once, and what they are said to guarantee."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import DistributionError
from rxml.uncertain.calibration.probabilities.calibeating import Calibeating
from rxml.uncertain.calibration.probabilities.histogram import HistogramBinning
from rxml.uncertain.calibration.probabilities.isotonic import IsotonicCalibration, pooled
from rxml.uncertain.calibration.probabilities.scaling import BetaScaling, PlattScaling, Scaling
from rxml.uncertain.calibration.probabilities.temperature import ClassTemperature, Temperature
from rxml.uncertain.calibration.probabilities.venn_abers import VennAbers
from rxml.uncertain.special import expit, log_softmax, logit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.probabilities.keyed import KeyedProbability

    Floats = NDArray[np.float64]

minimize: Any = import_module("scipy.optimize").minimize
IsotonicRegression: Any = import_module("sklearn.isotonic").IsotonicRegression
ONE = np.array([0])
PAIRS = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=40)


def cases(rows: int, slope: float, shift: float, seed: int = 0) -> tuple[Floats, Floats]:
    """What an overconfident model says, and what happens: logit of the truth is slope logit(p) + shift."""
    random = np.random.default_rng(seed)
    p = random.beta(0.7, 0.7, rows).clip(1e-6, 1 - 1e-6)
    happened = random.random(rows) < expit(slope * logit(p) + shift)
    return p, happened.astype(float)


def told(calibrator: KeyedProbability, p: Floats, labels: Floats) -> Floats:
    """What one key is told when each label comes before the next prediction."""
    said = np.empty(len(p))
    for row in range(len(p)):
        issued = calibrator.issue(ONE, p[row : row + 1])
        said[row] = issued[0, 0]
        calibrator.update(ONE, issued, labels[row : row + 1])
    return said


def log_loss(p: Floats, labels: Floats) -> float:
    return float(-np.log(np.where(labels == 1, p, 1 - p)).mean())


@pytest.mark.parametrize(("made", "slack"), [(PlattScaling(), 0.1), (BetaScaling(), 0.25)])
def test_newton_steps_come_to_the_best_weights(made: Scaling, slack: float) -> None:
    p, labels = cases(1500, 0.5, -0.7)
    said = told(made, p, labels)
    features = np.stack(made.features(p))

    def loss(theta: Floats) -> float:
        return float(np.logaddexp(0, -(2 * labels - 1) * (theta @ features)).mean())

    best = minimize(loss, np.array(made.start), tol=1e-8)
    np.testing.assert_allclose(made.weights(ONE)[0], best.x, atol=slack)
    regret = log_loss(said, labels) - best.fun
    assert regret < 0.02
    assert log_loss(p, labels) - best.fun > 0.1  # of the model as it is


def test_adagrad_gets_there_too() -> None:
    p, labels = cases(1500, 0.5, -0.7)
    said = told(PlattScaling("adagrad"), p, labels)
    assert log_loss(said[800:], labels[800:]) < log_loss(p[800:], labels[800:]) - 0.1


def test_newton_keeps_the_inverse_of_the_sum_of_gradients() -> None:
    p, labels = cases(200, 0.8, 0.3)
    made = PlattScaling(gamma=0.2, prior=10.0)
    theta: Floats = np.array([1.0, 0.0])
    total: Floats = np.eye(2) * 10.0
    for each, label in zip(p, labels, strict=True):
        x: Floats = np.array([float(logit(each)), 1.0])
        gradient: Floats = (expit(np.vdot(theta, x)) - label) * x
        total += np.outer(gradient, gradient)
        theta -= np.linalg.solve(total, gradient) / 0.2
        made.update(ONE, made.issue(ONE, [each]), [label])
    np.testing.assert_allclose(made.weights(ONE)[0], theta, rtol=1e-8)


def test_weights_stay_within_their_bound() -> None:
    made = PlattScaling(gamma=1e-3, prior=1e-3, bound=3.0)
    told(made, np.full(50, 0.6), np.ones(50))
    assert np.abs(made.weights(ONE)).max() == 3.0


def test_temperatures_cool_what_is_overconfident() -> None:
    p, labels = cases(2000, 0.4, 0.0)
    two = Temperature()
    said = told(two, p, labels)
    assert two.temperature(ONE)[0] == pytest.approx(1 / 0.4, rel=0.25)
    assert log_loss(said[1000:], labels[1000:]) < log_loss(p[1000:], labels[1000:]) - 0.08


def test_two_classes_are_a_probability() -> None:
    p, labels = cases(300, 0.4, 0.0)
    two, classes = Temperature(0.05), ClassTemperature(2, 0.05)
    for each, label in zip(p, labels, strict=True):
        one, both = two.issue(ONE, [each]), classes.issue(ONE, [[1 - each, each]])
        assert both[0, 1] == pytest.approx(one[0, 0], abs=1e-9)
        two.update(ONE, one, [label])
        classes.update(ONE, both, [label])
    assert classes.temperature(ONE)[0] == pytest.approx(two.temperature(ONE)[0], rel=1e-9)


def test_classes_are_cooled_together() -> None:
    random = np.random.default_rng(3)
    truth = random.dirichlet(np.ones(4), 1500)
    labels = (random.random((1500, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    p = np.exp(log_softmax(3 * np.log(truth), axis=1))
    calibrator = ClassTemperature(4)
    for row in range(1500):
        calibrator.update(ONE, calibrator.issue(ONE, p[row : row + 1]), labels[row : row + 1])
    assert calibrator.temperature(ONE)[0] == pytest.approx(3.0, rel=0.15)
    issued = calibrator.issue(np.zeros(5, int), p[:5])
    np.testing.assert_allclose(issued[:, :4].sum(axis=1), 1.0)
    np.testing.assert_array_equal(issued[:, 4:], p[:5])


def test_what_is_no_class_is_refused() -> None:
    calibrator = ClassTemperature(3)
    with np.errstate(all="raise"):
        issued = calibrator.issue([0, 0], [[1.0, 0.0, 0.0], [1e-300, 0.5, 0.5]])
        calibrator.update([0, 0], issued, [2, 0])
    before = calibrator.temperature(ONE)
    with pytest.raises(DistributionError, match=r"classes 0 to 2 in 2 row"):
        calibrator.update([0, 0], issued, [3, 0.5])
    with pytest.raises(DistributionError, match=r"not within \[0, 1\] in 1 row\(s\): 0"):
        calibrator.issue([0], [[-0.1, 0.6, 0.5]])
    assert calibrator.temperature(ONE) == before


@given(pairs=PAIRS)
def test_bins_are_betas_of_what_happened(pairs: list[tuple[int, bool]]) -> None:
    calibrator = HistogramBinning(4)
    p = np.array([each / 8 for each, _ in pairs])
    labels = np.array([label for _, label in pairs], float)
    told(calibrator, p, labels)
    for asked in (0.0, 0.1, 0.25, 0.6, 1.0):
        inside = np.minimum(p // 0.25, 3) == min(asked // 0.25, 3)
        a, b = 1 + labels[inside].sum(), 1 + (1 - labels[inside]).sum()
        assert calibrator.issue(ONE, [asked])[0].tolist() == [a / (a + b), a, b, asked]


def test_bins_forget() -> None:
    calibrator = HistogramBinning(1, keep=0.9)
    told(calibrator, np.full(200, 0.5), np.repeat([1.0, 0.0], 100))
    mean, a, b, _ = calibrator.issue(ONE, [0.5])[0]
    assert mean < 0.1
    assert a + b == pytest.approx(2 + 1 / (1 - 0.9), rel=0.01)


@given(points=st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 5)), min_size=1, max_size=30))
def test_pooled_values_are_those_of_sklearn(points: list[tuple[int, int]]) -> None:
    means, weights = np.array(points, float).T
    wanted = IsotonicRegression().fit_transform(np.arange(len(means)), means, sample_weight=weights)
    np.testing.assert_allclose(pooled(means * weights, weights), wanted, atol=1e-12)


@given(pairs=PAIRS, window=st.integers(1, 40))
def test_isotonic_fits_are_those_of_sklearn(pairs: list[tuple[int, bool]], window: int) -> None:
    calibrator = IsotonicCalibration(window, every=1)
    p = np.array([each / 8 for each, _ in pairs])
    labels = np.array([label for _, label in pairs], float)
    told(calibrator, p, labels)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(p[-window:], labels[-window:])
    asked = np.linspace(0, 1, 33)
    said = calibrator.issue(np.zeros(33, int), asked)[:, 0]
    np.testing.assert_allclose(said, oracle.predict(asked), atol=1e-12)


def test_isotonic_is_fitted_anew_now_and_then() -> None:
    calibrator = IsotonicCalibration(window=100, every=4)
    said = told(calibrator, np.full(9, 0.3), np.array([1, 0, 0, 0, 1, 1, 1, 1, 1.0]))
    assert said.tolist() == [0.3] * 4 + [0.25] * 4 + [0.625]


@given(pairs=PAIRS, asked=st.integers(-1, 17), window=st.integers(1, 40))
def test_venn_abers_is_two_isotonic_fits(
    pairs: list[tuple[int, bool]], asked: int, window: int
) -> None:
    calibrator = VennAbers(window)
    p = np.array([each / 8 for each, _ in pairs])
    labels = np.array([label for _, label in pairs], float)
    told(calibrator, p, labels)
    x = np.clip(asked / 16, 0, 1)
    both: list[float] = []
    for label in (0.0, 1.0):
        fit = IsotonicRegression().fit(np.r_[p[-window:], x], np.r_[labels[-window:], label])
        both.append(float(fit.predict([x])[0]))
    merged, low, high, given_p = calibrator.issue(ONE, [x])[0]
    np.testing.assert_allclose([low, high], both, atol=1e-12)
    assert low <= merged <= high
    assert given_p == x


def test_venn_abers_knows_nothing_at_first() -> None:
    assert VennAbers().issue(ONE, [0.7]).tolist() == [[0.5, 0.0, 1.0, 0.7]]


def test_venn_abers_holds_the_truth_and_narrows() -> None:
    p, labels = cases(1200, 0.5, -0.7)
    calibrator = VennAbers(window=1000)
    slots = np.zeros(1000, int)
    calibrator.update(slots, calibrator.issue(slots, p[:1000]), labels[:1000])
    merged, low, high, _ = calibrator.issue(np.zeros(200, int), p[1000:]).T
    truth = expit(0.5 * logit(p[1000:]) - 0.7)
    assert (high - low).mean() < 0.1
    assert np.abs(merged - truth).mean() < 0.06


def gap(said: Floats, labels: Floats) -> float:
    """Calibration error: how far what is said is from what happens, on average over ten bins."""
    bins = np.minimum((said * 10).astype(int), 9)
    off = np.bincount(bins, said - labels, 10)
    return float(np.abs(off).sum() / len(said))


def test_calibeating_holds_against_an_adversary() -> None:
    """Labels always fall on the other side of what Platt scaling says: no smooth map can follow."""
    inner, beaten = PlattScaling(), Calibeating(PlattScaling(), bins=10)
    random = np.random.default_rng(0)
    rows: list[tuple[float, float, float]] = []
    for each in random.random(1000):
        plain, issued = inner.issue(ONE, [each]), beaten.issue(ONE, [each])
        label = float(abs(plain[0, 0] - 0.5) < 0.2)
        rows.append((plain[0, 0], issued[0, 0], label))
        inner.update(ONE, plain, [label])
        beaten.update(ONE, issued, [label])
    plain_said, said, labels = np.array(rows).T
    assert gap(plain_said[200:], labels[200:]) > 0.15
    assert gap(said[200:], labels[200:]) < 0.05
    assert ((said - labels) ** 2).mean() < ((plain_said - labels) ** 2).mean()


def test_an_empty_bin_says_what_is_beneath_it() -> None:
    calibrator = Calibeating(PlattScaling(), bins=2)
    told(calibrator, np.full(4, 0.2), np.array([1.0, 0.0, 0.0, 0.0]))
    low, high = calibrator.issue([0, 0], [0.2, 0.8])
    assert low[0] == 0.25
    assert high[0] == high[1]
