"""Exits: the order in which what was scored leaves; slabs of rows leave as batches."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeIs, override

from rxml.flow.chunk import Chunk
from rxml.flow.workers.turnstile import RUNNING, Entry, InOrder
from rxml.models.scoring.waiting import Ask

if TYPE_CHECKING:
    from collections.abc import Sequence


class SlabsInOrder(InOrder):
    """`InOrder` that also takes slabs: batches whose rows are elements, without contexts. `held` counts rows of slabs."""

    held: int

    def __init__(self) -> None:
        super().__init__()
        self._slabs = 0

    @override
    def enter(self, entries: list[Entry], *, dated: bool) -> None:
        super().enter(entries, dated=dated)
        self._slabs += sum(map(_is_slab, entries))
        self.held += sum(map(_more, entries))

    @override
    def cut(self, failed: Entry) -> list[Entry]:
        gone = super().cut(failed)
        self._slabs -= sum(map(_is_slab, gone))
        self.held -= sum(map(_more, gone))
        return gone

    @override
    def clear(self) -> list[Entry]:
        self._slabs = 0
        return super().clear()

    @override
    def take(self, n: int) -> Chunk[Any]:
        if not self._slabs:
            return super().take(n)
        if not _is_slab(self._row[0]):
            chunk = self._before(n)
            if len(chunk.elements) or chunk.signalled or not _is_slab(self._row[0]):
                return chunk
        return self._of_slab(self._row[0], n)

    def _before(self, n: int) -> Chunk[Any]:
        """Of what stands before the first slab."""
        row = self._row
        at = next(i for i, each in enumerate(row) if _is_slab(each))
        self._row = deque(islice(row, at))
        chunk = super().take(n)
        self._row.extend(islice(row, at, None))
        return chunk

    def _of_slab(self, first: Ask, n: int) -> Chunk[Any]:
        if first.progress is RUNNING:
            return Chunk([])
        rows: Sequence[Any] = first.item
        if len(rows) > n:
            first.item = rows[n:]
            first.rows -= n
            self.held -= n
            return Chunk(rows[:n])
        self._row.popleft()
        self._slabs -= 1
        self.held -= len(rows)
        return Chunk(rows)

    def split(self, slab: Ask, rows: int) -> Ask:
        """Have the first rows of a slab stand by themselves, before it.

        Args:
            slab: that is not under way.
            rows: fewer than it has.
        """
        weight = slab.weight * rows // slab.rows
        front = Ask(slab.item[:rows], None, rows, slab.arrived, weight)
        front.slab, front.losses = True, slab.losses
        slab.item, slab.rows, slab.weight = slab.item[rows:], slab.rows - rows, slab.weight - weight
        self._row.insert(self._row.index(slab), front)
        self._slabs += 1
        return front

    def part(self, slab: Ask) -> list[Ask]:
        """Have each row of a slab stand by itself, in its place."""
        asks: list[Ask] = []
        each_weighs, rest = divmod(slab.weight, max(1, slab.rows))
        for row in slab.item:
            ask = Ask(row, None, 1, slab.arrived, each_weighs + rest)
            rest = 0
            ask.losses = slab.losses
            asks.append(ask)
        self._slabs -= 1
        place = self._row.index(slab)
        self._row.rotate(-place)
        self._row.popleft()
        self._row.extendleft(reversed(asks))
        self._row.rotate(place)
        return asks


def _is_slab(entry: object) -> TypeIs[Ask]:
    return isinstance(entry, Ask) and entry.slab


def _more(entry: Entry) -> int:
    """Rows of a slab beside the first."""
    return entry.rows - 1 if _is_slab(entry) else 0
