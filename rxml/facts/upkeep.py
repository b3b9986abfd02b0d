"""Upkeep of a log: what is too old goes, and small chunks become large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rxml.batch import Batch
from rxml.facts.blob import hex_bytes, hex_form
from rxml.facts.chunks import INSERT, ROWS, row_of
from rxml.facts.database import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from rxml.facts.blob import Thrift
    from rxml.facts.chunks import Chunks

_OLD: Final = "SELECT last, first, max_arrival FROM chunks ORDER BY last"
_SIZES: Final = "SELECT last, first, length(blob) FROM chunks ORDER BY last DESC"


def trimmed(
    connection: sqlite3.Connection, next_offset: int, before: int | None, max_bytes: int | None
) -> int:
    """Remove the oldest chunks; how many facts they had. Called in a transaction.

    Args:
        connection: to the database.
        next_offset: is kept, so that no offset is given twice.
        before: chunks go as long as all of their arrival times are before this one; None: none goes for its age.
        max_bytes: chunks go until the blobs of those left have no more bytes; None: none goes for that.
    """
    last = -1
    if before is not None:
        last = _last_before(connection, before)
    if max_bytes is not None:
        last = max(last, _last_beyond(connection, max_bytes))
    counted = "SELECT coalesce(sum(last - first + 1), 0) FROM chunks WHERE last <= ?"
    gone = int(connection.execute(counted, (last,)).fetchone()[0])
    connection.execute("DELETE FROM chunks WHERE last <= ?", (last,))
    connection.execute("UPDATE numbers SET value=? WHERE name='floor'", (next_offset,))
    return gone


def _last_before(connection: sqlite3.Connection, before: int) -> int:
    found = -1
    for last, _, max_arrival in connection.execute(_OLD):
        if max_arrival >= before:
            break
        found = last
    return found


def _last_beyond(connection: sqlite3.Connection, max_bytes: int) -> int:
    held = 0
    for last, _, size in connection.execute(_SIZES):
        held += size
        if held > max_bytes:
            return int(last)
    return -1


def compacted(connection: sqlite3.Connection, chunks: Chunks, thrift: Thrift) -> int:
    """Put neighbouring small chunks together, a transaction for each that they become; how many chunks are gone.

    Holds the facts of two large chunks at a time.
    """
    gone, offset = 0, 0
    group: list[Batch] = []
    while (batch := chunks.batch_from(offset, None, None)) is not None:
        offset = int(batch.array("offset")[-1]) + 1
        if not _fits(group, batch):
            gone += _joined(connection, group, thrift)
            group = []
        group.append(batch)
    return gone + _joined(connection, group, thrift)


def _fits(group: Sequence[Batch], batch: Batch) -> bool:
    """Whether the batch can be put behind those: there is room, and the columns are the same."""
    if not group:
        return True
    return sum(map(len, group)) + len(batch) <= ROWS and group[0].schema == batch.schema


def _joined(connection: sqlite3.Connection, group: Sequence[Batch], thrift: Thrift) -> int:
    if len(group) < 2:
        return 0
    whole = Batch.concat(group)
    first = int(whole.array("offset")[0])
    ids: list[str] = whole.array("id").tolist()
    row = row_of(whole.drop("offset"), hex_form(hex_bytes(ids)), first, thrift)
    with transaction(connection):
        connection.execute(
            "DELETE FROM chunks WHERE last >= ? AND last < ?", (first, first + len(whole))
        )
        connection.execute(INSERT, row)
    return len(group) - 1
