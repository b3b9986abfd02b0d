"""Activity: each connection that has asked lately counts once, as long as it is open."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rxml.http.activity import NEVER, SPAN, Activity


class One:
    """A connection."""

    def __init__(self) -> None:
        self.asked: int = NEVER
        self.last: float | None = None


def test_who_asks_again_counts_once_and_who_rests_counts_no_more() -> None:
    activity, busy, idle = Activity(), One(), One()
    activity.asks(busy, 1.0)
    activity.asks(busy, 1.01)
    activity.asks(idle, 1.02)
    assert activity.count(1.03) == 2
    activity.asks(busy, 1.0 + 1.1 * SPAN)
    assert activity.count(1.0 + 1.1 * SPAN) == 2
    assert activity.count(1.0 + 2.2 * SPAN) == 1
    assert activity.count(1.0 + 3.3 * SPAN) == 0


def test_after_a_pause_nobody_has_asked_lately() -> None:
    activity, one = Activity(), One()
    activity.asks(one, 1.0)
    assert activity.count(1.0 + 2.5 * SPAN) == 0
    activity.leaves(one)
    assert activity.count(1.0 + 2.6 * SPAN) == 0


def test_who_leaves_counts_no_more() -> None:
    activity, one, other = Activity(), One(), One()
    activity.asks(one, 1.0)
    activity.asks(other, 1.0)
    activity.leaves(one)
    assert activity.count(1.0) == 1
    activity.asks(one, 1.0 + 1.1 * SPAN)
    activity.leaves(other)
    assert activity.count(1.0 + 1.1 * SPAN) == 1


class Counting(RuleBasedStateMachine):
    """Whatever happens: who asked within a span counts, who has not for two does not, who is gone never."""

    def __init__(self) -> None:
        super().__init__()
        self.activity = Activity()
        self.ones = [One() for _ in range(6)]
        self.now = 10.0

    @rule(number=st.integers(0, 5), later=st.floats(0, 2.2 * SPAN))
    def ask(self, number: int, later: float) -> None:
        self.now += later
        one = self.ones[number]
        self.activity.asks(one, self.now)
        one.last = self.now

    @rule(number=st.integers(0, 5))
    def leave(self, number: int) -> None:
        self.activity.leaves(self.ones[number])
        self.ones[number] = One()

    @rule(later=st.floats(0, 4 * SPAN))
    def wait(self, later: float) -> None:
        self.now += later

    @invariant()
    def counted(self) -> None:
        ages = [self.now - one.last for one in self.ones if one.last is not None]
        found = self.activity.count(self.now)
        assert sum(age < SPAN for age in ages) <= found <= sum(age < 3 * SPAN for age in ages)


TestCounting = Counting.TestCase
