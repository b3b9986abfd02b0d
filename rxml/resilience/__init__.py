"""Policies that keep a system answering, as plain objects: no tasks, no clock of their own, no hidden randomness.

Each is told what happened and when (`now`, in seconds of any clock that does not go back), is handed the `random.Random`
that it draws from, and says what to do. All memory is bounded. The operators that apply them are in `rxml.operators`.
"""

from __future__ import annotations

from rxml.resilience.balance import PowerOfTwo
from rxml.resilience.breaker import Breaker, BreakerState
from rxml.resilience.bucket import TokenBucket
from rxml.resilience.buckets import TokenBuckets
from rxml.resilience.codel import CoDel, QueueDelay
from rxml.resilience.ejection import Ejection
from rxml.resilience.gradient import Gradient
from rxml.resilience.hedging import Hedging
from rxml.resilience.intensity import Intensity
from rxml.resilience.ladder import Ladder
from rxml.resilience.poison import Poison
from rxml.resilience.priorities import Priorities, Priority
from rxml.resilience.quantile import RecentQuantile
from rxml.resilience.retrying import Backoff, RetryBudget
from rxml.resilience.throttle import Throttle

__all__ = [
    "Backoff",
    "Breaker",
    "BreakerState",
    "CoDel",
    "Ejection",
    "Gradient",
    "Hedging",
    "Intensity",
    "Ladder",
    "Poison",
    "PowerOfTwo",
    "Priorities",
    "Priority",
    "QueueDelay",
    "RecentQuantile",
    "RetryBudget",
    "Throttle",
    "TokenBucket",
    "TokenBuckets",
]
