"""The states of a canary."""

from __future__ import annotations

from dataclasses import asdict
from math import inf
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rxml import wire
from rxml.models import Release
from rxml.models.live import Limits, Seen, Standing
from rxml.models.live.rollout import Rollout

if TYPE_CHECKING:
    from collections.abc import Sequence

OLD, NEW = Release("price", "1", "sha256:1"), Release("price", "2", "sha256:2")
FINE, ERROR = Seen(0.01, 1.0), Seen(0.01, error=OSError("down"))
STAGES = (0.01, 0.1, 0.5)


class Told:
    """A guard that says what it is told to."""

    slow = inf

    def __init__(self) -> None:
        self.says: tuple[Standing, str] = (Standing.OPEN, "")
        self.begun: list[int] = []

    def begin(self, stages: int) -> Told:
        self.begun.append(stages)
        return self

    def learn(self, seen: Sequence[Seen], *, candidate: bool) -> None:
        """Nothing."""

    def standing(self) -> tuple[Standing, str]:
        return self.says


def test_the_share_rises_stage_by_stage_until_all_is_the_candidates() -> None:
    rollout = Rollout(STAGES, 100, None)
    kinds = [rollout.begin(NEW, OLD, 5.0).kind]
    shares = [rollout.share]
    for number in range(300):
        decision = rollout.learn([FINE], 6.0 + number, candidate=True)
        if decision is not None:
            kinds.append(decision.kind)
            shares.append(decision.share)
    assert kinds == ["begun", "raised", "raised", "promoted"]
    assert shares == [0.01, 0.1, 0.5, 1.0]


def test_a_regression_is_rolled_back_within_few_of_its_own_outcomes() -> None:
    rollout = Rollout(STAGES, 1000, Limits())
    rollout.begin(NEW, OLD, 0.0)
    decision = None
    while decision is None:
        rollout.learn([FINE], 1.0, candidate=False)
        decision = rollout.learn([ERROR], 2.0, candidate=True)
    assert (decision.kind, decision.reason, decision.share) == ("rolled_back", "errors", 0.0)
    assert decision.outcomes == decision.errors < 20
    assert (decision.version, decision.stable, decision.seconds) == ("2", "1", 2.0)
    assert rollout.learn([ERROR], 3.0, candidate=True) is None


def test_without_an_end_it_stays_at_its_share_and_is_still_watched() -> None:
    rollout = Rollout((0.05,), None, Limits())
    rollout.begin(NEW, OLD, 0.0)
    for _ in range(2000):
        rollout.learn([FINE], 1.0, candidate=False)
        assert rollout.learn([FINE], 1.0, candidate=True) is None
    found = None
    while found is None:
        rollout.learn([FINE], 1.0, candidate=False)
        found = rollout.learn([ERROR], 1.0, candidate=True)
    assert found.kind == "rolled_back"


def test_a_decision_is_the_payload_of_a_fact() -> None:
    decision = Rollout(STAGES, 100, None).begin(NEW, OLD, 5.0)
    assert wire.loads(wire.dumps(asdict(decision))) == asdict(decision)


def test_a_candidate_that_is_refused_leaves_things_as_they_are() -> None:
    rollout = Rollout(STAGES, 100, None)
    rollout.begin(NEW, OLD, 0.0)
    decision = rollout.refuse(Release("price", "3"), "damaged")
    assert (decision.kind, decision.version, decision.share) == ("refused", "3", 0.01)
    assert rollout.running


class Machine(RuleBasedStateMachine):
    @initialize(until=st.none() | st.integers(1, 4))
    def begun(self, until: int | None) -> None:
        self.guard = Told()
        self.until = until
        self.rollout = Rollout(STAGES, until, self.guard)
        self.kinds: list[str] = []
        self.share = 0.0
        self.running = False

    def note(self, decision: Any) -> None:
        if decision is not None:
            self.kinds.append(decision.kind)
            assert decision.share == self.rollout.share

    @rule()
    def comes(self) -> None:
        self.note(self.rollout.begin(NEW, OLD, 0.0))
        self.share, self.running = STAGES[0], True

    @rule(standing=st.sampled_from(Standing), count=st.integers(1, 3))
    def ends(self, standing: Standing, count: int) -> None:
        self.guard.says = (standing, "said")
        before = self.rollout.share
        self.note(self.rollout.learn([FINE] * count, 1.0, candidate=True))
        if not self.running:
            assert self.rollout.share == before
        elif standing is Standing.WORSE:
            self.share, self.running = 0.0, False
        elif standing is Standing.OPEN:
            assert self.rollout.share == before
        else:
            assert self.rollout.share >= before
            self.running = self.rollout.share < 1
            self.share = self.rollout.share

    @invariant()
    def its_share_is_what_was_decided(self) -> None:
        assert self.rollout.share == self.share
        assert self.rollout.running == self.running
        assert self.rollout.share in (0.0, *STAGES, 1.0)
        if self.until is None:
            assert self.rollout.share < STAGES[1]
        assert set(self.guard.begun) <= {len(STAGES)}


TestRollout = Machine.TestCase
