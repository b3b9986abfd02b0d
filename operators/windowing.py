"""The operator that puts elements that follow one another into flows of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from rxml.flow.adopt import flows
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

    from rxml.flow.flowable import Flowable
    from rxml.flow.nested.branch import GroupedFlowable
    from rxml.flow.nested.routing import Router
    from rxml.flow.node import Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")

OPEN: Final = 1_000_000
"""Windows by time that may be open at once."""


def window(
    boundaries: Flowable[Any] | None = None,
    *,
    count: int | None = None,
    seconds: Duration | None = None,
    skip: Duration | None = None,
    capacity: int | None = None,
    policy: str = "backpressure",
    patience: Duration | None = 30,
) -> Operator[A, GroupedFlowable[int, A]]:
    """Put elements that follow one another into flows of their own.

    Marble:
        -1--2--3--4--5-|
        window(count=2)
        +----+-----+---|
         1--2|
              3--4|
                    5-|

    Demand: what any reader waits for, of the windows or of a window, but for no more than surely has room; an element of
        `boundaries` at a time, while anybody waits.
    Buffers: at most `capacity` elements for each window that is open, or waits to be handed over.
    Emits: the first window at once, and the next one
        - at each element of `boundaries`, when the one before ends (reactivex's `window`);
        - every `skip` elements, each window ending after `count` (`window_with_count`);
        - every `skip` seconds, each window ending after `seconds` (`window_with_time`); windows during which nobody was
          waiting for anything are left out;
        - after `seconds`, or after `count` elements if that is earlier (`window_with_time_or_count`).
        A window is hot: it is read once, while the run goes on, and gets what comes. Its `key` is its number. What comes
        for a window that its reader has left, or that was thrown away unread, is dropped and counted. Results have the
        contexts of their elements. Signals go to all windows that are open, and on.
    Completes: with upstream, and so do all windows, after what they hold; with `boundaries`. When no further window is
        wanted, those that were handed over go on.
    Fails: with upstream or `boundaries`, and so do all windows, after what they hold; when a full window keeps readers
        of others waiting for `patience` and nobody has begun to read it.
    Cancels: upstream and `boundaries`, when the reader of the windows and those of all windows have left, or when the
        run ends.
    Cost: one task, by boundaries or time two; about two microseconds for an element in a window, and sixty for each window
        that is read (by `concat_map`; twice that by `flat_map`).

    `buffer` gives lists instead, which is cheaper.

    Args:
        boundaries: a flow each of whose elements ends a window and opens the next.
        count: elements in a window, >= 1.
        seconds: how long a window is open, > 0, or a timedelta.
        skip: elements, or seconds, from the opening of one window to that of the next; if it is left out, windows
            follow one another. Overlapping windows hold an element each.
        capacity: elements that a window holds, >= 1; None: `count`, or 1,024 where there is none.
        policy: as for `group_by`, for an element whose window is full.
        patience: as for `group_by`.

    Raises:
        ValueError: a number out of its range; nothing that ends a window; arguments that do not go together.
        PipelineError: boundaries is no flow, or no such policy.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> lists = ops.concat_map(lambda window: window.pipe(ops.to_list()))
        >>> asyncio.run(rxml.range(5).pipe(ops.window(count=2), lists).to_list())
        [[0, 1], [2, 3], [4]]
    """
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
