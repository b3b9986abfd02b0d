"""Limits: how much a model may take before anybody looks closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model's file may be at most.

    Attributes:
        max_bytes: of the file.
        max_expanded: bytes of all that an archive holds, unpacked.
        max_entries: files in an archive.
    """

    max_bytes: int = 2 << 30
    max_expanded: int = 4 << 30
    max_entries: int = 10_000


LIMITS: Final = Limits()
"""Enough for what answers in milliseconds."""
