"""Upkeep of a log: what is too old goes, and small chunks become large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.batch import Batch
from rxml.errors import DistributionError, LogCorruptError, LogLockedError
from rxml.facts.blob import hex_bytes, hex_form
from rxml.facts.chunks import INSERT, ROWS, row_of
from rxml.stores.file import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from rxml.facts.blob import Thrift
    from rxml.facts.chunks import Chunks

BYTES: Final = 4 * 2**20
"""Bytes of the blobs that are put together at most."""

_OLD: Final = "SELECT last, first, min_arrival, max_arrival FROM chunks ORDER BY last"
_SIZES: Final = "SELECT last, first, length(blob) FROM chunks ORDER BY last DESC"
_FURTHER: Final = "SELECT last, first, length(blob) FROM chunks WHERE last >= ? ORDER BY last"


def trimmed(
    connection: sqlite3.Connection,
    chunks: Chunks,
    age: tuple[int, int] | None,
    max_bytes: int | None,
) -> int:
    """Remove the oldest chunks; how many facts they had. Called in a transaction.

    Args:
        connection: to the database.
        chunks: read through it.
        age: an arrival time, and that of now: chunks go as long as all their facts arrived before the first. An arrival
            that is still to come says nothing of an age: it is passed over, and a chunk that has no other goes with the
            one behind it. None: none goes for its age.
        max_bytes: chunks go until the blobs of those left have no more bytes; None: none goes for that.
    """
    following = chunks.next_offset()
    last = -1
    if age is not None:
        last = _last_before(connection, chunks, *age)
    if max_bytes is not None:
        last = max(last, _last_beyond(connection, max_bytes))
    counted = "SELECT coalesce(sum(last - first + 1), 0) FROM chunks WHERE last <= ?"
    gone = int(connection.execute(counted, (last,)).fetchone()[0])
    connection.execute("DELETE FROM chunks WHERE last <= ?", (last,))
    connection.execute("UPDATE numbers SET value=? WHERE name='floor'", (following,))
    return gone


def _last_before(connection: sqlite3.Connection, chunks: Chunks, before: int, now: int) -> int:
    found = -1
    for last, first, earliest, latest in connection.execute(_OLD):
        arrived = latest if latest <= now else _latest(chunks, first, earliest, now)
        if arrived is not None and arrived >= before:
            break
        if arrived is not None:
            found = last
    return found


def _latest(chunks: Chunks, first: int, earliest: int, now: int) -> int | None:
    """The latest arrival in a chunk that is not still to come; None if there is none, or the chunk is damaged."""
    if earliest > now:
        return None
    try:
        found = chunks.forms_at(first)
    except LogCorruptError:
        return None
    times = np.asarray(found[1].column("arrival_time") if found is not None else ())
    return int(times[times <= now].max())


def _last_beyond(connection: sqlite3.Connection, max_bytes: int) -> int:
    held = 0
    for last, _, size in connection.execute(_SIZES):
        held += size
        if held > max_bytes:
            return int(last)
    return -1


def compacted(
    connection: sqlite3.Connection, chunks: Chunks, thrift: Thrift, offset: int
) -> tuple[int, int | None]:
    """Put the first small chunks from an offset on together, in one transaction.

    Holds the facts of the chunk that they become: at most 8,192, of 4 MiB as they lie in the database. What is damaged
    is left as it is.

    Returns:
        How many chunks there are less, and the offset to go on from; None if this was the end.
    """
    group, following = _group(connection, chunks, offset)
    if len(group) > 1:
        _join(connection, group, thrift)
    return max(0, len(group) - 1), following


def _group(
    connection: sqlite3.Connection, chunks: Chunks, offset: int
) -> tuple[list[Batch], int | None]:
    """Neighbours that can be one chunk, none if there is nothing to put to the first, and the offset behind them."""
    group: list[Batch] = []
    rows = size = 0
    for last, first, length in connection.execute(_FURTHER, (offset,)):
        rows, size = rows + last - first + 1, size + length
        if rows > ROWS or size > BYTES:
            return group, first if group else last + 1
        batch = _sound(chunks, first)
        if batch is None or (group and not _go_together(group[0], batch)):
            return group, first if group else last + 1
        group.append(batch)
    return group, None


def _go_together(one: Batch, other: Batch) -> bool:
    if one.schema != other.schema:
        return False
    try:
        Batch.concat([one[:1], other[:1]])
    except DistributionError:  # what all rows share, such as the classes, differs
        return False
    return True


def _sound(chunks: Chunks, offset: int) -> Batch | None:
    try:
        return chunks.batch_from(offset, None, None)
    except LogCorruptError:
        return None


def _join(connection: sqlite3.Connection, group: Sequence[Batch], thrift: Thrift) -> None:
    whole = Batch.concat(group)
    first = int(whole.array("offset")[0])
    ids: list[str] = whole.array("id").tolist()
    row = row_of(whole.drop("offset"), hex_form(hex_bytes(ids)), first, thrift)
    with transaction(connection):
        gone = connection.execute(
            "DELETE FROM chunks WHERE last >= ? AND last < ?", (first, first + len(whole))
        )
        if gone.rowcount != len(group):
            text = f"the chunks from offset {first} on have changed meanwhile"
            raise LogLockedError(f"{text}: another process writes to the log")
        connection.execute(INSERT, row)
