"""What may be spent: tokens, retries, hedges, restarts, requests."""

from __future__ import annotations

from math import ceil, inf
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.stateful import rule

from rxml.resilience import (
    Backoff,
    Hedging,
    Intensity,
    RetryBudget,
    Throttle,
    TokenBucket,
    TokenBuckets,
)
from tests.unit.resilience.ticking import FEW, Ticking

RATE, BURST = 2, 4


class BucketsMachine(Ticking):
    """Each key has a plain number of tokens that time adds to; the key 3 has twice the weight."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets = TokenBuckets(RATE, BURST, weight=lambda key: 2.0 if key == 3 else 1.0)
        self.tokens: dict[int, tuple[float, float]] = {}

    def level(self, key: int) -> float:
        weight = 2 if key == 3 else 1
        tokens, since = self.tokens.get(key, (BURST * weight, self.now))
        return min(BURST * weight, tokens + (self.now - since) * RATE * weight)

    @rule(key=st.integers(0, 3), cost=st.integers(0, 9))
    def admit(self, key: int, cost: int) -> None:
        level, most = self.level(key), BURST * (2 if key == 3 else 1)
        bucket = self.buckets.of(key)
        wait = bucket.wait(cost, self.now)
        assert bucket.admit(cost, self.now) == (cost <= level)
        if cost <= level:
            assert wait == 0
            self.tokens[key] = level - cost, self.now
        else:
            rate = RATE * most / BURST
            assert wait == (pytest.approx((cost - level) / rate) if cost <= most else inf)

    @rule(key=st.integers(0, 3), cost=st.integers(0, 9))
    def borrow(self, key: int, cost: int) -> None:
        left = self.level(key) - cost
        rate = RATE * (2 if key == 3 else 1)
        moment = self.buckets.of(key).take(cost, self.now)
        assert moment == pytest.approx(self.now + max(0.0, -left) / rate)
        self.tokens[key] = left, self.now


TestBuckets = BucketsMachine.TestCase
TestBuckets.settings = FEW


def test_buckets_of_many_keys_take_bounded_room() -> None:
    buckets = TokenBuckets(1, keys=5)
    for key in range(100):
        assert buckets.of(key).admit(1, 0.0)
    assert len(buckets) == 5
    assert not buckets.of(99).admit(1, 0.0)


def test_a_weight_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="the weight of the key 'a' wants a number > 0"):
        TokenBuckets(1, weight=lambda _: 0.0).of("a")


def test_a_wait_is_enough_however_times_are_rounded() -> None:
    bucket, now = TokenBucket(0.1, 1), 1e9 / 7
    for _ in range(1000):
        now += bucket.wait(1, now)
        assert bucket.admit(1, now)


class RetryBudgetMachine(Ticking):
    """Deposits and withdrawals as a list; those of the last ten of eleven slices count."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = RetryBudget(0.5, per_second=0.25, seconds=8)
        self.events: list[tuple[float, float]] = []

    def balance(self) -> float:
        slice_ = 0.8
        newest = int(self.now // slice_)
        return 2 + sum(amount for at, amount in self.events if newest - int(at // slice_) < 10)

    @rule()
    def deposit(self) -> None:
        self.budget.deposit(self.now)
        self.events.append((self.now, 0.5))

    @rule()
    def withdraw(self) -> None:
        granted = self.balance() >= 1
        assert self.budget.withdraw(self.now) == granted
        if granted:
            self.events.append((self.now, -1.0))
        assert self.budget.balance(self.now) == self.balance()


TestRetryBudget = RetryBudgetMachine.TestCase
TestRetryBudget.settings = FEW


WAITS = st.builds(Backoff, st.floats(0, 5), st.floats(1, 4), st.floats(0, 10))


@given(WAITS, st.integers(0, 300), st.integers(), st.floats(-1, 20))
def test_a_wait_is_within_its_bounds_and_ends_before_the_deadline(
    backoff: Backoff, failures: int, seed: int, left: float
) -> None:
    longest = backoff.wait(failures, None)
    assert longest == min(backoff.most, backoff.first * backoff.factor**failures)
    drawn = backoff.wait(failures, Random(seed))
    assert 0 <= drawn <= longest
    assert backoff.within(failures, Random(seed), left) == (drawn if drawn < left else None)


class HedgingMachine(Ticking):
    def __init__(self) -> None:
        super().__init__()
        self.hedging = Hedging(share=0.25, least=3, window=20, keys=2)
        self.durations: dict[int, list[float]] = {0: [], 1: []}
        self.calls: list[float] = []
        self.hedges: list[float] = []

    def recent(self, moments: list[float]) -> int:
        return sum(self.now // 2 - at // 2 < 10 for at in moments)

    @rule(count=st.integers(1, 5))
    def call(self, count: int) -> None:
        for _ in range(count):
            self.hedging.called(self.now)
            self.calls.append(self.now)

    @rule(key=st.integers(0, 1), seconds=st.integers(0, 100))
    def record(self, key: int, seconds: int) -> None:
        self.hedging.record(seconds, key)
        self.durations[key].append(seconds)

    @rule(load=st.sampled_from([0.0, 0.8, 0.9]))
    def spend(self, load: float) -> None:
        allowed = load <= 0.8 and self.recent(self.hedges) + 1 <= 0.25 * self.recent(self.calls)
        assert self.hedging.spend(self.now, load) == allowed
        if allowed:
            self.hedges.append(self.now)

    @rule(key=st.integers(0, 1))
    def ask(self, key: int) -> None:
        known = sorted(self.durations[key])
        wanted = known[ceil(0.95 * len(known)) - 1] if len(known) >= 3 else None
        assert self.hedging.delay(key) == wanted


TestHedging = HedgingMachine.TestCase
TestHedging.settings = FEW


def test_keys_that_hedging_knows_are_bounded() -> None:
    hedging = Hedging(least=1, keys=2)
    for key in range(3):
        hedging.record(1.0, key)
    assert [hedging.delay(key) for key in range(3)] == [None, 1.0, 1.0]


class IntensityMachine(Ticking):
    def __init__(self) -> None:
        super().__init__()
        self.intensity = Intensity(3, 10.0, backoff=Backoff(1, 2, 3))
        self.moments: list[float] = []

    @rule()
    def fail(self) -> None:
        recent = [at for at in self.moments if at > self.now - 10]
        wait = self.intensity.failed(self.now)
        assert wait == (None if len(recent) == 3 else [1, 2, 3][len(recent)])
        if wait is not None:
            self.moments.append(self.now)


TestIntensity = IntensityMachine.TestCase
TestIntensity.settings = FEW


class ThrottleMachine(Ticking):
    def __init__(self) -> None:
        super().__init__()
        self.throttle = Throttle(window=20, slices=10)
        self.random = Random(4)
        self.requests: list[float] = []
        self.accepts: list[float] = []

    def recent(self, moments: list[float]) -> int:
        return sum(self.now // 2 - at // 2 < 10 for at in moments)

    @rule(accepted=st.booleans())
    def ask(self, accepted: bool) -> None:
        requests, accepts = self.recent(self.requests), self.recent(self.accepts)
        p = max(0.0, (requests - 2 * accepts) / (requests + 1))
        assert self.throttle.refusal(self.now) == p
        dice = Random()
        dice.setstate(self.random.getstate())
        assert self.throttle.admit(self.now, self.random) == (dice.random() >= p)
        self.requests.append(self.now)
        if accepted:
            self.throttle.accepted(self.now)
            self.accepts.append(self.now)


TestThrottle = ThrottleMachine.TestCase
TestThrottle.settings = FEW


def test_a_throttle_asks_a_dead_server_ever_less_and_soon_again_once_it_lives() -> None:
    throttle, random = Throttle(window=10, slices=10), Random(1)
    made = [throttle.admit(i / 100, random) for i in range(2000)]
    assert sum(made[1000:]) < 10
    made = list[bool]()
    for i in range(20_000):
        now = 20 + i / 100
        made.append(throttle.admit(now, random))
        if made[-1]:
            throttle.accepted(now)
    assert all(made[-2000:])
