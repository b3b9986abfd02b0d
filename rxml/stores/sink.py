"""SinkStage: writes rows that become visible with the checkpoint behind them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from rxml.batch import Row
from rxml.errors import CheckpointError, PipelineError
from rxml.flow.buffers.ready import Ready
from rxml.flow.checkpointing.store import Store
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.dropping import dropped
from rxml.flow.scope import settled
from rxml.flow.stage import Stage
from rxml.stores.database import taken, transaction
from rxml.wire import dumps

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription
    from rxml.stores.database import Database


class Owned(Store, Protocol):
    """What a sink needs of its store."""

    @property
    def database(self) -> Database:
        """Where the rows go."""
        ...

    @property
    def owners(self) -> Mapping[str, int]:
        """By which the run of a pipeline is known."""
        ...


class SinkStage(Stage[Any]):
    """One chunk at a time: asked for, written, and handed on (a `TransactionalSink`).

    Args:
        store: that the run must have its checkpoints in.
        table: a checked word.
    """

    def __init__(self, env: Env, node: Node, store: Owned, table: str) -> None:
        super().__init__(env, node)
        self._store = store
        self._database = store.database
        self._owner = 0
        self._table = table
        self._pipeline: str | None = None
        self._number = 0
        self._made = False
        self._inlet: Subscription[Any] | None = None
        self._chunk: Chunk[Any] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._ready = Ready()
        self.meter.gauge = self._held

    def _held(self) -> tuple[int, float | None]:
        return self._ready.size + (0 if self._chunk is None else len(self._chunk)), None

    def join(self, store: Store, pipeline: str, number: int) -> None:
        """See `TransactionalSink.join`."""
        if store is not self._store:
            raise CheckpointError(
                f"{self.node.spec.name} commits with the checkpoints of its own store, but the run has them in another: "
                "give run(checkpoint=) the store that the sink is of"
            )
        self._owner = self._store.owners[pipeline]
        self._pipeline, self._number = pipeline, number + 1

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._pipeline is None:
            raise PipelineError(
                f"{self.node.spec.name} commits with checkpoints, and this run has none: run(checkpoint=store)"
            )
        if self._inlet is None:
            self._inlet = self.env.open(self.node.sources[0])
        if not self._ready:
            if self._chunk is None:
                self._chunk = await self._inlet.request(min(n, CHUNK))
            chunk = self._chunk
            if chunk.end:
                return END
            await self._write(chunk, self._pipeline)
            self._chunk = self._writing = None
            self._ready.put(chunk)
            if chunk.barrier is not None:
                self._number = chunk.barrier + 1
        return self._ready.take(n)

    async def _write(self, chunk: Chunk[Any], pipeline: str) -> None:
        if not len(chunk.elements):
            return
        if self._writing is None:
            write = partial(self._stored, chunk.elements, pipeline, self._number)
            self._writing = self._database.submit(write)
        await asyncio.wait([self._writing])  # which goes on if this is cancelled
        self._writing.result()

    def _stored(self, elements: Any, pipeline: str, number: int, sql: sqlite3.Connection) -> None:
        rows = [(pipeline, number, _message(self.node, each)) for each in elements]
        with transaction(sql):
            if not self._made:
                _make(sql, self._table)
                self._made = True
            mine = (pipeline, self._owner)
            if not sql.execute("SELECT 1 FROM pipelines WHERE name=? AND owner=?", mine).fetchone():
                raise taken(pipeline)
            sql.executemany(
                f'INSERT INTO "rows_{self._table}" (pipeline, number, value) VALUES (?,?,?)',  # noqa: S608 - a checked word
                rows,
            )

    @override
    async def release(self) -> None:
        cancels = [] if self._inlet is None else [self._inlet.cancel]
        await self.release_all(self._see_off, self._let_go, *cancels)

    async def _see_off(self) -> None:
        if self._writing is not None:
            told = self._writing.done()
            await settled([self._writing])
            error = self._writing.exception()
            if error is not None and not told:
                self.env.report(error)

    async def _let_go(self) -> None:
        chunk, self._chunk = self._chunk, None
        self.meter.dropped += self._ready.clear() + (0 if chunk is None else dropped(chunk))


def _message(node: Node, element: Any) -> bytes:
    try:
        return dumps(dict(element) if isinstance(element, Row) else element)
    except ValueError as error:
        raise CheckpointError(f"{node.spec.name} cannot store {element!r}: {error}") from error


def _make(sql: sqlite3.Connection, table: str) -> None:
    """The table with its view, unless it is there."""
    sql.execute(
        f'CREATE TABLE IF NOT EXISTS "rows_{table}" '
        "(id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL)"
    )
    sql.execute(f'CREATE INDEX IF NOT EXISTS "newest_{table}" ON "rows_{table}" (pipeline, number)')
    sql.execute(
        f'CREATE VIEW IF NOT EXISTS "{table}" AS SELECT id, pipeline, value FROM "rows_{table}" AS r '  # noqa: S608
        "WHERE number <= (SELECT committed FROM pipelines AS p WHERE p.name = r.pipeline)"
    )
    sql.execute("INSERT OR IGNORE INTO sinks VALUES (?)", (table,))
