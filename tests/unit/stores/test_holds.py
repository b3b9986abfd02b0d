"""Who has a pipeline: what is refused takes nothing from a run that goes on, and nothing outlives its run."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, CheckpointVersionError
from rxml.flow.checkpointing.store import Saved
from rxml.flow.kinds import fold
from rxml.stores import Checkpoint, DirectoryStore
from rxml.stores.database import Database
from rxml.stores.file import SqliteFile
from rxml.stores.packing import encoded
from tests.unit.checkpointing.test_runs import Counter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from rxml import Flowable
    from rxml.stores.ledger import Ledger
    from rxml.stores.sqlstore import SqlStore


async def endless() -> AsyncIterator[int]:
    for number in itertools.count():
        await asyncio.sleep(0)
        yield number


@pytest.mark.parametrize("version", [1, 2])
def test_a_run_that_is_refused_takes_nothing_over(
    any_store: Callable[[], Any], version: int
) -> None:
    def flow(version: int, some: asyncio.Event) -> Flowable[int]:
        def count(number: int) -> None:
            if number % 20 == 0:
                some.set()

        counted = rxml.from_async_iterable(endless).pipe(fold("counter", lambda: Counter(version)))
        return counted.pipe(ops.do_action(count))

    async def main() -> None:
        some = asyncio.Event()
        checkpoint = Checkpoint(any_store(), every=None, elements=5)
        async with flow(1, some).start(checkpoint=checkpoint) as running:
            await some.wait()
            other = flow(2, some) if version == 2 else rxml.range(5)
            error = CheckpointVersionError if version == 2 else CheckpointError
            with pytest.raises(error, match="Nothing was changed"):
                await other.run(checkpoint=any_store())
            some.clear()
            await some.wait()  # which is far behind the next barrier
            assert await running.drain(60)

    asyncio.run(main())


def test_what_was_stored_while_a_checkpoint_was_looked_at_is_not_lost(
    apart: Callable[[], Any],
) -> None:
    store, seen = apart(), list[int]()

    async def main() -> None:
        other = await apart().begin("main")
        await other.commit(Saved(1, ("a",)))
        loop = asyncio.get_running_loop()

        def admit(saved: Saved, states: Mapping[int, Any]) -> None:
            assert len(states) == len(saved.parts)
            seen.append(saved.number)
            if saved.number == 1:
                done = asyncio.run_coroutine_threadsafe(other.commit(Saved(2, ("a",))), loop)
                done.result(60)

        second = await store.begin("main", admit)
        assert second.saved == Saved(2, ("a",))
        for session in (other, second):
            await session.close()

    asyncio.run(main())
    assert seen == [1, 2]


def test_rows_belong_to_the_run_that_wrote_them_even_if_its_sink_is_opened_late(
    store: SqlStore,
) -> None:
    waits = asyncio.Event()

    async def late() -> AsyncIterator[int]:
        await waits.wait()
        yield 7

    def flow() -> Flowable[int]:
        first = rxml.from_async_iterable(late).pipe(ops.ignore_elements())
        return rxml.concat(first, rxml.range(5).pipe(store.sink("numbers")))

    async def main() -> None:
        checkpoint = Checkpoint(store, every=None)
        async with flow().start(checkpoint=checkpoint) as first:
            await asyncio.sleep(0)
            session = await store.begin("main")
            waits.set()
            with pytest.raises(CheckpointError, match="another run of 'main'"):
                await first.wait()
            await session.commit(Saved(1, ("a",)))
            await session.close()

    with pytest.raises(CheckpointError, match="another run of 'main'"):
        asyncio.run(main())
    assert asyncio.run(store.read("numbers").to_list()) == []


def test_a_pipeline_that_is_forgotten_while_it_runs_is_told(
    any_store: Callable[[], Any],
) -> None:
    async def main() -> None:
        store = any_store()
        session = await store.begin("main")
        await session.commit(Saved(1, ("a",)))
        await store.forget()
        with pytest.raises(CheckpointError, match="'main' was forgotten"):
            await session.commit(Saved(2, ("a",)))
        await session.close()
        session = await store.begin("main")
        assert session.saved is None
        await session.close()

    asyncio.run(main())


def test_a_begin_that_is_cancelled_goes_on_no_longer_than_its_run(tmp_path: Path) -> None:
    async def main() -> None:
        store = DirectoryStore(tmp_path)
        for steps in range(12):
            name = f"n{steps}"
            checkpoint = Checkpoint(store, every=None, elements=2, name=name)
            task = asyncio.create_task(rxml.range(9).run(checkpoint=checkpoint))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await rxml.range(9).run(checkpoint=checkpoint)
            assert not list((tmp_path / name).glob("*.new"))

    asyncio.run(main())


def test_what_a_dead_process_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "000000000001.abc.new").write_bytes(b"half")
    asyncio.run(rxml.range(3).run(checkpoint=DirectoryStore(tmp_path)))
    assert not list((tmp_path / "main").glob("*.new"))


def test_the_next_opening_waits_for_what_the_one_before_still_does(tmp_path: Path) -> None:
    """One connection in two threads at once: SQLite dies of that, and Python with it."""
    database = Database(SqliteFile(tmp_path / "store.db", 5))

    done, meanwhile = list[str](), threading.Event()

    def first(_: Ledger) -> None:
        meanwhile.wait(0.05)
        done.append("first")

    def second(_: Ledger) -> None:
        meanwhile.set()
        done.append("second")

    async def main() -> None:
        await database.lease()
        work = database.submit(first)
        leaving = asyncio.create_task(database.leave())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        await database.lease()
        await database.submit(second)
        await work
        await database.leave()

    asyncio.run(main())
    assert done == ["first", "second"]


def test_states_are_decoded_off_the_loop(any_store: Callable[[], Any]) -> None:
    """They are there when the session begins."""
    store = any_store()

    async def main() -> None:
        session = await store.begin("main")
        await session.commit(Saved(1, ("a",), {0: encoded((1, 2))}))
        await session.close()
        session = await store.begin("main")
        assert session.states == {0: (1, 2)}
        await session.close()

    asyncio.run(main())
