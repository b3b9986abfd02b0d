"""TwoStack: what a queue of slices comes to, key by key, at the cost of one slice each step, without taking anything out.

The queue is cut in two. In front of the cut stands, for each slice, what it and all behind it up to the cut come to; behind
the cut there is one state of all slices. So the oldest slice leaves by being forgotten, the newest is added to the state
behind, and the whole is what stands at the front followed by that state. When the front is used up, the cut moves on and
the front is made anew: each slice is combined twice in its life, however many are in a window. (Tangwongsan, Hirzel,
Schneider: Low-latency sliding-window aggregation in worst-case constant time, DEBS 2017, section 2: the two-stacks
algorithm; with the cut at fixed places as in van Herk, 1992.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.aggregates.states import concatenated, put, size, taken
from rxml.eventtime.windows.longer import longer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.slices import Slice

_ROOM: Final = 4
"""The array of places is made anew where there are fewer keys than one of so many of its."""


class TwoStack:
    """States of the keys that are there, by place: a key that comes gets the next, until the cut moves on.

    So what stands at the front for a slice is of the first so many places: of the keys that it and those behind it have.

    Args:
        pool: holds the states of slices.
    """

    __slots__ = ("_back", "_capacity", "_codes", "_counts", "_front", "_n", "_places", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._capacity = 0
        self._places: NDArray[np.intp] = np.empty(0, np.intp)  # of each key, or -1
        self._codes: NDArray[np.intp] = np.empty(0, np.intp)  # of each place
        self._begin()

    def _begin(self) -> None:
        self._n = 0  # places that are given
        self._front: list[tuple[int, NDArray[np.int64], list[State]]] = []
        self._counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._back: list[State] = self._pool.identities(0)

    def fit(self, capacity: int) -> None:
        """Have room for keys below this number; and for not many more, when the cut moves on."""
        self._capacity = capacity
        if len(self._places) < capacity:
            self._places = np.full(capacity, -1, np.intp)
            self._places[self._codes[: self._n]] = np.arange(self._n)

    def _placed(self, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """The places of keys, each named once; those that have none get one."""
        places = self._places[codes]
        new = codes[places < 0]
        if len(new):
            n = self._n + len(new)
            self._codes = longer(self._codes, n)
            self._codes[self._n : n] = new
            self._places[new] = np.arange(self._n, n)
            self._n = n
            places = self._places[codes]
        return places

    def push(self, one: Slice) -> None:
        """Add a slice behind all others."""
        if not one.size:
            return
        places = self._placed(one.codes)
        self._widen()
        held = [taken(state, places) for state in self._back]
        new = self._pool.combined(held, self._pool.states(one.slots))
        for state, part in zip(self._back, new, strict=True):
            put(state, places, part)
        self._counts[places] += 1

    def _widen(self) -> None:
        """Have states behind the cut for all places."""
        self._counts = longer(self._counts, self._n)
        self._back = self._wider(self._back, len(self._counts))

    def _wider(self, states: Sequence[State], n: int) -> list[State]:
        """Copies, with room for so many places."""
        more = n - size(states[0])
        if not more:
            return list(states)
        pairs = zip(states, self._pool.identities(more), strict=True)
        return [concatenated(pair) for pair in pairs]

    def pop(self, before: int) -> None:
        """Forget the slices in front of the cut that begin before an instant."""
        while self._front and self._front[-1][0] < before:
            self._front.pop()

    def flip(self, slices: Sequence[tuple[int, Slice]]) -> None:
        """Let these slices, in order of time, be all there are, and the cut behind them."""
        if len(self._places) > _ROOM * self._capacity:
            self._places = np.full(self._capacity, -1, np.intp)
        else:
            self._places[self._codes[: self._n]] = -1
        self._begin()
        counts, states = self._counts, self._back
        for start, one in reversed(slices):
            places = self._placed(one.codes)
            counts = np.concatenate([counts, np.zeros(self._n - len(counts), np.int64)])
            states = self._copied(states)
            parts = [taken(state, places) for state in states]
            new = self._pool.combined(self._pool.states(one.slots), parts)
            for state, part in zip(states, new, strict=True):
                put(state, places, part)
            counts[places] += 1
            self._front.append((start, counts, states))

    def _copied(self, states: Sequence[State]) -> list[State]:
        more = self._pool.identities(self._n - size(states[0]))
        return [concatenated(pair) for pair in zip(states, more, strict=True)]

    def whole(self) -> tuple[NDArray[np.intp], list[State]]:
        """The keys that have elements in some slice, and what all slices come to for each."""
        self._widen()
        if not self._front:
            places = np.flatnonzero(self._counts)
            return self._codes[places], [taken(state, places) for state in self._back]
        _, counts, states = self._front[-1]
        there = self._counts > 0
        there[: len(counts)] |= counts > 0
        places = np.flatnonzero(there)
        known = int(
            np.searchsorted(places, len(counts))
        )  # those behind have nothing in front of the cut
        front = [taken(state, places[:known]) for state in states]
        back = [taken(state, places) for state in self._back]
        return self._codes[places], self._pool.combined(self._wider(front, len(places)), back)
