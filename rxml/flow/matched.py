"""Matched: what is known of elements whose answers find the one who asked by their contexts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matched:
    """A trait of elements that come from several who ask: each has a context, and its answer may overtake others."""
