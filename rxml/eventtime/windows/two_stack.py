"""TwoStack: what a queue of slices comes to, key by key, at the cost of one slice each step, without taking anything out.

The queue is cut in two. In front of the cut stands, for each slice, what it and all behind it up to the cut come to; behind
the cut there is one state of all slices. So the oldest slice leaves by being forgotten, the newest is added to the state
behind, and the whole is what stands at the front followed by that state. When the front is used up, the cut moves on and
the front is made anew: each slice is combined twice in its life, however many are in a window. (Tangwongsan, Hirzel,
Schneider: Low-latency sliding-window aggregation in worst-case constant time, DEBS 2017, section 2: the two-stacks
algorithm; with the cut at fixed places as in van Herk, 1992.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxml.aggregates.states import put, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.slices import Slice


class TwoStack:
    """States of all keys, each row that of the key with this number.

    Args:
        pool: holds the states of slices.
    """

    __slots__ = ("_back", "_capacity", "_counts", "_front", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._capacity = 0
        self.clear()

    def clear(self) -> None:
        """No slices any more."""
        self._front: list[tuple[int, NDArray[np.int64], list[State]]] = []
        self._counts: NDArray[np.int64] = np.zeros(self._capacity, np.int64)
        self._back: list[State] = self._pool.identities(self._capacity)

    def fit(self, capacity: int) -> None:
        """Have room for so many keys."""
        more = capacity - self._capacity
        if more <= 0:
            return
        self._capacity = capacity
        self._counts = np.concatenate([self._counts, np.zeros(more, np.int64)])
        self._back = self._wider(self._back, more)
        self._front = [
            (start, np.concatenate([counts, np.zeros(more, np.int64)]), self._wider(states, more))
            for start, counts, states in self._front
        ]

    def _wider(self, states: Sequence[State], more: int) -> list[State]:
        pairs = zip(states, self._pool.identities(more), strict=True)
        return [tuple(map(_joined, state, new)) for state, new in pairs]

    def push(self, one: Slice) -> None:
        """Add a slice behind all others."""
        codes = one.codes
        if not len(codes):
            return
        held = [taken(state, codes) for state in self._back]
        new = self._pool.combined(held, self._pool.states(one.slots))
        for state, part in zip(self._back, new, strict=True):
            put(state, codes, part)
        self._counts[codes] += 1

    def pop(self, before: int) -> None:
        """Forget the slices in front of the cut that begin before an instant."""
        while self._front and self._front[-1][0] < before:
            self._front.pop()

    def flip(self, slices: Sequence[tuple[int, Slice]]) -> None:
        """Let these slices, in order of time, be all there are, and the cut behind them."""
        self.clear()
        counts, states = self._counts, self._back
        for start, one in reversed(slices):
            codes = one.codes
            counts, states = counts.copy(), _copied(states)
            parts = [taken(state, codes) for state in states]
            for state, new in zip(
                states, self._pool.combined(self._pool.states(one.slots), parts), strict=True
            ):
                put(state, codes, new)
            counts[codes] += 1
            self._front.append((start, counts, states))

    def whole(self) -> tuple[NDArray[np.intp], list[State]]:
        """The keys that have elements in some slice, and what all slices come to for each."""
        if not self._front:
            codes = np.flatnonzero(self._counts)
            return codes, [taken(state, codes) for state in self._back]
        _, counts, states = self._front[-1]
        codes = np.flatnonzero(counts + self._counts)
        front = [taken(state, codes) for state in states]
        back = [taken(state, codes) for state in self._back]
        return codes, self._pool.combined(front, back)


def _copied(states: Sequence[State]) -> list[State]:
    return [tuple(array.copy() for array in state) for state in states]


def _joined(array: NDArray[np.generic], more: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.concatenate([array, more])
