"""SqliteStore: checkpoints, and the rows of sinks that are committed with them, in one SQLite file.

A row is written as it comes, under the number of the checkpoint that it will belong to, and is seen only once that is
committed. So nothing piles up in memory between two checkpoints, no transaction stays open, and what a run that died
had written since the last checkpoint is thrown away by the next one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from secrets import randbits
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import PipelineError
from rxml.flow.kinds import label, source, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.timing.duration import seconds_of
from rxml.stores.database import Database, taken, transaction
from rxml.stores.packing import decoded, encoded, packed, unpacked
from rxml.stores.rows import RowsStage
from rxml.stores.sink import SinkStage

if TYPE_CHECKING:
    import sqlite3

    from rxml.flow.checkpointing.store import Saved
    from rxml.flow.flowable import Flowable
    from rxml.flow.shapes import Same
    from rxml.flow.timing.duration import Duration

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


class SqliteStore:
    """Keeps checkpoints in a SQLite file (WAL), which may hold several pipelines, by name.

    The file is opened when a run begins and closed with the last run that uses it; all work is done in a thread of its
    own. A checkpoint is on the disk when it is committed, whatever happens to the machine then.

    Args:
        path: of the file; it is made if there is none. `-wal` and `-shm` files stand beside it.
        keep: checkpoints of each pipeline that are kept, >= 1.
        wait: how long another program may keep the file locked, as a duration.

    Attributes:
        owners: by which the runs that have begun through this object are told from others, by pipeline.

    Raises:
        ValueError: `keep` below 1.
    """

    def __init__(self, path: str | Path, *, keep: int = 3, wait: Duration = 5.0) -> None:
        if keep < 1:
            raise ValueError(f"SqliteStore(keep=) wants an int >= 1, got {keep!r}")
        self.path: Path = Path(path)
        self.owners: dict[str, int] = {}
        self.database: Database = Database(self.path, seconds_of(wait, "SqliteStore(wait)"))
        self._keep = keep

    def encode(self, value: Any) -> bytes:
        """See `Store.encode`."""
        return encoded(value)

    def decode(self, data: bytes) -> Any:
        """See `Store.decode`."""
        return decoded(data, f"a part of a checkpoint in {self.path}")

    async def begin(self, pipeline: str) -> SqliteSession:
        """See `Store.begin`."""
        await self.database.lease()
        owner = randbits(62)
        try:
            saved = await self.database.submit(lambda sql: _taken_over(sql, pipeline, owner))
        except BaseException:
            await self.database.leave()
            raise
        self.owners[pipeline] = owner
        return SqliteSession(self, pipeline, owner, saved, self._keep)

    async def forget(self, pipeline: str = "main") -> None:
        """Forget the checkpoints of a pipeline and the rows of its sinks: it begins anew, as if it had never run."""
        await self.database.lease()
        try:
            await self.database.submit(lambda sql: _forget(sql, pipeline))
        finally:
            await self.database.leave()

    def sink(self, table: str) -> Same:
        """An operator that lets elements through and stores each as a row: once, whatever happens in between.

        Rows become visible with the checkpoint behind them; the run must have its checkpoints in this store. In SQL they
        are in a view of that name: `id`, `pipeline`, and `value` as a message of `rxml.wire`.

        Demand: n elements for n.
        Buffers: one chunk, while it is written.
        Emits: each element, once it is written.

        Args:
            table: a word of letters, digits and underscores, which begins with a letter.

        Raises:
            PipelineError: no such word; or, when it runs, checkpoints that are not in this store.
            CheckpointError: when it runs: it cannot be written, or another run has taken the pipeline over.
        """
        _require_table("sink", table)
        return stage(
            label("sink", table),
            lambda env, node: SinkStage(env, node, self, table),
            cardinality=Cardinality.ONE,
            checkpointing=Checkpointing.STORES,
        )

    def read(self, table: str) -> Flowable[Any]:
        """The committed rows of a sink, in the order in which they were written, by demand; tuples come back as lists.

        Args:
            table: see `sink`; nothing comes of one that does not exist yet.

        Raises:
            PipelineError: no such word.
            CheckpointError: at the first request: it cannot be read.
        """
        _require_table("read", table)
        return source(
            label("read", table),
            lambda env, node: RowsStage(env, node, self.database, table),
            checkpointing=Checkpointing.SAVED,
        )


class SqliteSession:
    """One run's hold on a pipeline (a `Session`)."""

    def __init__(
        self, store: SqliteStore, pipeline: str, owner: int, saved: Saved | None, keep: int
    ) -> None:
        self.saved: Saved | None = saved
        self._database = store.database
        self._pipeline = pipeline
        self._owner = owner
        self._keep = keep
        self._closed = False

    async def commit(self, saved: Saved) -> None:
        """See `Session.commit`."""
        await self._database.submit(lambda sql: self._commit(sql, saved))

    def _commit(self, sql: sqlite3.Connection, saved: Saved) -> None:
        pipeline = self._pipeline
        data = packed(saved)
        sql.execute("PRAGMA synchronous=FULL")
        try:
            with transaction(sql):
                mine = sql.execute(
                    "UPDATE pipelines SET committed=? WHERE name=? AND owner=?",
                    (saved.number, pipeline, self._owner),
                )
                if mine.rowcount != 1:
                    raise taken(pipeline)
                sql.execute(
                    "INSERT INTO checkpoints VALUES (?,?,?)", (pipeline, saved.number, data)
                )
                sql.execute(
                    "DELETE FROM checkpoints WHERE pipeline=? AND number<=?",
                    (pipeline, saved.number - self._keep),
                )
        finally:
            sql.execute("PRAGMA synchronous=NORMAL")

    async def close(self) -> None:
        """See `Session.close`."""
        if not self._closed:
            self._closed = True
            await self._database.leave()


def _taken_over(sql: sqlite3.Connection, pipeline: str, owner: int) -> Saved | None:
    """Become the owner of a pipeline, throw away what was not committed, and give the newest checkpoint."""
    with transaction(sql):
        sql.execute(
            "INSERT INTO pipelines VALUES (?,?,0) ON CONFLICT (name) DO UPDATE SET owner=excluded.owner",
            (pipeline, owner),
        )
        for (name,) in sql.execute("SELECT name FROM sinks").fetchall():
            sql.execute(
                f'DELETE FROM "rows_{name}" WHERE pipeline=? AND number > '  # noqa: S608 - a checked word
                "(SELECT committed FROM pipelines WHERE pipelines.name=?)",
                (pipeline, pipeline),
            )
        found = sql.execute(
            "SELECT number, data FROM checkpoints WHERE pipeline=? ORDER BY number DESC LIMIT 1",
            (pipeline,),
        ).fetchone()
    if found is None:
        return None
    return replace(unpacked(found[1], f"checkpoint {found[0]} of {pipeline!r}"), number=found[0])


def _forget(sql: sqlite3.Connection, pipeline: str) -> None:
    with transaction(sql):
        for (name,) in sql.execute("SELECT name FROM sinks").fetchall():
            sql.execute(f'DELETE FROM "rows_{name}" WHERE pipeline=?', (pipeline,))  # noqa: S608 - a checked word
        sql.execute("DELETE FROM checkpoints WHERE pipeline=?", (pipeline,))
        sql.execute("DELETE FROM pipelines WHERE name=?", (pipeline,))


def _require_table(what: str, table: object) -> None:
    if not isinstance(table, str) or _NAME.fullmatch(table) is None:
        raise PipelineError(
            f"{what}(table) wants a word of letters, digits and underscores that begins with a letter, got {table!r}"
        )
