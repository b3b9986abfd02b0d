"""RowsStage: the committed rows of a sink, read by demand."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.buffers.ready import Ready
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.stage import Stage
from rxml.stores.packing import decoded

if TYPE_CHECKING:
    import sqlite3

    from rxml.flow.node import Env, Node
    from rxml.stores.database import Database


class RowsStage(Stage[Any]):
    """Reads as many rows as are wanted; ends when there are none behind the last.

    Args:
        database: where they are.
        table: a checked word.
    """

    def __init__(self, env: Env, node: Node, database: Database, table: str) -> None:
        super().__init__(env, node)
        self._database = database
        self._table = table
        self._leased = False
        self._last = 0
        self._reading: asyncio.Future[list[tuple[int, bytes]]] | None = None
        self._drained = False
        self._ready = Ready()
        self._delist = env.enlist(self._finish)
        self.meter.gauge = self._ready.gauge

    def _finish(self) -> None:
        self._drained = True

    @override
    def position(self) -> int:
        return self._last

    @override
    def seek(self, position: int) -> None:
        self._last = position

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if not self._leased:
            await self._database.lease()
            self._leased = True
        if self._drained:
            return END
        if self._reading is None:
            self._reading = self._database.submit(partial(self._read, self._last, min(n, CHUNK)))
        await asyncio.wait([self._reading])  # which goes on if this is cancelled
        rows, self._reading = self._reading.result(), None
        if not rows:
            return END
        self._ready.put(
            Chunk([decoded(value, f"row {key} of {self._table}") for key, value in rows])
        )
        chunk = self._ready.take(n)
        self._last = rows[len(chunk.elements) - 1][0]
        self._ready.clear()
        return chunk

    def _read(self, last: int, n: int, sql: sqlite3.Connection) -> list[tuple[int, bytes]]:
        if not sql.execute("SELECT 1 FROM sinks WHERE name=?", (self._table,)).fetchone():
            return []
        return sql.execute(
            f'SELECT id, value FROM "{self._table}" WHERE id>? ORDER BY id LIMIT ?',  # noqa: S608 - a checked word
            (last, n),
        ).fetchall()

    @override
    async def release(self) -> None:
        self._delist()
        if self._leased:
            await self._database.leave()
