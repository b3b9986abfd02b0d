"""SqliteSession: one run's hold on a pipeline in a SqliteStore."""

from __future__ import annotations

from dataclasses import replace
from secrets import randbits
from typing import TYPE_CHECKING, Any

from rxml.stores.database import transaction
from rxml.stores.packing import packed, parts_of, unpacked
from rxml.stores.schema import commit, drop_behind, require_hold

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from rxml.flow.checkpointing.store import Admit, Saved
    from rxml.stores.database import Database


class SqliteSession:
    """One run's hold on a pipeline (a `Session`).

    Args:
        database: is leased for it.
        pipeline: its name.
        keep: checkpoints that are kept.

    Attributes:
        database: see above.
        pipeline: see above.
        owner: by which the run is known in the file.
        saved: see `Session`.
        states: see `Session`.
    """

    def __init__(self, database: Database, pipeline: str, keep: int) -> None:
        self.database: Database = database
        self.pipeline: str = pipeline
        self.owner: int = randbits(62)
        self.saved: Saved | None = None
        self.states: Mapping[int, Any] = {}
        self._keep = keep
        self._closed = False

    async def take_over(self, admit: Admit) -> None:
        """Become the owner, unless the newest checkpoint is refused."""
        await self.database.submit(lambda sql: self._take_over(sql, admit))

    def _take_over(self, sql: sqlite3.Connection, admit: Admit) -> None:
        """What takes long, and may be refused, is done before the file is locked; if it is still the newest, that was it."""
        while True:
            saved = _newest(sql, self.pipeline)
            if saved is not None:
                self.states = parts_of(saved, f"checkpoint {saved.number} of {self.pipeline!r}")
                admit(saved, self.states)
            number = 0 if saved is None else saved.number
            with transaction(sql):
                if _newest_number(sql, self.pipeline) == number:
                    self._own(sql)
                    self.saved = saved
                    return

    def _own(self, sql: sqlite3.Connection) -> None:
        """Become the owner, and throw away what was not committed."""
        (committed,) = sql.execute(
            "INSERT INTO _rxml_pipelines VALUES (?,?,0) ON CONFLICT (name) DO UPDATE SET owner=excluded.owner "
            "RETURNING committed",
            (self.pipeline, self.owner),
        ).fetchone()
        drop_behind(sql, self.pipeline, committed)

    async def commit(self, saved: Saved) -> None:
        """See `Session.commit`."""
        await self.database.submit(lambda sql: self._commit(sql, saved))

    def _commit(self, sql: sqlite3.Connection, saved: Saved) -> None:
        data = packed(saved)
        sql.execute("PRAGMA synchronous=FULL")
        try:
            with transaction(sql):
                require_hold(sql, self.pipeline, self.owner)
                self._store(sql, saved, data)
        finally:
            sql.execute("PRAGMA synchronous=NORMAL")

    def _store(self, sql: sqlite3.Connection, saved: Saved, data: bytes) -> None:
        """The end may have overtaken a barrier: then what came behind that is done, too."""
        name, number = self.pipeline, saved.number
        last = number + 1 if saved.complete else number
        sql.execute("UPDATE _rxml_pipelines SET committed=? WHERE name=?", (last, name))
        sql.execute("INSERT INTO _rxml_checkpoints VALUES (?,?,?)", (name, number, data))
        sql.execute(
            "DELETE FROM _rxml_checkpoints WHERE pipeline=? AND number<=?",
            (name, number - self._keep),
        )
        for each in range(number, last + 1):
            commit(sql, name, each)

    async def close(self) -> None:
        """See `Session.close`."""
        if not self._closed:
            self._closed = True
            await self.database.leave()


def _newest(sql: sqlite3.Connection, pipeline: str) -> Saved | None:
    found = sql.execute(
        "SELECT number, data FROM _rxml_checkpoints WHERE pipeline=? ORDER BY number DESC LIMIT 1",
        (pipeline,),
    ).fetchone()
    if found is None:
        return None
    return replace(unpacked(found[1], f"checkpoint {found[0]} of {pipeline!r}"), number=found[0])


def _newest_number(sql: sqlite3.Connection, pipeline: str) -> int:
    number: int = sql.execute(
        "SELECT coalesce(max(number), 0) FROM _rxml_checkpoints WHERE pipeline=?", (pipeline,)
    ).fetchone()[0]
    return number


def forget(sql: sqlite3.Connection, pipeline: str) -> None:
    """Take everything of a pipeline away."""
    with transaction(sql):
        drop_behind(sql, pipeline, 0)
        for table in ("checkpoints", "commits"):
            sql.execute(f"DELETE FROM _rxml_{table} WHERE pipeline=?", (pipeline,))  # noqa: S608 - a word of ours
        sql.execute("DELETE FROM _rxml_pipelines WHERE name=?", (pipeline,))
