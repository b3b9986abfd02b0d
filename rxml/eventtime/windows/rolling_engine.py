"""RollingEngine: windows of so many elements that overlap, at the cost of a few combinations for each, however large they are.

The elements of a key are cut in pieces where windows begin and where they end, and each is taken into its piece once. Pieces
come in blocks, one window's length each. A window begins in one block and ends in the next: it comes to what the pieces from
its first one to the end of the block come to, followed by what the next block comes to up to its last one. The former is made
for all pieces of a block at once when it is full, and the latter goes along with the elements. (van Herk: A fast algorithm
for local minimum and maximum filters, 1992; the cut in pieces is that of paired windows, Krishnamurthy, Wu, Franklin, 2006.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from typing_extensions import override

from rxml.aggregates.states import put, taken
from rxml.eventtime.keyed.segments import Segments
from rxml.eventtime.windows.count_engine import LONG, CountEngine
from rxml.eventtime.windows.panes import Panes, closing
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.eventtime.windows.engine import Folding
    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.windowing import Count

    Ints = NDArray[np.int64]

_BACK: Final = LONG - 1
"""The number, among the pieces of a key, of what its block comes to up to the last piece that is full."""

_AT_ONCE: Final = 1 << 16
"""Pieces of blocks that are added up at a time."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """How the elements of a key, by their ordinal from 0 on, are cut in pieces; for windows of n, one every step < n.

    Attributes:
        step: from the beginning of a window to that of the next.
        rest: where, behind the beginning of a window, another one ends; 0 if that is at the same place.
        each: pieces from the beginning of a window to that of the next.
        most: pieces of a window.
        block: pieces of a block; windows that begin in one end before the end of the next.
    """

    step: int
    rest: int
    each: int
    most: int
    block: int

    @classmethod
    def cut(cls, n: int, step: int) -> Pieces:
        """For these windows."""
        rest, overlap = n % step, -(-n // step)
        each = 2 if rest else 1
        return cls(step, rest, each, each * overlap - (each - 1), each * overlap)

    def of(self, ordinals: Ints) -> Ints:
        """The piece that each element is in."""
        if not self.rest:
            return ordinals // self.step
        return 2 * (ordinals // self.step) + (ordinals % self.step >= self.rest)

    def full(self, ordinals: Ints) -> NDArray[np.bool_]:
        """Whether each element is the last of its piece."""
        full: NDArray[np.bool_] = self.of(ordinals) != self.of(ordinals + 1)
        return full


class RollingEngine(CountEngine):
    """A slot for each piece of a key's last block, and for each window that began before and is not full; and one for the key."""

    version: ClassVar[int] = 2  # 1 had a slot for each window

    def __init__(self, keys: Keys, pool: Pool, windowing: Count) -> None:
        super().__init__(keys, pool, windowing)
        self._cut = Pieces.cut(windowing.n, windowing.step)

    @override
    def take(self, codes: NDArray[np.intp], ordinals: Ints, folding: Folding) -> list[Panes]:
        pieces = codes * LONG + self._cut.of(ordinals)
        rows = np.flatnonzero(self._cut.full(ordinals))
        rows = rows[np.argsort(pieces[rows])]
        done = pieces[rows]
        blocks = self._blocks(done)
        named = np.concatenate([pieces, np.unique(codes) * LONG + _BACK, blocks])
        with self.trial(named):
            folding(None).into(self.slots_of(pieces))
            backs = self._backs(done)
            self._add_up(blocks)
            panes = self._full_windows(done, rows, backs)
        self._settle(done, blocks, backs)
        return [panes] if len(panes) else []

    def _blocks(self, done: Ints) -> Ints:
        """All pieces of the blocks that are full with these."""
        block = self._cut.block
        last = done[(done % LONG + 1) % block == 0]
        whole: Ints = last[:, None] + np.arange(1 - block, 1)
        return whole.ravel()

    def _backs(self, done: Ints) -> list[State]:
        """What the block of each piece comes to up to it, by key and piece."""
        if not len(done):
            return self.pool.identities(0)
        block, place = np.divmod(done % LONG, self._cut.block)
        behind = (
            place >= self._cut.most
        )  # no window ends there, and so much may be more than any holds
        segments = Segments(done // LONG * LONG + 2 * block + behind)
        first = segments.first
        before = self.pool.states(self.slots_of(done[first] // LONG * LONG + _BACK))
        anew = (place[first] == 0) | behind[first]
        for state, none in zip(before, self.pool.identities(int(anew.sum())), strict=True):
            put(state, anew, none)
        return self.pool.running(before, self.pool.states(self.slots_of(done)), segments)

    def _add_up(self, blocks: Ints) -> None:
        """Let each piece of blocks that are full hold what comes behind it in its block, too.

        But not those of the window that begins with the block: it ends in there, and all of it may be more than any holds.
        """
        each, size = self._cut.each, self._cut.block - self._cut.each
        wanted = blocks.reshape(-1, self._cut.block)[:, each:].ravel()
        many = max(1, _AT_ONCE // size) * size
        for start in range(0, len(wanted), many):
            slots = self.slots_of(wanted[start : start + many])
            rest = np.tile(np.arange(size, 0, -1), len(slots) // size)
            self.pool.put(slots, self._added_up(self.pool.states(slots), rest))

    def _added_up(self, states: list[State], rest: Ints) -> list[State]:
        """What pieces come to with those behind them, in log2(n) steps that depend on where they are in their block alone.

        Args:
            states: of the pieces; they are changed.
            rest: how many pieces there are in the block of each, from it on.
        """
        step = 1
        while (rest > step).any():
            at = np.flatnonzero(rest > step)
            near, far = ([taken(state, which) for state in states] for which in (at, at + step))
            for state, new in zip(states, self.pool.combined(near, far), strict=True):
                put(state, at, new)
            step *= 2
        return states

    def _full_windows(self, done: Ints, rows: NDArray[np.intp], backs: list[State]) -> Panes:
        """The windows that end with these pieces, in the order of the rows that fill them."""
        cut, pieces = self._cut, done % LONG
        starts = pieces - cut.most + 1
        at = np.flatnonzero((starts >= 0) & (starts % cut.each == 0))
        at = at[np.argsort(rows[at])]
        starts, states = starts[at], [taken(state, at) for state in backs]
        before = np.flatnonzero(starts // cut.block < pieces[at] // cut.block)
        fronts = self.pool.states(self.slots_of((done[at] // LONG * LONG + starts)[before]))
        parts = self.pool.combined(fronts, [taken(state, before) for state in states])
        for state, new in zip(states, parts, strict=True):
            put(state, before, new)
        return self._panes_of(done[at], states)

    def _panes_of(self, numbers: Ints, states: Sequence[State]) -> Panes:
        *values, first, last = self.pool.lowered(states)
        return closing((numbers // LONG).astype(np.intp), first, last + 1, last, values)

    def _settle(self, done: Ints, blocks: Ints, backs: list[State]) -> None:
        """Keep what blocks come to so far; forget pieces that no window needs any more."""
        cut, codes = self._cut, done // LONG
        last = np.flatnonzero(np.diff(codes, append=-1))
        self.pool.put(
            self.slots_of(codes[last] * LONG + _BACK), [taken(state, last) for state in backs]
        )
        pieces = done % LONG
        starts = pieces - cut.most + 1
        told = (starts >= 0) & (starts % cut.block != 0) & (starts % cut.each == 0)
        gone = codes[told] * LONG + starts[told]
        place = blocks % LONG % cut.block
        void = blocks[(place == 0) | (place % cut.each != 0)]
        self.forget(np.concatenate([gone, void]))

    @override
    def close(self, watermark: int) -> list[Panes]:
        if watermark < FOREVER:
            return []
        panes = self._open_windows(*self._open())
        self.forget(self.numbers())
        return [panes] if len(panes) else []

    def _open_windows(self, numbers: Ints, newest: Ints) -> Panes:
        """What windows that are open hold, in the order of keys; for the arguments see `_open`."""
        cut, codes, pieces = self._cut, numbers // LONG, numbers % LONG
        block = newest // cut.block
        here = pieces // cut.block == block
        states = self.pool.states(self.slots_of(numbers))
        own = [taken(state, here) for state in states]
        _, which, counts = np.unique(codes[here], return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        own = self._added_up(own, (ends[which] - np.arange(int(here.sum()))))
        for state, new in zip(states, own, strict=True):
            put(state, here, new)
        self._put_behind(states, numbers, here, codes * LONG + block * cut.block)
        at = np.flatnonzero(pieces % cut.each == 0)
        at = at[np.lexsort((pieces[at], self.keys.rank(codes[at].astype(np.intp))))]
        return self._panes_of(numbers[at], [taken(state, at) for state in states])

    def _open(self) -> tuple[Ints, Ints]:
        """The pieces from which on windows are open, by key, and for each the one that the key's next element would be in."""
        cut, numbers = self._cut, np.sort(self.numbers())
        numbers = numbers[numbers % LONG != _BACK]
        newest = cut.of(self.seen_of(numbers // LONG))
        open_ = numbers % LONG // cut.each * cut.each + cut.most > newest
        return numbers[open_], newest[open_]

    def _put_behind(
        self, states: list[State], numbers: Ints, here: NDArray[np.bool_], heads: Ints
    ) -> None:
        """Let windows that began in the block before hold all of the last block, too, if there is any of it."""
        head = np.searchsorted(numbers, heads).clip(max=len(numbers) - 1)
        at = np.flatnonzero(~here & (numbers[head] == heads))
        fronts, rests = ([taken(state, each) for state in states] for each in (at, head[at]))
        for state, new in zip(states, self.pool.combined(fronts, rests), strict=True):
            put(state, at, new)
