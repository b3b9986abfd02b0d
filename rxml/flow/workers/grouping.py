"""Grouping: elements gathered into lists, by number, by cost, and by time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.buffers.weigh import weigh
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.context import drop
from rxml.flow.context_joining import joined
from rxml.flow.dropping import dropped, in_hand
from rxml.flow.timing.waiting import drain_noticed, request_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rxml.flow.body import Outlet
    from rxml.flow.context import Context
    from rxml.flow.subscription import Subscription


@dataclass(frozen=True, slots=True)
class Price:
    """What a list may cost, and what an element does (None: its bytes)."""

    most: float
    cost: Callable[[Any], float] | None = None

    @property
    def max_bytes(self) -> int | None:
        """The bound in bytes, if the cost is in bytes."""
        return int(self.most) if self.cost is None and self.most < inf else None

    def of(self, item: Any) -> float:
        """The price of an element.

        Raises:
            ValueError: it is negative or not a finite number.
        """
        if self.cost is None:
            return weigh((item,))
        price = self.cost(item)
        if not 0 <= price < inf:
            message = f"buffer: the cost of an element must be >= 0 and finite, got {price!r}"
            raise ValueError(message)
        return price

    @override
    def __repr__(self) -> str:
        return f"≤ {self.most:g}"


class Group:
    """The list that is being filled.

    Attributes:
        items: what is in it.
        spent: what that costs.
        since: when its first element came, in seconds of the run's clock.
        signals: what follows its elements.
        over: no further list is wanted.
    """

    __slots__ = ("_contexts", "_count", "_price", "items", "over", "signals", "since", "spent")

    def __init__(self, count: int, price: Price | None) -> None:
        self._count = count
        self._price = price
        self._contexts: list[Context] = []
        self.items: list[Any] = []
        self.spent: float = 0.0
        self.since: float = 0.0
        self.signals: dict[str, Any] = {}
        self.over: bool = False

    @property
    def room(self) -> int:
        """Elements that may be asked for at once: one by one if they have a price."""
        return 1 if self._price is not None else self._count - len(self.items)

    @property
    def full(self) -> bool:
        """True if nothing more can be added."""
        most = inf if self._price is None else self._price.most
        return len(self.items) >= self._count or self.spent >= most

    def price(self, item: Any) -> float:
        """What the element costs."""
        return 0.0 if self._price is None else self._price.of(item)

    def fits(self, price: float) -> bool:
        """True if an element at that price may be added."""
        return not self.items or self._price is None or self.spent + price <= self._price.most

    def add(self, item: Any, price: float) -> None:
        """Put an element in."""
        self.items.append(item)
        self.spent += price

    def extend(self, chunk: Chunk[Any], price: float = 0.0) -> None:
        """Put in a chunk for which there is room, with the signals that follow it."""
        self.items.extend(chunk.elements)
        self.spent += price
        self._contexts.extend(chunk.contexts or ())
        self.signals |= chunk.signals()

    def take(self) -> list[Any]:
        """The list; the next one is empty."""
        items, self.items, self.spent = self.items, [], 0.0
        return items

    def chunk(self) -> Chunk[list[Any]]:
        """The list with the context of all its elements and what follows them; the next one is empty."""
        contexts, self._contexts = self._contexts, []
        signals, self.signals = self.signals, {}
        return Chunk([self.take()], [joined(contexts)] if contexts else None, **signals)

    def close(self) -> int:
        """What no list has taken ends as dropped; returns how many elements that are."""
        contexts, self._contexts = self._contexts, []
        self.over = True
        drop(contexts)
        return len(self.take())


async def grouped_within(
    inlet: Subscription[Any], outlet: Outlet[list[Any]], group: Group, seconds: float
) -> None:
    """Hand on a list when it is full, or `seconds` after its first element came."""
    with _closing(group, outlet):
        while True:
            await _emptied(outlet)
            due = group.since + seconds if group.items else None
            chunk = await request_until(inlet, min(CHUNK, group.room), due)
            late = due is not None and outlet.clock.time() >= due
            if group.items and (chunk is None or chunk.end or late):
                outlet.channel.put(group.chunk())
            if chunk is not None:
                if chunk.end:
                    return
                await _fill(group, chunk, outlet)


@contextmanager
def _closing(group: Group, outlet: Outlet[list[Any]]) -> Generator[None]:
    """Afterwards nothing more goes into a list, and what is in none that was handed on is dropped."""
    try:
        yield
    finally:
        outlet.dropped(group.close())


async def _fill(group: Group, chunk: Chunk[Any], outlet: Outlet[list[Any]]) -> None:
    """Put what was asked for into the list, and hand lists on before they would be too full and when they are full."""
    now = outlet.clock.time()
    price = _priced(group, chunk, outlet) if len(chunk.elements) else None
    if price is None:
        _signal(group, chunk.signals(), outlet)
        return
    if not group.fits(price):
        with in_hand(chunk, outlet.dropped):
            await _emptied(outlet)
        outlet.channel.put(group.chunk())
    if group.over:
        outlet.dropped(dropped(chunk))
        return
    if not group.items:
        group.since = now
    group.extend(chunk, price)
    if group.full:
        await _emptied(outlet)
        outlet.channel.put(group.chunk())


def _signal(group: Group, signals: dict[str, Any], outlet: Outlet[list[Any]]) -> None:
    """Signals stay behind the elements before them."""
    if group.items:
        group.signals |= signals
    elif signals:
        outlet.channel.put(Chunk((), **signals))


def _priced(group: Group, chunk: Chunk[Any], outlet: Outlet[list[Any]]) -> float | None:
    """What the chunk costs, which is of one element if that matters; None if that is left out."""
    item = chunk.elements[0]
    try:
        return group.price(item)
    except Exception as error:  # noqa: BLE001 - the supervisor decides
        raised = outlet.failed(error, item, chunk.contexts[0] if chunk.contexts else None)
        if raised is not None:
            raise raised from raised.__cause__
        return None


async def grouped_between(
    inlet: Subscription[Any],
    boundaries: Subscription[Any],
    outlet: Outlet[list[Any]],
    group: Group,
) -> None:
    """Hand on a list at each boundary, and when it is full."""
    failed: list[Exception] = []
    with _closing(group, outlet), drain_noticed(outlet.env) as drained:
        gathering = outlet.spawn(_gather(inlet, boundaries, outlet, group, failed), "source")
        while not (boundary := await boundaries.request(1)).end:
            if len(boundary.elements):
                await _emptied(outlet)
                outlet.channel.put(group.chunk())
        if failed or drained.is_set():
            await gathering
        if failed:
            raise failed[0]
        await _emptied(outlet)
        outlet.channel.put(group.chunk())


async def _gather(
    inlet: Subscription[Any],
    boundaries: Subscription[Any],
    outlet: Outlet[list[Any]],
    group: Group,
    failed: list[Exception],
) -> None:
    """Fill the list until the inlet ends or fails, then end the boundaries."""
    try:
        while True:
            await _emptied(outlet)
            chunk = await inlet.request(min(CHUNK, group.room))
            if chunk.end:
                break
            await _fill(group, chunk, outlet)
    except Exception as error:  # noqa: BLE001 - raised in the body
        failed.append(error)
    await boundaries.cancel()


async def _emptied(outlet: Outlet[list[Any]]) -> None:
    """Wait until the list before has been taken, and give way to others from time to time."""
    if outlet.clock.held:
        await outlet.clock.breathe()
    await outlet.channel.wait_room(outlet.channel.capacity)
