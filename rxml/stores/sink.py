"""SinkStage: writes rows that become visible with the checkpoint behind them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from typing_extensions import override

from rxml.batch import Row
from rxml.errors import CheckpointError, PipelineError
from rxml.flow.buffers.ready import Ready
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.dropping import dropped
from rxml.flow.stage import Stage
from rxml.flow.verdict import verdict
from rxml.stores.seeing_off import seen_off
from rxml.stores.session import SqlSession
from rxml.wire import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.checkpointing.store import Session
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription
    from rxml.stores.database import Database
    from rxml.stores.ledger import Ledger

_Written: TypeAlias = "tuple[int, Exception | None]"
"""How many elements were stored, and why the next one was not."""


class SinkStage(Stage[Any]):
    """One chunk at a time: asked for, written, and handed on (a `TransactionalSink`).

    Args:
        database: of the store that the run must have its checkpoints in.
        table: a checked word.
    """

    def __init__(self, env: Env, node: Node, database: Database, table: str) -> None:
        super().__init__(env, node)
        self._database = database
        self._table = table
        self._session: SqlSession | None = None
        self._number = 0
        self._made = False
        self._inlet: Subscription[Any] | None = None
        self._chunk: Chunk[Any] | None = None
        self._writing: asyncio.Future[_Written] | None = None
        self._error: Exception | None = None
        self._ready = Ready()
        self.meter.gauge = self._held

    def _held(self) -> tuple[int, float | None]:
        return self._ready.size + (0 if self._chunk is None else len(self._chunk)), None

    def join(self, session: Session, number: int) -> None:
        """See `TransactionalSink.join`."""
        if not isinstance(session, SqlSession) or session.database is not self._database:
            raise CheckpointError(
                f"{self.node.spec.name} commits with the checkpoints of its own store, but the run has them in another: "
                "give run(checkpoint=) the store that the sink is of"
            )
        self._session, self._number = session, number + 1

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._session is None:
            raise PipelineError(self._alone())
        if self._inlet is None:
            self._inlet = self.env.open(self.node.sources[0])
        if not self._made:
            await self._write((), self._session)
            self._writing, self._made = None, True
        while not self._ready:
            if self._error is not None:
                raise self._error
            if self._chunk is None:
                self._chunk = await self._inlet.request(min(n, CHUNK))
            if self._chunk.end:
                return END
            await self._take(self._chunk, self._session)
        return self._ready.take(n)

    def _alone(self) -> str:
        name = self.node.spec.name
        if self.env.owner is not None:
            return (
                f"{name} stands in a flow that is made while the run goes on, which is in no checkpoint: put it into the "
                "pipeline itself, such as behind the flat_map"
            )
        return f"{name} commits with checkpoints, and this run has none: run(checkpoint=store)"

    async def _take(self, chunk: Chunk[Any], session: SqlSession) -> None:
        """Write a chunk, up to an element that cannot be stored, about which the supervisor decides."""
        count, error = 0, None
        if len(chunk.elements):
            count, error = await self._write(chunk.elements, session)
            self._writing = None
        done, rest = chunk.split(count)
        self._chunk = rest if len(rest) else None
        self._ready.put(done)
        if error is not None:
            self._chunk = rest.part(1, len(rest))
            context = None if rest.contexts is None else rest.contexts[0]
            self._error = verdict(self.env, self.node, error, rest.elements[0], context)
        elif chunk.barrier is not None:
            self._number = chunk.barrier + 1

    async def _write(self, elements: Sequence[Any], session: SqlSession) -> _Written:
        if self._writing is None:
            write = partial(self._stored, elements, session, self._number)
            self._writing = self._database.submit(write)
        await asyncio.wait([self._writing])  # which goes on if this is cancelled
        return self._writing.result()

    def _stored(
        self, elements: Sequence[Any], session: SqlSession, number: int, ledger: Ledger
    ) -> _Written:
        values, error = self._values(elements)
        with ledger.transaction(session.pipeline):
            session.require_hold(ledger)
            if not self._made:
                ledger.make(self._table)
            ledger.insert(self._table, session.pipeline, number, values)
        return len(values), error

    def _values(self, elements: Sequence[Any]) -> tuple[list[bytes], Exception | None]:
        """The elements as values of rows, up to one that cannot be stored, and why it cannot."""
        values: list[bytes] = []
        for element in elements:
            try:
                values.append(dumps(dict(element) if isinstance(element, Row) else element))
            except Exception as error:  # noqa: BLE001 - the supervisor decides
                failure = CheckpointError(
                    f"{self.node.spec.name} cannot store {element!r}: {error}"
                )
                failure.__cause__ = error
                return values, failure
        return values, None

    @override
    async def release(self) -> None:
        cancels = [] if self._inlet is None else [self._inlet.cancel]
        await self.release_all(self._see_off, self._let_go, *cancels)

    async def _see_off(self) -> None:
        await seen_off(self._writing, self.env)

    async def _let_go(self) -> None:
        chunk, self._chunk = self._chunk, None
        self.meter.dropped += self._ready.clear() + (0 if chunk is None else dropped(chunk))
