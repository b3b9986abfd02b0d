"""Learning in the stream: what predicts, hears what it came to, and is better at it the next time."""

from rxml.learning.coverage import Coverage, CoverageReport
from rxml.learning.label import Label

__all__ = ["Coverage", "CoverageReport", "Label"]
