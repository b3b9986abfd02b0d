"""SqliteStore: rows that are seen with their checkpoint, who owns a pipeline, and what may be wrong with the file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import CheckpointError, CheckpointVersionError, PipelineError
from rxml.flow.checkpointing.store import Saved
from rxml.stores import Checkpoint, DirectoryStore, SqliteStore
from tests.unit.checkpointing.memory_store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from rxml import Flowable


def add(a: int, b: int) -> int:
    return a + b


def summed(store: SqliteStore, die_at: int | None = None) -> Flowable[int]:
    def perhaps_die(total: int) -> None:
        if total == die_at:
            raise RuntimeError

    return rxml.range(20).pipe(ops.scan(add), store.sink("sums"), ops.do_action(perhaps_die))


def each(store: Any, elements: int, name: str = "main") -> Checkpoint:
    return Checkpoint(store, every=None, elements=elements, name=name)


SUMS = [sum(range(n + 1)) for n in range(20)]


def test_rows_are_seen_with_the_checkpoint_behind_them_and_once(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")

    async def main() -> None:
        for die_at in (
            21,
            66,
            120,
        ):  # the first comes behind barriers at 4 and at 8 elements, and so on
            with pytest.raises(RuntimeError):
                await summed(store, die_at).run(checkpoint=each(store, 4))
            rows = await store.read("sums").to_list()
            assert rows == SUMS[: len(rows)]
            assert len(rows) == SUMS.index(die_at) // 4 * 4
        await summed(store).run(checkpoint=each(store, 4))
        assert await store.read("sums").to_list() == SUMS

    asyncio.run(main())


def test_a_run_that_is_cancelled_at_any_step_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "store.db")
        for steps in range(60):
            task = asyncio.create_task(summed(store).run(checkpoint=each(store, 3)))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            rows = await store.read("sums").to_list()
            assert rows == SUMS[: len(rows)]
        await summed(store).run(checkpoint=each(store, 3))
        assert await store.read("sums").to_list() == SUMS

    asyncio.run(main())


def test_rows_of_batches_and_any_value_come_back(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    batch = Batch({"x": [1, 2], "y": ["a", "b"]})

    async def main() -> None:
        await rxml.from_batches([batch]).pipe(store.sink("rows")).run(checkpoint=store)
        assert await store.read("rows").to_list() == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]
        with pytest.raises(CheckpointError, match=r"sink\('rows'\) cannot store <object"):
            await rxml.of(object()).pipe(store.sink("rows")).run(checkpoint=each(store, 1, "other"))
        assert await store.read("nothing").to_list() == []

    asyncio.run(main())


def test_sql_sees_committed_rows_only(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await summed(store, 21).run(checkpoint=each(store, 4))

    asyncio.run(main())
    connection = sqlite3.connect(tmp_path / "store.db")
    found = connection.execute("SELECT id, pipeline FROM sums").fetchall()
    connection.close()
    assert found == [(1, "main"), (2, "main"), (3, "main"), (4, "main")]


def test_what_one_pipeline_writes_another_reads_and_both_go_on(tmp_path: Path) -> None:
    store, out = SqliteStore(tmp_path / "store.db"), list[int]()

    async def main() -> None:
        await summed(store).run(checkpoint=each(store, 4, "first"))
        for die_at in (36, 105, None):

            def take(x: int, die_at: int | None = die_at) -> None:
                if x == die_at:
                    raise RuntimeError
                out.append(x)

            reading = store.read("sums").pipe(ops.do_action(take))
            try:
                await reading.run(checkpoint=each(store, 4, "second"))
            except RuntimeError:
                del out[len(out) // 4 * 4 :]  # what came behind the last barrier comes again
        assert out == SUMS

    asyncio.run(main())


def test_two_pipelines_side_by_side_in_one_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")

    async def main() -> None:
        await asyncio.gather(
            *(summed(store).run(checkpoint=each(store, 3, name)) for name in ("one", "two"))
        )
        assert sorted(await store.read("sums").to_list()) == sorted(SUMS * 2)
        await store.forget("one")
        assert await store.read("sums").to_list() == SUMS

    asyncio.run(main())


@pytest.mark.parametrize("make", [SqliteStore, DirectoryStore])
def test_who_begins_later_takes_the_pipeline_over(
    tmp_path: Path, make: type[SqliteStore | DirectoryStore]
) -> None:
    async def main() -> None:
        first = await make(tmp_path / "store").begin("main")
        second = await make(tmp_path / "store").begin("main")
        with pytest.raises(CheckpointError, match="another run"):
            await first.commit(Saved(1, ("a",)))
        await second.commit(Saved(1, ("a",)))
        await first.close()
        await second.close()

    asyncio.run(main())


def test_a_run_that_was_taken_over_writes_no_row_any_more(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "store.db")
        waits, gate = asyncio.Event(), asyncio.Event()

        async def slowly(x: int) -> int:
            if x == 5:
                waits.set()
                await gate.wait()
            return x

        old = rxml.range(10).pipe(ops.map_async(slowly, concurrency=1), store.sink("numbers"))
        async with old.start(checkpoint=each(store, 2)) as running:
            await waits.wait()
            session = await SqliteStore(store.path).begin("main")
            gate.set()
            with pytest.raises(CheckpointError, match="another run of 'main'"):
                await running.wait()
            await session.close()

    with pytest.raises(CheckpointError, match="another run of 'main'"):
        asyncio.run(main())


def test_only_the_newest_are_kept_and_forgetting_begins_anew(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "store.db", keep=2)
        await summed(store).run(checkpoint=each(store, 3))
        connection = sqlite3.connect(store.path)
        numbers = connection.execute("SELECT number FROM _rxml_checkpoints ORDER BY 1").fetchall()
        connection.close()
        assert numbers == [(6,), (7,)]
        await store.forget()
        assert await store.read("sums").to_list() == []
        await summed(store).run(checkpoint=each(store, 3))
        assert await store.read("sums").to_list() == SUMS

    asyncio.run(main())


def test_a_sink_wants_the_checkpoints_of_its_store(tmp_path: Path) -> None:
    store, other = SqliteStore(tmp_path / "store.db"), MemoryStore()
    flow = rxml.range(3).pipe(store.sink("numbers"))
    with pytest.raises(PipelineError, match=r"sink\('numbers'\) commits with checkpoints"):
        asyncio.run(flow.run())
    with pytest.raises(CheckpointError, match="own store, but the run has them in another"):
        asyncio.run(flow.run(checkpoint=other))
    assert other.open == 0
    assert Checkpoint(store).guarantee(flow) == "effectively_once"
    for bad in ("", "a b", 'x"; DROP', "1st"):
        with pytest.raises(PipelineError, match="a word of letters"):
            store.sink(bad)


@pytest.mark.parametrize("make", [SqliteStore, DirectoryStore])
def test_a_store_keeps_one_checkpoint_at_least(
    tmp_path: Path, make: type[SqliteStore | DirectoryStore]
) -> None:
    with pytest.raises(ValueError, match=r"keep.* >= 1, got 0"):
        make(tmp_path, keep=0)


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
