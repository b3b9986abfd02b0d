"""Operators that run a flow once for many subscribers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import label
from rxml.flow.sharing.shared import Share
from rxml.flow.sharing.sharing import sharing_of
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from datetime import timedelta

    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")

REMEMBERED: Final = 1024
"""Elements that `replay` keeps unless it is told otherwise."""


def share(*, lag: int = CHUNK, policy: str = "slowest", patience: Duration | None = 30) -> Same:
    """Run the flow once for all who subscribe at the same time.

    Marble:
        --1--2--3--4--|
        share()          (the second subscriber comes after the 2)
        --1--2--3--4--|
               -3--4--|

    Demand: under `slowest`, as much as the keenest subscriber wants and all have room for; under the other policies as
        much as the keenest wants. Nothing while nobody wants anything.
    Buffers: at most `lag` elements for each subscriber.
    Emits: to each subscriber what comes from its first request on, in order.
    Completes: with upstream, for all. Who subscribes after that starts the flow anew.
    Fails: with upstream, for all, with the same error. Under the policy `error`, a subscriber that lags too far. Under
        `slowest`, a subscriber that has waited for `patience` because another one of the same run has stopped reading:
        most likely they wait for one another, as in `zip(s, s.pipe(skip(3000)))`.
    Cancels: when the last subscriber leaves; it waits until upstream has ended. What a subscriber that leaves has not
        read is dropped, for it.
    Cost: one task; a chunk is shared, not copied.

    Args:
        lag: elements that a subscriber may be behind the others, >= 1.
        policy: what happens then: `slowest`, all wait for it (the default); `drop_oldest` or `drop_newest`, it misses
            elements, which are counted; `detach`, its stream ends; `error`, its stream fails.
        patience: seconds, or a timedelta; None: for ever. Subscribers of other runs are always waited for.

    Subscribers may be parts of different runs, such as clients of a server, on the same event loop. Each flow that the
    operator is applied to is shared by itself. An element has ended when it has for each subscriber that got it. What
    stands upstream is one run of its own: it answers to the supervisor of the subscriber that began it, the first. The
    statistics of each subscriber's run show what it has counted while they subscribed.

    Raises:
        PipelineError: no such policy.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def main():
        ...     numbers = rxml.of(1, 2, 3).pipe(ops.do_action(print), ops.share())
        ...     return await asyncio.gather(numbers.to_list(), numbers.to_list())
        >>> asyncio.run(main())
        1
        2
        3
        [[1, 2, 3], [1, 2, 3]]
    """
    return cast("Operator[Any, Any]", Share(sharing_of("share", lag, policy, patience)))


def replay(
    buffer_size: int | None = None,
    window: float | timedelta | None = None,
    *,
    lag: int = CHUNK,
    policy: str = "slowest",
    patience: Duration | None = 30,
) -> Same:
    """Run the flow once for all who subscribe, and give late ones the last elements first.

    Marble:
        --1--2--3--4--|
        replay(1)        (the second subscriber comes after the 2)
        --1--2--3--4--|
              2-3--4--|

    Demand: as `share`.
    Buffers: the last `buffer_size` elements, and at most `lag` more for each subscriber.
    Emits: to each subscriber first the last elements so far, then what comes.
    Completes: with upstream, for all. Who subscribes after that gets the last elements, and then the end.
    Fails: as `share`; who subscribes after a failure gets the last elements, and then the error.
    Cancels: when the last subscriber leaves before the end; what was remembered is then forgotten.
    Cost: as `share`, and one small record an element.

    Args:
        buffer_size: elements that are remembered, >= 1; 1024 if left out, since without a bound memory has none.
        window: seconds that an element is remembered, or no limit in time.
        lag: as in `share`.
        policy: as in `share`.
        patience: as in `share`.

    Where reactivex's `replay` waits for `connect`, this one runs from the first subscriber to the last, as
    `replay` and `ref_count` do there.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def main():
        ...     numbers = rxml.of(1, 2, 3).pipe(ops.replay(2))
        ...     return await numbers.to_list(), await numbers.to_list()
        >>> asyncio.run(main())
        ([1, 2, 3], [2, 3])
    """
    size = (
        REMEMBERED if buffer_size is None else require_count("replay: buffer_size", buffer_size, 1)
    )
    seconds = None if window is None else seconds_of(window, "replay: window")
    sharing = sharing_of("replay", lag, policy, patience)
    lag = max(lag, size)
    name = label("replay", size)
    sharing = replace(sharing, name=name, lag=lag, replay=size, seconds=seconds)
    return cast("Operator[Any, Any]", Share(sharing))
