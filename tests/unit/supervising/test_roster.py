"""Roster and the parts of time, against what must hold whatever happens."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from math import isclose
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.stateful import invariant, precondition, rule

from rxml.models.supervising.attempt import part
from rxml.models.supervising.roster import Roster, Standing
from rxml.resilience import Breaker, Ejection
from tests.unit.resilience.ticking import FEW, Ticking

if TYPE_CHECKING:
    from rxml.models.supervising.decision import What

NAMES = ("a", "b", "c")
AFTER: dict[str, set[str]] = {
    "": {"removed"},
    "removed": {"probing", "restored"},
    "probing": {"removed", "restored"},
    "restored": {"removed"},
}
"""What may follow what for one arm."""


class RosterMachine(Ticking):
    """Calls end late, in any order, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self.out: list[tuple[str, int]] = []
        breaker = partial(Breaker, window=4, slices=4, least=4, wait=2, most=4, probes=2, slow=1.0)
        ejection: Ejection[str] = Ejection(NAMES, failures=2, seconds=3, most=9, sweep=5)
        self.ejection = ejection
        self.roster = Roster(NAMES, breaker, ejection, self._tell)

    def _tell(self, what: What, arm: str, reason: str) -> None:
        assert arm or what in ("escalated", "recovered")
        assert reason or what in ("probing", "restored")
        self.told.append((what, arm))

    @rule(which=st.integers(0, 2))
    def ask(self, which: int) -> None:
        free = self.roster.available(self.now)
        if not free:
            wait = self.roster.retry_after(self.now)
            away = [self.ejection.retry_after(name, self.now) for name in NAMES]
            assert wait >= min(away)
            return
        name = free[which % len(free)]
        permit = self.roster.admit(name, self.now)
        assert permit is not None
        self.out.append((name, permit))

    @precondition(lambda self: self.out)
    @rule(
        which=st.integers(0, 50), what=st.sampled_from(["failed", "failed", "fine", "slow", "gone"])
    )
    def end(self, which: int, what: str) -> None:
        name, permit = self.out.pop(which % len(self.out))
        if what == "failed":
            self.roster.failed(name, permit, self.now, 0.1)
        elif what == "gone":
            self.roster.ignored(name, permit, self.now)
        else:
            self.roster.succeeded(name, permit, self.now, 2.0 if what == "slow" else 0.1)

    @rule(name=st.sampled_from(NAMES))
    def outdone(self, name: str) -> None:
        self.roster.outdone(name, self.now)

    @invariant()
    def who_is_available_is_known_and_in_order(self) -> None:
        free = self.roster.available(self.now)
        assert free == [name for name in NAMES if name in free]
        for name in free:
            assert self.roster.standing(name) in (Standing.IN, Standing.PROBING)
        assert len(self.ejection.available(self.now)) >= 2

    @invariant()
    def the_story_of_each_arm_makes_sense(self) -> None:
        for name in NAMES:
            story = ["", *(what for what, arm in self.told if arm == name)]
            assert all(after in AFTER[before] for before, after in pairwise(story))
            standing = self.roster.standing(name)
            last = {"": "in", "restored": "in", "removed": "out", "probing": "probing"}[story[-1]]
            assert standing.value == last

    @invariant()
    def none_left_is_told_once_each_time(self) -> None:
        self.roster.available(self.now)
        story = [what for what, _ in self.told if what in ("escalated", "recovered")]
        assert all(what == ("escalated", "recovered")[at % 2] for at, what in enumerate(story))
        standings = {self.roster.standing(name) for name in NAMES}
        if Standing.IN in standings:
            assert len(story) % 2 == 0
        if standings == {Standing.OUT}:
            assert len(story) % 2 == 1


def _nobody(what: What, arm: str, reason: str) -> None:
    """Hears of decisions."""


def test_an_ejected_arm_is_not_asked_again_as_soon_as_its_breaker_lets_it() -> None:
    one: Ejection[str] = Ejection(NAMES[:2], failures=1, seconds=30)
    roster = Roster(NAMES[:2], partial(Breaker, least=1, wait=5.0), one, _nobody)
    for name in NAMES[:2]:
        roster.failed(name, roster.admit(name, 0.0) or 0, 0.0, 0.0)
    roster.outdone("a", 0.0)
    assert roster.available(0.0) == []
    assert roster.retry_after(0.0) == 5
    roster.available(5.0)
    roster.failed("b", roster.admit("b", 5.0) or 0, 5.0, 0.0)
    assert roster.retry_after(6.0) == 9  # of b; a is away for 24 more


TestRoster = RosterMachine.TestCase
TestRoster.settings = FEW


@given(
    left=st.floats(0, 100),
    p95=st.none() | st.floats(0, 100),
    others=st.booleans(),
    spare=st.booleans(),
)
def test_an_arm_gets_no_more_than_there_is_and_leaves_some_to_others(
    left: float, p95: float | None, others: bool, spare: bool
) -> None:
    seconds = part(left, p95, others=others, spare=spare)
    assert 0 <= seconds <= left
    if others and left > 0:
        assert left / 2 <= seconds <= 0.8 * left or isclose(seconds, left / 2)
    if not others and not spare:
        assert seconds == left
