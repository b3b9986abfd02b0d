"""Operators that say what elements are: when they happened, and which key they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rxml.errors import PipelineError
from rxml.eventtime.event_time import EventTime, described
from rxml.eventtime.event_time_stage import EventTimeStage, Timing
from rxml.eventtime.instants import nanoseconds, require_unit
from rxml.eventtime.keying import Keying
from rxml.eventtime.watermarks import monotonic
from rxml.flow.check import permit_function, require_count, require_function
from rxml.flow.kinds import label, mark, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rxml.eventtime.instants import Unit
    from rxml.eventtime.keying import Evicted
    from rxml.eventtime.reading import Column
    from rxml.eventtime.watermarks import Watermarks
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")


def with_event_time(
    column: str | Callable[[A], Any],
    watermark: Watermarks | None = None,
    *,
    unit: Unit | None = None,
    partition: str | Callable[[A], Any] | None = None,
    idle_after: Duration | None = None,
) -> Operator[A, A]:
    """Say when elements happened, and tell from them how far the stream has come in that time.

    Marble:
        --1--2--5--3--|
        with_event_time(lambda x: x, bounded(2))
        --1--2--5--3--|
        watermarks: -1, 0, 3

    The watermark t says: no element from before t follows. It goes with the stream, in front of each element that breaks it,
    and behind the chunk that has raised it. Operators on event time find the time of an element by the same column, so
    what stands between must keep it.

    Demand: n elements for n, up to 1,024; up to 16,384 where only a column is looked at: no function, no partition.
    Buffers: what stands behind a late element in its chunk, of as many at most.
    Emits: the elements as they are.
    Completes: with upstream, which stands for the watermark +infinity.
    Fails: with upstream; where an element has no time: NaN, none, a fraction or a datetime without a time zone; when a
        function raises. What the supervisor leaves out does not move the time.
    Cancels: upstream, at once.
    Cost: for rows about 0.1 microseconds each, for a column of int64 about 0.02; with partitions about one microsecond more.

    Args:
        column: the name of a column, key or attribute, or a function of the element: int64 nanoseconds since 1970 UTC, an
            aware datetime, or a datetime64.
        watermark: `bounded(delay)`, `monotonic()` (if left out) or `punctuated(f)`, from `rxml.eventtime`.
        unit: what numbers count: "ns", "us", "ms", "s", which may be fractions then. None: nanoseconds, and a first time
            that would be in the first days of 1970 but makes sense in another unit is refused.
        partition: what the elements of one source partition have in common: each has its own watermark, of which the
            least counts. None: there is one. One int is kept for each partition.
        idle_after: seconds of the run's clock, > 0, without an element after which a partition is waited for no more, nor
            the stream where it meets others. What it brings afterwards may be late. None: all are waited for.

    Raises:
        TypeError: not a column, a coroutine function, or no duration.
        ValueError: a duration that is not positive, or no such unit.
        PipelineError: no such watermark policy.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.eventtime import bounded
        >>> timed = ops.with_event_time(lambda x: x, bounded(2e-9), unit="ns")
        >>> asyncio.run(rxml.of(1, 2, 5, 3).pipe(timed).to_list())
        [1, 2, 5, 3]
    """
    _require_column("with_event_time", column, "gives the time of an element")
    if partition is not None:
        _require_column("with_event_time(partition)", partition, "gives its partition")
    require_unit("with_event_time", unit)
    policy = monotonic() if watermark is None else watermark
    if not callable(getattr(policy, "after", None)):
        message = (
            f"with_event_time wants bounded(delay), monotonic() or punctuated(f), got {policy!r}"
        )
        raise PipelineError(message)
    event_time = EventTime(column, unit)
    timing = Timing(event_time, policy, partition, _idle_seconds(idle_after))
    return stage(
        label("with_event_time", described(event_time), policy),
        lambda env, node: EventTimeStage(env, node, timing),
        cardinality=Cardinality.ONE,
        capacity=timing.portion,
        rate=idle_after is not None,
        traits=(event_time,),
        passes=True,
        checkpointing=Checkpointing.SAVED,
    )


def _idle_seconds(idle_after: Duration | None) -> float | None:
    if idle_after is None:
        return None
    seconds = seconds_of(idle_after, "with_event_time(idle_after)")
    if seconds <= 0:
        message = f"with_event_time wants idle_after > 0, got {idle_after!r}"
        raise ValueError(message)
    return seconds


def _require_column(name: str, column: Column, role: str) -> None:
    if not isinstance(column, str):
        require_function(name, column, f"{role}, or the name of a column")


def key_by(
    key: str | Callable[[A], Any],
    *,
    ttl: Duration | None = None,
    max_keys: int | None = None,
    on_evicted: Callable[[Evicted], object] | None = None,
) -> Operator[A, A]:
    """Say which key an element belongs to: what remembers something behind this does so key by key.

    Marble:
        --a1--b1--a2--|
        key_by(lambda x: x[0])
        --a1--b1--a2--|

    It holds for `window`, `scan`, `aggregate`, `latest`, `deduplicate` and joins, which stand directly behind it, or behind
    stages that let the same elements through, such as `filter`, `take`, `with_event_time`, `do_action`, `latest`, `share`,
    or a `merge` of flows that have all the same key. What makes other elements, such as `map` or `window`, ends it: behind
    that all belong together, until another `key_by`. If nothing has gone by the key before, it was given in vain, and a
    flow that asks for one there is refused (a PipelineError, when it is built).

    Demand: n elements for n; it is no stage of its own.
    Buffers: nothing.
    Emits: the elements as they are.
    Completes: with upstream.
    Fails: with upstream. What has no key, or one that cannot be hashed, fails in the stage that asks for it.
    Cancels: upstream, at once.
    Cost: none.

    Args:
        key: the name of a column, key or attribute, or a function of the element; hashable.
        ttl: seconds of event time, > 0, for which the state of a key is kept behind its last element; an element that
            comes later finds none. None: for ever.
        max_keys: keys whose state is kept, >= 1, in each stage; the one whose last element came longest ago gives way, or
            with a `ttl` the one whose newest element is the oldest by event time. None: all.
        on_evicted: told of each key whose state is given up, and why, beside the count in the statistics. What it raises
            fails the stream, whatever `supervise` says of elements.

    Raises:
        TypeError: not a column, a coroutine function, no duration, or no int.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> keyed = rxml.of("a1", "b1", "a2").pipe(ops.key_by(lambda x: x[0]))
        >>> asyncio.run(keyed.pipe(ops.scan(lambda total, _: total + 1, 0)).to_list())
        [1, 1, 2]
    """
    _require_column("key_by", key, "gives the key of an element")
    permit_function("key_by(on_evicted)", on_evicted, "takes what was evicted")
    lives = None if ttl is None else nanoseconds(ttl, "key_by(ttl)")
    if lives == 0:
        message = f"key_by wants ttl > 0, got {ttl!r}"
        raise ValueError(message)
    if isinstance(max_keys, bool):
        message = f"key_by(max_keys) wants an int >= 1, got {max_keys!r}"
        raise PipelineError(message)
    most = None if max_keys is None else require_count("key_by(max_keys)", max_keys, 1)
    keying = Keying(key, lives, most, on_evicted)
    return mark(label("key_by", keying.name), keying)
