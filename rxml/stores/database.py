"""Database: one SQLite file, used by one thread of its own while somebody needs it."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from rxml.errors import CheckpointError, CheckpointVersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

T = TypeVar("T")

FORMAT: Final = 1
"""The version of the file's format, in `PRAGMA user_version`."""

_APPLICATION: Final = 0x7278636B  # "rxck"
_SCHEMA: Final = """
CREATE TABLE pipelines (
    name TEXT PRIMARY KEY, owner INTEGER NOT NULL, committed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE checkpoints (
    pipeline TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (pipeline, number)
);
CREATE TABLE sinks (name TEXT PRIMARY KEY) WITHOUT ROWID
"""


class Database:
    """Opened by the first `lease`, closed by the last `leave`; all work is done in one thread, in the order of calls.

    Args:
        path: of the file; it is made if there is none.
        wait: seconds for which another program may keep it locked.
    """

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path
        self._wait = wait
        self._leases = 0
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def lease(self) -> None:
        """Hold it open.

        Raises:
            CheckpointError: it cannot be opened, or is no store of this version.
        """
        self._leases += 1
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"store {self._path.name}")
        try:
            await self.submit(lambda connection: connection.total_changes)
        except BaseException:
            await self.leave()
            raise

    async def leave(self) -> None:
        """Give one lease back."""
        self._leases -= 1
        if self._leases == 0 and self._thread is not None:
            thread, self._thread = self._thread, None
            closed = asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown(wait=False)
            await asyncio.wait([closed])

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Have the thread do some work, behind what it was given before; needs a lease."""
        if self._thread is None:
            raise CheckpointError(f"{self._path} is not open: use it while a run does")
        return asyncio.get_running_loop().run_in_executor(self._thread, self._worked, work)

    def _worked(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self._path, self._wait):
            if self._connection is None:
                self._connection = _connected(self._path, self._wait)
            return work(self._connection)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


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
                for statement in _SCHEMA.split(";"):
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
    if application != _APPLICATION:
        raise CheckpointError(
            f"{path} is a database, but no store of checkpoints: choose another path"
        )
    if version > FORMAT:
        raise CheckpointVersionError(
            f"{path} has format {version}, this rxml knows formats up to {FORMAT}: upgrade rxml"
        )
    return True


def taken(pipeline: str) -> CheckpointError:
    """What is wrong if the hold on a pipeline is lost."""
    return CheckpointError(
        f"another run of {pipeline!r} has begun in this store and goes on from the last checkpoint; this one ends"
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
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
