"""SqliteStore: what may be wrong with the file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from rxml.errors import CheckpointError, CheckpointVersionError
from rxml.flow.checkpointing.store import Saved
from rxml.stores import DirectoryStore, SqliteStore
from tests.unit.stores.places import SUMS, each, summed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("make", [SqliteStore, DirectoryStore])
@pytest.mark.parametrize("keep", [0, 2.5, True, "3"])
def test_a_store_keeps_a_number_of_checkpoints(
    tmp_path: Path, make: type[SqliteStore | DirectoryStore], keep: Any
) -> None:
    with pytest.raises(ValueError, match=r"keep=\) wants an int >= 1, got"):
        make(tmp_path, keep=keep)


def refused(store: SqliteStore, message: str, error: type[Exception] = CheckpointError) -> None:
    with pytest.raises(error, match=message):
        asyncio.run(summed(store).run(checkpoint=each(store, 4)))


def filled(path: Path) -> SqliteStore:
    store = SqliteStore(path, wait=0.01)
    with pytest.raises(RuntimeError):
        asyncio.run(summed(store, 120).run(checkpoint=each(store, 4)))
    return store


def test_what_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("once upon a time there was no database at all" * 30)
    refused(SqliteStore(tmp_path / "text"), "is no database")
    refused(SqliteStore(tmp_path / "missing" / "store.db"), "there is no such directory")
    refused(SqliteStore(tmp_path), "cannot be opened")
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    refused(SqliteStore(tmp_path / "other.db"), "no store of checkpoints: choose another path")


def test_a_newer_format_is_told(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.db")
    connection = sqlite3.connect(store.path)
    connection.execute("PRAGMA user_version=99")
    refused(store, "format 99, this rxml knows formats up to 1", CheckpointVersionError)
    connection.execute("PRAGMA user_version=1")
    connection.close()
    asyncio.run(summed(store).run(checkpoint=each(store, 4)))


def test_a_file_cut_short_is_told(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.db")
    os.truncate(store.path, 4096 * 2)
    refused(store, r"store.db is damaged|cannot be used")


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.db")
    connection = sqlite3.connect(store.path)
    connection.execute("UPDATE _rxml_checkpoints SET data = substr(data, 1, length(data) - 3)")
    connection.commit()
    connection.close()
    refused(store, "checkpoint 3 of 'main' is damaged")


def test_a_file_that_another_program_keeps_locked_is_told(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.db")
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    refused(store, "was kept locked by another program for 0.01 seconds")
    connection.execute("ROLLBACK")
    connection.close()
    asyncio.run(summed(store).run(checkpoint=each(store, 4)))
    assert asyncio.run(store.read("sums").to_list()) == SUMS


def test_a_full_disk_is_told_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")

    async def main() -> None:
        session = await store.begin("main")
        await session.commit(Saved(1, ("a",)))
        ((pages,),) = await store.database.submit(lambda sql: sql.execute("PRAGMA page_count"))
        limit = f"PRAGMA max_page_count={pages + 1}"
        await store.database.submit(lambda sql: sql.execute(limit))
        with pytest.raises(CheckpointError, match="the disk is full; the checkpoint before"):
            await session.commit(Saved(2, ("a",), {0: b"x" * 100_000}))
        await session.close()
        session = await store.begin("main")
        assert session.saved == Saved(1, ("a",))
        await session.close()

    asyncio.run(main())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.db")
    for path in tmp_path.iterdir():
        path.chmod(0o444)
    tmp_path.chmod(0o555)
    refused(store, "cannot be")
