"""What a log holds, and what it has done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogStatistics:
    """A log at one moment.

    Attributes:
        facts: how many are stored.
        chunks: rows of the database that they are in.
        bytes: of their blobs.
        first_offset: the least offset; that of the next fact if none is stored.
        next_offset: that of the next fact.
        first_event: the least event time, in nanoseconds; None if no fact is stored.
        last_event: the greatest.
        stored: facts that this object has stored since it was made.
        duplicates: those that were stored before.
        rejected: what was no fact.
        index_bytes: of the index of ids in memory, in sorted runs.
    """

    facts: int
    chunks: int
    bytes: int
    first_offset: int
    next_offset: int
    first_event: int | None
    last_event: int | None
    stored: int
    duplicates: int
    rejected: int
    index_bytes: int
