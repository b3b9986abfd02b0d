"""The writer: stores batches of facts, one transaction each. It blocks, and is used by one thread at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import LogLockedError
from rxml.facts.blob import Thrift, hex_form
from rxml.facts.chunks import INSERT, ROWS, Chunks, rows_of
from rxml.facts.database import (
    connect,
    durability,
    explained,
    give_back,
    number_of,
    require_no_directory,
)
from rxml.facts.index import IdIndex
from rxml.facts.lock import WriterLock
from rxml.facts.outcome import DUPLICATE, REJECTED, STORED, Outcomes
from rxml.facts.runs import Digest, digest
from rxml.facts.upkeep import compacted, trimmed
from rxml.stores.file import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rxml.batch import Batch
    from rxml.facts.intake import Intake

_MARK: Final = (
    "INSERT INTO marks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a log is written.

    Attributes:
        durable: each transaction is on the disk before it is reported.
        level: of zlib, 0 to 9.
        index_bytes: of the index of ids that may be in memory.
    """

    durable: bool
    level: int
    index_bytes: int


class Writer:
    """The one writer of a log.

    Args:
        path: of the database, which is made if there is none.
        manner: how to write.

    Attributes:
        stored: facts that it has stored, and not given up since.

    Raises:
        LogLockedError: there is one already.
        FactLogError: the file cannot be opened for writing.
    """

    def __init__(self, path: Path, manner: Manner) -> None:
        self.stored: int = 0
        self._path = path
        self._manner = manner
        with explained(path):
            require_no_directory(path)
            self._lock = WriterLock(path)
        try:
            self._connection = connect(path, read_only=False, durable=manner.durable)
            try:
                with explained(path):
                    self._open()
                    self._lock.remember()
            except BaseException:
                self._connection.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        connection, manner = self._connection, self._manner
        self._chunks = Chunks(connection, self._path)
        self._thrift = Thrift(manner.level)
        self._salt = number_of(connection, "SELECT value FROM numbers WHERE name='salt'")
        self.index: IdIndex = IdIndex(
            connection,
            self._salt,
            manner.index_bytes,
            self._chunks.ids_at,
            self._chunks.ids_since,
        )
        self.index.catch_up()
        self.next_offset: int = self._chunks.next_offset()

    @property
    def connection(self) -> sqlite3.Connection:
        """To the database; what is written through it must keep to the writer's thread."""
        return self._connection

    def begin(self) -> None:
        """What is stored from now on becomes one transaction, until `commit` or `abandon`."""
        with explained(self._path):
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """All since `begin` is stored."""
        with explained(self._path):
            self._connection.execute("COMMIT")

    def abandon(self) -> None:
        """Nothing since `begin` was ever there, and transactions are as durable as the manner says."""
        with explained(self._path):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            before = self.next_offset
            self._open()
            self.stored -= before - self.next_offset
            self._connection.execute(durability(durable=self._manner.durable))

    def harden(self) -> None:
        """Until `abandon`, a transaction is on the disk when it is committed."""
        self._connection.execute(durability(durable=True))

    def append(self, intake: Intake, marks: Mapping[str, bytes] | None = None) -> Outcomes:
        """Store what is not stored yet, and the marks, in one transaction.

        Raises:
            FactLogError: nothing was stored.
        """
        with explained(self._path):
            return self._append(intake, marks or {})

    def _append(self, intake: Intake, marks: Mapping[str, bytes]) -> Outcomes:
        batch, first = intake.batch, self.next_offset
        if not len(batch):
            self._store([], marks)
            nothing = np.empty(0, np.int64)
            return _outcomes(intake, nothing.astype(np.uint8), nothing)
        self.index.settle(self._require_alone)
        ids: list[str] = batch.array("id").tolist()
        found = digest(ids, self._salt, intake.raw_ids)
        before = self._before(ids, found)
        forms = intake.forms
        if not before:
            codes = np.full(len(ids), STORED, np.uint8)
            offsets = np.arange(first, first + len(ids))
        else:
            codes, offsets = _numbered(before, len(ids), first)
            rows = np.flatnonzero(codes == STORED)
            batch, found = batch.take(rows), found.take(rows)
            forms = dict[str, list[Any]]()
        self._store(self._pieces(batch, found, forms, first), marks)
        if len(batch):
            self.index.add(found, first)
            self.next_offset = first + len(batch)
            self.stored += len(batch)
        return _outcomes(intake, codes, offsets)

    def _before(self, ids: Sequence[str], found: Digest) -> dict[int, int]:
        """For each row whose id is stored, the offset; for one that an earlier row has, -1 less the number of that row."""
        known = self.index.known(ids, found)
        ordered = np.sort(found.hashes)
        if not bool((ordered[1:] == ordered[:-1]).any()):
            return known
        rows: dict[str, int] = {}
        for row, each in enumerate(ids):
            earlier = rows.setdefault(each, row)
            if earlier != row and row not in known:
                known[row] = -1 - earlier
        return known

    def _store(self, pieces: Sequence[Sequence[object]], marks: Mapping[str, bytes]) -> None:
        if not pieces and not marks:
            return
        with transaction(self._connection):
            self._require_alone()
            self._connection.executemany(INSERT, pieces)
            if marks:
                self._connection.executemany(_MARK, list(marks.items()))

    def _require_alone(self) -> None:
        """Refuse to go on if the log is not as this writer left it, as where a lock means nothing; in a transaction."""
        found = self._chunks.next_offset()
        if found != self.next_offset:
            text = f"{self._path} ends at offset {found}, not at {self.next_offset} as this writer left it"
            raise LogLockedError(
                f"{text}: another one has written to it, past the lock; close this one"
            )

    def _pieces(
        self, batch: Batch, found: Digest, forms: Mapping[str, list[Any]], first: int
    ) -> list[tuple[object, ...]]:
        """The rows of the database for a batch."""
        if len(batch) <= ROWS:
            known = {**forms, **hex_form(found.raw)}
            return list(rows_of(batch, known, first, self._thrift)) if len(batch) else []
        rows: list[tuple[object, ...]] = []
        for start in range(0, len(batch), ROWS):
            part = batch[start : start + ROWS]
            known = hex_form(found.part(start, start + len(part)))
            rows.extend(rows_of(part, known, first + start, self._thrift))
        return rows

    def trim(self, age: tuple[int, int] | None, max_bytes: int | None) -> int:
        """See `FactLog.trim`; `age` is an arrival time, and that of now."""
        with explained(self._path):
            with transaction(self._connection):
                self._require_alone()
                gone = trimmed(self._connection, self._chunks, age, max_bytes)
                first = self._chunks.first_offset()
                self.index.remove(first)
            self.index.forget(first)
            self._chunks.forget()
            give_back(self._connection)
        return gone

    def compact(self, offset: int) -> tuple[int, int | None]:
        """A step of `FactLog.compact`, from an offset on: how many chunks there are less, and where to go on, if anywhere."""
        with explained(self._path):
            gone, following = compacted(self._connection, self._chunks, self._thrift, offset)
            self._chunks.forget()
            if following is None:
                give_back(self._connection)
        return gone, following

    def close(self) -> None:
        """Let go of the file and of the lock."""
        try:
            self._connection.close()
        finally:
            self._lock.release()


def _numbered(
    before: Mapping[int, int], n: int, first: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The codes and offsets of n rows, of which some were there before."""
    codes = np.full(n, STORED, np.uint8)
    codes[list(before)] = DUPLICATE
    offsets = first - 1 + np.cumsum(codes == STORED)
    for row, offset in sorted(before.items()):
        offsets[row] = offset if offset >= 0 else offsets[-1 - offset]
    return codes, offsets


def _outcomes(intake: Intake, codes: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Outcomes:
    """The outcomes of all rows that were given."""
    if intake.rows is None:
        return Outcomes(codes, offsets, intake.reasons)
    all_codes = np.full(intake.given, REJECTED, np.uint8)
    all_offsets = np.full(intake.given, -1, np.int64)
    all_codes[intake.rows], all_offsets[intake.rows] = codes, offsets
    return Outcomes(all_codes, all_offsets, intake.reasons)
