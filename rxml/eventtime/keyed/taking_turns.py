"""TakingTurns: keys that give way and come back within one chunk, element by element."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch.column import values_of
from rxml.eventtime.keyed.ages import NEVER
from rxml.eventtime.keyed.placement import MAX_KEYS, TTL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keyed.ages import Ages
    from rxml.eventtime.keyed.key_table import KeyTable
from rxml.eventtime.keyed.placement import Placement

_GONE: Final = (NEVER, -1)
"""Where a slot stands that nobody has any more: its entries in the heap do not hold."""


class TakingTurns:
    """Places the elements of one chunk one by one, which is exact where a key of the chunk may have to give way.

    Args:
        table: the keys, without those that are new in the chunk.
        ages: of the slots before the chunk.
        turns: when each slot was last seen, before the chunk.
        ttl: nanoseconds, or None.
        most: keys that may have state.
    """

    def __init__(
        self, table: KeyTable, ages: Ages, turns: NDArray[np.int64], ttl: int | None, most: int
    ) -> None:
        self._table = table
        self._ages = ages
        self._turns = turns
        self._ttl = ttl
        self._most = most
        self._now: dict[int, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, int]] = []

    def place(
        self,
        placement: Placement,
        keys: Sequence[Any] | NDArray[Any],
        times: NDArray[np.int64] | None,
        seen: int,
    ) -> None:
        """Give each element its slot, and note what has to go.

        Args:
            placement: gets the slots, and what is given up; what is new, the table adds to its list.
            keys: of the elements.
            times: of the elements, or None: their turns count.
            seen: elements before this chunk.
        """
        listed = values_of(keys) if isinstance(keys, np.ndarray) else keys
        whens = range(seen, seen + len(listed)) if times is None else times.tolist()
        # At most so many of the oldest are seen in the chunk, and so many give way.
        oldest = self._ages.lowest(2 * len(listed), self._turns)
        ages, turns = self._ages.ages[oldest].tolist(), self._turns[oldest].tolist()
        self._heap = list(zip(ages, turns, oldest.tolist(), strict=True))
        heapify(self._heap)
        slots = [
            self._one(placement, key, when, seen + number)
            for number, (key, when) in enumerate(zip(listed, whens, strict=True))
        ]
        placement.codes = np.array(slots, np.intp)

    def _one(self, placement: Placement, key: Any, when: int, turn: int) -> int:
        slot = self._table.slot_of(key)
        if slot is not None and self._ttl is not None and when - self._age(slot)[0] > self._ttl:
            self._retire(placement, slot, TTL)
            slot = None
        if slot is None:
            if len(self._table) >= self._most:
                self._evict_oldest(placement, when)
            slot = self._table.slot_for(key)
            self._now[slot] = (when, turn)
        else:
            self._now[slot] = (max(when, self._age(slot)[0]), turn)
        heappush(self._heap, (*self._now[slot], slot))
        return slot

    def _age(self, slot: int) -> tuple[int, int]:
        return self._now.get(slot) or (int(self._ages.ages[slot]), int(self._turns[slot]))

    def _evict_oldest(self, placement: Placement, when: int) -> None:
        while True:
            age, turn, slot = heappop(self._heap)
            if (age, turn) == self._age(slot):
                break
        late = self._ttl is not None and when - age > self._ttl
        self._retire(placement, slot, TTL if late else MAX_KEYS)

    def _retire(self, placement: Placement, slot: int, reason: str) -> None:
        placement.retire(slot, reason)
        self._table.retire([slot])
        self._now[slot] = _GONE
