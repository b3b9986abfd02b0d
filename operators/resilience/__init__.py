"""Operators that keep answering despite failure and load."""

from __future__ import annotations

from rxml.flow.guarding.bulkhead import Bulkhead
from rxml.flow.guarding.guard import Guard
from rxml.flow.guarding.panel import Quorum
from rxml.flow.guarding.retrying import Retry
from rxml.flow.guarding.rungs import Answer, Rung
from rxml.operators.resilience.answering import fallback, quorum
from rxml.operators.resilience.deadlines import deadline
from rxml.operators.resilience.limiting import rate_limit
from rxml.operators.resilience.quarantining import quarantine
from rxml.operators.resilience.shedding import shed
from rxml.operators.resilience.supervising_models import supervise_models
from rxml.operators.resilience.watching import watchdog

__all__ = [
    "Answer",
    "Bulkhead",
    "Guard",
    "Quorum",
    "Retry",
    "Rung",
    "deadline",
    "fallback",
    "quarantine",
    "quorum",
    "rate_limit",
    "shed",
    "supervise_models",
    "watchdog",
]
