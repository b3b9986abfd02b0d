"""The reader: a connection of its own, which sees what is committed. It blocks, and is used by one thread at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.errors import FactLogError
from rxml.facts.chunks import Chunks
from rxml.facts.database import connect, explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from rxml.batch import Batch

_TOTALS: Final = (
    "SELECT coalesce(sum(last - first + 1), 0), count(*), coalesce(sum(length(blob)), 0),"
    " min(min_event), max(max_event) FROM chunks"
)


class Reader:
    """Reads a log.

    Args:
        path: of the database.
        read_only: the file must be there, and is not made.

    Raises:
        FactLogError: it cannot be opened, and why.
    """

    __slots__ = ("_chunks", "_connection", "_path")

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._path = path
        self._connection = connect(path, read_only=read_only)
        self._chunks = Chunks(self._connection, path)

    def first_offset(self) -> int:
        """The least offset that is stored; that of the next fact if none is."""
        with explained(self._path):
            return self._chunks.first_offset()

    def next_offset(self) -> int:
        """The offset that the next fact gets."""
        with explained(self._path):
            return self._chunks.next_offset()

    def mark(self, name: str) -> bytes | None:
        """See `FactLog.mark`."""
        with explained(self._path):
            question = "SELECT value FROM marks WHERE name=?"
            row = self._connection.execute(question, (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def totals(self) -> tuple[int, int, int, int, int, int | None, int | None]:
        """Facts, chunks, bytes, first offset, next offset, least and greatest event time."""
        with explained(self._path):
            facts, chunks, size, least, greatest = self._connection.execute(_TOTALS).fetchone()
            offsets = (self._chunks.first_offset(), self._chunks.next_offset())
        return (facts, chunks, size, *offsets, least, greatest)

    def require(self, offset: int) -> None:
        """Check that reading may begin at an offset.

        Raises:
            FactLogError: it is beyond the end of the log, so what stood before it is lost or was never there.
        """
        stop = self.next_offset()
        if not 0 <= offset <= stop:
            text = f"{self._path} cannot be read from offset {offset}: it ends at {stop}"
            raise FactLogError(
                f"{text}; if it was longer, the machine has lost what was not durable"
            )

    def gone_since(self, offset: int) -> int:
        """How many facts from an offset on have been trimmed: what reads on behind others has lost them."""
        return max(0, self.first_offset() - offset)

    def batch_from(
        self,
        offset: int,
        to_offset: int | None = None,
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> tuple[Batch | None, int]:
        """The facts of the next chunk, which may be none, and the offset from which to go on.

        Returns:
            None if there is no further chunk.
        """
        if to_offset is not None and offset >= to_offset:
            return None, offset
        with explained(self._path):
            batch = self._chunks.batch_from(offset, from_time, to_time)
        if batch is None:
            return None, offset
        offsets = batch.array("offset")
        if to_offset is not None and int(offsets[-1]) >= to_offset:
            batch = batch[: max(0, to_offset - int(offsets[0]))]
            if not len(batch):
                return None, offset
        following = int(offsets[0]) + len(batch)
        return _within(batch, from_time, to_time), following

    def batches(
        self,
        offset: int,
        to_offset: int | None,
        from_time: int | None,
        to_time: int | None,
    ) -> Iterator[Batch]:
        """See `FactLog.scan`."""
        self.require(offset)
        stop = self.next_offset()
        to_offset = stop if to_offset is None else min(stop, to_offset)
        while True:
            batch, offset = self.batch_from(offset, to_offset, from_time, to_time)
            if batch is None:
                return
            if len(batch):
                yield batch

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _within(batch: Batch, from_time: int | None, to_time: int | None) -> Batch:
    """The rows with an event time from the one, inclusive, to the other, exclusive."""
    if from_time is None and to_time is None:
        return batch
    times = batch.array("event_time")
    where = np.ones(len(batch), np.bool_)
    if from_time is not None:
        where &= times >= from_time
    if to_time is not None:
        where &= times < to_time
    return batch if where.all() else batch.take(where)
