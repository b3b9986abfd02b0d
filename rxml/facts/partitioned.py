"""PartitionedLog: one log in several files, so that no source, however much it says, is one file's burden."""

from __future__ import annotations

from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from rxml.errors import FactError, FactLogError
from rxml.facts.ids import new_ids
from rxml.facts.log import FactLog
from rxml.facts.log_statistics import LogStatistics
from rxml.facts.merging import SEQUENCE, in_sequence
from rxml.facts.outcome import DUPLICATE, REJECTED, Outcomes
from rxml.facts.partition import partitions_of
from rxml.facts.settings import Settings
from rxml.facts.table import objects

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

    from rxml.batch import Batch
    from rxml.flow.timing.duration import Duration

_UNKNOWN: Final = -1
_BATCH: Final = "batch"
_NUMBER: Final = 8  # bytes


class PartitionedLog:
    """Facts in n logs of one directory, each in the one that its id says (`partition_of`), read as one log.

    A fact gets a number when it is given to the log, its offset here; facts are read in the order of these, whichever
    file they are in, so those of one source come out as they went in. Numbers may have gaps, and are never given twice.
    Each file is a `FactLog` and takes its part of a batch in one transaction: after an error, or the end of the process,
    some parts may be stored. Giving the batch with the same ids again, before any other, stores the rest under the numbers
    that were meant for it, so that the order holds; behind other batches the rest would get new ones, and come after them.
    A batch becomes n chunks: give large ones, or compact.

    Who reads in another process while a batch is stored may see some of its parts and not yet the others.
    Reading holds two chunks of each partition, and a batch of what they have. Methods block: on an event loop use
    `View.flow`, or `asyncio.to_thread`. One object writes, in one thread at a time.

    Args:
        directory: where the files are; made when it is first written to.
        n: how many partitions there are, 1 to 1000; None: as many as the directory has.
        seed: the key of the hash, 0 <= seed < 2^64; None: the directory's, or 0.
        durable: as of `FactLog`.
        read_only: never make or change anything.

    Raises:
        FactLogError: the directory has another number of partitions, or another seed; or has none, and n is not given.
    """

    def __init__(
        self,
        directory: str | Path,
        n: int | None = None,
        *,
        seed: int | None = None,
        durable: bool = False,
        read_only: bool = False,
    ) -> None:
        self._settings = Settings.of(Path(directory), n, seed, read_only=read_only)
        self._next: int | None = None
        self._last = b""
        self.logs: tuple[FactLog, ...] = tuple(
            FactLog(path, durable=durable, read_only=read_only) for path in self._settings.paths
        )

    def append_batch(self, batch: Batch) -> Outcomes:
        """Store the rows of a batch that are facts and are not stored yet.

        Args:
            batch: columns as in `rxml.facts.table`; `key` and `event_time` at least.

        Returns:
            What became of each row, in their order.

        Raises:
            FactError: a column is missing, unknown or of another dtype.
            FactLogError: a part of the batch was not stored, and why.
        """
        batch = _with_ids(batch)
        n, first, marks = len(batch), *self._numbered(batch)
        numbers = np.arange(first, first + n)
        batch = batch.with_columns({SEQUENCE: numbers})
        where = self._places(batch)
        codes, offsets = np.full(n, REJECTED, np.uint8), np.full(n, _UNKNOWN, np.int64)
        reasons: dict[int, str] = {}
        for number, log in enumerate(self.logs):
            rows = np.flatnonzero(where == number)
            if len(rows):
                told = log.append_batch(batch.take(rows), marks)
                codes[rows] = told.codes
                offsets[rows] = _numbers(log, told, numbers[rows])
                reasons.update((int(rows[row]), why) for row, why in told.reasons.items())
        return Outcomes(codes, offsets, dict(sorted(reasons.items())))

    def _begin(self) -> int:
        """The offset of the next fact. The first time this takes the writers' locks, so that nobody else gives numbers."""
        if self._next is None:
            self._settings.write()
            for log in self.logs:
                log.append_facts(())
            self._next = self.next_offset
            self._last = max(log.mark(_BATCH) or b"" for log in self.logs)
        return self._next

    def _numbered(self, batch: Batch) -> tuple[int, dict[str, bytes]]:
        """The number of the first row, and what each partition keeps with its part: which batch had it last."""
        following, named = self._begin(), _digest(batch)
        again = self._last[_NUMBER:] == named
        first = int.from_bytes(self._last[:_NUMBER], "big") if again else following
        self._next = max(following, first + len(batch))
        self._last = first.to_bytes(_NUMBER, "big") + named
        return first, {_BATCH: self._last}

    def _places(self, batch: Batch) -> NDArray[np.int64]:
        """The partition of each row; what has no id that could be hashed is refused by the first."""
        ids: list[object] = batch.array("id").tolist()
        texts = [each if isinstance(each, str) else "" for each in ids]
        return partitions_of(texts, len(self.logs), self._settings.seed)

    def scan(
        self,
        from_offset: int = 0,
        to_offset: int | None = None,
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> Iterator[Batch]:
        """The facts in the order of their offsets; arguments and batches as of `FactLog.scan`, if not as large."""
        stop = self.next_offset
        if not 0 <= from_offset <= stop:
            text = f"{self._settings.directory} cannot be read from offset {from_offset}"
            raise FactLogError(f"{text}: it ends at {stop}")
        bound = stop if to_offset is None else to_offset
        with ExitStack() as closing:
            parts = [
                log.scan(_place(log, from_offset), None, from_time, to_time) for log in self.logs
            ]
            for part in parts:
                closing.callback(cast("Generator[Batch]", part).close)
            for batch in in_sequence(parts):
                cut = int(np.searchsorted(batch.array(SEQUENCE), bound))
                if cut:
                    yield _outward(batch[:cut])
                if cut < len(batch):
                    return

    @property
    def next_offset(self) -> int:
        """The offset that the next fact gets."""
        if self._next is not None:
            return self._next
        return max([self._settings.floor, *map(_after, self.logs)])

    @property
    def first_offset(self) -> int:
        """The least offset that is stored; that of the next fact if none is."""
        held = [log for log in self.logs if log.length]
        firsts = [_number_at(log, log.next_offset - log.length) for log in held]
        return min(firsts, default=self.next_offset)

    @property
    def length(self) -> int:
        """How many facts are stored."""
        return sum(log.length for log in self.logs)

    def statistics(self) -> LogStatistics:
        """All partitions now; offsets are those of this log."""
        parts = [log.statistics() for log in self.logs]
        first = [each.first_event for each in parts if each.first_event is not None]
        last = [each.last_event for each in parts if each.last_event is not None]
        return LogStatistics(
            facts=sum(each.facts for each in parts),
            chunks=sum(each.chunks for each in parts),
            bytes=sum(each.bytes for each in parts),
            first_offset=self.first_offset,
            next_offset=self.next_offset,
            first_event=min(first, default=None),
            last_event=max(last, default=None),
            stored=sum(each.stored for each in parts),
            duplicates=sum(each.duplicates for each in parts),
            rejected=sum(each.rejected for each in parts),
            index_bytes=sum(each.index_bytes for each in parts),
        )

    def trim(self, *, older_than: Duration | None = None, max_bytes: int | None = None) -> int:
        """Remove the oldest chunks of each partition; arguments and result as of `FactLog.trim`."""
        self._settings.floor = self._begin()
        self._settings.write()
        each = None if max_bytes is None else max_bytes // len(self.logs)
        return sum(log.trim(older_than=older_than, max_bytes=each) for log in self.logs)

    def compact(self) -> int:
        """Put small chunks together in each partition; how many there are less."""
        return sum(log.compact() for log in self.logs)

    def close(self) -> None:
        """Let go of the files and of the writers' locks. A second call does nothing."""
        with ExitStack() as closing:
            for log in self.logs:
                closing.callback(log.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _with_ids(batch: Batch) -> Batch:
    """The batch with ids, since without one a fact has no place."""
    if "id" not in batch.columns:
        return batch.with_columns(id=objects(new_ids(len(batch))))
    if batch.array("id").dtype.kind not in "OUT":
        raise FactError(f"the column 'id' is {batch.array('id').dtype}: give one str a row")
    return batch


def _digest(batch: Batch) -> bytes:
    """What tells the ids of a batch from those of any other."""
    ids = "\0".join(map(str, batch.array("id").tolist()))
    return blake2b(ids.encode(errors="surrogatepass"), digest_size=16).digest()


def _outward(batch: Batch) -> Batch:
    return batch.drop("offset").rename({SEQUENCE: "offset"})


def _numbers(log: FactLog, told: Outcomes, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The offsets here of a part of a batch; what was stored before has kept the number that it got then."""
    found = np.where(told.codes == REJECTED, _UNKNOWN, numbers)
    again = np.flatnonzero(told.codes == DUPLICATE)
    wanted = told.offsets[again]
    for row, number in zip(again.tolist(), _numbers_at(log, wanted), strict=True):
        found[row] = number
    return found


def _numbers_at(log: FactLog, offsets: NDArray[np.int64]) -> list[int]:
    """The numbers of facts at offsets of their own log, read a chunk at a time."""
    numbers: dict[int, int] = {}
    for offset in np.unique(offsets).tolist():
        if offset not in numbers:
            batch = next(log.scan(offset))
            within = batch.array("offset").tolist(), batch.array(SEQUENCE).tolist()
            numbers.update(zip(*within, strict=True))
    return [numbers[offset] for offset in offsets.tolist()]


def _after(log: FactLog) -> int:
    """The least number that is greater than all in a log."""
    stop = log.next_offset
    return _number_at(log, stop - 1) + 1 if log.length else 0


def _number_at(log: FactLog, offset: int) -> int:
    """The number of the fact at an offset of its own log; -1 if that has been trimmed by now."""
    batch = next(log.scan(offset, offset + 1), None)
    return _UNKNOWN if batch is None else int(batch.array(SEQUENCE)[0])


def _place(log: FactLog, number: int) -> int:
    """The offset in a log of the first fact with this number or a greater one, found by halving the chunks."""
    stop = log.next_offset
    start = stop - log.length
    while number > 0 and start < stop:
        middle = (start + stop) // 2
        batch = next(log.scan(middle), None)
        numbers = np.empty(0, np.int64) if batch is None else batch.array(SEQUENCE)
        if not len(numbers) or int(numbers[-1]) < number:
            start = middle + max(1, len(numbers))
        elif int(numbers[0]) >= number:
            stop = middle
        else:
            return middle + int(np.searchsorted(numbers, number))
    return start
