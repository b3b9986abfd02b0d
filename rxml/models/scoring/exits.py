"""Exits: the order in which what was scored leaves; slabs of rows leave as batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import Chunk
from rxml.flow.workers.turnstile import DONE, LEFT_OUT, RUNNING, Entry, InOrder
from rxml.models.scoring.waiting import Ask

if TYPE_CHECKING:
    from collections.abc import Sequence


class SlabsInOrder(InOrder):
    """`InOrder` that also takes slabs: batches whose rows are elements, without contexts. `held` counts rows of slabs."""

    held: int

    @override
    def enter(self, entries: list[Entry], *, dated: bool) -> None:
        super().enter(entries, dated=dated)
        self.held += sum(_more(entry) for entry in entries)

    @override
    def cut(self, failed: Entry) -> list[Entry]:
        gone = super().cut(failed)
        self.held -= sum(_more(entry) for entry in gone)
        return gone

    @override
    def take(self, n: int) -> Chunk[Any]:
        first: Any = self._row[0] if self._row else None
        if not isinstance(first, Ask) or not first.slab:
            return super().take(n)
        if first.progress is RUNNING:
            return Chunk([])
        rows: Sequence[Any] = first.item
        if len(rows) > n:
            first.item = rows[n:]
            first.rows -= n
            self.held -= n
            return Chunk(rows[:n])
        self._row.popleft()
        self.held -= len(rows)
        return Chunk(rows if first.progress is DONE else [])

    def part(self, slab: Ask) -> list[Ask]:
        """Have each row of a slab stand by itself, in its place."""
        asks: list[Ask] = []
        each_weighs, rest = divmod(slab.weight, max(1, slab.rows))
        for row in slab.item:
            ask = Ask(row, None, 1, slab.arrived, each_weighs + rest)
            rest = 0
            ask.losses = slab.losses
            asks.append(ask)
        place = self._row.index(slab)
        self._row.rotate(-place)
        self._row.popleft()
        self._row.extendleft(reversed(asks))
        self._row.rotate(place)
        return asks


def _more(entry: Entry) -> int:
    """Rows of a slab beside the first."""
    return (
        entry.rows - 1
        if isinstance(entry, Ask) and entry.slab and entry.progress is not LEFT_OUT
        else 0
    )
