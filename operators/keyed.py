"""Operators that remember something of each key: its newest time, the ids that came, or what it adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from rxml.aggregates.aggregate import Aggregate
from rxml.errors import PipelineError
from rxml.eventtime.event_time import EventTime, event_time_of
from rxml.eventtime.instants import nanoseconds
from rxml.eventtime.keyed.aggregating import Aggregating
from rxml.eventtime.keyed.keyed_kernel import Where, where_of
from rxml.eventtime.keyed.newest import Newest
from rxml.eventtime.keyed.once import Ids, Once
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.check import require_function
from rxml.flow.kinds import fold, label, placed
from rxml.flow.node import Cardinality, KernelSpec
from rxml.flow.placing import StageOperator, reading
from rxml.flow.traits import trait

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rxml.batch.row import Row
    from rxml.flow.flowable import Flowable
    from rxml.flow.kernel import Kernel
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")


def latest(*, time: str | Callable[[A], Any] | None = None) -> Operator[A, A]:
    """Let an element through if it is not older than the newest one of its key.

    Marble:
        --a1--a3--a2--b1--a3--|
        with_event_time(...), key_by(...), latest()
        --a1--a3------b1--a3--|

    A table that is written by what comes out, key by key, ends up the same in whatever order the elements came; of
    several of one time, the last one counts. Without `key_by` all elements have one key.

    Demand: n elements for n.
    Buffers: a time for each key; see `key_by` for how many.
    Emits: the elements as they are; a batch stays one. For one that is left out its context is dropped.
    Completes: with upstream.
    Fails: with upstream; when an element has no time or no key.
    Cancels: upstream, at once.
    Cost: for rows about 0.2 microseconds each, for a column of ints half of that.

    Args:
        time: the column of the event time, or a function of the element; None: that of `with_event_time`.

    Raises:
        PipelineError: there is no event time upstream; when the flow is built.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> flow = rxml.of(("a", 1), ("a", 3), ("a", 2), ("b", 1))
        >>> newest = flow.pipe(ops.key_by(lambda x: x[0]), ops.latest(time=lambda x: x[1]))
        >>> asyncio.run(newest.to_list())
        [('a', 1), ('a', 3), ('b', 1)]
    """
    if time is not None and not isinstance(time, str):
        require_function("latest(time)", time, "gives the time of an element")

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        where = Where(keying_of(source), event_time_of("latest", source, time))
        return _among_keys("latest", lambda: Newest(where))

    return placed("latest", behind)


def deduplicate(
    id: str | Callable[[A], Any],  # noqa: A002 - what it is
    within: Duration,
    *,
    time: str | Callable[[A], Any] | None = None,
) -> Operator[A, A]:
    """Leave out an element whose id has come through already, at most `within` before or after it in event time.

    Marble:
        --x1--y2--x3--x9--|
        deduplicate(lambda e: e.id, within=5)
        --x1--y2------x9--|

    What is left out depends on the times of the elements and their order, and not on how they were chunked or how fast they
    came. Times are forgotten once the watermark is more than `within` ahead of them: elements that come later than that all
    pass, repeats of one another, too. Behind `key_by` an id is one of its key; and what `ttl` or `max_keys` gives up of a key
    takes its ids along.

    Demand: n elements for n.
    Buffers: an id and a time for each id, until the watermark is more than `within` behind it: without watermarks for ever.
    Emits: the elements as they are; a batch stays one. For one that is left out its context is dropped.
    Completes: with upstream.
    Fails: with upstream; when an element has no id, time or key, or an id that cannot be hashed.
    Cancels: upstream, at once.
    Cost: about 0.5 microseconds an element, most of it for an id that is new; about one more for an id that comes again
        after more than `within`.

    Args:
        id: the name of a column, key or attribute, or a function of the element; hashable.
        within: seconds of event time, or a timedelta, > 0.
        time: the column of the event time, or a function of the element; None: that of `with_event_time`.

    Raises:
        TypeError: not a column, a coroutine function, or no duration.
        ValueError: `within` is not positive.
        PipelineError: there is no event time upstream; when the flow is built.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> timed = rxml.of(("x", 1), ("y", 2), ("x", 3), ("x", 9)).pipe(
        ...     ops.with_event_time(lambda e: e[1], unit="s")
        ... )
        >>> asyncio.run(timed.pipe(ops.deduplicate(lambda e: e[0], within=5)).to_list())
        [('x', 1), ('y', 2), ('x', 9)]
    """
    for name, column in (("id", id), ("time", time)):
        if column is not None and not isinstance(column, str):
            require_function(f"deduplicate({name})", column, f"gives the {name} of an element")
    span = nanoseconds(within, "deduplicate(within)")
    if span == 0:
        message = f"deduplicate wants within > 0, got {within!r}"
        raise ValueError(message)

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        keying = keying_of(source)
        where = Where(keying, event_time_of("deduplicate", source, time))
        ids = Ids(id, span, keying)
        name = label("deduplicate", id)
        return _among_keys(name, lambda: Once(where, ids))

    return placed(label("deduplicate", id), behind)


def _among_keys(name: str, kernel: Callable[[], Kernel[A, A]]) -> Operator[A, A]:
    """Some of the elements, by what is known of their keys."""
    some = fold(name, kernel, cardinality=Cardinality.AT_MOST_ONE, passes=True)
    return reading(some, Keying)


def aggregate(**aggregates: Aggregate) -> Operator[Any, Row]:
    """Running aggregates of each key: for each element what they have come to with it.

    Marble:
        --a1--b5--a2--|
        key_by(...), aggregate(total=agg.sum(...))
        --a1--b5--a3--|

    `window` computes over some span of time, this over all that a key's state has seen (see `ttl` of `key_by`). Without
    `key_by` all elements have one key.

    Demand: n elements for n.
    Buffers: the state of each aggregate for each key; see `rxml.aggregates` for their size, and `key_by` for how many.
    Emits: rows of the key (under its name), the element's event time ("time", behind `with_event_time`), and each aggregate
        under the name it was given; as a batch for each chunk. They are the same to the last bit however elements were
        chunked.
    Completes: with upstream.
    Fails: with upstream; when an element has no key or no time, or a value that an aggregate cannot take.
    Cancels: upstream, at once.
    Cost: about 0.1 microseconds an element, twice that for rows, and 0.1 to 0.2 more for each aggregate, whatever the number
        of keys. A key that has most of the elements makes that no worse, but for `var` and `std` (0.4 instead of 0.2).

    Args:
        aggregates: what is computed, from `rxml.aggregates`, by the name of its column.

    Raises:
        PipelineError: none, something that is no aggregate, or a name that the key or the time has.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import aggregates as agg
        >>> from rxml import operators as ops
        >>> flow = rxml.of({"k": "a", "x": 1}, {"k": "b", "x": 5}, {"k": "a", "x": 2})
        >>> rows = flow.pipe(ops.key_by("k"), ops.aggregate(total=agg.sum("x")))
        >>> [(row["k"], row["total"]) for row in asyncio.run(rows.to_list())]
        [('a', 1), ('b', 5), ('a', 3)]
    """
    for name, given in cast("dict[str, object]", aggregates).items():
        if not isinstance(given, Aggregate):
            kind = type(given).__name__
            message = f"aggregate({name}=...) wants an aggregate of rxml.aggregates, got {kind}"
            raise PipelineError(message)
    if not aggregates:
        message = "aggregate() wants something to compute, such as n=agg.count()"
        raise PipelineError(message)
    name = label("aggregate", *aggregates.values())

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        where = where_of("aggregate", source, always=trait(source, EventTime) is not None)
        _require_free(aggregates, where)
        spec = KernelSpec(
            name=name,
            kernel=lambda: Aggregating(where, aggregates),
            cardinality=Cardinality.ONE,
            aligned=True,
            reads=(Keying,),
            traits=() if where.event_time is None else (EventTime("time"),),
        )
        return StageOperator(spec)

    return placed(name, behind)


def _require_free(aggregates: dict[str, Aggregate], where: Where) -> None:
    taken = [] if where.keying is None else [where.keying.name]
    taken += [] if where.event_time is None else ["time"]
    for name in [*aggregates, *taken]:
        if [*aggregates, *taken].count(name) > 1:
            message = (
                f"aggregate: results have two columns {name!r}; give the aggregate another name"
            )
            raise PipelineError(message)
