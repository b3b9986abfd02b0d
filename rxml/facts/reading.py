"""ReadStage: the facts of a log by demand, to its end or live; a thread reads ahead, one chunk, or several small ones."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from typing_extensions import override

from rxml.batch import Batch
from rxml.errors import FactLogError
from rxml.facts.chunks import ROWS
from rxml.facts.table import facts_of
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.node import StageSpec
from rxml.flow.scope import finished, settled
from rxml.flow.stage import Stage
from rxml.flow.timing.waiting import rung

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rxml.facts.reader import Reader
    from rxml.flow.node import Env, Node

    Found: TypeAlias = tuple[list[Batch] | None, int, int]

logger: Final = logging.getLogger("rxml.facts")


AHEAD: Final = ROWS // 2
"""Rows up to which chunks are read along with the first."""


class Readable(Protocol):
    """What a log does for those who read it."""

    @property
    def poll(self) -> float:
        """Seconds between looks whether another process has written."""
        ...

    @property
    def is_writer(self) -> bool:
        """Whether nobody else can write."""
        ...

    @property
    def closed(self) -> bool:
        """Whether nothing can come any more."""
        ...

    def reader(self) -> Reader:
        """A reader of its own."""
        ...

    def listen(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after something was stored; returns what ends that."""
        ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogSpec(StageSpec):
    """A source that reads a log: what a replay puts another in the place of.

    Attributes:
        path: of the log.
        from_: the offset that it begins at; None for the end of the log.
        from_time: facts before this event time are left out; None for none.
        batches: its elements are rows of batches; else they are facts.
    """

    path: Path
    from_: int | None
    from_time: int | None
    batches: bool


class ReadStage(Stage[Any]):
    """Rows of the log in the order of their offsets; chunks are slices of what is stored together, without a copy.

    Args:
        log: where they are.
        from_: the offset to begin at; None for the end of the log at the first request.
        from_time: rows before this event time are left out; None for none.
        live: go on when the end is reached, until the run is drained or the log is closed.
        batches: chunks are batches; else lists of facts.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        log: Readable,
        *,
        from_: int | None,
        from_time: int | None,
        live: bool,
        batches: bool,
    ) -> None:
        super().__init__(env, node)
        self._log = log
        self._from_time = from_time
        self._live = live
        self._batches = batches
        self._position: int | None = from_
        self._next: int | None = from_
        self._stop: int | None = None
        self._rows: Batch = Batch({})
        self._row = 0
        self._behind: deque[Batch] = deque()
        self._drained = False
        self._lost = 0
        self._bell = asyncio.Event()
        self._reader: Reader | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._reading: asyncio.Future[Found] | None = None
        loop = asyncio.get_running_loop()
        self._deafen = log.listen(partial(_ring, loop, self._bell)) if live else _nothing
        self._delist = env.enlist(self._finish, endless=live)
        self.meter.gauge = self._gauge

    @override
    def position(self) -> int | None:
        """The offset behind the last row that was handed out; None at the end of a log that was not opened yet."""
        return self._position

    @override
    def seek(self, position: Any) -> None:
        self._position = self._next = position

    def _gauge(self) -> tuple[int, None]:
        return len(self._rows) - self._row + sum(map(len, self._behind)), None

    def _finish(self) -> None:
        self._drained = True
        self._bell.set()

    @override
    def now(self, n: int) -> Chunk[Any] | None:
        while self._row >= len(self._rows):
            if not self._behind:
                return None
            self._rows, self._row = self._behind.popleft(), 0
        start, rows = self._row, self._rows
        self._row = stop = min(len(rows), start + min(n, CHUNK))
        part = rows if stop - start == len(rows) else rows[start:stop]
        self._position = int(part.array("offset")[-1]) + 1
        return Chunk(part if self._batches else facts_of(part))

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if clock.held:
            await clock.breathe()
        while not self._drained:
            self._bell.clear()
            if await self._more():
                return self.now(n) or END
            if not self._live or self._log.closed:
                break
            await rung(self._bell, None if self._log.is_writer else clock.time() + self._log.poll)
        return END

    async def _more(self) -> bool:
        """Whether there are further rows; they are at hand then, and those behind them are on their way."""
        while True:
            fresh = self._reading is None
            if self._reading is None:
                self._reading = self._read()
            await finished(self._reading)
            reading, self._reading = self._reading, None
            found, self._next, lost = reading.result()
            if lost:
                self._tell_lost(lost)
            if found is None and fresh:
                return False
            if found is None:  # found before the bell was silenced, which may have rung since
                continue
            if any(map(len, found)):
                self._behind.extend(found)
                self._reading = self._read()
                return True

    def _read(self) -> asyncio.Future[Found]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.node.spec.name)
        return asyncio.get_running_loop().run_in_executor(self._thread, self._found, self._next)

    def _found(self, offset: int | None) -> Found:
        """The rows of the next chunks, where to go on, and how many were trimmed before they could be read; in the thread."""
        if self._reader is None:
            self._reader = self._log.reader()
            end = self._reader.next_offset()
            offset = self._position = end if offset is None else offset
            self._reader.require(offset)
            self._stop = None if self._live else end
            rows, following = self._reader.batch_from(offset or 0, self._stop, self._from_time)
            return None if rows is None else [rows], following, 0
        return self._further(self._reader, offset or 0)

    def _further(self, reader: Reader, offset: int) -> Found:
        """What comes behind the first chunk; in the thread."""
        lost = reader.gone_since(offset)
        seen = offset if self._from_time is None else reader.next_offset()
        rows, following = reader.batch_from(offset + lost, self._stop, self._from_time)
        if rows is None:  # then what is there up to `seen` is of no interest
            return None, max(seen, following), lost
        if self._from_time is None:  # a chunk may have gone between those two questions
            lost = int(rows.array("offset")[0]) - offset
        return *self._with_more(reader, rows, following), lost

    def _with_more(self, reader: Reader, rows: Batch, following: int) -> tuple[list[Batch], int]:
        """A chunk, and those behind it that are small enough to come along; in the thread.

        So a log of small chunks is not read by one handing over from thread to thread for each.
        """
        parts, total = [rows], len(rows)
        while total < AHEAD:
            try:
                more, after = reader.batch_from(following, self._stop, self._from_time)
            except FactLogError:
                break  # it comes again when what is in front of it has been handed out
            if more is None or not len(more) or int(more.array("offset")[0]) != following:
                break  # the end, or something for the next look
            parts.append(more)
            total, following = total + len(more), after
        return parts, following

    def _tell_lost(self, count: int) -> None:
        """Facts were trimmed before they were read: they count as dropped, and the first time the log says so."""
        if not self._lost:
            logger.warning(
                "%s: %s facts were trimmed before they were read; keep more of the log, or read it faster",
                self.node.spec.name,
                f"{count:,}",
            )
        self._lost += count
        self.meter.dropped += count

    @override
    async def release(self) -> None:
        self._delist()
        self._deafen()
        self._rows, self._row = Batch({}), 0
        self._behind.clear()
        if self._reading is not None:
            await settled([self._reading])
            self._reading.exception()  # what was read ahead is of no interest any more
        if self._thread is not None:
            thread, self._thread = self._thread, None
            loop = asyncio.get_running_loop()
            await settled([loop.run_in_executor(thread, self._close)])
            thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()


def _ring(loop: asyncio.AbstractEventLoop, bell: asyncio.Event) -> None:
    with suppress(RuntimeError):  # a loop that has been closed hears nothing
        loop.call_soon_threadsafe(bell.set)


def _nothing() -> None:
    """What ends nothing."""
