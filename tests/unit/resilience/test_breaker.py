"""Breaker against a model that keeps every call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import invariant, rule

from rxml.resilience.breaker import Breaker, BreakerState
from tests.unit.resilience.ticking import FEW, Ticking

WINDOW, SLICES, LEAST, PROBES = 4, 4, 4, 2
WAIT, FACTOR, MOST, SLOW = 2.0, 2.0, 6.0, 1.0


@dataclass
class Model:
    """Calls as a list; the wait after the k-th opening in a row from a table."""

    state: str = "closed"
    era: int = 0
    calls: list[tuple[float, bool, bool]] = field(default_factory=list[tuple[float, bool, bool]])
    until: float = 0.0
    row: int = 0
    asked: int = 0
    well: int = 0

    def enter(self, state: str) -> None:
        self.state, self.era = state, self.era + 1
        self.calls, self.asked, self.well = [], 0, 0

    def open(self, now: float) -> None:
        self.enter("open")
        self.until = now + [2.0, 4.0, 6.0][min(self.row, 2)]
        self.row += 1

    def look(self, now: float) -> None:
        if self.state == "open" and now >= self.until:
            self.enter("half-open")
        elif self.state == "half-open" and self.asked > self.well and now >= self.until:
            self.open(now)

    def admit(self, now: float) -> bool:
        self.look(now)
        if self.state == "open" or (self.state == "half-open" and self.asked == PROBES):
            return False
        if self.state == "half-open":
            if self.asked == self.well:
                self.until = now + MOST
            self.asked += 1
        return True

    def ended(self, now: float, *, failed: bool, slow: bool) -> None:
        if self.state == "half-open":
            if failed or slow:
                self.open(now)
            else:
                self.well += 1
                if self.well == PROBES:
                    self.row = 0
                    self.enter("closed")
            return
        self.calls.append((now, failed, slow))
        recent = [call for call in self.calls if now // 1 - call[0] // 1 < SLICES]
        bad = max(sum(call[1] for call in recent), sum(call[2] for call in recent))
        if len(recent) >= LEAST and 2 * bad >= len(recent):
            self.open(now)


class BreakerMachine(Ticking):
    """Permits are given back late, in any order, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(
            window=WINDOW,
            slices=SLICES,
            least=LEAST,
            slow=SLOW,
            wait=WAIT,
            factor=FACTOR,
            most=MOST,
            probes=PROBES,
        )
        self.model = Model()
        self.out: list[tuple[int, int]] = []

    @rule()
    def ask(self) -> None:
        permit = self.breaker.admit(self.now)
        assert (permit is not None) == self.model.admit(self.now)
        if permit is not None:
            self.out.append((permit, self.model.era))

    @rule(
        which=st.integers(0, 50),
        what=st.sampled_from(["failed", "fine", "fine", "slow", "ignored"]),
    )
    def end(self, which: int, what: str) -> None:
        if not self.out:
            return
        permit, era = self.out.pop(which % len(self.out))
        self.model.look(self.now)
        if what == "ignored":
            self.breaker.ignored(permit, self.now)
            if era == self.model.era and self.model.state == "half-open":
                self.model.asked -= 1
            return
        if what == "failed":
            self.breaker.failed(permit, self.now)
        else:
            self.breaker.succeeded(permit, self.now, SLOW if what == "slow" else 0.5)
        if era == self.model.era:
            self.model.ended(self.now, failed=what == "failed", slow=what == "slow")

    @rule()
    def trip(self) -> None:
        self.breaker.trip(self.now)
        self.model.look(self.now)
        if self.model.state != "open":
            self.model.open(self.now)

    @rule(count=st.integers(1, 6), failing=st.booleans())
    def burst(self, count: int, failing: bool) -> None:
        for _ in range(count):
            self.ask()
            self.end(len(self.out) - 1, "failed" if failing else "fine")

    @invariant()
    def agree(self) -> None:
        self.model.look(self.now)
        assert self.breaker.state(self.now).value == self.model.state
        if self.model.state == "open":
            assert self.breaker.retry_after(self.now) == self.model.until - self.now


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = FEW


def tripped() -> Breaker:
    breaker = Breaker()
    for _ in range(20):
        permit = breaker.admit(0.0)
        assert permit
        breaker.failed(permit, 0.0)
    return breaker


def test_what_was_asked_before_it_opened_says_nothing_once_it_is_half_open() -> None:
    breaker = Breaker()
    permits = [breaker.admit(0.0) or 0 for _ in range(23)]
    for permit in permits[:20]:
        breaker.failed(permit, 0.0)
    assert breaker.state(5.0) is BreakerState.HALF_OPEN
    for permit in permits[20:]:
        breaker.succeeded(permit, 5.0, 0.1)
    assert breaker.state(5.0) is BreakerState.HALF_OPEN


def test_waits_double_up_to_a_minute() -> None:
    breaker, now, waits = tripped(), 0.0, list[float]()
    for _ in range(6):
        waits.append(breaker.retry_after(now))
        now += waits[-1]
        breaker.failed(breaker.admit(now) or 0, now)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_probes_that_never_tell_have_failed() -> None:
    breaker = tripped()
    assert all(breaker.admit(5.0) for _ in range(3))
    assert breaker.admit(64.0) is None
    assert breaker.state(65.0) is BreakerState.OPEN
    assert breaker.retry_after(65.0) == 10


def test_rare_calls_that_go_well_close_it() -> None:
    breaker = tripped()
    for now in (100.0, 200.0, 300.0):
        permit = breaker.admit(now)
        assert permit is not None
        breaker.succeeded(permit, now + 0.1, 0.1)
    assert breaker.state(300.1) is BreakerState.CLOSED


def test_who_only_looks_has_no_probe_fail() -> None:
    breaker = tripped()
    states = [breaker.state(float(now)) for now in range(5, 1000)]
    assert set(states) == {BreakerState.HALF_OPEN}


def test_slow_is_learnt_from_calls_that_were_not() -> None:
    breaker = Breaker(slow=None)
    assert breaker.slow == 2.0
    for _ in range(100):
        breaker.succeeded(breaker.admit(0.0) or 0, 0.0, 0.01)
    assert breaker.slow == pytest.approx(0.03)
    for _ in range(100):
        breaker.succeeded(breaker.admit(0.0) or 0, 0.0, 1.0)
    assert breaker.state(0.0) is BreakerState.OPEN
    assert breaker.slow == pytest.approx(0.03)


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0.0},
        {"slices": 0},
        {"least": 0},
        {"failure_rate": 0.0},
        {"failure_rate": 1.5},
        {"slow_rate": 2.0},
        {"slow": 0.0},
        {"wait": 0.0},
        {"wait": 70.0},
        {"factor": 0.5},
        {"probes": 0},
    ],
    ids=str,
)
def test_numbers_out_of_range_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"wants a number"):
        Breaker(**wrong)
