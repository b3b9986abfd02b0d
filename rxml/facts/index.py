"""The index of ids: whether a fact is stored already, without a database entry for each.

A log-structured merge tree of hashes (O'Neil et al., The log-structured merge-tree, 1996): what was stored last is in
memory, the rest in sorted runs in the database, four of one size being merged into one. Runs that cannot have an id,
since it is younger or older than all of theirs, are not looked at, and neither written nor merged, so ids that grow with
time cost little. A hash that is found is compared with the stored id, so the answer is exact.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.facts.runs import Digest, Entries, Run, Shelf, digest
from rxml.stores.file import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from rxml.facts.runs import Hashes

    Pairs = list[tuple[int, int]]

_RECENT: Final = 65_536
_FAN: Final = 4
_LARGEST: Final = 2  # sizes: 65,536, four times that, and sixteen times that


class Recent:
    """The hashes stored last, which are in no run yet."""

    __slots__ = ("_more", "_pending", "_table", "count", "digests", "first", "high", "low")

    def __init__(self, first: int) -> None:
        self.first: int = first
        self.count: int = 0
        self.digests: list[Digest] = []
        self.low: int = 2**128
        self.high: int = -1
        self._pending: list[tuple[Digest, int]] = []
        self._table: dict[int, int] = {}
        self._more: dict[int, list[int]] = {}

    def add(self, given: Digest, first: int) -> None:
        """Facts that were stored, the first at this offset."""
        low, high = given.span
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.digests.append(given)
        self._pending.append((given, first))
        self.count += len(given.hashes)

    def candidates(self, given: Digest) -> Pairs:
        """Which rows may be stored, and at which offset: those with an equal hash."""
        low, high = given.span
        if low > self.high or high < self.low:
            return []
        self._catch_up()
        hashes: list[int] = given.hashes.tolist()
        if self._table.keys().isdisjoint(hashes):
            return []
        table, more = self._table, self._more
        found = [(row, table[each]) for row, each in enumerate(hashes) if each in table]
        others = [(row, at) for row, _ in found for at in more.get(hashes[row], ())]
        return found + others

    def _catch_up(self) -> None:
        """Enter into the table what was added since it was last wanted."""
        for given, first in self._pending:
            hashes: list[int] = given.hashes.tolist()
            piece = dict(zip(hashes, range(first, first + len(hashes)), strict=True))
            if len(piece) < len(hashes) or not self._table.keys().isdisjoint(piece):
                self._enter_shared(hashes, first)
            self._table.update(piece)
        self._pending.clear()

    def _enter_shared(self, hashes: list[int], first: int) -> None:
        """Among these are two ids of one hash, or one that was there before: keep the offset of each."""
        for each, offset in zip(hashes, range(first, first + len(hashes)), strict=True):
            if each in self._table:
                self._more.setdefault(each, []).append(self._table[each])
            self._table[each] = offset


class IdIndex:
    """Which ids are stored.

    Memory: 12 bytes for each fact of the runs that are kept (at most `most` bytes, or one run of 1,048,576 facts), and
    some 120 for each of the last 65,536 facts and a batch. Merging takes some 50 MB for a moment.

    Args:
        connection: to the database; may be written to.
        salt: of the log.
        most: bytes of runs that are kept in memory.
        ids_at: gives the stored ids at some offsets, None where there is none any more.
        ids_since: gives all stored ids from an offset on, in pieces, with the first offset of each.
    """

    __slots__ = ("_connection", "_ids_at", "_ids_since", "_salt", "_shelf", "recent", "runs")

    def __init__(
        self,
        connection: sqlite3.Connection,
        salt: int,
        most: int,
        ids_at: Callable[[Sequence[int]], Sequence[str | None]],
        ids_since: Callable[[int], Iterable[tuple[int, Sequence[str]]]],
    ) -> None:
        self._connection = connection
        self._salt = salt
        self._ids_at = ids_at
        self._ids_since = ids_since
        self._shelf = Shelf(most, self._read)
        rows = connection.execute("SELECT number, first, stop, low, high FROM runs ORDER BY first")
        self.runs: list[Run] = [
            Run(number, first, stop, int.from_bytes(low, "big"), int.from_bytes(high, "big"))
            for number, first, stop, low, high in rows
        ]
        self.recent: Recent = Recent(self.covered)

    @property
    def covered(self) -> int:
        """The offset up to which runs know all facts."""
        return self.runs[-1].stop if self.runs else 0

    @property
    def nbytes(self) -> int:
        """Bytes of runs that are in memory now."""
        return self._shelf.nbytes

    def catch_up(self) -> None:
        """Enter ids that are stored but in no run, as they are when the log is opened."""
        for first, ids in self._ids_since(self.covered):
            if not self.recent.count:
                self.recent.first = first
            self.recent.add(digest(ids, self._salt), first)

    def known(self, ids: Sequence[str], given: Digest) -> dict[int, int]:
        """The offset of each id that is stored already, by its row."""
        pairs = self.recent.candidates(given)
        low, high = given.span
        runs = [run for run in self.runs if low <= run.high and high >= run.low]
        if runs:
            order = np.argsort(given.hashes)  # what is searched in order is found sooner
            for run in runs:
                pairs += self._candidates(run, given, order)
        if not pairs:
            return {}
        stored = self._ids_at([offset for _, offset in pairs])
        return {
            row: offset
            for (row, offset), there in zip(pairs, stored, strict=True)
            if there == ids[row]
        }

    def _candidates(self, run: Run, given: Digest, rows: NDArray[np.intp]) -> Pairs:
        """Which of the rows may be in a run, and the offset of each."""
        if given.times is not None:
            times = given.times[rows]
            rows = rows[(times >= np.uint64(run.low >> 64)) & (times <= np.uint64(run.high >> 64))]
        if not len(rows):
            return []
        found, places = self._shelf.entries(run).matches(given.hashes[rows])
        offsets = (places.astype(np.int64) + run.first).tolist()
        return list(zip(rows[found].tolist(), offsets, strict=True))

    def _read(self, run: Run) -> Entries:
        row = self._connection.execute("SELECT entries FROM runs WHERE number=?", (run.number,))
        blob = row.fetchone()[0]
        return self._made_again(run) if blob is None else Entries.read(blob)

    def _made_again(self, run: Run) -> Entries:
        """The entries of a run that is hardly ever looked at, from the facts themselves."""
        hashes: list[Hashes] = [np.empty(0, np.uint64)]
        places: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)]
        for first, ids in self._ids_since(run.first):
            part = ids[: max(0, run.stop - first)]
            if not part:
                break
            hashes.append(digest(part, self._salt).hashes)
            places.append(np.arange(len(part), dtype=np.uint32) + np.uint32(first - run.first))
        return Entries.of(np.concatenate(hashes), np.concatenate(places))

    def add(self, given: Digest, first: int) -> None:
        """Facts that were stored, the first at this offset."""
        if not self.recent.count:
            self.recent.first = first
        self.recent.add(given, first)

    def settle(self, require: Callable[[], object]) -> None:
        """Write what was added as a run, once it is enough for one, and merge runs of one size.

        Args:
            require: raises in the transaction if nothing may be written.

        Raises:
            sqlite3.Error: it cannot be written; nothing has changed then.
        """
        recent = self.recent
        if recent.count < _RECENT:
            return
        stop = recent.first + recent.count
        try:
            with transaction(self._connection):
                require()
                runs = [*self.runs, self._recent_run(stop)]
                while _are_mergeable(runs[-_FAN:]):
                    runs[-_FAN:] = [self._merged(runs[-_FAN:])]
        except BaseException:
            self._shelf.clear()  # it may hold runs whose numbers will be others'
            raise
        self.runs = runs
        self.recent = Recent(stop)

    def _recent_run(self, stop: int) -> Run:
        """What was added as a run: without entries if all ids are younger than those before, as nobody asks for it then."""
        recent, entries = self.recent, None
        if any(_overlap(run, recent) for run in self.runs):
            hashes = np.concatenate([each.hashes for each in recent.digests])
            entries = Entries.of(hashes, np.arange(recent.count, dtype=np.uint32))
        return self._write(entries, recent.first, stop, recent.low, recent.high)

    def _merged(self, runs: Sequence[Run]) -> Run:
        first = runs[0].first
        parts = [self._shelf.entries(run) for run in runs]
        places = [
            part.places + np.uint32(run.first - first)
            for part, run in zip(parts, runs, strict=True)
        ]
        entries = Entries.of(
            np.concatenate([part.hashes for part in parts]), np.concatenate(places)
        )
        low, high = min(run.low for run in runs), max(run.high for run in runs)
        for run in runs:
            self._connection.execute("DELETE FROM runs WHERE number=?", (run.number,))
            self._shelf.drop(run.number)
        return self._write(entries, first, runs[-1].stop, low, high)

    def _write(self, entries: Entries | None, first: int, stop: int, low: int, high: int) -> Run:
        bounds = (low.to_bytes(16, "big"), high.to_bytes(16, "big"))
        cursor = self._connection.execute(
            "INSERT INTO runs (first, stop, low, high, entries) VALUES (?, ?, ?, ?, ?)",
            (first, stop, *bounds, None if entries is None else entries.blob()),
        )
        return Run(cursor.lastrowid or 0, first, stop, low, high)

    def remove(self, first: int) -> None:
        """Remove the runs of which all facts are before this offset from the database; `forget` follows."""
        for run in self.runs:
            if run.stop <= first:
                self._connection.execute("DELETE FROM runs WHERE number=?", (run.number,))

    def forget(self, first: int) -> None:
        """What `remove` removed is gone for good."""
        self.runs = [run for run in self.runs if run.stop > first]
        self._shelf.clear()


def _are_mergeable(runs: Sequence[Run]) -> bool:
    """Whether there are enough of one size that can grow, and one id may make us look at several of them."""
    sizes = set(map(_size, runs))
    if len(runs) < _FAN or len(sizes) > 1 or _LARGEST in sizes:
        return False
    return any(_overlap(one, other) for one, other in combinations(runs, 2))


def _overlap(one: Run | Recent, other: Run | Recent) -> bool:
    return one.low <= other.high and other.low <= one.high


def _size(run: Run) -> int:
    size, entries = 0, run.entries
    while size < _LARGEST and entries >= _RECENT * _FAN ** (size + 1):
        size += 1
    return size
