"""Waits, budgets and buckets: pure arithmetic."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.resilience.bucket import TokenBucket
from rxml.resilience.retrying import SLICES, Backoff, RetryBudget


def test_waits_grow_up_to_the_most() -> None:
    waits = [Backoff(1, 2, 9).wait(failures, None) for failures in range(6)]
    assert waits == [1, 2, 4, 8, 9, 9]
    assert Backoff(1, 2, 9).wait(10**6, None) == 9
    assert Backoff(0, 2, 9).wait(10**6, None) == 0


@given(st.integers(0, 50), st.integers(0, 99))
def test_full_jitter_is_between_nothing_and_the_wait(failures: int, seed: int) -> None:
    backoff = Backoff(0.05, 2, 2)
    assert 0 <= backoff.wait(failures, Random(seed)) <= backoff.wait(failures, None)


def test_full_jitter_uses_the_whole_range() -> None:
    random = Random(1)
    waits = [Backoff(1, 2, 9).wait(0, random) for _ in range(1000)]
    assert min(waits) < 0.05
    assert max(waits) > 0.95
    assert 0.45 < sum(waits) / 1000 < 0.55


@pytest.mark.parametrize("wrong", [(-1, 2, 3), (1, 0.5, 3), (1, 2, -1), (float("inf"), 2, 3)])
def test_a_backoff_is_checked(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="Backoff wants"):
        Backoff(*wrong)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60),
    st.sampled_from([0.0, 0.2, 1.0]),
    st.sampled_from([0.0, 0.5, 2.0]),
)
def test_a_budget_grants_a_share_and_a_floor(
    steps: list[tuple[float, bool]], ratio: float, per_second: float
) -> None:
    """In any stretch of its time no more is granted than the share of what came in before it, and the floor."""
    seconds = 10.0
    budget = RetryBudget(ratio, per_second=per_second, seconds=seconds)
    now = 0.0
    firsts: list[float] = []
    granted: list[float] = []
    for gap, first in steps:
        now += gap
        if first:
            budget.deposit(now)
            firsts.append(now)
        elif budget.withdraw(now):
            granted.append(now)
            within = [at for at in granted if at > now - seconds * (1 - 1 / SLICES)]
            came = [at for at in firsts if at > now - 2 * seconds]
            assert len(within) <= per_second * seconds + ratio * len(came) + 1e-6
        else:
            spent = [at for at in granted if at > now - seconds]
            surely = [at for at in firsts if at > now - seconds * (1 - 1 / SLICES)]
            assert len(spent) + 1 > per_second * seconds + ratio * len(surely) - 1e-6


def test_a_budget_that_is_spent_comes_back() -> None:
    budget = RetryBudget(0, per_second=0.3, seconds=10)
    assert [budget.withdraw(1.0) for _ in range(4)] == [True, True, True, False]
    assert not budget.withdraw(9.0)
    assert budget.withdraw(11.5)


@pytest.mark.parametrize(
    "wrong", [{"ratio": -1}, {"per_second": -1}, {"seconds": 0}, {"ratio": float("nan")}]
)
def test_a_budget_is_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="RetryBudget wants"):
        RetryBudget(**wrong)


def test_a_bucket_fills_up_and_no_further() -> None:
    bucket = TokenBucket(0.5, 3)
    assert bucket.available(100.0) == 3
    assert bucket.take(2, 100.0) == 100.0
    assert bucket.available(100.0) == 1
    assert bucket.available(100.5) == 2
    assert bucket.available(999.0) == 3
    assert bucket.take(5, 999.0) == 1000.0
    assert bucket.available(1000.0) == 0
