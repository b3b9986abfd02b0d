"""AppendStage: hands each chunk to the log's thread, and gives what became of its elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.facts.joining import LogSession
from rxml.facts.outcome import Outcome
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.context import drop
from rxml.flow.scope import finished
from rxml.flow.stage import Stage
from rxml.stores.seeing_off import seen_off

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from rxml.facts.outcome import Outcomes
    from rxml.flow.checkpointing.store import Session
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class AppendStage(Stage[Outcome]):
    """One chunk at a time: asked for, written in one transaction, and its outcomes handed out.

    A chunk that has been handed to the thread is written, whatever happens to the stream; outcomes that nobody takes any
    more count as dropped. In a run whose checkpoints are in the log, chunks are parts of the next checkpoint (a
    `TransactionalSink`): what comes behind a barrier waits until that is committed.

    Args:
        log: that is written to.
        begin: starts writing the elements of a chunk, with the checkpoints of a run or at once, and gives the future of
            their outcomes.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        log: object,
        begin: Callable[[Any, LogSession | None], asyncio.Future[Outcomes]],
    ) -> None:
        super().__init__(env, node)
        self._log = log
        self._begin = begin
        self._run: LogSession | None = None
        self._barrier = 0
        self._inlet: Subscription[Any] | None = None
        self._chunk: Chunk[Any] | None = None
        self._writing: asyncio.Future[Outcomes] | None = None
        self._ready: Chunk[Outcome] | None = None
        self.meter.gauge = self._held

    def _held(self) -> tuple[int, float | None]:
        held = [each for each in (self._chunk, self._ready) if each is not None]
        return sum(map(len, held)), None

    def join(self, session: Session, number: int) -> None:
        """See `TransactionalSink.join`; elsewhere than in this log, checkpoints are no matter here."""
        if isinstance(session, LogSession) and session.log is self._log:
            session.appends = True
            self._run, self._barrier = session, number

    @override
    def now(self, n: int) -> Chunk[Outcome] | None:
        ready = self._ready
        if ready is None:
            return None
        if len(ready) <= n:
            self._ready = None
            return ready
        given, self._ready = ready.split(n)
        return given

    @override
    async def pull(self, n: int) -> Chunk[Outcome]:
        if self._inlet is None:
            self._inlet = self.env.open(self.node.sources[0])
        if self._chunk is None:
            chunk = await self._inlet.request(min(n, CHUNK))
            if not len(chunk.elements):
                self._pass(chunk)
                return END if chunk.end else Chunk((), **chunk.signals())
            self._chunk = chunk
        if self._writing is None:
            if self._run is not None:
                await self._run.passed(self._barrier)
            self._writing = self._begin(self._chunk.elements, self._run)
        await finished(self._writing)
        self._ready = self._written(self._chunk, self._writing.result())
        self._chunk = self._writing = None
        return self.now(n) or END

    def _written(self, chunk: Chunk[Any], outcomes: Outcomes) -> Chunk[Outcome]:
        self._pass(chunk)
        return Chunk(outcomes, chunk.contexts, **chunk.signals())

    def _pass(self, chunk: Chunk[Any]) -> None:
        if chunk.barrier is not None:
            self._barrier = chunk.barrier

    @override
    async def release(self) -> None:
        cancels = [] if self._inlet is None else [self._inlet.cancel]
        await self.release_all(self._see_off, self._let_go, *cancels)

    async def _see_off(self) -> None:
        await seen_off(self._writing, self.env)

    async def _let_go(self) -> None:
        for chunk in (self._chunk, self._ready):
            if chunk is not None:
                self.meter.dropped += len(chunk)
                drop(chunk.contexts or ())
        self._chunk = self._ready = None
