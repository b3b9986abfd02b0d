"""Event time: when things happened, how far a stream has come in that, and what is computed by it.

Times are int64 nanoseconds since 1970, UTC; `datetime` is taken at the edge only.
"""

from __future__ import annotations

from rxml.eventtime.event_time import EventTime
from rxml.eventtime.keying import Evicted
from rxml.eventtime.watermarks import Watermarks, bounded, monotonic, punctuated

__all__ = ["EventTime", "Evicted", "Watermarks", "bounded", "monotonic", "punctuated"]
