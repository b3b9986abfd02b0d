"""Evidence about shares that holds at any time: misses that are too many, intervals of a share, decisions."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.evaluation.anytime import (
    MissMonitor,
    SequentialTest,
    ShareSequence,
    log_e_value,
    sequential_decision,
    share_interval,
)
from rxml.wire import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

quad: Any = import_module("scipy.integrate").quad
Testable = MissMonitor | ShareSequence | SequentialTest
MAKERS: dict[str, Callable[[], Testable]] = {
    "both": lambda: MissMonitor(0.1, 0.05, keys=3),
    "above": lambda: MissMonitor(0.1, 0.05, side="above", keys=3),
    "below": lambda: MissMonitor(0.3, 0.05, side="below", keys=3),
    "shares": lambda: ShareSequence(0.9, keys=3),
    "deciding": lambda: SequentialTest(0.5, margin=0.2, keys=3),
}
counts = st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
few = st.integers(0, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


@given(count=few, alpha=st.floats(0.02, 0.9))
def test_e_is_the_mixed_likelihood_over_the_claimed_one(
    count: tuple[int, int], alpha: float
) -> None:
    misses, rows = count

    def mixed(low: float, high: float, misses: int, rows: int) -> float:
        # p = sin^2 of an angle makes Jeffreys' prior flat
        def at(angle: float) -> float:
            p = np.sin(angle) ** 2
            ratio = misses * np.log(p / alpha) + (rows - misses) * np.log((1 - p) / (1 - alpha))
            return float(np.exp(ratio))

        begin, end = np.arcsin(np.sqrt(low)), np.arcsin(np.sqrt(high))
        peak = np.clip(np.arcsin(np.sqrt(misses / max(rows, 1))), begin, end)
        with np.errstate(all="ignore"):
            parts = [quad(at, a, b, limit=200)[0] for a, b in ((begin, peak), (peak, end)) if a < b]
        return float(np.log(sum(parts) / (end - begin)))

    for side, low, high in (("both", 0.0, 1.0), ("above", alpha, 1.0), ("below", 0.0, alpha)):
        found = log_e_value(misses, rows, alpha, side=side)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        wanted = mixed(low, high, misses, rows)
        assert abs(float(found) - wanted) < 1e-5 * max(1.0, abs(wanted))


def test_e_begins_at_one_and_is_fair() -> None:
    for side in ("both", "above", "below"):
        assert log_e_value(0, 0, 0.1, side=side) == 0.0
        # the mean of the next E under the claim is E itself
        now, hit, miss = (log_e_value(s, n, 0.1, side=side) for s, n in ((3, 20), (4, 21), (3, 21)))
        assert float(0.1 * np.exp(hit) + 0.9 * np.exp(miss)) == pytest.approx(float(np.exp(now)))


def test_far_on_the_other_side_there_is_no_evidence_and_no_warning() -> None:
    rows = np.array([2000.0, 100_000.0, 1e7])
    found = log_e_value([0, 0, 0], rows, 0.5, side="above")
    # the likelihood falls so steeply beyond 1/2 that its slope and the prior at 1/2 are all that count
    np.testing.assert_allclose(found, np.log(4.0 / np.pi) - np.log(2.0 * rows), atol=2e-3)


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    name=st.sampled_from(sorted(MAKERS)),
)
def test_rows_however_cut_and_saved_leave_the_same_state(
    rows: list[tuple[int, bool]], cuts: list[int], name: str
) -> None:
    slots, ones = [place for place, _ in rows], [one for _, one in rows]
    whole, cut = MAKERS[name](), MAKERS[name]()
    answers = whole.update(np.array(slots, np.intp), ones)
    bounds = [0, *sorted(min(each, len(rows)) for each in cuts), len(rows)]
    for begin, end in pairwise(bounds):
        some = cut.update(np.array(slots[begin:end], np.intp), ones[begin:end])
        if answers is not None and some is not None:
            np.testing.assert_array_equal(answers[begin:end], some)
        again = MAKERS[name]()
        again.restore(loads(dumps(cut.snapshot())))
        cut = again
    for key, array in whole.snapshot().items():
        np.testing.assert_array_equal(array, cut.snapshot()[key])


def test_an_alarm_stays_and_tells_its_row() -> None:
    monitor = MissMonitor(0.1, 0.05, keys=2)
    found = monitor.update([0] * 40, [True] * 5 + [False] * 35)
    first = int((found >= np.log(20.0)).argmax()) + 1
    assert monitor.alarmed_at([0, 1]).tolist() == [first, 0]
    assert monitor.p_value([0])[0] == pytest.approx(np.exp(-found.max()))
    assert monitor.log_e([0])[0] == found[-1] < np.log(20.0)
    monitor.reset([0])
    assert monitor.alarmed_at([0]).tolist() == [0]
    assert monitor.p_value([0]).tolist() == [1.0]


@given(count=counts, level=st.sampled_from([0.5, 0.9, 0.99]))
def test_an_interval_holds_the_shares_that_are_not_refuted(
    count: tuple[int, int], level: float
) -> None:
    hits, rows = count
    lower, upper = share_interval([hits], [rows], level)
    limit = -np.log1p(-level)
    for bound, outer in ((lower[0], 0.0), (upper[0], 1.0)):
        if bound == outer:
            continue
        assert float(log_e_value(hits, rows, bound)) == pytest.approx(limit, abs=1e-8)
        assert float(log_e_value(hits, rows, bound + 0.01 * (outer - bound))) > limit
    assert lower[0] <= hits / max(rows, 1) <= upper[0] or rows == 0


def test_intervals_of_many_rows_and_of_none() -> None:
    lower, upper = share_interval([0, 0, 10**6, 10**5], [0, 1000, 10**6, 10**6])
    np.testing.assert_allclose(lower, [0.0, 0.0, 0.99998952, 0.09865512], atol=1e-8)
    np.testing.assert_allclose(upper, [1.0, 0.00699750, 1.0, 0.10135569], atol=1e-8)
    shares = ShareSequence(keys=2)
    shares.update([1, 1], [True, False])
    np.testing.assert_array_equal(shares.estimate([0, 1]), [np.nan, 0.5])
    assert [bound.tolist()[0] for bound in shares.interval([0, 1])] == [0.0, 1.0]


def test_a_decision_stays_and_counts_no_further() -> None:
    test = SequentialTest(0.5, margin=0.2, keys=2)
    said = test.update([0] * 12 + [1], [True] * 10 + [False] * 2 + [True])
    first = int((said == 1).argmax())
    assert said.tolist() == [0] * first + [1] * (12 - first) + [0]
    assert test.used([0, 1]).tolist() == [first + 1, 1]
    assert test.update([0] * 30, [False] * 30).tolist() == [1] * 30
    assert test.used([0]).tolist() == [first + 1]
    test.reset([0])
    assert test.decision([0]).tolist() == [0]


def test_worlds_decide_with_few_draws_and_the_errors_that_are_allowed() -> None:
    draws = np.random.default_rng(7).random((1500, 400))
    for share, wanted in ((0.4, -1), (0.6, 1), (0.9, 1)):
        decisions, used = sequential_decision(draws < share, margin=0.1)
        assert (decisions != wanted).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
        assert used.mean() < 100
    decisions, used = sequential_decision(draws[:2] < 0.5)
    assert decisions.tolist() == [0] * 400
    assert used.tolist() == [2] * 400


def test_arguments_out_of_range_are_told() -> None:
    for wrong in (
        lambda: MissMonitor(0.0),
        lambda: MissMonitor(0.1, 1.0),
        lambda: MissMonitor(side="up"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: ShareSequence(1.0),
        lambda: ShareSequence(keys=-1),
        lambda: SequentialTest(0.5, margin=0.5),
        lambda: SequentialTest(false_yes=0.5),
        lambda: MissMonitor().update([0], [2]),
        lambda: MissMonitor().update([0], [True, False]),
        lambda: MissMonitor().restore({}),
        lambda: sequential_decision([True]),
    ):
        with pytest.raises(ValueError, match=r"give|wanted|neither|has no|within"):
            wrong()


def test_misses_that_are_as_claimed_raise_few_alarms_and_others_soon_one() -> None:
    runs = np.arange(60)
    late = runs
    for share, allowed in ((0.1, 0.05), (0.15, 1.0)):
        monitor = MissMonitor(keys=60)
        missed = np.random.default_rng(1).random((900, 60)) < share
        monitor.update(np.tile(runs, 900), missed.reshape(-1))
        late = monitor.alarmed_at(runs)
        assert (late > 0).mean() <= allowed
    assert np.median(np.where(late > 0, late, 900)) <= 600
