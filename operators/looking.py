"""Operators that look something up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rxml.eventtime.event_time import EventTime
from rxml.eventtime.joins.finding import key_or_refuse, require_column, time_inside
from rxml.eventtime.joins.lookup import Cache, Lookup
from rxml.eventtime.joins.results import Looked
from rxml.eventtime.keying import Keying
from rxml.flow.check import require_callable, require_count
from rxml.flow.kinds import label, placed, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.timing.duration import seconds_of
from rxml.flow.traits import trait
from rxml.flow.workers.map_async import MapAsyncStage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")
B = TypeVar("B")


def lookup_join(
    function: Callable[[Any], Awaitable[B]],
    *,
    key: str | Callable[[A], Any] | None = None,
    cache: int = 1024,
    ttl: Duration | None = None,
    timeout: Duration | None = None,
    default: Any = None,
    concurrency: int = 16,
) -> Operator[A, Looked[A, B]]:
    """Give each element what an asynchronous function knows of its key.

    Marble:
        -a---b--a---------|
        lookup_join(ask, key=name, timeout=3)
        ---A-----?A-------|

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `concurrency` elements: waiting, looked up, or done and not taken; and `cache` values.
    Emits: `Looked(element, value, found, reason, error)` for each element, in order, with its context. Where the function
        raised (a CancelledError of its own included), or did not answer in time, value is the default, found is False, and
        reason "error" or "timeout". A call whose time is up is cancelled; one that goes on all the same is waited for.
    Completes: with upstream, after the last result.
    Fails: with upstream; never because of what the function raises. An element without a key (None and NaN are none), or
        for which the function gives nothing that can be awaited, is for the supervisor.
    Cancels: upstream and the calls that run, at once.
    Cost: one task for each call that runs at once; about three microseconds for an element whose value is known.

    Those who ask for a key that is being looked up wait for the same call. A failure is not remembered. Which values are
    still known, and what came in time, depends on the run's clock.

    Args:
        function: a coroutine function of a key, or one that gives an awaitable.
        key: column or function that gives the key of an element, hashable; None: as `key_by` says.
        cache: keys whose value is kept, >= 0; the one not asked for for the longest time gives way.
        ttl: seconds or a timedelta, > 0, for which a value is good; None: for ever.
        timeout: seconds or a timedelta, > 0, that a call may take; None: as long as it takes.
        default: the value where nothing was found.
        concurrency: elements looked up at once, >= 1.

    Raises:
        PipelineError: no function, or no key.
        TypeError: no duration.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def price(item: str) -> float:
        ...     return {"tea": 3.0}[item]
        >>> flow = rxml.of("tea", "gin").pipe(ops.lookup_join(price, key=lambda x: x, default=0.0))
        >>> [(each.element, each.value, each.reason) for each in asyncio.run(flow.to_list())]
        [('tea', 3.0, None), ('gin', 0.0, 'error')]
    """
    require_callable("lookup_join", function, "gives an awaitable for a key")
    size = require_count("lookup_join(cache)", cache, 0)
    workers = require_count("lookup_join(concurrency)", concurrency, 1)
    good_for, limit = _above_zero("ttl", ttl), _above_zero("timeout", timeout)
    require_column("lookup_join(key)", key)

    def make(source: Flowable[Any]) -> Operator[Any, Any]:
        column = key_or_refuse("lookup_join", source, key)

        def open_(env: Env, node: Node) -> Subscription[Any]:
            lookup = Lookup(function, column, Cache(env.clock, size, good_for), limit, default)
            return MapAsyncStage(
                env,
                node,
                lookup.look,
                concurrency=workers,
                ordered=True,
                key=None,
                capacity=workers,
            )

        known = trait(source, EventTime)
        return stage(
            label("lookup_join", function),
            open_,
            cardinality=Cardinality.ONE,
            capacity=workers + size,
            rate=good_for is not None or limit is not None,
            checkpointing=Checkpointing.PASSES,
            traits=() if known is None else (time_inside(known, Looked, "element"),),
            reads=(Keying,),
        )

    return placed("lookup_join", make)


def _above_zero(name: str, duration: Duration | None) -> float | None:
    if duration is None:
        return None
    seconds = seconds_of(duration, f"lookup_join({name})")
    if seconds <= 0:
        message = f"lookup_join wants {name} > 0, got {duration!r}"
        raise ValueError(message)
    return seconds
