"""What one does with a stream: the operators, a family a file.

The code lives here; it is imported as `rxml.operators`, through the link `rxml/operators`:

    from rxml import operators as ops
"""

from __future__ import annotations

if __name__ != "rxml.operators":
    # A second copy of every operator would be loaded, whose classes and errors are not the real ones.
    raise ImportError(
        f"the operators of rxml were imported as {__name__!r}, which would load them a second time; "
        "write `from rxml import operators as ops` instead"
    )

from rxml.operators.buffering import buffer
from rxml.operators.failure import catch, on_error_resume_next, repeat, retry
from rxml.operators.gates import skip_until, skip_until_with_time, take_until, take_until_with_time
from rxml.operators.overflow import conflate, on_overflow
from rxml.operators.rate import keep_alive, throttle
from rxml.operators.sampling import debounce, sample
from rxml.operators.timing import delay, timeout
from rxml.operators.transform import map, scan  # noqa: A004 - reactivex's names

__all__ = [
    "buffer",
    "catch",
    "conflate",
    "debounce",
    "delay",
    "keep_alive",
    "map",
    "on_error_resume_next",
    "on_overflow",
    "repeat",
    "retry",
    "sample",
    "scan",
    "skip_until",
    "skip_until_with_time",
    "take_until",
    "take_until_with_time",
    "throttle",
    "timeout",
]
