"""Learners: which arm is drawn how often, learnt from rewards. Pure: what is drawn is not their business."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Learner(Protocol):
    """The state of a bandit."""

    def begin(self, arms: int) -> Learner:
        """Itself, if it is for as many arms: what it has learnt goes on.

        Raises:
            ValueError: it is for another number of arms.
        """
        ...

    def probabilities(self) -> Sequence[float]:
        """With which each arm is drawn now: each > 0, their sum 1."""
        ...

    def learn(self, arm: int, reward: float, propensity: float) -> None:
        """Of an element that an arm was drawn for.

        Args:
            arm: its number.
            reward: 0 to 1.
            propensity: with which that arm was drawn, then.
        """
        ...

    def snapshot(self) -> dict[str, Any]:
        """What it has learnt, as plain values."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        ...


class Policy(Protocol):
    """A way to learn; begins anew in each run. A `Learner` in its place goes on over all of them."""

    def begin(self, arms: int) -> Learner:
        """The state for as many arms."""
        ...


@dataclass(frozen=True, slots=True)
class Exp3:
    """Exponential weights for exploration and exploitation, with a share for arms that become better later (Exp3.S).

    p_i = (1 - explore) w_i / W + explore / K, and after a reward r of arm i: w_i <- w_i exp(explore r / (p_i K)) + e renew W / K
    (Auer, Cesa-Bianchi, Freund and Schapire, "The nonstochastic multiarmed bandit problem", SIAM J. Comput. 2002). It assumes
    nothing of how rewards come about.

    Attributes:
        explore: share of elements that are drawn alike for all arms, 0 < explore <= 1.
        renew: share of the weight that is parted anew with each reward, 0 <= renew < 1; about one by the number of rewards
            between two changes of which arm is the best.

    Raises:
        ValueError: one out of its range.
    """

    explore: float = 0.1
    renew: float = 0.001

    def __post_init__(self) -> None:
        """Check."""
        if not 0 < self.explore <= 1 or not 0 <= self.renew < 1:
            raise ValueError(f"Exp3 wants 0 < explore <= 1 and 0 <= renew < 1, got {self}")

    def begin(self, arms: int) -> Exp3Learner:
        """See `Policy.begin`."""
        return Exp3Learner(self, arms)


class Exp3Learner:
    """The state of `Exp3`.

    Args:
        policy: its numbers.
        arms: how many.
    """

    __slots__ = ("_policy", "_weights")

    def __init__(self, policy: Exp3, arms: int) -> None:
        self._policy = policy
        self._weights = [1.0 / arms] * arms

    def begin(self, arms: int) -> Exp3Learner:
        """See `Learner.begin`."""
        _require(len(self._weights), arms)
        return self

    def probabilities(self) -> list[float]:
        """See `Learner.probabilities`."""
        explore, count = self._policy.explore, len(self._weights)
        return [(1 - explore) * weight + explore / count for weight in self._weights]

    def learn(self, arm: int, reward: float, propensity: float) -> None:
        """See `Learner.learn`; weights are kept with the sum 1."""
        count, renew = len(self._weights), self._policy.renew
        self._weights[arm] *= exp(self._policy.explore * reward / (propensity * count))
        whole = sum(self._weights)
        anew = exp(1) * renew / count
        total = whole * (1 + exp(1) * renew)
        self._weights = [(weight + anew * whole) / total for weight in self._weights]

    def snapshot(self) -> dict[str, Any]:
        """See `Learner.snapshot`."""
        return {"weights": list(self._weights)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Learner.restore`."""
        _require(len(self._weights), len(state["weights"]))
        self._weights = list(state["weights"])


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """The arm with the best mean reward, and any arm with the probability `explore`.

    Attributes:
        explore: 0 < explore <= 1.
        memory: rewards of an arm that its mean goes by, >= 1: older ones fade (an exponentially weighted mean, which is the
            plain one until there are as many).

    Raises:
        ValueError: one out of its range.
    """

    explore: float = 0.1
    memory: float = 1000.0

    def __post_init__(self) -> None:
        """Check."""
        if not 0 < self.explore <= 1 or not self.memory >= 1:
            raise ValueError(f"EpsilonGreedy wants 0 < explore <= 1 and memory >= 1, got {self}")

    def begin(self, arms: int) -> GreedyLearner:
        """See `Policy.begin`."""
        return GreedyLearner(self, arms)


class GreedyLearner:
    """The state of `EpsilonGreedy`. An arm without a reward counts as the best there could be.

    Args:
        policy: its numbers.
        arms: how many.
    """

    __slots__ = ("_counts", "_means", "_policy")

    def __init__(self, policy: EpsilonGreedy, arms: int) -> None:
        self._policy = policy
        self._means = [1.0] * arms
        self._counts = [0] * arms

    def begin(self, arms: int) -> GreedyLearner:
        """See `Learner.begin`."""
        _require(len(self._means), arms)
        return self

    def probabilities(self) -> list[float]:
        """See `Learner.probabilities`; arms that are equally good share."""
        explore, count, top = self._policy.explore, len(self._means), max(self._means)
        best = sum(mean == top for mean in self._means)
        return [explore / count + (mean == top) * (1 - explore) / best for mean in self._means]

    def learn(self, arm: int, reward: float, propensity: float) -> None:
        """See `Learner.learn`."""
        del propensity
        self._counts[arm] += 1
        weight = min(float(self._counts[arm]), self._policy.memory)
        self._means[arm] += (reward - self._means[arm]) / weight

    def snapshot(self) -> dict[str, Any]:
        """See `Learner.snapshot`."""
        return {"means": list(self._means), "counts": list(self._counts)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Learner.restore`."""
        _require(len(self._means), len(state["means"]))
        self._means, self._counts = list(state["means"]), list(state["counts"])


def _require(has: int, wanted: int) -> None:
    if has != wanted:
        raise ValueError(f"the learner is for {has} arms, there are {wanted}")
