"""Uneven: an input with elements of a type that takes longer than others, of which a turn has few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.clock import FIRST, Quota
from rxml.flow.dropping import dropped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.statistics import Meter
    from rxml.flow.subscription import Subscription


class Uneven:
    """Hands on what an input gives, cut so that one type alone holds nobody up, however quick the others were before.

    What is quick raises the number of elements of a turn; a thousand that come at once and are slow would all be one turn.

    Args:
        head: the input.
        kind: the type.
        meter: counts what is held, and not taken.
    """

    __slots__ = ("_count", "_head", "_kind", "_meter", "_quota", "_rest", "_size")

    def __init__(self, head: Subscription[Any], kind: type[Any], meter: Meter) -> None:
        self._head = head
        self._kind = kind
        self._meter = meter
        self._quota = Quota(CHUNK, FIRST)
        self._rest: Chunk[Any] | None = None
        self._count = 0
        self._size = 0

    async def request(self, n: int) -> Chunk[Any]:
        """See `Subscription.request`."""
        rest, self._rest = self._rest, None
        return self._cut(await self._head.request(n) if rest is None else rest, n)

    def _cut(self, chunk: Chunk[Any], n: int) -> Chunk[Any]:
        most = min(n, self._most(chunk.elements))
        if most < len(chunk.elements):
            chunk, self._rest = chunk.split(most)
            self._count = min(self._count, self._quota.limit)
        self._size = len(chunk.elements)
        return chunk

    def _most(self, items: Sequence[Any]) -> int:
        """How many may go on: up to the last one of the type for which there is room."""
        self._count = 0
        if not isinstance(items, list):
            return len(items)
        kinds = list(map(type, items))
        self._count = kinds.count(self._kind)
        if self._count <= self._quota.limit:
            return len(items)
        place = -1
        for _ in range(self._quota.limit):
            place = kinds.index(self._kind, place + 1)
        return place + 1

    def record(self, seconds: float) -> None:
        """What was handed on last took so long."""
        if 2 * self._count >= self._size:
            self._quota.record(self._count, seconds)

    async def cancel(self) -> None:
        """See `Subscription.cancel`."""
        rest, self._rest = self._rest, None
        if rest is not None:
            self._meter.dropped += dropped(rest)
        await self._head.cancel()
