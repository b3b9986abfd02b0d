"""RowsStage: the committed rows of a sink, read by demand."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from typing_extensions import override

from rxml.errors import CheckpointError
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.stage import Stage
from rxml.stores.packing import decoded
from rxml.stores.seeing_off import seen_off

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.stores.database import Database
    from rxml.stores.ledger import Ledger

_Row: TypeAlias = tuple[int, int, Any]
"""The commit that it came with, its id, and its value."""


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
        self._last = (0, 0)
        self._reading: asyncio.Future[list[_Row] | None] | None = None
        self._drained = False
        self._delist = env.enlist(self._finish)

    def _finish(self) -> None:
        self._drained = True

    @override
    def position(self) -> list[int]:
        return list(self._last)

    @override
    def seek(self, position: list[int]) -> None:
        seq, row = position
        self._last = seq, row

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if not self._leased:
            self._database.lease_to_look()
            self._leased = True
        if self._drained:
            return END
        if self._reading is None:
            read = partial(self._read, *self._last, min(n, CHUNK))
            self._reading = self._database.look(read, None)
        await asyncio.wait([self._reading])  # which goes on if this is cancelled
        found, self._reading = self._reading.result(), None
        if found is None and self._last[0]:
            raise self._gone()
        if not found:
            return END
        rows = found[:n]  # they may have been read for an earlier request, which wanted more
        self._last = rows[-1][:2]
        return Chunk([value for _, _, value in rows])

    def _read(self, seq: int, row: int, n: int, ledger: Ledger) -> list[_Row] | None:
        rows = ledger.after(self._table, seq, row, n)
        if rows is None:
            return None
        where = f"of {self._table}"
        return [(seq, row, decoded(value, f"row {row} {where}")) for seq, row, value in rows]

    def _gone(self) -> CheckpointError:
        return CheckpointError(
            f"{self.node.spec.name}: the row {self._last[1]}, behind which it is to go on, is not there any more: the "
            "pipeline that wrote it was forgotten, or the file is another one. Forget what reads it, too: "
            "await store.forget(name)"
        )

    @override
    async def release(self) -> None:
        self._delist()
        await self.release_all(self._see_off, self._leave)

    async def _see_off(self) -> None:
        await seen_off(self._reading, self.env)

    async def _leave(self) -> None:
        if self._leased:
            await self._database.leave()
