"""Backlog: a bounded queue of elements with a policy for when it is full."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rxml.errors import BufferOverflowError
from rxml.flow.buffers.overflow import Conflate, Overflow
from rxml.flow.buffers.weigh import weigh
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome, drop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.statistics import Meter

T = TypeVar("T")


class Backlog(Generic[T]):
    """What waits, oldest first; never more than the bounds.

    Signals keep their place between the elements. Those with no element between them become one, so that they, too,
    are bounded: of watermarks and barriers the newest counts.

    Args:
        name: who drops, for errors.
        policy: what to do with an element that does not fit.
        capacity: elements held at most.
        max_bytes: bytes held at most, except that one element larger than that may wait alone; None: not weighed.
        meter: counts what is dropped, too.

    Attributes:
        dropped: elements that the policy has dropped, those that `Conflate` made one with a later element included.
    """

    __slots__ = (
        "_contexts",
        "_dates",
        "_gone",
        "_items",
        "_meter",
        "_name",
        "_signals",
        "_weights",
        "bytes",
        "capacity",
        "dropped",
        "max_bytes",
        "policy",
    )

    def __init__(
        self,
        name: str,
        policy: Overflow,
        capacity: int,
        *,
        max_bytes: int | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._name = name
        self.policy = policy
        self.capacity: int = capacity
        self.max_bytes: int | None = max_bytes
        self.dropped: int = 0
        self.bytes: int = 0
        self._meter = meter
        self._items: deque[Any] = deque()
        self._weights: deque[int] = deque()
        self._contexts: deque[Context | None] | None = None
        # Elements are numbered as they come in; `_gone` have left. These say what holds from which number on.
        self._gone = 0
        self._dates: deque[tuple[int, float]] = deque()
        self._signals: deque[tuple[int, dict[str, Any]]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def gauge(self, now: float) -> tuple[int, float | None]:
        """Elements held, and the age of the oldest in seconds."""
        since = [date for number, date in self._dates if number <= self._gone]
        return len(self._items), now - since[-1] if self._items and since else None

    def fits(self, item: T) -> bool:
        """Whether the element can be held without any consequence for another."""
        return self._fits(self._weight(item))

    def extend(
        self, items: Sequence[T], contexts: Sequence[Context | None] | None, start: int, now: float
    ) -> int:
        """Take elements from `start` on, as many as fit for certain; returns how many.

        None do where elements are weighed or conflated: offer those one by one.
        """
        stop = min(len(items), start + self.capacity - len(self._items))
        if stop <= start or self.max_bytes is not None or isinstance(self.policy, Conflate):
            return 0
        self._date(now)
        self._items.extend(items[start:stop])
        self._add_contexts(None if contexts is None else contexts[start:stop], stop - start)
        return stop - start

    def offer(self, item: T, context: Context | None, now: float) -> None:
        """Take an element, or do what the policy says.

        Args:
            item: the element.
            context: what travels beside it.
            now: the clock's time in seconds.

        Raises:
            BufferOverflowError: it does not fit, and the policy is `error`.
            Exception: what a function of `Conflate` raised; what waits is unchanged.
        """
        policy = self.policy
        if isinstance(policy, Conflate):
            return self._conflate(policy, item, context, now)
        weight = self._weight(item)
        if not self._fits(weight):
            if policy == "error":
                raise BufferOverflowError(self._overflow())
            if policy == "drop_newest":
                return self._drop(context)
            while self._items and not self._fits(weight):
                self._evict()
        return self._append(item, context, weight, now)

    def signal(self, signals: dict[str, Any]) -> None:
        """Take signals that follow all elements taken so far."""
        number = self._gone + len(self._items)
        if self._signals and self._signals[-1][0] == number:
            signals = {**self._signals.pop()[1], **signals}
        self._signals.append((number, signals))
        self._merge_signals()

    def take(self, n: int) -> Chunk[T] | None:
        """The oldest 1..n elements up to the next signals, or signals alone; None if nothing waits."""
        self._merge_signals()
        count = min(n, len(self._items))
        if self._signals:
            count = min(count, max(0, self._signals[0][0] - self._gone))
        contexts = self._taken_contexts(count)
        items = self._taken_items(count)
        self._gone += count
        if self.max_bytes is not None:
            self.bytes -= sum(self._weights.popleft() for _ in range(count))
        signals: dict[str, Any] = {}
        if self._signals and self._signals[0][0] <= self._gone:
            signals = self._signals.popleft()[1]
        return Chunk(items, contexts, **signals) if items or signals else None

    def clear(self) -> None:
        """Drop all that waits, even if one of those who are told raises."""
        count, contexts = len(self._items), self._contexts or ()
        self._items.clear()
        self._weights.clear()
        self._signals.clear()
        self._contexts, self.bytes = None, 0
        self._gone += count
        self._count(count)
        drop(contexts)

    def _weight(self, item: Any) -> int:
        return 0 if self.max_bytes is None else weigh((item,))

    def _fits(self, weight: int) -> bool:
        if len(self._items) >= self.capacity:
            return False
        return self.max_bytes is None or not self._items or self.bytes + weight <= self.max_bytes

    def _append(self, item: Any, context: Context | None, weight: int, now: float) -> None:
        self._date(now)
        self._items.append(item)
        self._add_contexts(None if context is None else (context,), 1)
        if self.max_bytes is not None:
            self._weights.append(weight)
            self.bytes += weight

    def _date(self, now: float) -> None:
        """Note that elements come in now."""
        dates = self._dates
        if not dates or dates[-1][1] != now:
            dates.append((self._gone + len(self._items), now))
            while len(dates) > 1 and dates[1][0] <= self._gone:
                dates.popleft()

    def _add_contexts(self, contexts: Sequence[Context | None] | None, count: int) -> None:
        """Keep contexts beside the elements, as soon as there are any."""
        if self._contexts is None:
            if contexts is None:
                return
            self._contexts = deque([None] * (len(self._items) - count))
        self._contexts.extend(contexts if contexts is not None else [None] * count)

    def _taken_items(self, count: int) -> list[Any]:
        if count < len(self._items):
            return [self._items.popleft() for _ in range(count)]
        items = list(self._items)
        self._items.clear()
        return items

    def _taken_contexts(self, count: int) -> list[Context] | None:
        if self._contexts is None:
            return None
        taken = [self._contexts.popleft() for _ in range(count)]
        if not self._contexts:
            self._contexts = None
        if all(context is None for context in taken):
            return None
        return [Context() if context is None else context for context in taken]

    def _merge_signals(self) -> None:
        """Make one of the signals whose elements have gone."""
        signals = self._signals
        while len(signals) > 1 and signals[1][0] <= self._gone:
            _, first = signals.popleft()
            number, second = signals.popleft()
            signals.appendleft((number, {**first, **second}))

    def _evict(self) -> None:
        self._items.popleft()
        self._gone += 1
        if self.max_bytes is not None:
            self.bytes -= self._weights.popleft()
        self._drop(None if self._contexts is None else self._contexts.popleft())

    def _drop(self, context: Context | None) -> None:
        self._count(1)
        if context is not None:
            context.settled(Outcome.DROPPED)

    def _count(self, dropped: int) -> None:
        self.dropped += dropped
        if self._meter is not None:
            self._meter.dropped += dropped

    def _conflate(
        self, policy: Conflate[Any, Any], item: Any, context: Context | None, now: float
    ) -> None:
        if not self._items:
            first = policy.first(item)
            return self._append(first, context, self._weight(first), now)
        made = policy.aggregate(self._items[0], item)
        self._items[0] = made
        if self.max_bytes is not None:
            self.bytes = self._weights[0] = self._weight(made)
        gone = self._taken_contexts(1)
        self._add_contexts(None if context is None else (context,), 1)
        return self._drop(gone[0] if gone else None)

    def _overflow(self) -> str:
        limit = f"{self.capacity} elements"
        if self.max_bytes is not None:
            limit += f" and {self.max_bytes} bytes"
        return (
            f"{self._name}: {len(self._items)} elements wait, at most {limit} may; raise the capacity, "
            "or choose drop_oldest, drop_newest, latest or Conflate(...)"
        )
