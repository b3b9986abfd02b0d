"""Facts: what happened, as it was known, in a log that only grows."""

from __future__ import annotations

from rxml.facts.fact import Fact, nanoseconds_of
from rxml.facts.ids import derived_id, new_id, new_ids
from rxml.facts.log import FactLog, LogStatistics
from rxml.facts.outcome import Outcome, Outcomes
from rxml.facts.table import facts_batch, facts_of, packed

__all__ = [
    "Fact",
    "FactLog",
    "LogStatistics",
    "Outcome",
    "Outcomes",
    "derived_id",
    "facts_batch",
    "facts_of",
    "nanoseconds_of",
    "new_id",
    "new_ids",
    "packed",
]
