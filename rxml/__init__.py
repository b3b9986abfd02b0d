"""rxml: reactive streams for machine learning that answers in real time.

Rooms: `flow` (the engine), `operators` (what one does with a stream), `batch` and `wire` (columns, msgpack), `http`
(endpoints), `rx` and `reactive_streams` (bridges), `testing` (the published kit), `cli`.
"""

from __future__ import annotations

from rxml.flow.chunk import END, UNBOUNDED, Chunk
from rxml.flow.compose import compose
from rxml.flow.create import (
    empty,
    from_async_iterable,
    from_batches,
    from_iterable,
    generate,
    of,
    range,  # noqa: A004 - reactivex's name
    repeat_value,
    throw,
)
from rxml.flow.flowable import Flowable
from rxml.flow.run import Run
from rxml.flow.subscription import Subscription

__all__ = [
    "END",
    "UNBOUNDED",
    "Chunk",
    "Flowable",
    "Run",
    "Subscription",
    "compose",
    "empty",
    "from_async_iterable",
    "from_batches",
    "from_iterable",
    "generate",
    "of",
    "range",
    "repeat_value",
    "throw",
]
