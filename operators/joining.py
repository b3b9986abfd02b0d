"""Operators that join by event time."""

from __future__ import annotations

from datetime import timedelta
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from rxml.eventtime.event_time import EventTime
from rxml.eventtime.instants import nanoseconds
from rxml.eventtime.joins.asof_stage import AsOfPlan, AsOfStage
from rxml.eventtime.joins.finding import Finder, time_inside, time_of
from rxml.eventtime.joins.interval_stage import IntervalStage
from rxml.eventtime.joins.results import AsOf, Joined
from rxml.eventtime.keying import Keying
from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import label, placed, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.placing import flowable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch.schema import Schema
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")
B = TypeVar("B")

CAPACITY: Final = 65_536
"""Elements that a join holds of each input, unless it is told otherwise."""

KEYS: Final = 1_000_000
"""Keys of which `asof_join` keeps the newest element, unless it is told otherwise."""


def interval_join(  # noqa: PLR0913 - keys and times may be said here, too
    right: Flowable[B],
    lo: Duration,
    hi: Duration,
    *,
    how: Literal["inner", "left"] = "inner",
    key: str | Callable[[A], Any] | None = None,
    right_key: str | Callable[[B], Any] | None = None,
    time: str | Callable[[A], Any] | None = None,
    right_time: str | Callable[[B], Any] | None = None,
    capacity: int = CAPACITY,
) -> Operator[A, Joined[A, B]]:
    """Put together elements of two flows that have one key and times not far apart.

    Marble:
        --a1-----b4--------|
        -----x2------y9----|
        interval_join(-1, 1), the digit being the time in seconds
        --------(a1,x2)----|

    An element b of the other flow belongs to a if a.time + lo <= b.time <= a.time + hi. A pair comes when the watermarks
    of both flows have passed its later time, and its time is that. Pairs come in the order of time; at one time those
    of a left element before those of a right one, in the order in which these came; among those of one element the
    partners by time and arrival. So the result is the same however fast the flows were and however they were cut.

    Demand: of each flow n elements for n while there is room for them, side by side; so the flow that is ahead in event
        time is held back when its room is used up.
    Buffers: `capacity` elements of each flow: those that wait for the watermark, and those that later ones may belong to
        (a left one until the watermark is behind a.time + hi, a right one until it is behind b.time - lo); and one chunk
        of results. Pairs are made as they are asked for.
    Emits: `Joined(left, right, time)`, with the contexts of both, joined; an element has ended when all its pairs have and
        none can follow, as dropped if there was none. With `how="left"`, `Joined(left, None, time)` for an element
        that has no partner, when that is certain: its time is then a.time + hi, or a.time if hi < 0. A late element is
        counted as dropped: one from before the watermark of its own flow, or, of a flow that was idle, from before what
        has come out meanwhile. If one flow is idle and the other has ended, all that is there has its results.
        Watermarks and barriers come behind all pairs that they bring.
    Completes: when both flows have ended, or no further pair can come.
    Fails: with either flow, after the pairs that were certain; with a BufferOverflowError when both flows wait for one
        another and there is no room: the bounds hold more elements than `capacity`, or there are no watermarks. An
        element without time or key (None, NaN and NaT are none) is for the supervisor.
    Cancels: both flows, at once.
    Cost: two tasks; about three microseconds an element, its pair included.

    Args:
        right: the other flow.
        lo: seconds or a timedelta, negative for elements before.
        hi: as `lo`, and not less.
        how: "inner" for pairs only, "left" for left elements without a partner, too.
        key: column or function that gives the key of a left element, and of a right one unless `right_key` is given.
            None: as `key_by` says; if it says nothing of either flow, all elements belong together.
        right_key: of the right elements.
        time: column or function that gives the time of a left element, ns; None: as `with_event_time` says.
        right_time: of the right elements; None: as `with_event_time` says there, else `time`.
        capacity: elements of each flow that are held, >= 1.

    Raises:
        PipelineError: the other is no flow, one flow has a key and the other has not, or one has no event time.
        TypeError: no duration.
        ValueError: hi < lo, a bound that is not finite, capacity < 1, or no such `how`.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> views = rxml.of(("ann", 10), ("bob", 20)).pipe(
        ...     ops.with_event_time(lambda x: x[1], unit="s")
        ... )
        >>> clicks = rxml.of(("ann", 12), ("bob", 99)).pipe(
        ...     ops.with_event_time(lambda x: x[1], unit="s")
        ... )
        >>> pairs = asyncio.run(
        ...     views.pipe(ops.interval_join(clicks, 0, 5, key=lambda x: x[0])).to_list()
        ... )
        >>> [(pair.left, pair.right) for pair in pairs]
        [(('ann', 10), ('ann', 12))]
    """
    reach = _signed("interval_join(lo)", lo), _signed("interval_join(hi)", hi)
    if reach[0] > reach[1]:
        message = f"interval_join wants lo <= hi, got lo={lo!r} and hi={hi!r}"
        raise ValueError(message)
    _require_one_of("interval_join(how)", how, ("inner", "left"))
    require_count("interval_join(capacity)", capacity, 1)
    other = flowable(right, "interval_join")
    find = Finder("interval_join", key, right_key, time, right_time)

    def make(source: Flowable[Any]) -> Operator[Any, Any]:
        sides = find.sides(source, other)

        def open_(env: Env, node: Node) -> Subscription[Any]:
            return IntervalStage(env, node, sides, capacity, reach, outer=how == "left")

        return stage(
            label("interval_join", lo, hi),
            open_,
            other,
            capacity=2 * capacity + CHUNK,
            traits=(EventTime(time_of),),
            reads=(Keying,),
            checkpointing=Checkpointing.SAVED,
        )

    return placed("interval_join", make)


def asof_join(  # noqa: PLR0913 - keys and times may be said here, too
    right: Flowable[B],
    *,
    tolerance: Duration | None = None,
    key: str | Callable[[A], Any] | None = None,
    right_key: str | Callable[[B], Any] | None = None,
    time: str | Callable[[A], Any] | None = None,
    right_time: str | Callable[[B], Any] | None = None,
    suffix: str = "_right",
    schema: Schema | None = None,
    capacity: int = CAPACITY,
    max_keys: int = KEYS,
) -> Operator[A, Any]:
    """Give each element what another flow had told of its key by then: point in time, never what came later.

    Marble:
        -----a2------b7----|
        --x1-----y5-----z8-|
        asof_join(), the digit being the time
        ---------(a2,x1)(b7,y5)|

    That is the newest element of the other flow with its time <= the element's time, of the same key; of several of one
    time the one that came last. An element waits until the watermark of the other flow is behind its time.

    Demand: of each flow n elements for n while there is room for them, side by side; so the flow that is ahead in event
        time is held back when its room is used up.
    Buffers: `capacity` elements of each flow that are ahead of the other, the newest element of each key up to the
        time reached (those older than the tolerance are given up), and one chunk of results. Memory is there for twice
        as many rows, and 16,384 or 16 MB; what nobody can ask for is let go at once if it is an object.
    Emits: one result for each element, in their order, with its context; signals of the flow stay where they are among
        its elements, barriers come when both flows have come to them. Batches of both flows give batches: the columns of
        the left, then those of the right but for a key of the same name, and `found`, whether there was a row. Names
        that are taken get the suffix. Where there was none, floats are NaN, times NaT, others None; whole numbers and
        booleans of the right come as float64, its time in nanoseconds as datetime64[ns]. Other elements give
        `AsOf(left, right)`, where right is None if there was none, and else as it came. Elements of the other flow end as
        dropped when they are taken in: they are state from then on. A late element is counted as dropped: one from
        before the watermark of its own flow, or, of a flow that was idle, from before that of the other, which went on.
    Completes: with the flow, when all its elements have their answer.
    Fails: with either flow, after the answers that were certain, and so with a SchemaError when batches of the right differ
        or a whole number beyond 2^53 would come as float64; with a BufferOverflowError when both flows wait for one
        another and there is no room: watermarks are further behind than `capacity`, or there are none. An element
        without time or key (None, NaN and NaT are none) is for the supervisor.
    Cancels: both flows, at once.
    Cost: two tasks. Of batches, about 0.03 microseconds a row of either flow in chunks of 16,384, 0.12 in chunks of 1,024,
        if the key is a whole number (int64, within 65,536 of the others); other numbers cost 0.05 more, texts 0.08. Of
        elements, half a microsecond.

    Args:
        right: the other flow.
        tolerance: seconds or a timedelta, >= 0, that what was known may be old, inclusive; None: any age.
        key: column or function that gives the key of a left element, and of a right one unless `right_key` is given.
            None: as `key_by` says; if it says nothing of either flow, all elements belong together.
        right_key: of the right elements.
        time: column or function that gives the time of a left element, ns; None: as `with_event_time` says.
        right_time: of the right elements; None: as `with_event_time` says there, else `time`.
        suffix: put behind names of the right's columns that the left has, too; not empty.
        schema: the columns of the right. None: batches of the left wait for the first batch of the right, or until that
            has ended or is idle; without any they have no columns of it.
        capacity: elements of each flow that wait, >= 1.
        max_keys: keys of which the newest element is kept, >= 1; the one that is oldest gives way, and is counted as
            dropped. That is looked to now and then: up to twice as many, and 16,384, may be there.

    Raises:
        PipelineError: the other is no flow, one flow has a key and the other has not, or one has no event time.
        TypeError: no duration, or a suffix that is no text.
        ValueError: a number out of its range, or an empty suffix.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> orders = rxml.of(("eur", 15), ("usd", 20)).pipe(
        ...     ops.with_event_time(lambda x: x[1], unit="s")
        ... )
        >>> rates = rxml.of(("eur", 10, 1.1), ("eur", 16, 1.2)).pipe(
        ...     ops.with_event_time(lambda x: x[1], unit="s")
        ... )
        >>> joined = orders.pipe(ops.asof_join(rates, key=lambda x: x[0]))
        >>> for order, rate in asyncio.run(joined.to_list()):
        ...     print(order, rate)
        ('eur', 15) ('eur', 10, 1.1)
        ('usd', 20) None
    """
    _require_suffix(suffix)
    plan = AsOfPlan(
        require_count("asof_join(capacity)", capacity, 1),
        None if tolerance is None else nanoseconds(tolerance, "asof_join(tolerance)"),
        require_count("asof_join(max_keys)", max_keys, 1),
        suffix,
        schema,
    )
    other = flowable(right, "asof_join")
    find = Finder("asof_join", key, right_key, time, right_time)

    def make(source: Flowable[Any]) -> Operator[Any, Any]:
        sides = find.sides(source, other)
        return stage(
            label("asof_join", *(() if tolerance is None else (tolerance,))),
            lambda env, node: AsOfStage(env, node, sides, plan),
            other,
            cardinality=Cardinality.AT_MOST_ONE,
            capacity=plan.bound,
            traits=(time_inside(sides[0].event_time, AsOf, "left"),),
            reads=(Keying,),
            checkpointing=Checkpointing.SAVED,
        )

    return placed("asof_join", make)


def _signed(name: str, duration: Duration) -> int:
    """Nanoseconds of a duration that may be negative."""
    given: Any = duration  # which may be anything, whatever it is declared to be
    if isinstance(given, timedelta):
        return -nanoseconds(-given, name) if given < timedelta(0) else nanoseconds(given, name)
    if given.__class__ is bool or not isinstance(given, Real):
        return nanoseconds(given, name)  # which refuses it
    if not isfinite(given):
        message = f"{name} wants a finite number of seconds or a timedelta, got {duration!r}"
        raise ValueError(message)
    number = int(given) if isinstance(given, Integral) else float(given)
    return -nanoseconds(-number, name) if number < 0 else nanoseconds(number, name)


def _require_suffix(suffix: object) -> None:
    message = f"asof_join wants a suffix of at least one character, got {suffix!r}"
    if not isinstance(suffix, str):
        raise TypeError(message)
    if not suffix:
        raise ValueError(message)


def _require_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        message = f"{name} wants one of {', '.join(map(repr, known))}, got {value!r}"
        raise ValueError(message)
