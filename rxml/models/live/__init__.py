"""Models that change while they answer: split, canary, shadow and bandit; the operators are in `rxml.operators`."""

from __future__ import annotations

from rxml.models.live.differing import Difference, ShadowTally
from rxml.models.live.learners import EpsilonGreedy, Exp3, Learner, Policy
from rxml.models.live.limits import Guard, Limits, Seen, Standing, Watch
from rxml.models.live.rewards import Reward, Rewards
from rxml.models.live.rollout import Decision
from rxml.models.live.routed import Routed
from rxml.models.live.weights import Weights

__all__ = [
    "Decision",
    "Difference",
    "EpsilonGreedy",
    "Exp3",
    "Guard",
    "Learner",
    "Limits",
    "Policy",
    "Reward",
    "Rewards",
    "Routed",
    "Seen",
    "ShadowTally",
    "Standing",
    "Watch",
    "Weights",
]
