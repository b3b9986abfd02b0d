"""A store's SQLite file: how it is opened, what is in it, and what its errors mean."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from typing_extensions import override

from rxml.errors import CheckpointError, CheckpointVersionError
from rxml.stores.ledger import Ledger, rows_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

FORMAT: Final = 1
"""The version of the file's format, in `PRAGMA user_version`."""

_APPLICATION: Final = 0x7278636B  # "rxck"
_FACTS: Final = 0x72786D66  # "rxmf"
_WHOLE: Final = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_PART: Final = ("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS _rxml_pipelines (
    name TEXT PRIMARY KEY, owner INTEGER NOT NULL, committed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _rxml_checkpoints (
    pipeline TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (pipeline, number)
);
CREATE TABLE IF NOT EXISTS _rxml_commits (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, number INTEGER NOT NULL,
    UNIQUE (pipeline, number)
);
CREATE TABLE IF NOT EXISTS _rxml_sinks (name TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID
"""


class SqliteLedger(Ledger):
    """Keeps it in SQLite.

    Args:
        connection: without transactions of its own (`isolation_level=None`), to a database that has `SCHEMA`.
    """

    inner_join: ClassVar[str] = "CROSS JOIN"  # keeps the order of the loops

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection: sqlite3.Connection = connection

    @property
    @override
    def alive(self) -> bool:
        return True

    @override
    def execute(self, text: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(text, values).fetchall()

    @override
    def transaction(
        self, pipeline: str, *, durable: bool = False
    ) -> AbstractContextManager[object]:
        return _durable(self.connection) if durable else transaction(self.connection)

    @override
    def make(self, table: str) -> None:
        rows = rows_of(table)
        self.execute(
            f"CREATE TABLE IF NOT EXISTS {rows} (id INTEGER PRIMARY KEY AUTOINCREMENT, "
            "pipeline TEXT NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL)"
        )
        index = f'"_rxml_number_{table}"'
        self.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {rows} (pipeline, number)")
        self.execute(
            f'CREATE VIEW IF NOT EXISTS "{table}" AS SELECT r.id, r.pipeline, r.value '  # noqa: S608 - a checked word
            f"FROM {self.committed(table)} ORDER BY c.seq, r.id"
        )
        self.execute("INSERT OR IGNORE INTO _rxml_sinks VALUES (?)", (table,))

    @override
    def insert(self, table: str, pipeline: str, number: int, values: Sequence[bytes]) -> None:
        text = f"INSERT INTO {rows_of(table)} (pipeline, number, value) VALUES (?,?,?)"  # noqa: S608 - a checked word
        self.connection.executemany(text, [(pipeline, number, value) for value in values])

    @override
    def stand_in_line(self) -> None:
        """Transactions that write are one behind the other in any case."""

    @override
    def close(self) -> None:
        self.connection.close()


class SqliteFile:
    """A database (a `Backend`) that is a file.

    Args:
        path: of the file.
        wait: seconds for which another program may keep it locked.
    """

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path
        self._wait = wait

    @property
    def name(self) -> str:
        """See `Backend.name`."""
        return str(self._path)

    def open(self, *, make: bool) -> SqliteLedger | None:
        """See `Backend.open`."""
        if not make and not self._path.exists():
            return None
        return SqliteLedger(_connected(self._path, self._wait))

    def explained(self) -> AbstractContextManager[None]:
        """See `Backend.explained`."""
        return explained(self._path, self._wait)


def _connected(path: Path, wait: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if not _is_store(connection, path):
        connection.execute("PRAGMA journal_mode=WAL")
        with transaction(connection):
            if not _is_store(connection, path):  # another one may have been quicker
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id={_APPLICATION}")
                connection.execute(f"PRAGMA user_version={FORMAT}")
    connection.execute("PRAGMA synchronous=NORMAL")


def _is_store(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is a store of this format; False if there is nothing yet."""
    application, version, tables = (
        connection.execute(question).fetchone()[0]
        for question in (
            "PRAGMA application_id",
            "PRAGMA user_version",
            "SELECT count(*) FROM sqlite_schema",
        )
    )
    if application == version == tables == 0:
        return False
    if application == _FACTS:
        raise CheckpointError(
            f"{path} is a fact log: to keep checkpoints in it, give run(checkpoint=) FactLog(...).checkpoints()"
        )
    if application != _APPLICATION:
        raise CheckpointError(
            f"{path} is a database, but no store of checkpoints: choose another path"
        )
    if version > FORMAT:
        raise CheckpointVersionError(
            f"{path} has format {version}, this rxml knows formats up to {FORMAT}: upgrade rxml"
        )
    return True


@contextmanager
def _durable(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("PRAGMA synchronous=FULL")
    try:
        with transaction(connection):
            yield
    finally:
        connection.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All or nothing; within another transaction, of that one's."""
    begin, end, undo = _PART if connection.in_transaction else _WHOLE
    connection.execute(begin)
    try:
        yield
        connection.execute(end)
    except BaseException:
        if connection.in_transaction:
            for each in undo:
                connection.execute(each)
        raise


@contextmanager
def explained(path: Path, wait: float) -> Generator[None]:
    """Turns what SQLite says into errors that say what would be right."""
    try:
        yield
    except sqlite3.Error as error:
        raise CheckpointError(f"{path} {_explanation(path, error, wait)}") from error


def _explanation(path: Path, error: sqlite3.Error, wait: float) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code == sqlite3.SQLITE_CANTOPEN:
        missing = not path.parent.is_dir()
        return f"cannot be opened: {'there is no such directory' if missing else error}"
    texts = {
        sqlite3.SQLITE_FULL: "could not be written, the disk is full; the checkpoint before is as it was: make room",
        sqlite3.SQLITE_CORRUPT: f"is damaged: {error}",
        sqlite3.SQLITE_NOTADB: f"is no database, or damaged: {error}",
        sqlite3.SQLITE_READONLY: f"cannot be written to: {error}",
        sqlite3.SQLITE_BUSY: f"was kept locked by another program for {wait:g} seconds",
        sqlite3.SQLITE_LOCKED: f"was kept locked by another program for {wait:g} seconds",
    }
    return texts.get(code, f"cannot be used: {error}")
