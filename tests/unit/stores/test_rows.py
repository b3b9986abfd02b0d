"""Rows of sinks: in which order they are read, which cannot be stored, and what tables may be called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, PipelineError
from rxml.flow.checkpointing.store import Saved
from rxml.stores import Checkpoint, DirectoryStore, SqliteStore
from rxml.wire import dumps
from tests.unit.stores.places import selected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from rxml import Flowable
    from rxml.stores.ledger import Ledger
    from rxml.stores.sqlstore import SqlStore


def each(store: Any, elements: int, name: str = "main") -> Checkpoint:
    return Checkpoint(store, every=None, elements=elements, name=name)


@pytest.mark.parametrize("demand", [1, 2, 100])
def test_who_reads_on_misses_nothing_that_is_committed_later(store: SqlStore, demand: int) -> None:
    """Ids are given when rows are written: those of a pipeline that commits later may be lower."""
    seen = list[str]()
    three, waits = asyncio.Event(), asyncio.Event()

    async def early() -> AsyncIterator[str]:
        for number in range(3):
            yield f"early {number}"
        await waits.wait()

    async def main() -> None:
        def written(text: str) -> None:
            if text == "early 2":
                three.set()

        early_one = rxml.from_async_iterable(early).pipe(store.sink("t"), ops.do_action(written))
        async with early_one.start(checkpoint=each(store, 99, "early")) as running:
            await three.wait()
            late = rxml.from_iterable([f"late {number}" for number in range(3)])
            await late.pipe(store.sink("t")).run(checkpoint=each(store, 2, "late"))
            async with store.read("t").open() as reading:
                while len(seen) < 3:
                    seen.extend((await reading.request(demand)).elements)
                assert seen == ["late 0", "late 1", "late 2"]
                waits.set()
                await running.wait()
                while not (chunk := await reading.request(demand)).end:
                    seen.extend(chunk.elements)
        assert await store.read("t").to_list() == seen

    asyncio.run(main())
    assert seen[3:] == ["early 0", "early 1", "early 2"]
    found = selected(store, "SELECT pipeline FROM t")
    assert [name for (name,) in found] == ["late"] * 3 + ["early"] * 3


def test_rows_that_are_not_there_any_more_are_told(store: SqlStore, tmp_path: Path) -> None:
    other, gone = SqliteStore(tmp_path / "reads.db"), SqliteStore(tmp_path / "gone.db")

    def boom(x: int) -> None:
        if x == 7:
            raise RuntimeError

    async def main() -> None:
        reads = store.read("t").pipe(ops.do_action(boom))
        await rxml.range(9).pipe(store.sink("t")).run(checkpoint=store)
        with pytest.raises(RuntimeError):
            await reads.run(checkpoint=each(other, 3))
        await store.forget()
        with pytest.raises(CheckpointError, match="the row 6, behind which it is to go on"):
            await reads.run(checkpoint=each(other, 3))
        with pytest.raises(CheckpointError, match="the row 6, behind which it is to go on"):
            await gone.read("t").pipe(ops.do_action(boom)).run(checkpoint=each(other, 3))

    asyncio.run(main())


@pytest.mark.parametrize("complete", [True, False])
def test_a_run_that_is_complete_has_no_row_that_nobody_sees(
    store: SqlStore, complete: bool
) -> None:
    """A sink in front of a zip may have passed a barrier that the end has overtaken."""

    def write(ledger: Ledger) -> None:
        ledger.make("t")
        for number in (1, 2):
            ledger.insert("t", "main", number, [dumps(number)])

    async def main() -> None:
        session = await store.begin("main")
        await store.database.submit(write)
        await session.commit(Saved(1, ("a",), complete=complete))
        await session.close()
        await (await store.begin("main")).close()
        assert await store.read("t").to_list() == ([1, 2] if complete else [1])

    asyncio.run(main())


def test_reading_makes_no_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")

    async def main() -> None:
        assert await store.read("t").to_list() == []
        await store.forget()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


def test_reading_that_is_cancelled_at_any_step_harms_nothing(store: SqlStore) -> None:

    async def main() -> None:
        await rxml.range(50).pipe(store.sink("t")).run(checkpoint=store)
        for steps in range(12):
            task = asyncio.create_task(store.read("t").to_list())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            assert await store.read("t").to_list() == list(range(50))
            await asyncio.wait([task])

    asyncio.run(main())


PLACES = pytest.mark.parametrize("place", range(4))
SIZES = pytest.mark.parametrize("size", [1, 2, 4])


def with_a_bad_one(place: int) -> list[Any]:
    return [object() if number == place else number for number in range(4)]


@PLACES
@SIZES
def test_what_comes_before_an_element_that_cannot_be_stored_is_stored(
    store: SqlStore, place: int, size: int
) -> None:
    out = list[Any]()
    flow = rxml.from_iterable(with_a_bad_one(place)).pipe(
        store.sink("t"), ops.do_action(out.append)
    )
    with pytest.raises(CheckpointError, match=r"sink\('t'\) cannot store <object"):
        asyncio.run(flow.run(checkpoint=each(store, size)))
    assert out == list(range(place))
    assert asyncio.run(store.read("t").to_list()) == out[: place // size * size]


@PLACES
@SIZES
def test_the_supervisor_may_leave_out_what_cannot_be_stored(
    store: SqlStore, place: int, size: int
) -> None:
    out = list[Any]()
    flow = rxml.from_iterable(with_a_bad_one(place)).pipe(
        store.sink("t"), ops.supervise("resume"), ops.do_action(out.append)
    )

    async def main() -> None:
        async with flow.start(checkpoint=each(store, size)) as running:
            await running.wait()
            assert running.statistics()["sink('t')"].failed == 1
        assert await store.read("t").to_list() == out

    asyncio.run(main())
    assert out == [number for number in range(4) if number != place]


@pytest.mark.parametrize(
    "table", ["pipelines", "checkpoints", "sinks", "rows_t", "Order", "select", "newest_t", "t"]
)
def test_a_table_may_have_any_name(store: SqlStore, table: str) -> None:
    async def main() -> None:
        for name in ("t", table):
            flow = rxml.range(3).pipe(store.sink(name))
            await flow.run(checkpoint=each(store, 2, f"of {name}"))
        assert await store.read(table).to_list() == [0, 1, 2]

    asyncio.run(main())


def test_names_that_sqlite_keeps_for_itself_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="names that begin with sqlite_"):
        SqliteStore(tmp_path / "store.db").sink("SQLite_rows")


def test_a_sink_without_rows_makes_its_view(store: SqlStore) -> None:
    asyncio.run(rxml.empty().pipe(store.sink("t")).run(checkpoint=store))
    assert selected(store, "SELECT * FROM t") == []


def test_a_sink_in_an_inner_flow_is_told_where_it_belongs(store: SqlStore) -> None:
    flow = rxml.range(3).pipe(ops.flat_map(lambda x: rxml.of(x).pipe(store.sink("t"))))
    with pytest.raises(PipelineError, match="put it into the pipeline itself"):
        asyncio.run(flow.run(checkpoint=store))


def test_the_guarantee_is_that_of_every_way_to_the_end(store: SqlStore, tmp_path: Path) -> None:
    stored = rxml.range(3).pipe(store.sink("t"))

    def of(flow: Flowable[Any], kept: Any = store) -> str:
        return Checkpoint(kept).guarantee(flow)

    assert of(stored.pipe(ops.map(str))) == "effectively_once"
    assert of(rxml.merge(stored, rxml.range(3).pipe(store.sink("u")))) == "effectively_once"
    assert of(rxml.merge(rxml.range(3), rxml.range(3)).pipe(store.sink("u"))) == "effectively_once"
    assert of(rxml.merge(stored, rxml.range(3))) == "at_least_once"
    assert of(stored, DirectoryStore(tmp_path)) == "at_least_once"
