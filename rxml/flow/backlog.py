"""Backlog: a bounded queue of elements with a policy for when it is full."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rxml.errors import BufferOverflowError
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.overflow import Conflate, Overflow
from rxml.flow.weigh import weigh

if TYPE_CHECKING:
    from rxml.flow.statistics import Meter

T = TypeVar("T")


class _Entry:
    """One element that waits, and the signals that follow it."""

    __slots__ = ("context", "item", "signals", "since", "weight")

    def __init__(self, item: Any, context: Context | None, weight: int, since: float) -> None:
        self.item = item
        self.context = context
        self.weight = weight
        self.since = since
        self.signals: dict[str, Any] = {}


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
        "_entries",
        "_leading",
        "_meter",
        "_name",
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
        self.capacity = capacity
        self.max_bytes = max_bytes
        self.dropped = 0
        self.bytes = 0
        self._meter = meter
        self._entries: deque[_Entry] = deque()
        self._leading: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def gauge(self, now: float) -> tuple[int, float | None]:
        """Elements held, and the age of the oldest in seconds."""
        return len(self._entries), now - self._entries[0].since if self._entries else None

    def fits(self, item: T) -> bool:
        """Whether the element can be held without any consequence for another."""
        return self._fits(self._weight(item))

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
            while self._entries and not self._fits(weight):
                self._evict()
        return self._append(item, context, weight, now)

    def signal(self, signals: dict[str, Any]) -> None:
        """Take signals that follow all elements taken so far."""
        following = self._entries[-1].signals if self._entries else self._leading
        following.update(signals)

    def take(self, n: int) -> Chunk[T] | None:
        """The oldest 1..n elements up to the next signals, or signals alone; None if nothing waits."""
        if self._leading:
            signals, self._leading = self._leading, {}
            return Chunk((), **signals)
        entries = self._entries
        taken: list[_Entry] = []
        while entries and len(taken) < n:
            taken.append(entries.popleft())
            if taken[-1].signals:
                break
        if not taken:
            return None
        self.bytes -= sum(entry.weight for entry in taken)
        contexts = None
        if any(entry.context is not None for entry in taken):
            contexts = [entry.context or Context() for entry in taken]
        return Chunk([entry.item for entry in taken], contexts, **taken[-1].signals)

    def clear(self) -> None:
        """Drop all that waits."""
        while self._entries:
            self._evict()

    def _weight(self, item: Any) -> int:
        return 0 if self.max_bytes is None else weigh((item,))

    def _fits(self, weight: int) -> bool:
        if len(self._entries) >= self.capacity:
            return False
        return self.max_bytes is None or not self._entries or self.bytes + weight <= self.max_bytes

    def _append(self, item: Any, context: Context | None, weight: int, now: float) -> None:
        self._entries.append(_Entry(item, context, weight, now))
        self.bytes += weight

    def _evict(self) -> None:
        entry = self._entries.popleft()
        self.bytes -= entry.weight
        self._leading.update(entry.signals)
        self._drop(entry.context)

    def _drop(self, context: Context | None) -> None:
        self.dropped += 1
        if self._meter is not None:
            self._meter.dropped += 1
        if context is not None:
            context.settled(Outcome.DROPPED)

    def _conflate(
        self, policy: Conflate[Any, Any], item: Any, context: Context | None, now: float
    ) -> None:
        if not self._entries:
            first = policy.first(item)
            return self._append(first, context, self._weight(first), now)
        entry = self._entries[0]
        made = policy.aggregate(entry.item, item)
        weight = self._weight(made)
        self.bytes += weight - entry.weight
        entry.item, entry.weight = made, weight
        gone, entry.context = entry.context, context
        return self._drop(gone)

    def _overflow(self) -> str:
        limit = f"{self.capacity} elements"
        if self.max_bytes is not None:
            limit += f" and {self.max_bytes} bytes"
        return (
            f"{self._name}: {len(self._entries)} elements wait, at most {limit} may; raise the capacity, "
            "or choose drop_oldest, drop_newest, latest or Conflate(...)"
        )
