"""Detectors of drift see what those of River see, at the same numbers; and go on where they were saved."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.errors import DistributionError
from rxml.evaluation.drift import ADWIN, DDM, KSWIN, DriftDetector, PageHinkley, RiverDetector
from rxml.evaluation.drift.kswin import distance, exact_p_values
from rxml.wire import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

river: Any = import_module("river.drift")
adaptive_windowing: Any = import_module("river.drift.adwin").AdaptiveWindowing
ks_2samp: Any = import_module("scipy.stats").ks_2samp

NUMBERS: dict[str, tuple[Callable[..., DriftDetector], Callable[..., Any], dict[str, Any]]] = {
    "adwin": (ADWIN, river.ADWIN, {}),
    "adwin, each": (ADWIN, river.ADWIN, {"clock": 1, "delta": 0.1, "min_window_length": 2}),
    "adwin, few": (ADWIN, river.ADWIN, {"clock": 5, "max_buckets": 2, "grace_period": 3}),
    "page": (PageHinkley, river.PageHinkley, {"threshold": 8.0}),
    "page, up": (PageHinkley, river.PageHinkley, {"threshold": 5.0, "mode": "up"}),
    "page, down": (PageHinkley, river.PageHinkley, {"min_instances": 5, "mode": "down"}),
    "kswin": (KSWIN, river.KSWIN, {"window_size": 40, "stat_size": 15, "seed": 3}),
}
BITS: dict[str, tuple[Callable[..., DriftDetector], Callable[..., Any], dict[str, Any]]] = {
    "ddm": (DDM, river.binary.DDM, {}),
    "ddm, soon": (DDM, river.binary.DDM, {"warm_start": 5, "drift_threshold": 2.5}),
    "hddm": (lambda: RiverDetector("HDDMW"), river.binary.HDDMW, {}),
}
pieces = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.2, 1.0, -3.0]),
        st.sampled_from([0.0, 0.1, 1.0]),
        st.integers(1, 250),
    ),
    min_size=1,
    max_size=5,
)


def drawn(parts: list[tuple[float, float, int]], seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(mean, spread, count) for mean, spread, count in parts])


def detections(detector: Any, numbers: Floats) -> list[bool]:
    seen: list[bool] = []
    for each in numbers.tolist():
        detector.update(each)
        seen.append(bool(detector.drift_detected))
    return seen


@pytest.mark.parametrize("name", sorted(NUMBERS))
@settings(max_examples=10)
@given(parts=pieces, seed=st.integers(0, 1000))
def test_changes_are_seen_where_river_sees_them(
    name: str, parts: list[tuple[float, float, int]], seed: int
) -> None:
    ours, theirs, params = NUMBERS[name]
    numbers = drawn(parts, seed)
    assert ours(**params).update_many(numbers).tolist() == detections(theirs(**params), numbers)


@pytest.mark.parametrize("name", sorted(BITS))
@settings(max_examples=20)
@given(
    parts=st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 300)), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_changes_of_errors_are_seen_where_river_sees_them(
    name: str, parts: list[tuple[float, int]], seed: int
) -> None:
    ours, theirs, params = BITS[name]
    rng = np.random.default_rng(seed)
    errors: Floats = np.concatenate(
        [(rng.random(count) < share).astype(np.float64) for share, count in parts]
    )
    assert ours(**params).update_many(errors).tolist() == detections(theirs(**params), errors)


@given(numbers=st.lists(st.integers(-3, 3) | st.floats(-1e6, 1e6), max_size=150))
def test_windows_of_any_numbers_are_those_of_river(numbers: list[float]) -> None:
    ours, theirs = ADWIN(clock=1, delta=0.5), river.ADWIN(clock=1, delta=0.5)
    for each in numbers:
        theirs.update(each)
        assert ours.update(each) == theirs.drift_detected
        assert ours.width == theirs.width
        assert ours.total == theirs.total
        assert ours.estimation == theirs.estimation
        assert ours.variance == pytest.approx(theirs.variance, rel=1e-9, abs=1e-3)


@given(parts=pieces, seed=st.integers(0, 1000))
def test_a_window_that_is_kept_is_that_of_the_algorithm(
    parts: list[tuple[float, float, int]], seed: int
) -> None:
    numbers = drawn(parts, seed)
    ours, theirs = ADWIN(clock=8, restart=False), adaptive_windowing(0.002, 8, 5, 5, 10)
    assert ours.update_many(numbers).tolist() == [theirs.update(each) for each in numbers.tolist()]
    assert ours.width == theirs.get_width()
    assert ours.n_detections == theirs.get_n_detections()


def test_a_change_is_found_soon_and_sameness_is_left_alone() -> None:
    rng = np.random.default_rng(8)
    same, other = rng.normal(0.0, 0.3, 1000), rng.normal(1.0, 0.3, 1000)
    for detector in (ADWIN(), PageHinkley(), KSWIN(1e-4, seed=1)):
        seen = np.flatnonzero(detector.update_many(np.r_[same, other]))
        assert len(seen) >= 1
        assert 1000 <= seen[0] < 1100
        assert detector.n_detections == len(seen)


@given(
    left=st.lists(st.integers(0, 5) | st.floats(-1e3, 1e3), min_size=12, max_size=12),
    right=st.lists(st.integers(0, 5) | st.floats(-1e3, 1e3), min_size=12, max_size=12),
)
def test_the_test_of_kswin_is_that_of_scipy(left: list[float], right: list[float]) -> None:
    statistic, p_value = ks_2samp(left, right, method="exact")
    apart = distance(left, right)
    assert apart / 12 == pytest.approx(statistic, abs=1e-12)
    assert exact_p_values(12)[apart] == pytest.approx(p_value, rel=1e-10)


def test_p_values_of_large_samples_are_those_of_scipy() -> None:
    both = np.arange(400.0)
    for shift in (10, 20, 60, 199):
        left, right = both[:200], both[:200] + shift + 0.5
        _, p_value = ks_2samp(left, right, method="exact")
        assert exact_p_values(200)[distance(left.tolist(), right.tolist())] == pytest.approx(
            p_value, rel=1e-9
        )


MAKERS: dict[str, Callable[[], DriftDetector]] = {
    "adwin": lambda: ADWIN(clock=4),
    "adwin, kept": lambda: ADWIN(clock=4, restart=False),
    "page": lambda: PageHinkley(threshold=8.0),
    "kswin": lambda: KSWIN(0.01, 30, 10, seed=5),
    "ddm": lambda: DDM(10),
    "river": lambda: RiverDetector("FHDDM", sliding_window_size=20),
}


@pytest.mark.parametrize("name", sorted(MAKERS))
@settings(max_examples=15)
@given(shares=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4), cut=st.integers(0, 400))
def test_what_was_saved_goes_on_as_if_nothing_had_been(
    name: str, shares: list[float], cut: int
) -> None:
    rng = np.random.default_rng(cut)
    numbers = np.concatenate([(rng.random(120) < share) * 1.0 for share in shares])
    whole, first, second = MAKERS[name](), MAKERS[name](), MAKERS[name]()
    wanted = whole.update_many(numbers).tolist()
    found = first.update_many(numbers[:cut]).tolist()
    saved = dumps(first.snapshot())
    first.update_many(numbers[cut:])
    second.restore(loads(saved))
    assert second.drift_detected == (found[-1] if found else False)
    assert found + second.update_many(numbers[cut:]).tolist() == wanted
    assert second.snapshot() == whole.snapshot() == first.snapshot()


def test_a_detector_of_river_remembers_no_more_than_it_may() -> None:
    detector = RiverDetector("PageHinkley", memory=10)
    detector.update_many(np.arange(25.0) * 0.01)
    assert detector.snapshot()["numbers"] == pytest.approx((np.arange(15.0, 25.0) * 0.01).tolist())
    assert detector.inner.threshold == 50.0
    with pytest.raises(ValueError, match="one of"):
        RiverDetector("Nothing")


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_what_is_no_number_is_refused_and_leaves_no_trace(name: str) -> None:
    detector = MAKERS[name]()
    before = detector.snapshot()
    for bad in (np.nan, np.inf):
        with pytest.raises(DistributionError):
            detector.update(bad)
        with pytest.raises(DistributionError, match="row"):
            detector.update_many([0.0, bad])
    assert detector.snapshot() == before
    with pytest.raises(ValueError, match="the state has no"):
        detector.restore({})
    detector.update_many([1.0, 0.0])
    detector.reset()
    assert detector.snapshot() == before


def test_errors_are_ones_or_zeros() -> None:
    with pytest.raises(DistributionError, match="1 for an error"):
        DDM().update(0.5)
    detector = DDM()
    with pytest.raises(DistributionError, match=r"row\(s\) \[2\], as 0\.5"):
        detector.update_many([1, 0, 0.5])
    assert detector.n == 0  # none is taken in


def test_a_warning_comes_before_a_change() -> None:
    ours, theirs = DDM(), river.binary.DDM()
    errors = (np.random.default_rng(2).random(1500) < np.repeat([0.1, 0.5], [800, 700])) * 1
    warned = 0
    for each in errors.tolist():
        ours.update(each)
        theirs.update(each)
        assert ours.warning_detected == theirs.warning_detected
        warned += ours.warning_detected
    assert warned
    assert ours.n_detections


def test_arguments_out_of_range_are_told() -> None:
    for wrong in (
        lambda: ADWIN(0.0),
        lambda: ADWIN(clock=0),
        lambda: ADWIN(min_window_length=0),
        lambda: ADWIN(grace_period=-1),
        lambda: PageHinkley(alpha=1.5),
        lambda: PageHinkley(mode="left"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: KSWIN(1.0),
        lambda: KSWIN(window_size=50, stat_size=30),
        lambda: DDM(0),
        lambda: DDM(drift_threshold=0.0),
        lambda: RiverDetector("ADWIN", memory=0),
    ):
        with pytest.raises(ValueError, match="give"):
            wrong()
