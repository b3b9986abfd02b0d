"""Runs: sorted hashes of ids, each with the offset of its fact; what is searched before a fact is stored."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.facts.blob import hex_bytes
from rxml.facts.hashing import hashes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

ENTRY: Final = 12
"""Bytes of a fact in a run: 8 of the hash, 4 of the distance to the first offset."""

_ALL: Final = 2**128 - 1
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))


@dataclass(frozen=True)
class Digest:
    """What is looked for of a batch's ids.

    Attributes:
        hashes: one for each id, the same for the same id.
        times: of ids of 32 hex digits the first 8 bytes as a number, which grows as they are made; None if there are
            others among them.
        raw: 16 bytes for each of those; None as well.
    """

    hashes: Hashes
    times: Hashes | None
    raw: bytes | None

    def take(self, rows: NDArray[np.intp]) -> Digest:
        """That of some of the ids."""
        if self.times is None or self.raw is None:
            return Digest(self.hashes[rows], None, None)
        raw = np.frombuffer(self.raw, np.uint8).reshape(-1, 16)[rows].tobytes()
        return Digest(self.hashes[rows], self.times[rows], raw)

    def part(self, start: int, stop: int) -> bytes | None:
        """`raw` of the ids from `start` up to `stop`, exclusive."""
        return None if self.raw is None else self.raw[16 * start : 16 * stop]

    @cached_property
    def span(self) -> tuple[int, int]:
        """The least and the greatest id as numbers of 128 bits; all there is if that is unknown."""
        if self.times is None or self.raw is None:
            return 0, _ALL
        words = np.frombuffer(self.raw, ">u8").reshape(-1, 2)
        low, high = self.times.min(), self.times.max()
        rest = (words[self.times == low, 1].min(), words[self.times == high, 1].max())
        return int(low) << 64 | int(rest[0]), int(high) << 64 | int(rest[1])


def digest(ids: Sequence[str], salt: int, raw: bytes | None = None) -> Digest:
    """The hashes of ids.

    Args:
        ids: one or more.
        salt: of the log, random, so that nobody can choose ids of one hash.
        raw: `hex_bytes` of them, if that is known.
    """
    raw = hex_bytes(ids) if raw is None else raw
    if raw is not None:
        words = np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 2)
        return Digest(_mixed(words, salt), np.ascontiguousarray(words[:, 0]), raw)
    hashes = hashes_of(ids, salt)
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    for row in np.flatnonzero(lengths == 32).tolist():  # as it would be among others of its kind
        alone = hex_bytes([ids[row]])
        if alone is not None:
            words = np.frombuffer(alone, ">u8").astype(np.uint64).reshape(1, 2)
            hashes[row] = _mixed(words, salt)[0]
    return Digest(hashes, None, None)


def _mixed(words: Hashes, salt: int) -> Hashes:
    """The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), twice."""
    return _finalized(_finalized(words[:, 1] ^ np.uint64(salt)) + words[:, 0])


def _finalized(value: Hashes) -> Hashes:
    value = (value ^ (value >> _SHIFTS[0])) * _MIX[0]
    value = (value ^ (value >> _SHIFTS[1])) * _MIX[1]
    return value ^ (value >> _SHIFTS[2])


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as it lies in the database; its entries are read when they are wanted.

    Attributes:
        number: its row.
        first: the least offset.
        stop: the greatest, and one.
        low: the least id as a number, see `Digest.span`.
        high: the greatest.
    """

    number: int
    first: int
    stop: int
    low: int
    high: int

    @property
    def entries(self) -> int:
        """How many facts it knows."""
        return self.stop - self.first


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a run, by the hash.

    Attributes:
        hashes: sorted.
        places: of each the distance of its offset to the first of the run.
    """

    hashes: Hashes
    places: NDArray[np.uint32]

    @classmethod
    def of(cls, hashes: Hashes, places: NDArray[np.uint32]) -> Entries:
        """Sort them."""
        order = np.argsort(hashes)
        return cls(hashes[order], places[order])

    @classmethod
    def read(cls, blob: bytes) -> Entries:
        """What `blob` gave."""
        n = len(blob) // ENTRY
        return cls(np.frombuffer(blob, "<u8", n), np.frombuffer(blob, "<u4", n, 8 * n))

    def blob(self) -> bytes:
        """The hashes, then the places, little-endian."""
        return self.hashes.astype("<u8").tobytes() + self.places.astype("<u4").tobytes()

    def matches(self, hashes: Hashes) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """Which of the hashes are there: the number of each, and its place; a number comes as often as it is there."""
        left = np.searchsorted(self.hashes, hashes)
        inside = left < len(self.hashes)
        found = np.flatnonzero(
            inside & (self.hashes[np.minimum(left, len(self.hashes) - 1)] == hashes)
        )
        if not len(found):
            return found, np.empty(0, np.uint32)
        counts = np.searchsorted(self.hashes, hashes[found], "right") - left[found]
        starts = np.repeat(left[found] - np.cumsum(counts) + counts, counts)
        return np.repeat(found, counts), self.places[starts + np.arange(int(counts.sum()))]


class Shelf:
    """The entries of runs, those used last, within a bound.

    Args:
        most: bytes; one run is kept even if it has more.
        read: gives the entries of a run.
    """

    __slots__ = ("_held", "_most", "_read", "nbytes")

    def __init__(self, most: int, read: Callable[[Run], Entries]) -> None:
        self._held: OrderedDict[int, Entries] = OrderedDict()
        self._most = most
        self._read = read
        self.nbytes: int = 0

    def entries(self, run: Run) -> Entries:
        """The entries of a run."""
        if run.number in self._held:
            self._held.move_to_end(run.number)
            return self._held[run.number]
        entries = self._held[run.number] = self._read(run)
        self.nbytes += ENTRY * len(entries.hashes)
        while self.nbytes > self._most and len(self._held) > 1:
            self.drop(next(iter(self._held)))
        return entries

    def drop(self, number: int) -> None:
        """Forget the entries of a run that is gone."""
        entries = self._held.pop(number, None)
        if entries is not None:
            self.nbytes -= ENTRY * len(entries.hashes)

    def clear(self) -> None:
        """Forget all entries."""
        self._held.clear()
        self.nbytes = 0
