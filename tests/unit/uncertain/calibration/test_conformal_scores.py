"""Scores and what they leave: a label is within the interval or set exactly if its score is within the radius."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import DistributionError
from rxml.uncertain.calibration.scores import INTERVAL_SCORES, side_level, side_slots
from rxml.uncertain.calibration.sets import SetScore
from rxml.uncertain.calibration.split import SplitConformal

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = st.integers(-20, 20).map(lambda number: number / 4)  # exact in all sums below
every = pytest.mark.parametrize("name", INTERVAL_SCORES)


def parts_of(name: str, first: float, second: float) -> list[float]:
    parts = INTERVAL_SCORES[name].parts
    if parts == ("mean", "sd"):
        return [first, 2.0 ** round(second)]
    return [first, second][: len(parts)]


@every
@given(first=NUMBERS, second=NUMBERS, y=NUMBERS, radii=st.tuples(NUMBERS, NUMBERS))
def test_an_interval_holds_what_scores_within_the_radius(
    name: str, first: float, second: float, y: float, radii: tuple[float, float]
) -> None:
    score = INTERVAL_SCORES[name]
    parts = [parts_of(name, first, second)]
    radius = np.array([radii[: score.sides]])
    with np.errstate(all="raise"):
        within = bool((score.of(parts, [y]) <= radius).all())
        (low,), (high,) = score.bounds(parts, radius)
    assert low <= high
    if low < high:
        assert within == (low <= y <= high)
    else:
        assert not within or y == low


@every
def test_whatever_the_radii_the_ends_make_an_interval(name: str) -> None:
    score, size = INTERVAL_SCORES[name], 2000
    rng = np.random.default_rng(3)
    tails = [0.0, 1e-300, 1e300, -1e300, -2.5]
    parts = rng.choice([*tails, 3.0], (size, len(score.parts)))
    if score.parts[-1] == "sd":
        parts[:, 1] = rng.choice([0.0, 1e-300, 1e6], size)
    radii = rng.choice([*tails, inf, -inf, 1.0], (size, score.sides))
    lo, hi = score.bounds(parts, radii)
    assert not (np.isnan(lo) | np.isnan(hi)).any()
    assert (lo <= hi).all()
    assert not (np.isposinf(lo) | np.isneginf(hi)).any()  # there is a number in each
    apart = [score.bounds(parts[[at]], radii[[at]]) for at in range(0, size, 20)]
    assert np.array_equal(np.concatenate(apart, axis=1), [lo[::20], hi[::20]])


def test_scores_are_those_of_the_papers() -> None:
    y = [3.0, -1.0]
    assert INTERVAL_SCORES["abs"].of([[1.0], [1.0]], y).tolist() == [[2.0], [2.0]]
    assert INTERVAL_SCORES["norm"].of([[1.0, 4.0], [1.0, 0.5]], y).tolist() == [[0.5], [4.0]]
    assert INTERVAL_SCORES["cqr"].of([[0.0, 2.0], [-3.0, 2.0]], y).tolist() == [[1.0], [-2.0]]
    assert INTERVAL_SCORES["cqr_sides"].of([[0.0, 2.0]], [3.0]).tolist() == [[-3.0, 1.0]]
    assert INTERVAL_SCORES["abs_sides"].of([[1.0]], [3.0]).tolist() == [[-2.0, 2.0]]
    assert INTERVAL_SCORES["norm_sides"].of([[1.0, 2.0]], [3.0]).tolist() == [[-1.0, 1.0]]


@every
def test_radii_without_end_hold_everything_and_nothing(name: str) -> None:
    score = INTERVAL_SCORES[name]
    parts = [parts_of(name, -1.0, 2.0)] * 2
    with np.errstate(all="raise"):
        low, high = score.bounds(parts, [[inf] * score.sides, [-inf] * score.sides])
    assert (low[0], high[0]) == (-inf, inf)
    assert low[1] == high[1] == np.mean([parts[0][0], parts[0][1] if "hi" in score.parts else -1])


def test_what_is_further_than_any_float_is_infinitely_far() -> None:
    score = INTERVAL_SCORES["abs_sides"]
    with np.errstate(all="raise"):
        assert score.of([[1.7e308]], [-1.7e308]).tolist() == [[inf, -inf]]
        low, high = score.bounds([[1.7e308]], [[1.7e308, 1.7e308]])
    assert (low.tolist(), high.tolist()) == ([0.0], [inf])


def test_without_a_scale_only_what_is_right_is_near() -> None:
    score = INTERVAL_SCORES["norm"]
    with np.errstate(all="raise"):
        assert score.of([[1.0, 0.0]] * 3, [1.0, 1.5, 0.0]).tolist() == [[0.0], [inf], [inf]]
        low, high = score.bounds([[1.0, 0.0]] * 2, [[5.0], [inf]])
        assert score.of([[0.0, 1e-300]], [1e300]).tolist() == [[inf]]
    assert low.tolist() == [1.0, -inf]
    assert high.tolist() == [1.0, inf]


def test_sides_are_calibrated_apart() -> None:
    random = np.random.default_rng(0)
    score = INTERVAL_SCORES["abs_sides"]
    calibrator = SplitConformal(side_level(0.9, 2), window=1000, keys=4)
    y = random.exponential(size=1000)
    slots = side_slots(np.ones(1000, int), 2)
    assert slots[:2].tolist() == [2, 3]
    scores = score.of(np.zeros((1000, 1)), y).reshape(-1)
    calibrator.update(slots, scores, np.full((2000, 1), inf))
    radius = calibrator.issue(side_slots([1], 2)).reshape(1, 2)
    low, high = score.bounds([[0.0]], radius)
    assert float((y < low).mean()) == pytest.approx(0.05, abs=2e-3)
    assert float((y > high).mean()) == pytest.approx(0.05, abs=2e-3)
    assert low[0] > 0  # an interval that is not symmetric about its prediction


@st.composite
def masses(draw: st.DrawFn) -> list[float]:
    weights = draw(st.lists(st.integers(0, 8), min_size=2, max_size=6).filter(any))
    return [weight / sum(weights) for weight in weights]


@given(p=masses(), u=st.floats(0, 1), penalty=st.sampled_from([0.0, 0.25]), data=st.data())
def test_classes_are_scored_as_in_the_papers(
    p: list[float], u: float, penalty: float, data: st.DataObject
) -> None:
    label = data.draw(st.integers(0, len(p) - 1))
    ahead = [c for c in range(len(p)) if (-p[c], c) < (-p[label], label)]
    aps = sum(p[c] for c in ahead) + u * p[label]
    raps = aps + penalty * max(len(ahead) + 1 - 2, 0)
    wanted = {"lac": 1 - p[label], "aps": aps, "raps": raps}
    for score in (SetScore("lac"), SetScore("aps"), SetScore("raps", penalty, 2)):
        got = score.of([p], [label], [u])
        assert got[0, 0] == pytest.approx(wanted[score.kind], abs=1e-12)
        assert score.sets([p], got, [u])[0, label]
        assert not score.sets([p], np.nextafter(got, -inf), [u])[0, label]


def test_sets_cover_at_their_level() -> None:
    random = np.random.default_rng(1)
    n = 4000
    p = random.dirichlet(np.ones(5), n)
    y = (random.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
    u = random.random(n)
    sizes: dict[str, float] = {}
    for score in (SetScore("lac"), SetScore("aps"), SetScore("raps", 0.1, 2)):
        calibrator = SplitConformal(0.8, window=2000)
        scores = score.of(p[:2000], y[:2000], u[:2000])[:, 0]
        calibrator.update(np.zeros(2000, int), scores, np.full((2000, 1), inf))
        sets = score.sets(p[2000:], calibrator.issue(np.zeros(2000, int)), u[2000:])
        assert float(sets[np.arange(2000), y[2000:]].mean()) == pytest.approx(0.8, abs=0.035)
        sizes[score.kind] = float(sets.sum(axis=1).mean())
    assert sizes["lac"] < sizes["aps"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: INTERVAL_SCORES["abs"].of([[1.0], [inf]], [0.0, 0.0]), r"parts are infinite.*: 1"),
        (lambda: INTERVAL_SCORES["abs"].of([[1.0], [1.0]], [0.0, np.nan]), r"labels are NaN.*: 1"),
        (lambda: INTERVAL_SCORES["abs"].of([[1.0]], [inf]), "labels are infinite"),
        (lambda: INTERVAL_SCORES["norm"].of([[1.0, -1.0]], [0.0]), "sd are negative"),
        (lambda: SetScore().of([[0.5, 0.5], [1.5, 0.0]], [0, 0]), r"probabilities.*: 1"),
        (lambda: SetScore().of([[0.5, 0.5]] * 2, [2, 0.5]), r"classes 0 to 1 in 2 row"),
        (lambda: SetScore("aps").of([[0.5, 0.5]], [0], [1.5]), "draws are not within"),
    ],
)
def test_bad_rows_are_named(call: Callable[[], object], said: str) -> None:
    with pytest.raises(DistributionError, match=said):
        call()


@pytest.mark.parametrize("wrong", [{"kind": "raw"}, {"penalty": -1.0}, {"free": -1}])
def test_what_is_no_score_is_said(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="give"):
        SetScore(**wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_parts_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"parts are of shape \(1, 3\), wanted \(1, 2\)"):
        INTERVAL_SCORES["cqr"].of([[1.0, 2.0, 3.0]], [0.0])
