"""buffer: lists of elements that follow one another."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

from rxml.flow.adopt import adopted
from rxml.flow.check import PLAIN, permit_function, require_count, require_positive
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import boundary, fold, label
from rxml.flow.node import Cardinality
from rxml.flow.timing.duration import seconds_of
from rxml.flow.workers.grouping import Group, Price, grouped_between, grouped_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Listed
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")

MOST: Final = 10_000
"""Elements in a list where nothing else bounds it."""


def buffer(
    boundaries: Flowable[Any] | int | None = None,
    *,
    count: int | None = None,
    seconds: Duration | None = None,
    bytes: float | None = None,  # noqa: A002 - what it is
    cost: Callable[[A], float] | None = None,
    skip: int | None = None,
) -> Listed:
    """Gather elements into lists.

    Marble:
        -1-2-3----4-----5-|
        buffer(3, seconds=6)
        -----[1,2,3]----[4]-[5]|

    Demand: by count, as many elements as fill the lists that are asked for; by bytes, an element for each list at a time;
        by seconds or boundaries, what fits into one list, whether or not the reader asks, but nothing while a list waits
        to be taken.
    Buffers: the list that is being filled; by seconds or boundaries also one that waits to be taken. A list that nothing
        else bounds holds at most 10,000 elements.
    Emits: a list as soon as it is full: of `count` elements, or at a cost of `bytes`, or so that the next element would
        bring it over that; `seconds` after its first element came; or at each boundary. Lists are never empty, except
        between two boundaries with no element between them. A list has the contexts of its elements, joined.
    Completes: with upstream, after what is left; with the boundaries, likewise, unless these end because the run is drained.
    Fails: with upstream, and the list that is being filled is dropped; when `cost` raises, or gives a negative number or
        none.
    Cancels: upstream and the boundaries, at once.
    Cost: by count or bytes, nothing but the lists; by seconds one task, by boundaries two.

    Args:
        boundaries: a flow each of whose elements ends a list; or an int, which is `count`.
        count: elements in a list, >= 1.
        seconds: age that the oldest element of a list may reach, > 0, or a timedelta.
        bytes: cost of a list, > 0; an element that costs more on its own makes a list of its own.
        cost: what an element costs, >= 0; None: its bytes, as `rxml.flow.buffers.weigh` counts them.
        skip: a list begins with every `skip`-th element: lists overlap if that is less than `count`, and leave elements
            out if it is more. Only by count.

    Raises:
        ValueError: a number out of its range; nothing that would end a list; arguments that do not go together.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(5).pipe(ops.buffer(2)).to_list())
        [[0, 1], [2, 3], [4]]
        >>> asyncio.run(rxml.range(5).pipe(ops.buffer(bytes=4, cost=lambda x: x)).to_list())
        [[0, 1, 2], [3], [4]]
    """
    ticks = adopted(boundaries)
    if ticks is not None:
        _refuse("boundaries", seconds=seconds, bytes=bytes, cost=cost, skip=skip)
        return _by_boundaries(ticks, _at_least_one("count", count) or MOST)
    if boundaries is not None and count is not None:
        message = f"buffer got two counts: {boundaries!r} and {count!r}"
        raise ValueError(message)
    size = _at_least_one("count", count if boundaries is None else boundaries)
    price = _priced(bytes, cost)
    if seconds is not None:
        _refuse("seconds", skip=skip)
        return _by_time(seconds, size or MOST, price)
    if price is not None:
        _refuse("bytes", skip=skip)
        return _by_price(size or MOST, price)
    return _by_count(size, _at_least_one("skip", skip))


def _refuse(mode: str, **arguments: object) -> None:
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        message = f"buffer by {mode} knows no {given[0]}"
        raise ValueError(message)


def _at_least_one(name: str, value: object) -> int | None:
    return None if value is None else require_count(f"buffer({name})", value, 1)


def _priced(most: float | None, cost: Callable[[Any], float] | None) -> Price | None:
    if most is None:
        _refuse("anything but bytes", cost=cost)
        return None
    require_positive("buffer(bytes=)", most, finite=False)
    permit_function("buffer(cost=)", cost, "gives what an element costs", PLAIN)
    return Price(most, cost)


def _by_count(count: int | None, skip: int | None) -> Operator[Any, list[Any]]:
    if count is None:
        message = "buffer wants what ends a list, got nothing: buffer(100), or seconds=, bytes=, or a flow of boundaries"
        raise ValueError(message)
    every = skip or count
    name = label("buffer", count) if skip is None else label("buffer", count, skip)
    cardinality = Cardinality.FEWER if every >= count else Cardinality.MANY
    return fold(
        name,
        lambda: _Counted(count, every),
        cardinality=cardinality,
        capacity=count,
        holds=every < count,
        opaque=True,
    )


def _by_price(count: int, price: Price) -> Operator[Any, list[Any]]:
    return fold(
        label("buffer", price),
        lambda: _Priced(count, price),
        cardinality=Cardinality.FEWER,
        capacity=count,
        max_bytes=price.max_bytes,
    )


def _by_time(seconds: Duration, count: int, price: Price | None) -> Operator[Any, list[Any]]:
    within = seconds_of(seconds, "buffer(seconds)")
    if not within:
        message = f"buffer wants seconds > 0, got {seconds!r}"
        raise ValueError(message)

    async def body(inlets: tuple[Subscription[Any], ...], outlet: Outlet[list[Any]]) -> None:
        await grouped_within(inlets[0], outlet, Group(count, price), within)

    return boundary(
        label("buffer", count, seconds),
        body,
        cardinality=Cardinality.FEWER,
        capacity=2 * count,
        max_bytes=None if price is None or price.max_bytes is None else 2 * price.max_bytes,
        rate=True,
    )


def _by_boundaries(boundaries: Flowable[Any], count: int) -> Operator[Any, list[Any]]:
    async def body(inlets: tuple[Subscription[Any], ...], outlet: Outlet[list[Any]]) -> None:
        await grouped_between(inlets[0], inlets[1], outlet, Group(count, None))

    return boundary(
        label("buffer", boundaries),
        body,
        boundaries,
        cardinality=Cardinality.MANY,
        capacity=2 * count,
        rate=True,
    )


class _Counted(Kernel[Any, "list[Any]"]):
    """Lists of `count` elements, beginning with every `skip`-th."""

    def __init__(self, count: int, skip: int) -> None:
        self._count = count
        self._skip = skip
        self._held: list[Any] = []
        self._gap = 0

    @override
    def demand(self, n: int) -> int:
        return self._gap + self._count - len(self._held) + (n - 1) * self._skip

    @override
    def push(self, items: Iterator[Any], out: list[list[Any]]) -> None:
        count, skip = self._count, self._skip
        while True:
            if self._gap:
                self._gap -= sum(1 for _ in islice(items, self._gap))
                if self._gap:
                    return
            held = self._held
            held.extend(islice(items, count - len(held)))
            if len(held) < count:
                return
            out.append(held)
            self._held = held[skip:]
            self._gap = max(0, skip - count)

    @override
    def flush(self) -> Iterable[list[Any]]:
        held, self._held = self._held, []
        return [held[start:] for start in range(0, len(held), self._skip)]

    @override
    def held(self) -> int:
        return len(self._held)

    @override
    def snapshot(self) -> Any:
        return [list(self._held), self._gap]

    @override
    def restore(self, state: Any) -> None:
        held, self._gap = state
        self._held = list(held)


class _Priced(Kernel[Any, "list[Any]"]):
    """Lists of elements that together cost no more than is allowed."""

    def __init__(self, count: int, price: Price) -> None:
        self._group = Group(count, price)

    @override
    def push(self, items: Iterator[Any], out: list[list[Any]]) -> None:
        group = self._group
        for item in items:
            price = group.price(item)
            if not group.fits(price):
                out.append(group.take())
            group.add(item, price)
            if group.full:
                out.append(group.take())

    @override
    def flush(self) -> Iterable[list[Any]]:
        return [self._group.take()] if self._group.items else []

    @override
    def held(self) -> int:
        return len(self._group.items)

    @override
    def snapshot(self) -> Any:
        return [list(self._group.items), self._group.spent]

    @override
    def restore(self, state: Any) -> None:
        items, self._group.spent = state
        self._group.items = list(items)
