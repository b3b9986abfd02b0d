"""Sequential tests are wrong as seldom as they say, however often one looks, and right soon."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from rxml.models.live import Limits, Seen, Standing
from rxml.models.live.evidence import Contrast, Evidence, larger, more

ALPHA = 0.05
ERROR = Seen(0.01, error=OSError("down"))
FINE = Seen(0.01, 1.0)


def looks(rng: np.random.Generator, worse: float, well: float, count: int) -> Evidence:
    """Evidence after as many pairs, or as soon as there is enough."""
    evidence = Evidence(0.02, ALPHA)
    differences = (rng.random(count) < worse).astype(int) - (rng.random(count) < well)
    for difference in differences:
        evidence.add(float(difference))
        if evidence.proven:
            break
    return evidence


def test_false_alarms_under_constant_looks_are_no_more_than_alpha() -> None:
    rng = np.random.default_rng(7)
    alarms = sum(looks(rng, 0.12, 0.10, 400).proven for _ in range(200))
    assert alarms / 200 <= ALPHA  # at the very margin: 0.12 - 0.10


def test_a_candidate_that_fails_half_the_time_is_found_within_30_pairs() -> None:
    rng = np.random.default_rng(8)
    counts = [looks(rng, 0.5, 0.0, 1000).count for _ in range(50)]
    assert np.median(counts) <= 30


def test_what_begins_late_is_found() -> None:
    evidence = Evidence(0.02, 0.01)
    proven: list[bool] = []
    for difference in [0.0] * 5000 + [1.0] * 150:
        evidence.add(difference)
        proven.append(evidence.proven)
    assert not any(proven[:5000])
    assert proven[-1]


def test_wealth_begins_at_one_and_is_a_fair_game_at_the_margin() -> None:
    assert Evidence(0.02, 0.01).log_wealth == 0
    up, down = Evidence(0.0, 0.01), Evidence(0.0, 0.01)
    up.add(1.0)
    down.add(-1.0)
    mean = (np.exp(up.log_wealth) + np.exp(down.log_wealth)) / 2
    assert mean == pytest.approx(1.0)


def test_wealth_neither_overflows_nor_is_lost_at_zero() -> None:
    evidence = Evidence(0.02, 1e-300)
    for _ in range(5000):
        evidence.add(1.0)
    assert evidence.proven
    assert evidence.log_wealth > -log(1e-300)


@pytest.mark.parametrize(("margin", "alpha"), [(1, 0.1), (-1, 0.1), (0, 0), (0, 1)])
def test_bounds(margin: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="-1 < margin < 1"):
        Evidence(margin, alpha)


def test_each_outcome_is_in_one_pair_and_the_newest_of_the_many_are_taken() -> None:
    pairs: list[tuple[float, float]] = []

    def compare(candidate: float, stable: float) -> float:
        pairs.append((candidate, stable))
        return 0.0

    contrast = Contrast(0.1, 0.01, 0.01, compare)
    for number in range(100):
        contrast.add(float(number), candidate=False)
    contrast.add(-1.0, candidate=True)
    contrast.add(-2.0, candidate=True)
    assert pairs == [(-1.0, 99.0), (-2.0, 98.0)]


def test_comparisons() -> None:
    assert more(0.75, 0.5) == 0.25
    assert [larger(2, 1), larger(1, 2), larger(1, 1)] == [1, -1, 0]


def watched(limits: Limits, *outcomes: tuple[Seen, Seen]) -> tuple[Standing, str]:
    watch = limits.begin(1)
    for candidate, stable in outcomes:
        watch.learn([stable], candidate=False)
        watch.learn([candidate], candidate=True)
    return watch.standing()


def test_limits_tell_what_is_worse() -> None:
    slow = Seen(0.9, 1.0)
    limits = Limits(seconds=0.1, shift=0.2)
    assert watched(limits, *[(ERROR, FINE)] * 50) == (Standing.WORSE, "errors")
    assert watched(limits, *[(slow, FINE)] * 50) == (Standing.WORSE, "slow")
    assert watched(limits, *[(Seen(0.01, 2.0), FINE)] * 50) == (Standing.WORSE, "higher")
    assert watched(limits, *[(Seen(0.01, 0.0), FINE)] * 50) == (Standing.WORSE, "lower")
    assert watched(limits, *[(Seen(1.0, late=True), FINE)] * 50) == (Standing.WORSE, "slow")
    assert watched(Limits(), *[(Seen(1.0, late=True), FINE)] * 50) == (Standing.WORSE, "errors")


def test_what_befalls_both_is_no_fault_of_the_candidate() -> None:
    standing, _ = watched(Limits(), *[(ERROR, ERROR)] * 300)
    assert standing is not Standing.WORSE


def test_a_candidate_is_well_only_once_that_is_proven() -> None:
    assert watched(Limits(), *[(FINE, FINE)] * 20)[0] is Standing.OPEN
    assert watched(Limits(), *[(FINE, FINE)] * 1000)[0] is Standing.FINE
    assert watched(Limits(seconds=0.1), *[(FINE, FINE)] * 1000)[0] is Standing.FINE


def test_a_batch_that_is_held_up_is_one_incident() -> None:
    watch = Limits(seconds=0.1).begin(1)
    watch.learn([FINE] * 64, candidate=False)
    watch.learn([Seen(0.9, 1.0)] * 64, candidate=True)
    assert watch.standing() == (Standing.OPEN, "")


def test_values_that_are_no_numbers_are_not_compared() -> None:
    odd = [(Seen(0.01, value), FINE) for value in ("yes", True, float("nan"), None) * 30]
    assert watched(Limits(shift=0.1), *odd)[0] is Standing.OPEN


@pytest.mark.parametrize("wrong", [{"errors": 0}, {"alpha": 1}, {"shift": 2}, {"seconds": 0}])
def test_limits_have_bounds(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Limits"):
        Limits(**wrong)
