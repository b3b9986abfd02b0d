"""Policies that watch load and delay: gradient, CoDel, queue delay, priorities, ladder."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from math import sqrt
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.stateful import invariant, rule

from rxml.resilience import CoDel, Gradient, Ladder, Priorities, Priority, QueueDelay
from tests.unit.resilience.ticking import FEW, Ticking


class GradientMachine(Ticking):
    """The formulas once more, over lists of samples."""

    def __init__(self) -> None:
        super().__init__()
        self.gradient = Gradient(initial=20, samples=3)
        self.limit = 20.0
        self.long: list[float] = []
        self.average = 0.0
        self.samples: list[tuple[float, float, int]] = []
        self.began = 0.0

    @rule(
        seconds=st.sampled_from([0.0, 0.01, 0.02, 0.1, 1.0]),
        flight=st.integers(1, 30),
        count=st.integers(1, 4),
    )
    def record(self, seconds: float, flight: int, count: int) -> None:
        for _ in range(count):
            self.gradient.record(self.now, seconds, flight)
            if not self.samples and not self.long:
                self.began = self.now
            self.samples.append((self.now, seconds, flight))
            if len(self.samples) >= 3 and self.now - self.began >= 1:
                self.update()

    def update(self) -> None:
        short = sum(each[1] for each in self.samples) / len(self.samples)
        self.long.append(short)
        n = len(self.long)
        bound = max(each[2] for each in self.samples) >= int(self.limit)
        if n <= 10:
            self.average += (short - self.average) / n
        elif short <= self.average or not bound:
            self.average += (short - self.average) / 300.5
        elif self.limit < 2:
            self.average += (short - self.average) / 10
        g = 1.0 if short == 0 else max(0.5, min(1.0, 1.5 * self.average / short))
        new = self.limit * g + min(4.0, self.limit / 4)
        if max(each[2] for each in self.samples) < self.limit / 2:
            new = min(new, self.limit)
        self.limit = max(1.0, min(200.0, 0.8 * self.limit + 0.2 * new))
        if self.average > 2 * short:
            self.average *= 0.95
        self.samples, self.began = [], self.now

    @invariant()
    def agree(self) -> None:
        assert self.gradient.limit in {int(self.limit + 1e-9), int(self.limit - 1e-9)}
        assert 1 <= self.gradient.limit <= 200


TestGradient = GradientMachine.TestCase
TestGradient.settings = FEW


def served(gradient: Gradient, seconds: int, capacity: int, start: float = 0.0) -> list[int]:
    """Limits, each second, before a pool that works on `capacity` calls at once for 0.1 s each."""
    limits: list[int] = []
    for second in range(seconds):
        for i in range(10):
            flight = gradient.limit
            took = 0.1 * max(1.0, flight / capacity)
            gradient.record(start + second + (i + 1) / 10, took, flight)
        limits.append(gradient.limit)
    return limits


def test_the_limit_settles_near_what_the_pool_can_do() -> None:
    gradient = Gradient(initial=4)
    for second in range(30):
        for i in range(10):
            gradient.record(second + i / 10, 0.1, 4)
    limits = served(gradient, 4000, 8, 30.0)
    assert 8 <= min(limits[100:]) <= max(limits[100:]) <= 24


def test_a_callee_that_has_become_slower_for_good_is_learnt() -> None:
    gradient = Gradient(initial=4)
    for second in range(30):
        for i in range(10):
            gradient.record(second + i / 10, 0.1, 4)
    served(gradient, 100, 8, 30.0)
    limits: list[int] = []
    for i in range(3000):
        flight = gradient.limit
        gradient.record(130 + i / 10, 0.4 * max(1.0, flight / 8), flight)
        limits.append(gradient.limit)
    assert min(limits) == 1
    assert 8 <= limits[-1] <= 24


def test_a_pool_of_one_can_be_held_to_one() -> None:
    gradient = Gradient(initial=20)
    for i in range(3000):
        gradient.record(i / 10, 0.1 * 1.02**i, 20)
    assert gradient.limit == 1


def test_what_is_not_used_does_not_grow() -> None:
    gradient = Gradient(initial=20)
    for i in range(1000):
        gradient.record(i / 10, 0.1, 5)
    assert gradient.limit == 20


class CoDelMachine(Ticking):
    """A queue as RFC 8289, section 5, writes it, beside ours."""

    def __init__(self) -> None:
        super().__init__()
        self.codel = CoDel(0.5, 2.0)
        self.first_above: float | None = None
        self.dropping, self.next, self.count, self.last = False, -1e9, 0, 0

    @rule(
        waited=st.sampled_from([0.25, 0.5, 1.0, 5.0]),
        left=st.integers(0, 3),
        count=st.integers(1, 8),
    )
    def take(self, waited: float, left: int, count: int) -> None:
        for _ in range(count):
            assert self.codel.drops(self.now, waited, left=left) == self.reference(waited, left)
            assert self.codel.overloaded == self.dropping

    def reference(self, waited: float, left: int) -> bool:
        ok = False
        if waited < 0.5 or left == 0:
            self.first_above = None
        elif self.first_above is None:
            self.first_above = self.now + 2.0
            ok = False
        else:
            ok = self.now >= self.first_above
        if self.dropping:
            if not ok:
                self.dropping = False
            elif self.now >= self.next:
                self.count += 1
                self.next += 2.0 / sqrt(self.count)
                return True
            return False
        if ok:
            self.dropping = True
            delta = self.count - self.last
            self.count = delta if delta > 1 and self.now - self.next < 32.0 else 1
            self.next = self.now + 2.0 / sqrt(self.count)
            self.last = self.count
            return True
        return False


TestCoDel = CoDelMachine.TestCase
TestCoDel.settings = FEW


def test_a_standing_queue_loses_ever_more_until_it_is_gone() -> None:
    codel, drops = CoDel(), list[float]()
    for i in range(400):
        if codel.drops(i / 100, 0.05, left=9):
            drops.append(i / 100)
    gaps = [late - early for early, late in pairwise(drops)]
    assert drops[0] == pytest.approx(0.1)
    assert gaps[0] == pytest.approx(0.1)
    assert gaps[-1] < 0.03


class QueueDelayMachine(Ticking):
    def __init__(self) -> None:
        super().__init__()
        self.delay = QueueDelay(0.25, 2.0)
        self.began = self.now
        self.delay.emptied(self.now)

    @rule()
    def empty(self) -> None:
        self.delay.emptied(self.now)
        self.began = self.now

    @invariant()
    def agree(self) -> None:
        over = self.now > self.began + 2.0
        assert self.delay.overloaded(self.now) == over
        assert self.delay.limit(self.now) == (0.25 if over else 2.0)


TestQueueDelay = QueueDelayMachine.TestCase
TestQueueDelay.settings = FEW


def overload(limited: bool) -> float:
    """Share of a server's capacity that is answered within 100 ms, at three times that capacity."""
    random, delay, queue, good, free = Random(3), QueueDelay(), deque[float](), 0, 0.0
    now = 0.0
    while now < 20:
        now += random.expovariate(300)
        while queue and free <= now:
            start = max(free, queue[0])
            came = queue.popleft()
            if not limited or start - came <= delay.limit(start):
                free = start + 0.01
                good += free - came <= 0.1
            if not queue:
                delay.emptied(start)
        queue.append(now)
    return good / 2000


def test_a_bounded_delay_keeps_goodput_where_a_plain_queue_loses_it() -> None:
    assert overload(limited=False) < 0.05
    assert overload(limited=True) > 0.9


@given(st.integers(-5, 5), st.floats(0, 1.2))
def test_the_less_urgent_are_refused_first(priority: int, load: float) -> None:
    priorities = Priorities()
    thresholds = {-2: 0.6, -1: 0.75, 0: 0.9, 1: 1.0}
    assert priorities.admits(priority, load) == (load < thresholds[max(-2, min(1, priority))])
    assert priorities.threshold(priority) <= priorities.threshold(priority + 1)


def test_a_less_urgent_class_is_not_admitted_longer() -> None:
    with pytest.raises(ValueError, match=r"Priorities\(shadow\) wants a number from 0 to 0.5"):
        Priorities(best_effort=0.5, shadow=0.6)
    assert [each.name for each in Priority] == ["SHADOW", "BEST_EFFORT", "DEFAULT", "CRITICAL"]


class LadderMachine(Ticking):
    """The rung after each observation, from all observations since the last move."""

    def __init__(self) -> None:
        super().__init__()
        self.ladder = Ladder(3, 10.0)
        self.rung = 0
        self.seen: list[tuple[float, float]] = []

    @rule(p95=st.sampled_from([1.0, 6.0, 7.0, 9.0, 9.5]), count=st.integers(1, 3))
    def observe(self, p95: float, count: int) -> None:
        for _ in range(count):
            self.seen.append((self.now, p95))
            self.move()
            assert self.ladder.observe(self.now, p95) == self.rung
            self.now += 2

    def move(self) -> None:
        high = self.since([value > 9.0 for _, value in self.seen])
        low = self.since([value < 6.0 for _, value in self.seen])
        if self.rung < 2 and high is not None and self.now - high >= 3:
            self.rung, self.seen = self.rung + 1, []
        elif self.rung > 0 and low is not None and self.now - low >= 30:
            self.rung, self.seen = self.rung - 1, []

    def since(self, holds: list[bool]) -> float | None:
        """When the row of observations began that it holds for up to the newest; None if not for that."""
        began: float | None = None
        for (at, _), held in zip(self.seen, holds, strict=True):
            began = (at if began is None else began) if held else None
        return began


TestLadder = LadderMachine.TestCase
TestLadder.settings = FEW


def test_a_ladder_goes_by_the_p95_of_its_own_rung() -> None:
    ladder = Ladder(2, 1.0, down_after=1)
    for i in range(60):
        ladder.record(i / 10, 2.0, 0)
    assert ladder.rung == 1
    for i in range(600):
        ladder.record(6 + i / 10, 0.01, 0)
    assert ladder.rung == 1
    for i in range(600):
        ladder.record(66 + i / 10, 0.01, 1)
    assert ladder.rung == 0
