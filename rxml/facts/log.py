"""FactLog: facts on the disk, in the order in which they came, in one SQLite file.

>>> import tempfile
>>> from rxml.facts import Fact, FactLog
>>> with tempfile.TemporaryDirectory() as folder, FactLog(f"{folder}/facts.db") as log:
...     log.append_facts([Fact.of("lion-7", 10, {"seen": 3}, id="a"), {"key": "lion-7"}]).listed()[
...         1
...     ].reason
...     [batch["key"].tolist() for batch in log.scan()]
'event_time is missing: a fact has a key and an event_time at least'
[['lion-7']]
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.batch import Batch
from rxml.errors import FactError
from rxml.facts.appending import AppendStage
from rxml.facts.chunks import ROWS
from rxml.facts.fact import nanoseconds_of
from rxml.facts.intake import refused
from rxml.facts.joining import LogCheckpoints
from rxml.facts.reading import LogSpec, ReadStage
from rxml.facts.store import FactStore
from rxml.flow.checkpointing.store import Stored
from rxml.flow.chunk import CHUNK
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.virtual.loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from rxml.facts.joint import Joined
    from rxml.facts.outcome import Outcome, Outcomes
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


class FactLog(FactStore):
    """A log of facts. Making one does nothing; the file is opened, or made, when it is first used.

    One process writes at a time: who appends first has the log until it is closed or the process ends. Any number
    read meanwhile. A fact whose id is stored already is not stored again, however long ago that was; what is trimmed is
    stored no more. Offsets count the facts that were stored, and are never given twice.

    Memory: the index of ids holds at most `index_bytes` of sorted runs (12 bytes a fact; for ids that grow with time,
    as those of `new_id`, hardly any) and the last 65,536 ids; writing holds a batch, reading two chunks of at most 8,192
    facts for each reader (or, of small ones, as many as come to half of that). Methods without `await` block: on an event loop use the flows, or `asyncio.to_thread`.

    Args:
        path: of the file; `.lock`, `-wal` and `-shm` files stand beside it.
        durable: a batch is on the disk before its outcomes are told. Else a crash of the machine, though not of the
            process, may lose what was stored in the last moments; the log is whole in any case.
        read_only: never make or change the file.
        compression: zlib level for columns where it saves a third at least, 1 to 9; 0 for never.
        index_bytes: > 0, see above.
        poll: seconds between looks whether another process has written; what is written through this object is seen at
            once.
        now: gives the arrival time of facts without one, in nanoseconds since 1970 UTC; None: `time.time_ns`, and in a
            run in virtual time its clock, which begins with the time of everybody.

    Raises:
        FactLogError: a number is out of range.
    """

    _thread: ThreadPoolExecutor | None = None

    def append(self, *, known_again: bool = False) -> Operator[Any, Outcome]:
        """An operator that stores facts: what comes out is the outcome of each, in order, its context beside it.

        It takes facts, mappings with their fields, and rows of batches. Each chunk is one transaction, written in the
        log's thread; what is no fact is reported as rejected, with the reason, and the stream goes on. It fails only if
        the log does, with a FactLogError.

        A chunk that has been handed to the thread is stored even if the stream is cancelled meanwhile. In a run whose
        checkpoints are those of this log (`checkpoints`), facts are committed with them, once. Where a run with
        checkpoints elsewhere goes on, facts come again: those that have an id of their own (or one from `derived_id`) are
        duplicates then, and stored once; those that get theirs here, or in `Fact.of`, are not known again. For a loss of
        power, use `durable`.

        Args:
            known_again: your word that facts which are made again have the ids that they had, so that a checkpoint's
                `guarantee` may count on it; it changes nothing else.
        """

        def open_(env: Env, node: Node) -> Subscription[Outcome]:
            return AppendStage(env, node, self, partial(self._begin, self._arrivals(env)))

        return stage(
            label("append", self.path.name),
            open_,
            cardinality=Cardinality.ONE,
            capacity=CHUNK,
            traits=() if known_again else (Stored(self.checkpoints()),),
            checkpointing=Checkpointing.STORES,
        )

    def checkpoints(self, *, keep: int = 3) -> LogCheckpoints:
        """A store of checkpoints in this log's file: what a run with them appends here is committed with them, once.

        `flow.run(checkpoint=log.checkpoints())`, or `Checkpoint(log.checkpoints(), every=60)`. Facts need no ids of
        their own then. They are seen, by all who read, with the checkpoint behind them, which is on the disk; outcomes
        are told before. While such a run appends, nobody else does, and what is trimmed or compacted is so with its next
        checkpoint. One run at a time has its checkpoints here. Between two checkpoints what was appended waits in the
        `-wal` file, and not in memory.

        Args:
            keep: checkpoints of each pipeline that stay, >= 1.

        Raises:
            ValueError: `keep` below 1.
        """
        return LogCheckpoints(self, keep)

    def in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have the thread of flows do some work, with nobody else at the log meanwhile.

        Raises:
            LogClosedError: it was closed.
        """
        thread = self._thread_of_flows()
        return asyncio.get_running_loop().run_in_executor(thread, self._alone, work)

    def _alone(self, work: Callable[[], T]) -> T:
        with self._mutex:
            return work()

    def _arrivals(self, env: Env) -> Callable[[], int | None]:
        """What gives the arrival time of facts without one: None is now, by `FactLog(now)`, or the clock of everybody.

        In virtual time that is when the stage was opened, and what has passed since by the clock of the run.
        """
        clock = env.clock
        if not (self.follows_runs and isinstance(asyncio.get_running_loop(), VirtualLoop)):
            return lambda: None
        opened, began = time.time_ns(), clock.time()
        return lambda: opened + round((clock.time() - began) * 1e9)

    def _begin(
        self, now: Callable[[], int | None], elements: Any, run: Joined | None
    ) -> asyncio.Future[Outcomes]:
        loop, thread = asyncio.get_running_loop(), self._thread_of_flows()
        return loop.run_in_executor(thread, self._append_chunk, elements, now(), run)

    def _append_chunk(self, elements: Any, now: int | None, run: Joined | None) -> Outcomes:
        if not isinstance(elements, Batch):
            return self.append_facts(elements, arrival_time=now, run=run)
        try:
            return self.append_batch(elements, arrival_time=now, run=run)
        except FactError as error:  # then none of the rows is a fact
            return self.store(refused(len(elements), str(error)), run=run)

    def read(
        self,
        from_: int | datetime = 0,
        *,
        from_time: int | datetime | None = None,
        batches: bool = True,
    ) -> Flowable[Any]:
        """The facts that are stored when it is first asked, by demand, in the order of their offsets.

        Args:
            from_: the offset to begin at, >= 0; where it has been trimmed, it begins at the first that is left. Or an
                aware datetime, as in `from_time`.
            from_time: facts before this event time are left out, and chunks of such are not read; None for none.
            batches: elements are rows of batches with a column `offset`, and chunks are batches; else they are facts.

        Raises:
            FactError: `from_` is neither, or `from_time` is no time.
            FactLogError: at the first request: it cannot be read, or the log never had that offset.
        """
        return self._source("read", from_, from_time, live=False, batches=batches)

    def tail(
        self,
        from_: int | datetime | None = 0,
        *,
        from_time: int | datetime | None = None,
        batches: bool = True,
    ) -> Flowable[Any]:
        """`read` that goes on with what is stored next, without a gap and without a repeat, until the run is drained.

        What is appended through this object is seen at once, what another process writes after at most `poll` seconds.

        Args:
            from_: as in `read`; None for the end of the log at the first request.
            from_time: as in `read`.
            batches: as in `read`.
        """
        return self._source("tail", from_, from_time, live=True, batches=batches)

    def _source(
        self,
        name: str,
        from_: int | datetime | None,
        from_time: int | datetime | None,
        *,
        live: bool,
        batches: bool,
    ) -> Flowable[Any]:
        offset, moment = _bounds(name, from_, from_time)

        def open_(env: Env, node: Node) -> Subscription[Any]:
            return ReadStage(
                env, node, self, from_=offset, from_time=moment, live=live, batches=batches
            )

        spec = LogSpec(
            name=label(name, self.path.name),
            open=open_,
            cardinality=Cardinality.SOURCE,
            capacity=2 * ROWS,
            checkpointing=Checkpointing.SAVED,
            path=self.path,
            from_=offset,
            from_time=moment,
            batches=batches,
        )
        return Flowable(spec)

    def _thread_of_flows(self) -> ThreadPoolExecutor:
        self.require_open()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"facts {self.path.name}")
        return self._thread

    @override
    def close(self) -> None:
        """Let go of the file and of the writer's lock; tails end. A second call does nothing."""
        super().close()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    async def aclose(self) -> None:
        """`close`, without blocking the loop."""
        await asyncio.to_thread(self.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _bounds(
    name: str, from_: object, from_time: int | datetime | None
) -> tuple[int | None, int | None]:
    """The offset and the event time to begin at."""
    if isinstance(from_, datetime):
        if from_time is not None:
            raise FactError(f"{name}(from_) is a time, and from_time another: give one of them")
        return 0, nanoseconds_of(from_, f"{name}(from_)")
    moment = None if from_time is None else nanoseconds_of(from_time, f"{name}(from_time)")
    if from_ is None and name == "tail":
        return None, moment
    if not isinstance(from_, int) or isinstance(from_, bool) or from_ < 0:
        text = f"{name}(from_) is {from_!r}: give an offset >= 0, or an aware datetime"
        raise FactError(text)
    return from_, moment
