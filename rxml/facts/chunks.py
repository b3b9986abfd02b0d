"""Chunks of facts as they lie in the database, read by their offsets."""

from __future__ import annotations

import logging
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Batch
from rxml.batch.column import sealed
from rxml.errors import LogCorruptError, WireError
from rxml.facts.blob import Forms, encode, hex_bytes, hex_form
from rxml.facts.database import number_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rxml.facts.blob import Thrift

logger: Final = logging.getLogger("rxml.facts")

ROWS: Final = 8192
"""Facts that a chunk has at most."""

BYTES: Final = 16 * 2**20
"""Bytes that the blob of a chunk has at most, unless a single fact has more."""

INSERT: Final = "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_KEPT: Final = 8
_NEXT: Final = "SELECT first, last, crc, blob FROM chunks WHERE last >= ? ORDER BY last LIMIT 1"
_NEXT_IN: Final = (
    "SELECT first, last, crc, blob FROM chunks WHERE last >= ?"
    " AND max_event >= ? AND min_event < ? ORDER BY last LIMIT 1"
)


class Chunks:
    """Reads chunks through a connection.

    Args:
        connection: to the database.
        path: of the log, for errors.
    """

    __slots__ = ("_connection", "_ids", "_path")

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._ids: OrderedDict[tuple[int, int], list[str]] = OrderedDict()

    def first_offset(self) -> int:
        """The least offset that is stored; that of the next fact if none is."""
        row = self._connection.execute("SELECT first FROM chunks ORDER BY last LIMIT 1").fetchone()
        return self.next_offset() if row is None else int(row[0])

    def next_offset(self) -> int:
        """The offset that the next fact gets."""
        last = self._connection.execute("SELECT max(last) FROM chunks").fetchone()[0]
        floor = number_of(self._connection, "SELECT value FROM numbers WHERE name='floor'")
        return floor if last is None else int(last) + 1

    def forms_at(self, offset: int) -> tuple[int, Forms] | None:
        """The first offset and the columns of the first chunk that has this offset or a later one.

        Raises:
            LogCorruptError: its bytes are not those that were written.
        """
        row = self._row_at(offset)
        return None if row is None else self._forms(row)

    def _row_at(self, offset: int) -> tuple[int, int, int, bytes] | None:
        row: tuple[int, int, int, bytes] | None
        row = self._connection.execute(_NEXT, (offset,)).fetchone()
        return row

    def _forms(self, row: tuple[int, int, int, bytes]) -> tuple[int, Forms]:
        first, last, crc, blob = row
        if zlib.crc32(blob) != crc:
            raise self._damaged(first, last, "its checksum is another")
        try:
            return first, Forms(blob, last - first + 1)
        except (WireError, ValueError, TypeError) as error:
            raise self._damaged(first, last, str(error)) from error

    def _damaged(self, first: int, last: int, why: str) -> LogCorruptError:
        text = f"{self._path}: the chunk with the offsets {first} to {last} is damaged, {why}"
        what = f"export what stands before it, and what can be read from offset {last + 1} on"
        return LogCorruptError(f"{text}; {what}, into a new log, or trim it away")

    def batch_from(self, offset: int, from_time: int | None, to_time: int | None) -> Batch | None:
        """The rows of the first chunk with this offset or a later one, from that offset on, with their offsets.

        Args:
            offset: where to begin.
            from_time: chunks of which all event times are before are passed over; None for none.
            to_time: the same for chunks of which none is before; None for none.

        Returns:
            The batch, or None if there is no such chunk.
        """
        if from_time is None and to_time is None:
            found = self.forms_at(offset)
        else:
            bounds = (
                -(2**63) if from_time is None else from_time,
                2**63 - 1 if to_time is None else to_time,
            )
            row = self._connection.execute(_NEXT_IN, (offset, *bounds)).fetchone()
            found = None if row is None else self._forms(row)
        if found is None:
            return None
        first, forms = found
        columns: dict[str, Any] = forms.columns()
        columns["offset"] = sealed(np.arange(first, first + forms.rows))
        batch = Batch.adopt(columns, forms.rows)
        return batch[offset - first :] if offset > first else batch

    def ids_at(self, offsets: Sequence[int]) -> list[str | None]:
        """The ids of the facts at some offsets; None where there is none any more, or it cannot be read."""
        held: list[str] = []
        first = 0
        ids: dict[int, str | None] = {}
        for offset in sorted(set(offsets)):
            if not first <= offset < first + len(held):
                first, held = self._ids_from(offset)
            ids[offset] = held[offset - first] if first <= offset < first + len(held) else None
        return [ids[offset] for offset in offsets]

    def _ids_from(self, offset: int) -> tuple[int, list[str]]:
        for (first, stop), ids in self._ids.items():
            if first <= offset < stop:
                return first, ids
        found = next(self.ids_since(offset, whole=True), None)
        if found is None or found[0] > offset:
            return 0, []
        first, ids = found
        self._ids[first, first + len(ids)] = ids
        if len(self._ids) > _KEPT:
            self._ids.popitem(last=False)
        return first, ids

    def forget(self) -> None:
        """Chunks have been removed or put together: what is kept of them may be no more."""
        self._ids.clear()

    def ids_since(self, offset: int, *, whole: bool = False) -> Iterator[tuple[int, list[str]]]:
        """The ids of all facts from an offset on, a chunk at a time, with the first offset of each.

        Facts in a damaged chunk are lost, so that they may be stored again: their ids are left out, and a warning says so.

        Args:
            offset: where to begin.
            whole: give those before it in its chunk, too.
        """
        while (row := self._row_at(offset)) is not None:
            first, last = row[:2]
            skipped = 0 if whole else max(0, offset - first)
            offset = last + 1
            try:
                ids = _ids(self._forms(row)[1])
            except LogCorruptError as error:
                logger.warning("%s", error)
                continue
            yield first + skipped, ids[skipped:]


def _ids(forms: Forms) -> list[str]:
    column: Any = forms.column("id")
    listed: list[str] = column.tolist()
    return listed


def row_of(
    batch: Batch, known: Mapping[str, list[Any]], first: int, thrift: Thrift
) -> tuple[object, ...]:
    """The row of the database for a chunk of facts, the first at this offset; `known` is as in `encode`."""
    happened, arrived = batch.array("event_time"), batch.array("arrival_time")
    blob = encode(batch.columns, known, thrift)
    spans = (happened.min(), happened.max(), arrived.min(), arrived.max())
    return (first + len(batch) - 1, first, *map(int, spans), zlib.crc32(blob), blob)


def rows_of(
    batch: Batch, known: Mapping[str, list[Any]], first: int, thrift: Thrift
) -> Iterator[tuple[object, ...]]:
    """`row_of`, in as many rows as it takes that no blob has more than `BYTES`; one fact is one row at least."""
    row = row_of(batch, known, first, thrift)
    blob: Any = row[-1]
    if len(blob) <= BYTES or len(batch) == 1:
        yield row
        return
    step = max(1, len(batch) * BYTES // (2 * len(blob)))
    for start in range(0, len(batch), step):
        part = batch[start : start + step]
        ids: list[str] = part.array("id").tolist()
        yield from rows_of(part, hex_form(hex_bytes(ids)), first + start, thrift)
