"""The operator on windows: what is computed over elements that belong together, or flows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from rxml.errors import PipelineError
from rxml.eventtime.event_time import EventTime
from rxml.eventtime.instants import UNITS, nanoseconds
from rxml.eventtime.windows.emission import ACCUMULATIONS, on_close, require_emission
from rxml.eventtime.windows.plan import Settings
from rxml.eventtime.windows.windowed import Windowed
from rxml.eventtime.windows.windowing import require_windowing
from rxml.flow.adopt import adopted, flows
from rxml.flow.check import require_count, require_positive
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import label, stage
from rxml.flow.nested.routing import limits_of
from rxml.flow.nested.splitting import SplitStage
from rxml.flow.nested.window_router import (
    BoundaryRouter,
    CountRouter,
    TimeOrCountRouter,
    TimeRouter,
)
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.eventtime.instants import Unit
    from rxml.eventtime.windows.emission import Accumulation, Emission
    from rxml.eventtime.windows.windowing import Windowing
    from rxml.flow.flowable import Flowable
    from rxml.flow.nested.branch import GroupedFlowable
    from rxml.flow.nested.routing import Router
    from rxml.flow.node import Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")

OPEN: Final = 1_000_000
"""Windows that may be open at once."""


@overload
def window(
    boundaries: Windowing,
    *,
    emit: Emission = ...,
    accumulation: Accumulation = ...,
    allowed_lateness: Duration = ...,
    late: Literal["count", "error"] = ...,
    time: str | Callable[[Any], Any] | None = ...,
    unit: Unit | None = ...,
    capacity: int = ...,
) -> Windowed[Any]: ...
@overload
def window(
    boundaries: Flowable[Any] | None = None,
    *,
    count: int | None = ...,
    seconds: Duration | None = ...,
    skip: Duration | None = ...,
    capacity: int | None = ...,
    policy: str = ...,
    patience: Duration | None = ...,
) -> Operator[A, GroupedFlowable[int, A]]: ...
def window(boundaries: Any = None, **options: Any) -> Any:
    """Compute over elements that belong together by their event time; or put elements into flows of their own.

    Marble:
        --1--2--11--12--23--|
        window(tumbling(10)).aggregate(n=count())
        ------------2---2-----1|

    `window(tumbling(size) | sliding(size, every) | session(gap) | count(n) | global_())`, of `rxml.windows`, by itself does
    nothing: `.aggregate(name=aggregate)` makes the operator, for each key by itself behind `key_by`. With a flow, `count`,
    `seconds` or nothing it gives flows, as reactivex does: the first at once, and the next at each element of
    `boundaries`, or every `skip` elements or seconds, each ending after `count` elements or `seconds`.

    Demand: chunk after chunk. Flows: what any reader waits for, but for no more than surely has room; an element of
        `boundaries` at a time, while anybody waits.
    Buffers: the state of each aggregate for each key and window that is open, `capacity` of them; sliding windows that tell
        once have one for each key and `every` (or two, if that does not divide the size). `count` keeps a number for each
        key for good. Flows: at most
        `capacity` elements for each window that is open, or waits to be handed over.
    Emits: rows (see `Windowed.aggregate`) once the watermark has passed a window's end, in the order of the ends, starts and
        keys; earlier too where `emit` says so. The rows of one window are in order; how those of several stand
        among one another may depend on the chunks only where windows tell before they end. Flows: hot ones, read once,
        while the run goes on; their `key` is their number. What comes for one that its reader has left is dropped and
        counted. Their results have the contexts of their elements.
    Completes: with upstream, behind the results of all that is open. Flows: with upstream or `boundaries`, and so do all
        windows; when no further one is wanted, those that were handed over go on.
    Fails: with upstream; when an element has no time or key, or a value that an aggregate cannot take; with
        `late="error"` at a late element; when more than `capacity` windows of keys are open. Flows: with upstream or
        `boundaries`, and so do all windows; when a full one keeps readers of others waiting for `patience` and nobody has
        begun to read it.
    Cancels: upstream, at once. Flows: upstream and `boundaries`, when all readers have left, or when the run ends.
    Cost: about 0.25 microseconds an element for rows, 0.09 for batches, whatever the number of keys, and of slides
        in a window; with `on_update` and `after_count` a few microseconds more, for a key that most elements belong to some
        tens; with `count(n, step)` for each of the n / step windows that an element is in. A result answers for all elements since
        the one before it. Flows: a task; two microseconds for an element, and sixty for each window that is read by
        `concat_map`. `buffer` gives lists instead, which is cheaper.

    Args:
        boundaries: which elements belong together, or a flow each of whose elements ends a window and opens the next.
        emit: when windows tell what they have come to: `on_close()` (if left out), `on_update()`, `after_count(n)`,
            `every(period)` or `early(period)`, of `rxml.windows`.
        accumulation: what a further result of a window holds: "accumulating", all so far; "discarding", what is new;
            "retracting", all so far, behind a row with `retracted` that takes the last one back.
        allowed_lateness: seconds of event time, or a timedelta, for which elements count behind a window's end; each
            brings about a result with the timing "late".
        late: what becomes of elements that come when all their windows are over: "count", they are dropped, counted in
            the statistics, and logged once; "error", they fail the stream. For a flow of them use
            `window(...).with_late(...)` instead of `.aggregate(...)`.
        time: the column of the event time, or a function of the element; None: that of `with_event_time`. How far the
            stream has come is told by `with_event_time` alone; without it windows tell at the end.
        unit: what numbers in that column count: "ns" (if left out), "us", "ms" or "s".
        count: flows: elements in a window, >= 1.
        seconds: flows: how long a window is open, > 0, or a timedelta.
        skip: flows: elements, or seconds, from the opening of one window to that of the next; if it is left out, windows
            follow one another. Overlapping windows hold an element each.
        capacity: windows of keys that may be open at once, >= 1; 1,000,000 if left out. Flows: elements that a window
            holds, >= 1; `count` if left out, or 1,024 where there is none.
        options: as in the two signatures above; what goes with the one form does not with the other.
        policy: flows: as for `group_by`, for an element whose window is full.
        patience: flows: as for `group_by`.

    Raises:
        ValueError: a number out of its range; nothing that ends a window; arguments that do not go together.
        PipelineError: no windows and no flow, no such policy, or what does not go together by event time.
        TypeError: an argument that this form of `window` does not take.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import aggregates as agg
        >>> from rxml import operators as ops
        >>> from rxml.windows import tumbling
        >>> timed = rxml.of(1, 2, 11, 12, 23).pipe(ops.with_event_time(lambda x: x, unit="s"))
        >>> rows = timed.pipe(ops.window(tumbling(10)).aggregate(n=agg.count()))
        >>> [row["n"] for row in asyncio.run(rows.to_list())]
        [2, 2, 1]
        >>> lists = ops.concat_map(lambda window: window.pipe(ops.to_list()))
        >>> asyncio.run(rxml.range(5).pipe(ops.window(count=2), lists).to_list())
        [[0, 1], [2, 3], [4]]
    """
    if boundaries is None or adopted(boundaries) is not None:
        flows_of: Operator[Any, Any] = _flows(boundaries, **options)
        return flows_of
    return _windowed(boundaries, **options)


def _windowed(
    windowing: object,
    *,
    emit: Emission | None = None,
    accumulation: Accumulation = "accumulating",
    allowed_lateness: Duration = 0,
    late: Literal["count", "error"] = "count",
    time: str | Callable[[Any], Any] | None = None,
    unit: Unit | None = None,
    capacity: int = OPEN,
) -> Windowed[Any]:
    chosen = require_windowing(windowing)
    emission = on_close() if emit is None else require_emission(emit)
    _one_of("accumulation", accumulation, ACCUMULATIONS)
    _one_of("late", late, ("count", "error"))
    lateness = nanoseconds(allowed_lateness, "window(allowed_lateness)")
    require_count("window(capacity=)", capacity, 1)
    settings = Settings(chosen, emission, accumulation, lateness, late, capacity)
    settings.check()
    return Windowed(label("window", chosen), settings, _own_time(time, unit))


def _own_time(time: str | Callable[[Any], Any] | None, unit: Unit | None) -> EventTime | None:
    if unit is not None and (unit not in UNITS or time is None):
        message = f"window wants a unit of {', '.join(UNITS)} for the column that time= names, got {unit!r}"
        raise ValueError(message)
    return None if time is None else EventTime(time, unit)


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        message = f"window wants {name} of {', '.join(map(repr, choices))}, got {value!r}"
        raise PipelineError(message)


def _flows(
    boundaries: Flowable[Any] | None = None,
    *,
    count: int | None = None,
    seconds: Duration | None = None,
    skip: Duration | None = None,
    capacity: int | None = None,
    policy: str = "backpressure",
    patience: Duration | None = 30,
) -> Operator[A, GroupedFlowable[int, A]]:
    name = label(
        "window", *(each for each in (boundaries, count, seconds, skip) if each is not None)
    )
    router, overlap = _router(boundaries, count, seconds, skip)
    announced = overlap + 1
    if capacity is None:
        capacity = count or CHUNK
    limits = limits_of("window", capacity, policy, announced, patience)
    return stage(
        name,
        lambda env, node: SplitStage(env, node, router, limits),
        *(() if boundaries is None else flows("window", (boundaries,))),
        capacity=(overlap + announced) * capacity,
        rate=boundaries is not None or seconds is not None,
    )


def _router(
    boundaries: Flowable[Any] | None,
    count: int | None,
    seconds: Duration | None,
    skip: Duration | None,
) -> tuple[Callable[[Node], Router], int]:
    """What makes the router of a run, and how many windows may be open at once."""
    if boundaries is not None:
        if count is not None or seconds is not None or skip is not None:
            raise ValueError(
                "window: boundaries say when a window ends; give no count, seconds or skip with them"
            )
        return BoundaryRouter, 1
    if count is not None:
        require_count("window(count=)", count, 1)
    if seconds is not None:
        return _by_time(_some_time("seconds", seconds), count, skip)
    if count is None:
        raise ValueError(
            "window wants boundaries, count or seconds, something that ends a window; got none of them"
        )
    step = count if skip is None else require_count("window(skip=)", skip, 1)
    return lambda _: CountRouter(count, step), -(-count // step)


def _by_time(
    seconds: float, count: int | None, skip: Duration | None
) -> tuple[Callable[[Node], Router], int]:
    if count is None:
        shift = seconds if skip is None else _some_time("skip", skip)
        return lambda _: TimeRouter(seconds, shift), _overlap(seconds, shift)
    if skip is not None:
        raise ValueError("window: skip goes with count or with seconds, not with both")
    return lambda _: TimeOrCountRouter(seconds, count), 1


def _overlap(seconds: float, shift: float) -> int:
    """How many windows are open at once."""
    if seconds / OPEN > shift:
        raise ValueError(
            f"window wants skip >= seconds / {OPEN:,}, for each window that is open holds elements of its own; got "
            f"seconds={seconds!r} and skip={shift!r}"
        )
    return int(-(-seconds // shift))


def _some_time(argument: str, value: Duration) -> float:
    seconds = seconds_of(value, f"window({argument}=)")
    return require_positive(f"window({argument}=)", seconds)
