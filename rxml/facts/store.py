"""FactStore: what a log does that blocks: storing, reading and upkeep, under one mutex."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import FactLogError, LogClosedError, LogLockedError, LogReadOnlyError
from rxml.facts.intake import taken_batch, taken_facts
from rxml.facts.joint import Joint
from rxml.facts.log_statistics import LogStatistics
from rxml.facts.mutex import Mutex
from rxml.facts.reader import Reader
from rxml.facts.writer import Manner, Writer
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from rxml.batch import Batch
    from rxml.facts.intake import Intake
    from rxml.facts.joint import Joined
    from rxml.facts.outcome import Outcomes
    from rxml.flow.timing.duration import Duration

_INDEX_BYTES: Final = 64 * 2**20
_INHERITED: Final[list[object]] = []
"""What a forked process has of its parent's: at most what was open then."""


class FactStore:
    """The part of `FactLog` that needs no event loop; see there for the arguments."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = False,
        read_only: bool = False,
        compression: int = 1,
        index_bytes: int = _INDEX_BYTES,
        poll: Duration = 0.25,
        now: Callable[[], int] | None = None,
    ) -> None:
        if compression not in range(10):
            raise FactLogError(f"compression is a level of zlib, 0 to 9, got {compression!r}")
        if index_bytes < 1:
            raise FactLogError(f"index_bytes must be > 0, got {index_bytes!r}")
        if not seconds_of(poll, "FactLog(poll)"):
            raise FactLogError(f"poll must be > 0 seconds, got {poll!r}")
        self.path: Path = Path(path)
        self.poll: float = seconds_of(poll, "FactLog(poll)")
        self.read_only: bool = read_only
        self._manner = Manner(durable=durable, level=compression, index_bytes=index_bytes)
        self.follows_runs: bool = now is None
        self._now = now or time.time_ns
        self._mutex = Mutex()
        self.joint: Joint = Joint(self.path)
        self._process: int | None = None
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._closed = False
        self._listeners: dict[int, Callable[[], None]] = {}
        self._duplicates = self._rejected = 0

    def append_batch(
        self,
        batch: Batch,
        marks: Mapping[str, bytes] | None = None,
        *,
        arrival_time: int | None = None,
        run: Joined | None = None,
    ) -> Outcomes:
        """Store the rows of a batch that are facts and are not stored yet, in one transaction.

        Args:
            batch: columns as in `rxml.facts.table`; `key` and `event_time` at least.
            marks: values to be kept under names in the same transaction, see `mark`.
            arrival_time: of those without one, int64 ns UTC; None for now.
            run: with whose next checkpoint they are committed, see `FactLog.checkpoints`; None: at once.

        Returns:
            What became of each row.

        Raises:
            FactError: a column is missing, unknown or of another dtype.
            FactLogError: nothing was stored, and why.
        """
        now = self._now() if arrival_time is None else arrival_time
        return self.store(taken_batch(batch, now), marks, run)

    def append_facts(
        self,
        facts: Iterable[Any],
        marks: Mapping[str, bytes] | None = None,
        *,
        arrival_time: int | None = None,
        run: Joined | None = None,
    ) -> Outcomes:
        """`append_batch` for facts, and for mappings with their fields."""
        now = self._now() if arrival_time is None else arrival_time
        return self.store(taken_facts(list(facts), now), marks, run)

    def store(
        self,
        intake: Intake,
        marks: Mapping[str, bytes] | None = None,
        run: Joined | None = None,
    ) -> Outcomes:
        """`append_batch` for what has been looked at already."""
        with self._mutex:
            writer = self.writing()
            with self.joint.appending(writer, run):
                outcomes = writer.append(intake, marks)
            self._duplicates += outcomes.duplicates
            self._rejected += outcomes.rejected
        if run is None:
            self.tell()
        return outcomes

    def writing(self) -> Writer:
        """The writer, with the lock, which is taken when it is first wanted; for one thread at a time.

        Raises:
            LogLockedError: another one writes.
            FactLogError: the file cannot be opened for writing.
        """
        self.require_open()
        if self.read_only:
            raise LogReadOnlyError(
                f"{self.path} was opened with read_only=True: it cannot be changed"
            )
        if self._writer is None:
            self._process = os.getpid()
            self._writer = Writer(self.path, self._manner)
        return self._writer

    def require_open(self) -> None:
        """Raise LogClosedError if `close` was called, and LogLockedError if another process has used it before a fork."""
        if self._closed:
            raise LogClosedError(f"the log {self.path} has been closed: make another FactLog")
        if self._is_forked:
            text = f"{self.path} was opened by process {self._process}, of which this is a fork"
            raise LogLockedError(f"{text}: make another FactLog here")

    @property
    def _is_forked(self) -> bool:
        return self._process is not None and self._process != os.getpid()

    def _reading(self) -> Reader:
        self.require_open()
        if self._reader is None:
            self._reader = self.reader()
        return self._reader

    def reader(self) -> Reader:
        """A reader of its own, to be used by one thread at a time and to be closed."""
        self.require_open()
        self._process = os.getpid()
        return Reader(self.path, read_only=self.read_only)

    def scan(
        self,
        from_offset: int = 0,
        to_offset: int | None = None,
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> Iterator[Batch]:
        """The facts that were stored when this began, in the order of their offsets.

        Args:
            from_offset: the first offset; what has been trimmed is not there any more.
            to_offset: the end, exclusive; None for all there are.
            from_time: the least event time, in nanoseconds.
            to_time: the end of event times, exclusive.

        Yields:
            Batches of at most 8,192 facts as in `rxml.facts.table`, with the column `offset`; none is empty.

        Raises:
            FactLogError: it cannot be read, and why; an offset that has never been is one of the reasons.
        """
        with self.reader() as reader:
            yield from reader.batches(from_offset, to_offset, from_time, to_time)

    @property
    def next_offset(self) -> int:
        """The offset that the next fact gets."""
        with self._mutex:
            return self._reading().next_offset()

    @property
    def length(self) -> int:
        """How many facts are stored."""
        with self._mutex:
            return self._reading().next_offset() - self._reading().first_offset()

    def mark(self, name: str) -> bytes | None:
        """The value that was stored with the facts under this name, last; such as how far their source was read."""
        with self._mutex:
            return self._reading().mark(name)

    def trim(self, *, older_than: Duration | None = None, max_bytes: int | None = None) -> int:
        """Remove the oldest chunks. A chunk goes as a whole, so that a fact may stay longer than it must.

        Args:
            older_than: chunks go in which all facts arrived longer ago than that; seconds, or a timedelta.
            max_bytes: the oldest go until the blobs have no more bytes than that; >= 0.

        Arrival times that are still to come say nothing of an age: a chunk that has no others goes with the next one.

        Returns:
            How many facts were removed.
        """
        if max_bytes is not None and max_bytes < 0:
            raise FactLogError(f"trim(max_bytes) must be >= 0, got {max_bytes}")
        age = None
        if older_than is not None:
            now = self._now()
            age = now - int(seconds_of(older_than, "trim(older_than)") * 1e9), now
        with self._mutex:
            return self.writing().trim(age, max_bytes)

    def compact(self) -> int:
        """Put small chunks together to chunks of up to 8,192 facts and 4 MiB; what is read stays the same.

        Others write between one chunk and the next.

        Returns:
            How many chunks there are less.
        """
        gone = 0
        offset: int | None = 0
        while offset is not None:
            with self._mutex:
                less, offset = self.writing().compact(offset)
            gone += less
        return gone

    def statistics(self) -> LogStatistics:
        """The log now."""
        with self._mutex:
            writer = self._writer
            stored, index = (0, 0) if writer is None else (writer.stored, writer.index.nbytes)
            counted = (stored, self._duplicates, self._rejected)
            return LogStatistics(*self._reading().totals(), *counted, index)

    @property
    def is_writer(self) -> bool:
        """Whether this object has the writer's lock, so that nobody else can write."""
        return self._writer is not None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def listen(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have a function called, in whatever thread, after something was stored; returns what ends that."""
        key = id(told)
        self._listeners[key] = told

        def end() -> None:
            self._listeners.pop(key, None)

        return end

    def tell(self) -> None:
        """Have all who listen look what there is."""
        for told in list(self._listeners.values()):
            told()

    def close(self) -> None:
        """Let go of the file and of the writer's lock; tails end. A second call does nothing."""
        with self._mutex:
            self._closed = True
            if self._is_forked:  # SQLite forbids to close here what another process opened
                _INHERITED.extend((self._reader, self._writer))
                self._reader = self._writer = None
            holders = [each for each in (self._reader, self._writer) if each is not None]
            self._reader = self._writer = None
            for holder in holders:
                holder.close()
        self.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
