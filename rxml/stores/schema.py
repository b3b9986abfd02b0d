"""Schema: the tables of a store. Their names begin with an underscore, which those of sinks do not.

Rows lie in a table for each sink, under the number of the checkpoint that they belong to. What is committed has an entry
in `_rxml_commits`, whose `seq` is the order in which that was: by it rows are read, since ids are given when rows are
written, and two pipelines that write into one table may commit the other way round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.errors import CheckpointError

if TYPE_CHECKING:
    import sqlite3

SCHEMA: Final = """
CREATE TABLE _rxml_pipelines (
    name TEXT PRIMARY KEY, owner INTEGER NOT NULL, committed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE _rxml_checkpoints (
    pipeline TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (pipeline, number)
);
CREATE TABLE _rxml_commits (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, number INTEGER NOT NULL,
    UNIQUE (pipeline, number)
);
CREATE TABLE _rxml_sinks (name TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID
"""


def make(sql: sqlite3.Connection, table: str) -> None:
    """The table of a sink with its view, unless it is there."""
    rows = _rows(table)
    sql.execute(
        f"CREATE TABLE IF NOT EXISTS {rows} "
        "(id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL)"
    )
    sql.execute(f'CREATE INDEX IF NOT EXISTS "_rxml_number_{table}" ON {rows} (pipeline, number)')
    sql.execute(
        f'CREATE VIEW IF NOT EXISTS "{table}" AS SELECT r.id, r.pipeline, r.value '  # noqa: S608 - a checked word
        f"FROM {_committed(table)} ORDER BY c.seq, r.id"
    )
    sql.execute("INSERT OR IGNORE INTO _rxml_sinks VALUES (?)", (table,))


def insert(sql: sqlite3.Connection, table: str, rows: list[tuple[str, int, bytes]]) -> None:
    """Add rows: pipeline, number of the checkpoint that they belong to, and value."""
    statement = f"INSERT INTO {_rows(table)} (pipeline, number, value) VALUES (?,?,?)"  # noqa: S608 - a checked word
    sql.executemany(statement, rows)


def commit(sql: sqlite3.Connection, pipeline: str, number: int) -> None:
    """Show the rows that belong to a checkpoint."""
    for rows in _all_rows(sql):
        found = f"SELECT 1 FROM {rows} WHERE pipeline=? AND number=? LIMIT 1"  # noqa: S608 - a checked word
        if sql.execute(found, (pipeline, number)).fetchone():
            sql.execute(
                "INSERT INTO _rxml_commits (pipeline, number) VALUES (?,?)", (pipeline, number)
            )
            return


def drop_behind(sql: sqlite3.Connection, pipeline: str, number: int) -> None:
    """Throw away the rows of all checkpoints of a pipeline behind that number."""
    for rows in _all_rows(sql):
        sql.execute(f"DELETE FROM {rows} WHERE pipeline=? AND number>?", (pipeline, number))  # noqa: S608 - a checked word


def after(
    sql: sqlite3.Connection, table: str, seq: int, row: int, n: int
) -> list[tuple[int, int, bytes]] | None:
    """The next committed rows: `seq`, id and value; None if there is no such row to go on from, unless it is (0, 0)."""
    if not sql.execute("SELECT 1 FROM _rxml_sinks WHERE name=?", (table,)).fetchone():
        return None if seq else []
    ask = f"SELECT c.seq, r.id, r.value FROM {_committed(table)} WHERE "  # noqa: S608 - a checked word
    if seq and not sql.execute(f"{ask} c.seq=? AND r.id=?", (seq, row)).fetchone():
        return None
    found = sql.execute(f"{ask} c.seq=? AND r.id>? ORDER BY r.id LIMIT ?", (seq, row, n)).fetchall()
    rest = sql.execute(
        f"{ask} c.seq>? ORDER BY c.seq, r.id LIMIT ?", (seq, n - len(found))
    ).fetchall()
    return found + rest


def require_hold(sql: sqlite3.Connection, pipeline: str, owner: int) -> None:
    """Raises a CheckpointError if the pipeline is not that owner's any more."""
    found: Any = sql.execute(
        "SELECT owner FROM _rxml_pipelines WHERE name=?", (pipeline,)
    ).fetchone()
    if found is None:
        raise forgotten(pipeline)
    if found[0] != owner:
        raise taken(pipeline)


def taken(pipeline: str) -> CheckpointError:
    """What is wrong if another run has begun."""
    return CheckpointError(
        f"another run of {pipeline!r} has begun in this store and goes on from the last checkpoint; this one ends"
    )


def forgotten(pipeline: str) -> CheckpointError:
    """What is wrong if a pipeline was forgotten while it ran."""
    return CheckpointError(
        f"the pipeline {pipeline!r} was forgotten in this store while this run went on; it ends, and the next begins anew"
    )


def _rows(table: str) -> str:
    return f'"_rxml_rows_{table}"'


def _all_rows(sql: sqlite3.Connection) -> list[str]:
    return [_rows(name) for (name,) in sql.execute("SELECT name FROM _rxml_sinks").fetchall()]


def _committed(table: str) -> str:
    """CROSS JOIN keeps the order of the loops: so rows come in the order of commits without being sorted."""
    return (
        f"_rxml_commits AS c CROSS JOIN {_rows(table)} AS r "
        "ON r.pipeline = c.pipeline AND r.number = c.number"
    )
