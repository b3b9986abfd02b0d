"""Operators that work on several elements at once."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast, overload

from rxml.errors import PipelineError
from rxml.flow.adopt import adopted
from rxml.flow.check import PLAIN, permit_function, require_callable, require_count
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import label, placed, stage
from rxml.flow.matched import Matched
from rxml.flow.nested.concat_map import ConcatMapStage
from rxml.flow.nested.flattening import FlatMapStage, SwitchMapStage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.traits import trait
from rxml.flow.workers.map_async import MapAsyncStage

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.flow.flowable import Flowable
    from rxml.flow.nested.inner import Streamed
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription

A = TypeVar("A")
B = TypeVar("B")
X = TypeVar("X")

INNER: Final = 256
"""Inner streams that `flat_map` keeps open unless it is told otherwise."""

LANES: Final = 4
"""Elements that `map_async` with a key holds for each worker, so that a slow key leaves room for others."""


def map_async(
    mapper: Callable[[A], Awaitable[B]],
    *,
    concurrency: int,
    ordered: bool | None = None,
    key: Callable[[A], Hashable] | None = None,
    capacity: int | None = None,
) -> Operator[A, B]:
    """Apply a coroutine function to each element, to several at once.

    Marble:
        -1--2--3------------|
        map_async(fetch, concurrency=2)
        -------a--b------c--|

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `capacity` elements: waiting, worked on, or done and not taken. In order, one that is slow holds up
        those behind it until the room is used up; with `capacity` above `concurrency` workers go on meanwhile.
    Emits: for each element, its result, in order; with `ordered=False` or `key`, as soon as it is there.
    Completes: with upstream, after the last result.
    Fails: with upstream, after the results of all elements before; or when the function raises: in order, after exactly
        the results of the elements before, else after those that are there. What cannot come out any more is cancelled
        and awaited, and one error surfaces. A supervisor can have the element left out.
    Cancels: upstream and what is worked on, at once; returns when all of it has ended.
    Cost: one task for each worker (never one for an element) and one that takes in; about two microseconds an element
        when many are worked on at once, twelve with `concurrency=1`, where each passes from task to task alone.

    Args:
        mapper: a coroutine function, or any function that gives an awaitable.
        concurrency: elements worked on at once, >= 1.
        ordered: results in the order of the elements; None: so it is, save in a service, where each answer finds the one who
            asked, and one that is slow need not hold up others.
        key: gives the key of an element. Elements of one key are worked on one after the other, so that their results
            keep their order, while keys run side by side; there is no order between keys. A key that is slow holds up
            the others only when its elements have used up the room.
        capacity: elements held at most, >= `concurrency`; None: as many as `concurrency`, with a key four times as many.

    Raises:
        ValueError: a number out of its range, or a key together with `ordered=False`.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def double(x: int) -> int:
        ...     await asyncio.sleep(0.001 * (3 - x))
        ...     return 2 * x
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.map_async(double, concurrency=3)).to_list())
        [2, 4, 6]
    """
    require_callable("map_async", mapper, "gives an awaitable")
    require_count("map_async(concurrency=)", concurrency, 1)
    permit_function("map_async(key=)", key, "gives the key of an element", PLAIN)
    if key is not None and ordered is False:
        raise ValueError(
            "map_async: a key keeps order per key; ordered=False contradicts it, leave it out"
        )
    if capacity is None:
        capacity = concurrency if key is None else LANES * concurrency
    require_count("map_async(capacity=)", capacity, concurrency)

    name, room = label("map_async", mapper), capacity

    def made(*, in_order: bool) -> Operator[A, B]:
        def open_(env: Env, node: Node) -> Subscription[B]:
            how: Any = {"concurrency": concurrency, "ordered": in_order, "key": key}
            return MapAsyncStage(env, node, mapper, **how)

        return stage(
            name,
            open_,
            cardinality=Cardinality.ONE,
            capacity=room,
            checkpointing=Checkpointing.PASSES,
        )

    if ordered is not None:
        return made(in_order=ordered)
    return placed(name, lambda flow: made(in_order=trait(flow, Matched) is None))


def flat_map(
    mapper: Callable[[A], Streamed[B]] | Streamed[B], *, concurrency: int = INNER
) -> Operator[A, B]:
    """Merge the streams that a function gives for the elements.

    Marble:
        -1--------2-------|
        flat_map(lambda x: interval(4).pipe(map(lambda _: x), take(3)))
        -----1---1---12---2---2|

    Demand: an element for each inner stream that may still be opened, up to the demand; of each inner stream its share
        of the demand.
    Buffers: at most `concurrency` elements whose streams are open, and one chunk of their results.
    Emits: the elements of the inner streams as they come, in their own order each; streams that are always ready take
        turns. Results have the context of the element that they come from, which has ended when all of them have. The
        watermark is the least of upstream and of
        the inner streams, each of which stands where upstream stood when it was opened until it gives one of its own; a
        barrier waits until each has come to it or ended.
    Completes: when upstream and all inner streams have ended.
    Fails: at once with upstream, after what is at hand and what can be had without waiting; or with an inner stream or
        the function, after what is at hand. The other streams are cancelled and awaited. A supervisor can have the
        element left out that a stream was opened for.
    Cancels: upstream and all inner streams, at once.
    Cost: one task for each stream that is open and has to be waited for; tasks are used again. About 25 microseconds for
        each Flowable. Iterables cost no task, and about two microseconds each.

    Args:
        mapper: gives a Flowable, an Observable of reactivex, an awaitable, an async iterable, or an iterable, which is
            read as it is asked for. If it is no function but one of these itself, it is taken for each element.
        concurrency: inner streams that are open at once, >= 1. (reactivex knows no bound.)

    Raises:
        ValueError: concurrency below 1.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.flat_map(lambda x: [x, 10 * x])).to_list())
        [1, 10, 2, 20]
    """
    require_count("flat_map(concurrency=)", concurrency, 1)
    function = _mapper("flat_map", mapper)
    return stage(
        label("flat_map", mapper),
        lambda env, node: FlatMapStage(env, node, function, concurrency),
        capacity=concurrency + max(CHUNK, concurrency),
        checkpointing=Checkpointing.PASSES,
    )


def concat_map(project: Callable[[A], Streamed[B]] | Streamed[B]) -> Operator[A, B]:
    """Put the streams that a function gives for the elements one behind the other.

    Marble:
        -1--2------------------|
        concat_map(lambda x: interval(4).pipe(map(lambda _: x), take(3)))
        -----1---1---1---2---2---2|

    Demand: one element, when the stream of the one before has ended; of that stream, what is asked for.
    Buffers: one element.
    Emits: the elements of each inner stream in order. Results have the context of the element that they come from, which
        has ended when all of them have.
    Completes: when upstream and the last inner stream have ended.
    Fails: with upstream, with an inner stream, or when the function raises, after all that came before. A supervisor can
        have the element left out that a stream was opened for.
    Cancels: upstream and the inner stream, at once.
    Cost: no task, except one for each awaitable; about 14 microseconds for each Flowable.

    Args:
        project: as for `flat_map`.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.concat_map(lambda x: rxml.of(x, x))).to_list())
        [1, 1, 2, 2]
    """
    function = _mapper("concat_map", project)
    return stage(
        label("concat_map", project),
        lambda env, node: ConcatMapStage(env, node, function),
        capacity=1,
        checkpointing=Checkpointing.PASSES,
    )


def _mapper(name: str, mapper: Any) -> Callable[[Any], Any]:
    """What gives a stream for an element: a function, or one and the same stream for each."""
    if callable(mapper):
        return cast("Callable[[Any], Any]", mapper)
    if adopted(mapper) is None and not _is_stream(mapper):
        raise PipelineError(
            f"{name} wants a function that gives a stream, or a stream itself (a Flowable, an Observable, an awaitable, or "
            f"an iterable, async or not), got {mapper!r}"
        )
    return lambda _: mapper


def _is_stream(value: object) -> bool:
    return isinstance(value, Awaitable | AsyncIterable | Iterable)


class Switched(Protocol):
    """Elements are streams themselves; theirs come out."""

    def __call__(self, source: Flowable[Streamed[X]], /) -> Flowable[X]:
        """The flow with this operator behind it; runs nothing."""
        ...


@overload
def switch_map() -> Switched: ...


@overload
def switch_map(project: Callable[[A], Streamed[B]]) -> Operator[A, B]: ...


def switch_map(project: Callable[[Any], Any] | None = None) -> Operator[Any, Any]:
    """Follow the stream that a function gives for the newest element.

    Marble:
        -1---------2------|
        switch_map(lambda x: interval(4).pipe(map(lambda _: x), take(3)))
        -----1---1-----2---2---2|

    Demand: one element at a time, while the reader waits; of the inner stream, what is asked for.
    Buffers: one chunk of results.
    Emits: the elements of the inner stream; when a new element comes, the inner stream is closed, and when that is done
        the next begins. Of elements that are there at the same moment only the last is begun. Results have the context
        of the element that they come from, which has ended when all of them have; without results it ends as dropped.
        Signals pass as they come.
    Completes: when upstream and the last inner stream have ended.
    Fails: with upstream, with the inner stream, or when the function raises, after what is at hand; the rest is cancelled
        and awaited. A supervisor can have the element left out.
    Cancels: upstream and the inner stream, at once.
    Cost: two tasks; about 35 microseconds for each Flowable.

    Args:
        project: as for `flat_map`; None: the elements are streams themselves.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.switch_map(lambda x: rxml.of(x, x))).to_list())
        [3, 3]
    """
    if project is not None:
        require_callable("switch_map", project, "gives a stream for an element")
    function: Callable[[Any], Any] = project or (lambda element: element)
    return stage(
        label("switch_map", project or "identity"),
        lambda env, node: SwitchMapStage(env, node, function),
        capacity=CHUNK,
        rate=True,
    )
