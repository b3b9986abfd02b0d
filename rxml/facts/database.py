"""The database under a log: how it is opened, what is in it, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from secrets import randbits
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from rxml.errors import (
    FactLogError,
    LogCorruptError,
    LogFullError,
    LogLockedError,
    LogReadOnlyError,
    LogVersionError,
)
from rxml.facts.lock import was_made
from rxml.stores.file import transaction

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

FORMAT: Final = 1
"""The version of the file's format, in `PRAGMA user_version`."""

_APPLICATION: Final = 0x72786D66  # "rxmf"
_PAGE: Final = 8192
_HEADER: Final = 100  # bytes that the shortest database begins with
_CHECKPOINT_PAGES: Final = 2000  # 16 MB of write-ahead log
_WAIT_SECONDS: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE chunks (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    min_event INTEGER NOT NULL, max_event INTEGER NOT NULL,
    min_arrival INTEGER NOT NULL, max_arrival INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    blob BLOB NOT NULL
);
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    first INTEGER NOT NULL, stop INTEGER NOT NULL,
    low BLOB NOT NULL, high BLOB NOT NULL,
    entries BLOB
);
CREATE TABLE marks (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


def connect(path: Path, *, read_only: bool, durable: bool = False) -> sqlite3.Connection:
    """A connection to the log at a path, which may be used by one thread at a time.

    Args:
        path: of the database.
        read_only: nothing can be written through it; else the log is made if there is none.
        durable: every transaction is on the disk before it is reported, not only at the next checkpoint.

    Raises:
        FactLogError: one of its children, which says what is wrong.
    """
    with explained(path):
        require_no_directory(path)
        _require_whole(path)
        if read_only and not path.exists():
            raise FactLogError(f"there is no fact log at {path}: append to one first")
        connection = sqlite3.connect(
            _address(path, read_only=read_only),
            uri=True,
            timeout=_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _prepare(connection, path, read_only=read_only, durable=durable)
        except BaseException:
            connection.close()
            raise
    return connection


def require_no_directory(path: Path) -> None:
    """Say what a directory is, if the path leads to one."""
    if path.is_dir():
        parts = (path / "partitions.json").exists()
        what = "the directory of a PartitionedLog: open it as that" if parts else "a directory"
        raise FactLogError(f"{path} is {what}" + ("" if parts else ": give the path of a file"))


def _require_whole(path: Path) -> None:
    """Refuse what SQLite takes for a new database, and what is left of an old one.

    A file of no bytes is fine if nobody has ever written to a log there: who makes names of files makes such files, too.
    """
    size = path.stat().st_size if path.exists() else _HEADER
    if 0 < size < _HEADER:
        raise LogCorruptError(f"{path} has {size} bytes: it is truncated, or no fact log")
    if not size and (was_made(path) or _has_more(path)):
        text = f"{path} is empty, but there was a log: it has been truncated"
        raise LogCorruptError(
            f"{text}; restore it, or remove it and what stands beside it (.lock, -wal, -shm) to begin anew"
        )


def _address(path: Path, *, read_only: bool) -> str:
    name = f"file:{quote(str(path.absolute()))}"
    if not read_only:
        return f"{name}?mode=rwc"
    # where nothing can be written, neither can what SQLite keeps beside a log that may change
    unchanging = not os.access(path.parent, os.W_OK) and not _has_more(path)
    return f"{name}?immutable=1" if unchanging else f"{name}?mode=ro"


def _has_more(path: Path) -> bool:
    """Whether a part of the log has not come into the file yet, so that somebody may be writing to it."""
    real = path.resolve()
    ahead = real.with_name(real.name + "-wal")
    return ahead.exists() and ahead.stat().st_size > 0


def _prepare(connection: sqlite3.Connection, path: Path, *, read_only: bool, durable: bool) -> None:
    if not read_only:
        connection.execute(durability(durable=durable))
    if not _is_log(connection, path):
        if read_only:
            raise LogCorruptError(f"{path} is empty: it is no fact log")
        connection.execute(f"PRAGMA page_size={_PAGE}")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # writes: so not where there is a log
        connection.execute("PRAGMA journal_mode=WAL")
        _create(connection, path)
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")


def durability(*, durable: bool) -> str:
    """The statement, for outside of transactions, by which they are on the disk when they are committed, or later."""
    return f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}"


def _is_log(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether it is a log of this format; False if there is nothing yet.

    Raises:
        LogVersionError: the format is newer.
        LogCorruptError: it is something else.
    """
    version = number_of(connection, "PRAGMA user_version")
    application = number_of(connection, "PRAGMA application_id")
    tables = number_of(connection, "SELECT count(*) FROM sqlite_schema")
    if version == application == tables == 0:
        return False
    if application != _APPLICATION:
        raise LogCorruptError(f"{path} is a database, but no fact log: choose another path")
    if version > FORMAT:
        text = f"{path} has format {version}, this rxml knows formats up to {FORMAT}"
        raise LogVersionError(f"{text}: upgrade rxml")
    return True


def _create(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        if _is_log(connection, path):  # another one was quicker
            return
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO numbers VALUES ('salt', ?)", (randbits(63),))
        connection.execute("INSERT INTO numbers VALUES ('floor', 0)")
        connection.execute(f"PRAGMA application_id={_APPLICATION}")
        connection.execute(f"PRAGMA user_version={FORMAT}")


def number_of(connection: sqlite3.Connection, question: str, *arguments: object) -> int:
    """The one number that a question has as its answer; nothing is 0."""
    row = connection.execute(question, arguments).fetchone()
    return int(row[0] or 0) if row is not None else 0


def give_back(connection: sqlite3.Connection) -> None:
    """Return free pages to the file system, as far as readers let it; the file is shorter then."""
    if (
        connection.in_transaction
    ):  # which has others' facts in it: that room is given back another time
        return
    connection.executescript("PRAGMA incremental_vacuum")  # execute() frees a page and stops
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


@contextmanager
def explained(path: Path) -> Generator[None]:
    """Turns what SQLite and the system say into errors of a log."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(path, error) from error
    except PermissionError as error:
        raise LogReadOnlyError(f"{path} cannot be written to: {error.strerror}") from error
    except OSError as error:
        raise FactLogError(f"{path} cannot be used: {error}") from error


def _explanation(path: Path, error: sqlite3.Error) -> FactLogError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code == sqlite3.SQLITE_FULL:
        text = f"{path}: the disk is full, the chunk was not stored; make room"
        return LogFullError(f"{text}, or trim the log")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return LogCorruptError(f"{path} is damaged or no fact log: {error}")
    if code == sqlite3.SQLITE_READONLY:
        return LogReadOnlyError(f"{path} cannot be written to: {error}")
    if code == sqlite3.SQLITE_CANTOPEN:
        return _unopened(path, error)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        text = f"{path} was kept locked by another program for {_WAIT_SECONDS:g} seconds"
        return LogLockedError(f"{text}: {error}")
    return FactLogError(f"{path}: {error}")


def _unopened(path: Path, error: sqlite3.Error) -> FactLogError:
    if not path.parent.is_dir():
        return FactLogError(f"{path}: there is no directory {path.parent}; make it first")
    return LogReadOnlyError(f"{path} cannot be opened: {error}")
