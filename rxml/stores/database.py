"""Database: one SQLite file, used by one thread of its own while somebody needs it."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from rxml.errors import CheckpointError, CheckpointVersionError
from rxml.stores.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

T = TypeVar("T")

FORMAT: Final = 1
"""The version of the file's format, in `PRAGMA user_version`."""

_APPLICATION: Final = 0x7278636B  # "rxck"


class Opening:
    """One thread with one connection, from the first lease to the last leave; work is done in the order of calls.

    Args:
        path: of the file.
        wait: see `Database`.
        before: the close of the opening before: the file is opened once that is over.
    """

    def __init__(self, path: Path, wait: float, before: Future[None] | None) -> None:
        self._path = path
        self._wait = wait
        self._before = before
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"store {path.name}")
        self._connection: sqlite3.Connection | None = None

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Have the thread do some work, in a file that is made if there is none."""
        return self._thread.submit(self._worked, work)

    def look(self, work: Callable[[sqlite3.Connection], T], default: T) -> Future[T]:
        """`submit`, but where there is no file, none is made, and the default comes back."""
        return self._thread.submit(self._looked, work, default)

    def close(self) -> Future[None]:
        """Close the file behind all that was submitted; nothing may be submitted any more."""
        closed = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        return closed

    def _worked(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._await_the_one_before()
        with explained(self._path, self._wait):
            if self._connection is None:
                self._connection = _connected(self._path, self._wait)
            return work(self._connection)

    def _looked(self, work: Callable[[sqlite3.Connection], T], default: T) -> T:
        self._await_the_one_before()
        if self._connection is None and not self._path.exists():
            return default
        return self._worked(work)

    def _await_the_one_before(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            wait([before])

    def _close(self) -> None:
        self._await_the_one_before()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Database:
    """Opened by the first `lease`, closed by the last `leave`.

    Args:
        path: of the file; it is made if there is none.
        wait: seconds for which another program may keep it locked.
    """

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path
        self._wait = wait
        self._leases = 0
        self._opening: Opening | None = None
        self._closed: Future[None] | None = None

    async def lease(self) -> None:
        """Hold it open, and make it if there is none.

        Raises:
            CheckpointError: it cannot be opened, or is no store of this version.
        """
        self.lease_to_look()
        try:
            await self.submit(lambda connection: connection.total_changes)
        except BaseException:
            await self.leave()
            raise

    def lease_to_look(self) -> None:
        """Hold it open if there is one; for `look`."""
        self._leases += 1
        if self._opening is None:
            self._opening = Opening(self._path, self._wait, self._closed)

    async def leave(self) -> None:
        """Give one lease back."""
        self._leases -= 1
        if self._leases == 0 and self._opening is not None:
            opening, self._opening = self._opening, None
            self._closed = opening.close()
            await asyncio.wait([asyncio.wrap_future(self._closed)])

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Have the thread do some work, behind what it was given before; needs a lease."""
        return asyncio.wrap_future(self._open().submit(work))

    def look(self, work: Callable[[sqlite3.Connection], T], default: T) -> asyncio.Future[T]:
        """`submit`, but where there is no file, none is made, and the default comes back."""
        return asyncio.wrap_future(self._open().look(work, default))

    def _open(self) -> Opening:
        if self._opening is None:
            raise CheckpointError(f"{self._path} is not open: use it while a run does")
        return self._opening


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
