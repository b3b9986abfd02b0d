"""Learning in the stream: what predicts, hears what it came to, and is better at it the next time."""

from __future__ import annotations

from rxml.learning.coverage import Coverage, CoverageReport
from rxml.learning.coverage_by_key import KeyCoverage
from rxml.learning.label import Label

__all__ = ["Coverage", "CoverageReport", "KeyCoverage", "Label"]
