from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import models
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.flow.service import Service
from rxml.models.live import EpsilonGreedy, Exp3, Rewards
from rxml.models.live.rewards import Ledger
from rxml.testing.virtual_time import run
from tests.unit.models.live.releases import each_after, rows, timed_rows, times

if TYPE_CHECKING:
    from rxml.models.live import Policy

ARMS = {"a": times(1), "b": times(2), "c": times(3)}
POLICIES = [Exp3(), EpsilonGreedy()]
MEANS = {"a": 0.2, "b": 0.7, "c": 0.4}


def drawn(rewards: Any, **how: Any) -> Any:
    return ops.bandit(ARMS, reward=rewards, key="id", on=models.on_loop(), **how)


def played(count: int, policy: Any, seed: int = 0, late: int = 1) -> list[Any]:
    """Answers to elements one after the other, each rewarded after some others, or never."""
    rng = np.random.default_rng(seed)
    rewards = Rewards()

    async def main() -> list[Any]:
        answers: list[Any] = []
        async with Service(drawn(rewards, policy=policy, seed=seed)) as service:
            for row in rows(count):
                answers.append(await service.ask(row))
                if len(answers) >= late and rng.random() < 0.9:
                    at = len(answers) - late
                    reward = float(rng.random() < MEANS[answers[at]["arm"]])
                    assert rewards.give(f"user-{at}", reward)
        return answers

    return run(main())


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("late", [1, 100])
def test_the_best_arm_is_drawn_most_though_rewards_are_late_or_missing(
    policy: Policy, late: int
) -> None:
    answers = played(3000, policy, late=late)
    count = Counter(each["arm"] for each in answers[1500:])
    assert count["b"] > 0.6 * 1500
    assert min(count.values()) > 0


@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_seed_draws_the_same_and_another_one_others(policy: Policy) -> None:
    one, two, other = (
        [(each["arm"], each["propensity"]) for each in played(300, policy, seed)]
        for seed in (3, 3, 4)
    )
    assert one == two
    assert one != other


@pytest.mark.parametrize("policy", POLICIES)
def test_propensities_are_what_off_policy_estimates_need(policy: Policy) -> None:
    """The mean of 1[arm] / propensity is 1 for each arm, whatever was learnt meanwhile."""
    answers = played(4000, policy)
    for arm in ARMS:
        weights = [(each["arm"] == arm) / each["propensity"] for each in answers]
        spread = np.std(weights) / len(weights) ** 0.5
        assert abs(np.mean(weights) - 1) < 4 * spread


def test_a_better_arm_is_found_though_it_was_worse_for_long() -> None:
    learner = Exp3(explore=0.1, renew=0.005).begin(2)
    rng = np.random.default_rng(5)
    for best in (0, 1):
        for _ in range(3000):
            p = learner.probabilities()
            arm = int(rng.random() >= p[0])
            learner.learn(arm, float(rng.random() < (0.8 if arm == best else 0.2)), p[arm])
        assert learner.probabilities()[best] > 0.6


@given(
    st.sampled_from(POLICIES),
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), max_size=60),
)
def test_probabilities_are_such_and_a_snapshot_goes_on_the_same(
    policy: Policy, steps: list[tuple[int, float]]
) -> None:
    learner = policy.begin(3)
    for arm, reward in steps:
        learner.learn(arm, reward, learner.probabilities()[arm])
        probabilities = learner.probabilities()
        assert sum(probabilities) == pytest.approx(1.0)
        assert min(probabilities) >= 0.1 / 3 - 1e-12
    other = policy.begin(3)
    other.restore(learner.snapshot())
    other.learn(1, 0.5, 0.3)
    learner.learn(1, 0.5, 0.3)
    assert list(other.probabilities()) == list(learner.probabilities())


def test_a_learner_goes_on_over_runs_and_is_for_its_arms() -> None:
    learner = EpsilonGreedy(explore=0.05).begin(3)
    for _ in range(50):
        learner.learn(0, 0.0, 1 / 3)
        learner.learn(2, 0.0, 1 / 3)
        learner.learn(1, 1.0, 1 / 3)
    operator = drawn(Rewards(), policy=learner)
    answers = run(rxml.from_iterable(rows(300)).pipe(operator).to_list())
    assert [each["arm"] for each in answers].count("b") > 270
    with pytest.raises(ValueError, match="for 3 arms, there are 2"):
        ops.bandit({"a": times(1), "b": times(2)}, reward=Rewards(), key="id", policy=learner)
    with pytest.raises(ValueError, match="for 2 arms"):
        Exp3().begin(2).restore(Exp3().begin(3).snapshot())


def test_rewards_come_by_a_flow_and_what_is_none_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = [(1.5, ("user-0", 2.0)), (0.1, 7), (0.1, ("nobody", 1.0))]
    given_ = [(1.0, (f"user-{number}", 0.0)) for number in range(30)]
    learner = EpsilonGreedy().begin(3)
    flow = each_after(*wrong, *given_)
    answers = run(timed_rows(60).pipe(drawn(flow, policy=learner)).to_list())
    assert len(answers) == 60
    assert caplog.text.count("is no reward") == 2
    assert sum(learner.snapshot()["counts"]) == 30


def test_a_flow_of_rewards_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    flow = rxml.throw(OSError("the log is gone"))
    assert len(run(timed_rows(5).pipe(drawn(flow)).to_list())) == 5
    assert "the log is gone" in caplog.text


def test_a_reward_counts_once_and_only_while_somebody_runs() -> None:
    rewards = Rewards()

    async def main() -> list[bool]:
        async with Service(drawn(rewards)) as service:
            await service.ask({"id": "x", "x": 1.0})
            return [rewards.give("x", 1.0), rewards.give("x", 1.0), rewards.give("y", 1.0)]

    assert rewards.give("x", 1.0) is False
    assert asyncio.run(main()) == [True, False, False]
    assert rewards.give("x", 1.0) is False
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="0 to 1"):
            rewards.give("x", wrong)


def test_as_many_ids_are_remembered_as_there_is_room_for() -> None:
    ledger = Ledger(3)
    for number in range(5):
        ledger.note(number, number, 0.5)
    assert len(ledger) == 3
    assert ledger.take(1) is None
    assert ledger.take("4") == (4, 0.5)
    ledger.note(2, 7, 0.1)
    ledger.note(8, 8, 0.1)
    ledger.note(9, 9, 0.1)
    assert ledger.take(3) is None
    assert ledger.take(2) == (7, 0.1)


@pytest.mark.parametrize("policy", [Exp3, EpsilonGreedy])
def test_policies_have_bounds(policy: Any) -> None:
    for wrong in (0, 1.1):
        with pytest.raises(ValueError, match="explore"):
            policy(explore=wrong)
    with pytest.raises(ValueError, match="memory"):
        EpsilonGreedy(memory=0)
    with pytest.raises(ValueError, match="renew"):
        Exp3(renew=1)


def test_what_cannot_be_right_is_refused_when_it_is_built() -> None:
    with pytest.raises(PipelineError, match="at least one arm"):
        ops.bandit({}, reward=Rewards(), key="id")
    with pytest.raises(PipelineError, match="flow of rewards"):
        ops.bandit(ARMS, reward=[("x", 1)], key="id")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="remember"):
        drawn(Rewards(), remember=0)
