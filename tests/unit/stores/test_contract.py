"""What all stores in databases promise: rows that are seen with their checkpoint, and who owns a pipeline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import CheckpointError, PipelineError
from rxml.flow.checkpointing.store import Saved
from rxml.stores import Checkpoint
from tests.unit.checkpointing.memory_store import MemoryStore
from tests.unit.stores.places import SUMS, each, selected, summed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.stores.sqlstore import SqlStore


def test_rows_are_seen_with_the_checkpoint_behind_them_and_once(store: SqlStore) -> None:

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


def test_a_run_that_is_cancelled_at_any_step_loses_and_repeats_nothing(store: SqlStore) -> None:
    async def main() -> None:
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


def test_rows_of_batches_and_any_value_come_back(store: SqlStore) -> None:
    batch = Batch({"x": [1, 2], "y": ["a", "b"]})

    async def main() -> None:
        await rxml.from_batches([batch]).pipe(store.sink("rows")).run(checkpoint=store)
        assert await store.read("rows").to_list() == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]
        with pytest.raises(CheckpointError, match=r"sink\('rows'\) cannot store <object"):
            await rxml.of(object()).pipe(store.sink("rows")).run(checkpoint=each(store, 1, "other"))
        assert await store.read("nothing").to_list() == []

    asyncio.run(main())


def test_sql_sees_committed_rows_only(store: SqlStore) -> None:

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await summed(store, 21).run(checkpoint=each(store, 4))

    asyncio.run(main())
    found = selected(store, "SELECT id, pipeline FROM sums")
    assert found == [(1, "main"), (2, "main"), (3, "main"), (4, "main")]


def test_what_one_pipeline_writes_another_reads_and_both_go_on(store: SqlStore) -> None:
    out = list[int]()

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


def test_two_pipelines_side_by_side_in_one_file(store: SqlStore) -> None:

    async def main() -> None:
        await asyncio.gather(
            *(summed(store).run(checkpoint=each(store, 3, name)) for name in ("one", "two"))
        )
        assert sorted(await store.read("sums").to_list()) == sorted(SUMS * 2)
        await store.forget("one")
        assert await store.read("sums").to_list() == SUMS

    asyncio.run(main())


def test_who_begins_later_takes_the_pipeline_over(any_store: Callable[[], Any]) -> None:
    async def main() -> None:
        first = await any_store().begin("main")
        second = await any_store().begin("main")
        with pytest.raises(CheckpointError, match="another run"):
            await first.commit(Saved(1, ("a",)))
        await second.commit(Saved(1, ("a",)))
        await first.close()
        await second.close()

    asyncio.run(main())


def test_a_run_that_was_taken_over_writes_no_row_any_more(make: Callable[..., SqlStore]) -> None:
    async def main() -> None:
        store = make()
        waits, gate = asyncio.Event(), asyncio.Event()

        async def slowly(x: int) -> int:
            if x == 5:
                waits.set()
                await gate.wait()
            return x

        old = rxml.range(10).pipe(ops.map_async(slowly, concurrency=1), store.sink("numbers"))
        async with old.start(checkpoint=each(store, 2)) as running:
            await waits.wait()
            session = await make().begin("main")
            gate.set()
            with pytest.raises(CheckpointError, match="another run of 'main'"):
                await running.wait()
            await session.close()

    with pytest.raises(CheckpointError, match="another run of 'main'"):
        asyncio.run(main())


def test_only_the_newest_are_kept_and_forgetting_begins_anew(make: Callable[..., SqlStore]) -> None:
    store = make(keep=2)

    async def main() -> None:
        await store.forget()
        assert await store.read("sums").to_list() == []
        await summed(store).run(checkpoint=each(store, 3))
        assert await store.read("sums").to_list() == SUMS

    asyncio.run(summed(store).run(checkpoint=each(store, 3)))
    numbers = selected(store, "SELECT number FROM _rxml_checkpoints ORDER BY 1")
    assert numbers == [(6,), (7,)]
    asyncio.run(main())


def test_a_sink_wants_the_checkpoints_of_its_store(store: SqlStore) -> None:
    other = MemoryStore()
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
