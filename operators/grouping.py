"""Operators that put the elements of a flow into several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from rxml.flow.check import permit_function, require_count, require_function
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import label, select, stage
from rxml.flow.nested.group_router import GroupRouter
from rxml.flow.nested.routing import limits_of
from rxml.flow.nested.splitting import SplitStage
from rxml.flow.sharing.shared import Share
from rxml.flow.sharing.sharing import sharing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.flow.flowable import Flowable
    from rxml.flow.nested.branch import GroupedFlowable
    from rxml.flow.node import Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")
K = TypeVar("K")

GROUPS: Final = 256
"""Groups that `group_by` opens at most unless it is told otherwise: as many streams as `flat_map` reads side by side."""


def group_by(
    key_mapper: Callable[[A], K],
    element_mapper: Callable[[A], Any] | None = None,
    *,
    max_groups: int = GROUPS,
    capacity: int = 64,
    policy: str = "backpressure",
    patience: Duration | None = 30,
) -> Operator[A, GroupedFlowable[K, Any]]:
    """Put the elements of each key into a flow of their own.

    Marble:
        -a1--b1--a2-----b2-|
        group_by(letter)
        -a---b-------------|
         a1------a2--------|
             b1---------b2-|

    Demand: what any reader waits for, of the groups or of a group, but for no more than surely has room; one element at
        a time while a group is full.
    Buffers: at most `capacity` elements for each group, and one that waits for its group to have room.
    Emits: a group, with its `key`, when its first element comes. A group is hot: it is read once, while the run goes on,
        and gets what comes. What comes for a group that its reader has left, or that was thrown away unread, is dropped
        and counted; the key stays taken. Results have the contexts of their elements. Signals go to all groups, and on.
    Completes: with upstream, and so does every group, after what it holds. When no further group is wanted, those that
        were handed over go on.
    Fails: with upstream, and so does every group, after what it holds; when a function raises (a supervisor can have
        the element left out); when a new key comes and there are `max_groups` already; when a full group keeps readers
        of others waiting for `patience` and nobody has begun to read it.
    Cancels: upstream, when the reader of the groups and those of all groups have left, or when the run ends.
    Cost: one task, and one for each group that is read by `flat_map`; about two microseconds an element.

    A group that is read slowly holds up all others once it is full: that is backpressure. Groups must therefore be read
    side by side, `flat_map(..., concurrency=max_groups)`, and not one after the other. State for each key, without a
    stream for each, is cheaper: prefer that where it does.

    Args:
        key_mapper: gives the key of an element, hashable.
        element_mapper: gives what goes into the group, instead of the element.
        max_groups: groups in a run, >= 1.
        capacity: elements that a group holds, >= 1.
        policy: what happens to an element whose group is full: `backpressure`, it waits, and with it all that follow;
            `drop_oldest` or `drop_newest`, an element is dropped and counted; `error`, the stream fails.
        patience: seconds, or a timedelta; None: for ever.

    Raises:
        ValueError: a number out of its range.
        PipelineError: no function, or no such policy.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> total = ops.flat_map(
        ...     lambda group: group.pipe(ops.sum(), ops.map(lambda n: (group.key, n)))
        ... )
        >>> asyncio.run(rxml.range(6).pipe(ops.group_by(lambda x: x % 2), total).to_list())
        [(0, 6), (1, 9)]
    """
    require_function("group_by", key_mapper, "gives the key of an element")
    permit_function("group_by", element_mapper, "gives what goes into the group")
    require_count("group_by(max_groups=)", max_groups, 1)
    limits = limits_of("group_by", capacity, policy, max_groups, patience)

    def router(_: Node) -> GroupRouter:
        return GroupRouter(cast("Callable[[Any], Hashable]", key_mapper), element_mapper, limits)

    return stage(
        label("group_by", key_mapper),
        lambda env, node: SplitStage(env, node, router, limits),
        capacity=max_groups * capacity + 1,
    )


def partition(
    predicate: Callable[[A], object], *, lag: int = CHUNK, patience: Duration | None = 30
) -> Callable[[Flowable[A]], list[Flowable[A]]]:
    """Split a flow in two: the elements for which the predicate is true, and the others.

    Marble:
        -1--2--3--4--|
        partition(is_odd)
        -1-----3-----|
        ----2-----4--|

    Demand: as `share`: what the keener reader wants and the other has room for. Nothing while nobody reads.
    Buffers: at most `lag` elements for each of the two flows that is read.
    Emits: each element in one of the two flows, in order. They are parts of one run of the flow, from the first reader
        to the last; who comes later gets what comes from then on.
    Completes: with upstream, both.
    Fails: with upstream, both; or when the predicate raises; or, as `share`, when one has waited for `patience` because
        the other, in the same run, has stopped reading.
    Cancels: upstream, when neither is read any more.
    Cost: one task; one call of the predicate for each element and each flow that is read.

    It gives a list of two flows, so it must be the last operator of a pipe. Type checkers follow it in
    `odd, even = flow.through(ops.partition(is_odd))`.

    Args:
        predicate: called with an element.
        lag: elements that one reader may be behind the other, >= 1; a reader that stops holds up the other.
        patience: seconds, or a timedelta; None: for ever.

    Raises:
        ValueError: lag below 1, or patience below 0.
        TypeError: predicate is a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> odd, even = rxml.range(6).pipe(ops.partition(lambda x: x % 2))
        >>> async def main():
        ...     return await asyncio.gather(odd.to_list(), even.to_list())
        >>> asyncio.run(main())
        [[1, 3, 5], [0, 2, 4]]
    """
    require_function("partition", predicate, "tells which flow an element goes to")
    sharing = sharing_of("partition", lag, "slowest", patience)
    sharing = replace(sharing, name=label("partition", predicate))

    def other(element: A) -> bool:
        return not predicate(element)

    def split(source: Flowable[A]) -> list[Flowable[A]]:
        shared = Share(sharing)(source)
        return [select("chosen", predicate)(shared), select("others", other)(shared)]

    return split
