"""Inference that may be looked at any time: after each row, forever, and stopped at will, its guarantees hold."""

from __future__ import annotations

from rxml.evaluation.anytime.bernstein import BernsteinMean
from rxml.evaluation.anytime.betting import BettingMean
from rxml.evaluation.anytime.deciding import SequentialTest, sequential_decision
from rxml.evaluation.anytime.misses import MissMonitor, log_e_value
from rxml.evaluation.anytime.shares import ShareSequence, share_interval

__all__ = [
    "BernsteinMean",
    "BettingMean",
    "MissMonitor",
    "SequentialTest",
    "ShareSequence",
    "log_e_value",
    "sequential_decision",
    "share_interval",
]
