"""rxml: reactive streams for machine learning that answers in real time.

Rooms: `flow` (the engine), `operators` (what one does with a stream), `batch` and `wire` (columns, msgpack), `http`
(endpoints), `rx` and `reactive_streams` (bridges), `testing` (the published kit), `cli`.
"""

from __future__ import annotations

import typing

from rxml.flow.buffers.overflow import Conflate
from rxml.flow.chunk import END, UNBOUNDED, Chunk
from rxml.flow.combining.functions import (
    amb,
    combine_latest,
    concat,
    fork_join,
    merge,
    with_latest_from,
    zip,  # noqa: A004 - reactivex's name
    zip_latest,
)
from rxml.flow.compose import compose
from rxml.flow.flowable import Flowable
from rxml.flow.nested.branch import GroupedFlowable
from rxml.flow.operator import Operator
from rxml.flow.run import Run
from rxml.flow.sources.callback import Emitter, from_callback
from rxml.flow.sources.create import (
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
from rxml.flow.sources.deferred import defer
from rxml.flow.sources.resource import using
from rxml.flow.sources.timed import interval, never, timer
from rxml.flow.subscription import Subscription
from rxml.resilience.retrying import Backoff, RetryBudget
from rxml.rx.inbound import from_rx
from rxml.rx.outbound import to_rx

if typing.TYPE_CHECKING:
    from rxml.http.connect import connect as connect
else:

    def __getattr__(name: str) -> object:
        """`connect`, imported when it is first asked for: HTTP is not needed by a pipeline that stays at home."""
        if name == "connect":
            from rxml.http.connect import connect  # noqa: PLC0415

            return connect
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)


__all__ = [
    "END",
    "UNBOUNDED",
    "Backoff",
    "Chunk",
    "Conflate",
    "Emitter",
    "Flowable",
    "GroupedFlowable",
    "Operator",
    "RetryBudget",
    "Run",
    "Subscription",
    "amb",
    "combine_latest",
    "compose",
    "concat",
    "defer",
    "empty",
    "fork_join",
    "from_async_iterable",
    "from_batches",
    "from_callback",
    "from_iterable",
    "from_rx",
    "generate",
    "interval",
    "merge",
    "never",
    "of",
    "range",
    "repeat_value",
    "throw",
    "timer",
    "to_rx",
    "using",
    "with_latest_from",
    "zip",
    "zip_latest",
]
