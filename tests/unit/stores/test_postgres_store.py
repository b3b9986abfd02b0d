"""PostgresStore: what may be wrong with a server, and many at once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, CheckpointVersionError, PipelineError
from rxml.stores import PostgresStore
from rxml.stores.server import parted
from tests.unit.stores.places import SUMS, each, selected, summed
from tests.unit.stores.postgres import fresh, started

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rxml.stores.ledger import Ledger

RULES = "local all locked scram-sha-256\n"


def told(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def refused(store: PostgresStore, message: str, error: type[Exception] = CheckpointError) -> None:
    with pytest.raises(error, match=message):
        asyncio.run(summed(store).run(checkpoint=each(store, 4)))


def filled(dsn: str) -> PostgresStore:
    """With three checkpoints, and the fourth on its way."""
    store = PostgresStore(dsn, wait=0.01)
    with pytest.raises(RuntimeError):
        asyncio.run(summed(store, 120).run(checkpoint=each(store, 4)))
    return store


@pytest.fixture(scope="module")
def locked(server: Any) -> Generator[str]:
    """The name of a user with a password."""
    rules = Path(server.pgdata) / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(RULES + before)
    told(server.get_uri(), "CREATE ROLE locked LOGIN PASSWORD 'right'")
    told(server.get_uri(), "SELECT pg_reload_conf()")
    yield "locked"
    rules.write_text(before)


def test_the_extra_is_named_where_psycopg_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ModuleNotFoundError, match=r"rxml\[postgres\]"):
        PostgresStore("dbname=any")


@pytest.mark.parametrize("dsn", ["secret", "host=h password='secret", "http://x:secret@y", 7, None])
def test_what_is_no_dsn_is_told_without_its_secrets(dsn: Any) -> None:
    with pytest.raises(ValueError, match="is no connection string: give postgresql://") as told_of:
        PostgresStore(dsn)
    assert "secret" not in str(told_of.value)
    assert told_of.value.__suppress_context__


def test_the_password_is_shown_nowhere(server: Any, locked: str) -> None:
    store = PostgresStore(f"host={server.pgdata} dbname=postgres user={locked} password=wrong")
    assert (
        repr(store)
        == f"PostgresStore(PostgreSQL (host={server.pgdata} dbname=postgres user=locked))"
    )
    with pytest.raises(CheckpointError, match="does not take this user's password") as told_of:
        asyncio.run(rxml.range(3).run(checkpoint=store))
    assert "wrong" not in str(told_of.value)


def test_a_password_that_is_wanted_is_told(server: Any, locked: str) -> None:
    refused(
        PostgresStore(f"host={server.pgdata} dbname=postgres user={locked}"),
        "wants a password: put it",
    )
    refused(
        PostgresStore(f"host={server.pgdata} dbname=postgres user={locked} password=right"),
        "does not let this role do that: GRANT it",
    )


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("host=/nowhere", "cannot be reached: see that the server runs"),
        ("connect_timeout=abc", "cannot be reached.*bad value for connect_timeout"),
        ("host=127.0.0.1 port=1", "cannot be reached: see that the server runs"),
    ],
)
def test_a_server_that_is_away_is_told(dsn: str, message: str) -> None:
    refused(PostgresStore(dsn), message)


@pytest.mark.parametrize("wait", [0, 1e10, float("inf")])
def test_one_waits_as_long_as_one_likes(dsn: str, wait: float) -> None:
    store = PostgresStore(dsn, wait=wait)
    asyncio.run(summed(store).run(checkpoint=store))
    assert asyncio.run(store.read("sums").to_list()) == SUMS


def test_large_rows_go_to_the_server_in_parts() -> None:
    """A statement has at most 1 GB, and libpq takes a time that grows with its square."""
    sizes = [7, 1, 2, 0, 9, 3, 0, 6, 1]
    parts = [list(map(len, part)) for part in parted([bytes(size) for size in sizes], 6)]
    assert parts == [[7], [1, 2, 0], [9], [3, 0], [6], [1]]
    assert list(parted([])) == []


def test_a_database_or_a_role_that_is_missing_is_told(server: Any) -> None:
    refused(
        PostgresStore(f"host={server.pgdata} user=postgres dbname=none"),
        "has no such database: create it",
    )
    refused(
        PostgresStore(f"host={server.pgdata} user=none dbname=postgres"),
        "does not know this role: create it",
    )


def test_a_schema_that_is_missing_and_a_standby_are_told(server: Any, dsn: str) -> None:
    missing = server.get_uri() + "&options=-csearch_path%3Dmissing"
    refused(PostgresStore(missing), "has no schema to make tables in")
    only_read = dsn + "%20-cdefault_transaction_read_only%3Don"
    refused(PostgresStore(only_read), "is read-only: give the address of a primary")


@pytest.mark.parametrize("what", ["TABLE sums (x int)", "VIEW sums AS SELECT 1 AS x"])
def test_what_somebody_else_has_of_that_name_is_left_as_it_is(dsn: str, what: str) -> None:
    told(dsn, f"CREATE {what}")
    store = PostgresStore(dsn)
    refused(store, "has a table or view of that name that is not of this store")
    told(dsn, "SELECT x FROM sums")
    assert selected(store, "SELECT name FROM _rxml_sinks") == []


def test_a_newer_format_is_told(dsn: str) -> None:
    store = filled(dsn)
    told(dsn, "UPDATE _rxml_format SET version = 99")
    refused(store, "format 99, this rxml knows formats up to 1", CheckpointVersionError)
    told(dsn, "UPDATE _rxml_format SET version = 1")
    asyncio.run(summed(store).run(checkpoint=each(store, 4)))


def test_a_damaged_checkpoint_is_told(dsn: str) -> None:
    store = filled(dsn)
    told(dsn, "UPDATE _rxml_checkpoints SET data = substr(data, 1, length(data) - 3)")
    refused(store, "checkpoint 3 of 'main' is damaged")


def test_a_table_that_another_one_keeps_locked_is_told(dsn: str) -> None:
    store = filled(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute("LOCK TABLE _rxml_pipelines IN ACCESS EXCLUSIVE MODE")
        refused(store, r"was kept locked by another program for 0.01 seconds")
    patient = PostgresStore(dsn)
    asyncio.run(summed(patient).run(checkpoint=each(patient, 4)))
    assert asyncio.run(patient.read("sums").to_list()) == SUMS


def test_a_connection_that_is_lost_ends_the_run_and_the_next_one_goes_on(dsn: str) -> None:
    store, seen = PostgresStore(dsn), list[int]()

    async def cut(number: int) -> int:
        seen.append(number)
        if number == 66 and seen.count(66) == 1:
            text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='rxml'"
            await asyncio.to_thread(told, dsn, text)
        return number

    flow = rxml.from_iterable(SUMS).pipe(ops.map_async(cut, concurrency=1), store.sink("t"))
    with pytest.raises(
        CheckpointError, match="the connection to it is lost; the checkpoint before"
    ):
        asyncio.run(flow.run(checkpoint=each(store, 4)))
    stands = asyncio.run(store.read("t").to_list())
    assert stands == SUMS[: len(stands)] == SUMS[:8]
    asyncio.run(flow.run(checkpoint=each(store, 4)))
    assert asyncio.run(store.read("t").to_list()) == SUMS


def test_a_connection_that_others_found_lost_is_lost_for_the_run_too(dsn: str) -> None:
    """A server that comes back from a crash may not have the last rows, and who asks it first is told of that."""
    store = PostgresStore(dsn)

    async def crash(number: int) -> int:
        if number == SUMS[7]:
            await asyncio.to_thread(
                told,
                dsn,
                'DELETE FROM "_rxml_rows_t" WHERE number > 1;'
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='rxml'",
            )
            with pytest.raises(CheckpointError, match="is gone, or the connection to it is lost"):
                await store.read("t").to_list()
            assert await store.read("t").to_list() == SUMS[:5]
        return number

    made = rxml.from_iterable(SUMS).pipe(store.sink("t"))
    flow = made.pipe(ops.map_async(crash, concurrency=1))
    with pytest.raises(CheckpointError, match="'main' lost its connection to the store"):
        asyncio.run(flow.run(checkpoint=each(store, 5)))


def test_tables_of_sinks_lie_beside_those_of_the_store(server: Any) -> None:
    first, second = (fresh(server).rpartition("%3D")[2] for _ in range(2))
    path = server.get_uri() + "&options=-csearch_path%3D"

    def run(schemas: str, table: str) -> PostgresStore:
        store = PostgresStore(path + schemas)
        asyncio.run(rxml.range(3).pipe(store.sink(table)).run(checkpoint=each(store, 2, table)))
        return store

    run(second, "a")
    run(f"{first},{second}", "b")
    assert asyncio.run(run(second, "c").read("b").to_list()) == [0, 1, 2]


def test_a_server_that_crashes_has_all_that_was_committed() -> None:
    with started() as server:
        dsn = fresh(server)
        store = filled(dsn)
        server.get_postmaster_info().process.kill()
        for child in server.get_postmaster_info().process.children():
            child.kill()
        server.get_postmaster_info().process.wait()
        refused(store, "cannot be reached")
        server.ensure_postgres_running()
        patient = PostgresStore(dsn)
        assert asyncio.run(patient.read("sums").to_list()) == SUMS[:12]
        asyncio.run(summed(patient).run(checkpoint=each(patient, 4)))
        assert asyncio.run(patient.read("sums").to_list()) == SUMS


def test_many_begin_at_once_where_nothing_is_yet(dsn: str) -> None:
    async def main() -> None:
        stores = [PostgresStore(dsn) for _ in range(4)]
        runs = (
            rxml.range(5).pipe(store.sink("t")).run(checkpoint=each(store, 2, f"p{number}"))
            for number, store in enumerate(stores)
        )
        await asyncio.gather(*runs)
        assert sorted(await stores[0].read("t").to_list()) == sorted([*range(5)] * 4)

    asyncio.run(main())


def test_who_reads_on_misses_no_commit_of_many(dsn: str) -> None:
    """Numbers of commits come from a sequence, which knows nothing of who commits first."""
    seen = list[Any]()

    async def read(store: PostgresStore) -> None:
        def further(ledger: Ledger) -> list[tuple[int, int, bytes]]:
            seq, row, _ = seen[-1] if seen else (0, 0, b"")
            return ledger.after("t", seq, row, 100) or []

        seen.extend(await store.database.look(further, []))

    async def main() -> None:
        store = PostgresStore(dsn)
        store.database.lease_to_look()
        stores = [PostgresStore(dsn) for _ in range(3)]
        runs = [
            asyncio.create_task(
                rxml.range(60).pipe(each_.sink("t")).run(checkpoint=each(each_, 2, f"p{number}"))
            )
            for number, each_ in enumerate(stores)
        ]
        while not all(run.done() for run in runs):
            await read(store)
        await asyncio.gather(*runs)
        for _ in range(3):
            await read(store)
        await store.database.leave()

    asyncio.run(main())
    assert len(seen) == len({row for _, row, _ in seen}) == 180


def test_reading_on_looks_at_what_it_gives_however_large_a_commit_is(dsn: str) -> None:
    store, looked_at = PostgresStore(dsn), list[float]()

    def look(plan: Any) -> None:
        looked_at.append(plan["Actual Rows"])
        for part in plan.get("Plans", ()):
            look(part)

    def read(ledger: Ledger) -> None:
        execute = ledger.execute

        def explained(text: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
            (((found,),),) = execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values)
            look(found["Plan"])
            return execute(text, values)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ledger, "execute", explained)
            assert len(ledger.after("t", 1, 10, 16) or []) == 16

    async def main() -> None:
        await rxml.range(5000).pipe(store.sink("t")).run(checkpoint=each(store, 5000))
        store.database.lease_to_look()
        try:
            await store.database.look(read, None)
        finally:
            await store.database.leave()

    asyncio.run(main())
    assert max(looked_at) == 16


def test_names_are_no_longer_than_the_server_takes(dsn: str) -> None:
    store, name = PostgresStore(dsn), "t" * 48
    asyncio.run(rxml.range(3).pipe(store.sink(name)).run(checkpoint=store))
    assert asyncio.run(store.read(name).to_list()) == [0, 1, 2]
    with pytest.raises(PipelineError, match="wants at most 48 letters, got 49"):
        store.sink(name + "t")


def test_reading_makes_no_table(dsn: str) -> None:
    store = PostgresStore(dsn)

    async def main() -> None:
        assert await store.read("t").to_list() == []
        await store.forget()

    asyncio.run(main())
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regclass('_rxml_format')").fetchall() == [(None,)]
