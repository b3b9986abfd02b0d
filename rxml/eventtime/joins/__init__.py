"""Joins: elements of two streams that belong together by key and event time, and elements with what is looked up."""

from __future__ import annotations

from rxml.eventtime.joins.results import AsOf, Joined, Looked, Reason

__all__ = ["AsOf", "Joined", "Looked", "Reason"]
