"""Checkpoints in a fact log: facts are committed with them, whatever ids they have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import CheckpointError, LogLockedError
from rxml.facts import Fact, FactLog, facts_of
from rxml.flow.checkpointing.store import Saved
from rxml.stores import Checkpoint, SqliteStore
from tests.unit.stores.places import each

if TYPE_CHECKING:
    from pathlib import Path

    from rxml import Flowable


def fact(number: int) -> dict[str, Any]:
    """Without an id: it gets a random one."""
    return {"key": f"k{number % 3}", "event_time": number, "payload": {"v": number}}


def values(log: FactLog) -> list[int]:
    """What is committed, whose offsets have no gaps."""
    found = list(log.scan())
    offsets = [offset for batch in found for offset in batch.array("offset").tolist()]
    assert offsets == list(range(len(offsets)))
    return [one.payload["v"] for batch in found for one in facts_of(batch)]


def appended(log: FactLog, die_at: int | None = None, count: int = 60) -> Flowable[Any]:
    def perhaps_die(outcome: Any) -> None:
        assert outcome.status == "stored"
        if outcome.offset == die_at:
            raise RuntimeError

    return rxml.range(count).pipe(
        ops.map(fact), log.append(), ops.prefetch(5), ops.do_action(perhaps_die)
    )


def died(log: FactLog, die_at: int, elements: int = 7) -> None:
    with pytest.raises(RuntimeError):
        asyncio.run(appended(log, die_at).run(checkpoint=each(log.checkpoints(), elements)))


@pytest.mark.parametrize("elements", [1, 7, 25])
def test_facts_with_random_ids_are_stored_once_however_often_the_run_dies(
    tmp_path: Path, elements: int
) -> None:
    with FactLog(tmp_path / "facts.db") as log:
        for die_at in (3, 20, 21, 40, 59):
            died(log, die_at, elements)
            assert values(log) == list(range(die_at // elements * elements))
            assert log.statistics().stored == log.length
        checkpoint = each(log.checkpoints(), elements)
        assert checkpoint.guarantee(appended(log)) == "effectively_once"
        asyncio.run(appended(log).run(checkpoint=checkpoint))
        assert values(log) == list(range(60))
        asyncio.run(appended(log).run(checkpoint=checkpoint))
        assert log.next_offset == 60


def test_a_run_that_is_cancelled_at_any_step_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with FactLog(tmp_path / "facts.db") as log:
            for steps in range(80):
                run = appended(log, count=30).run(checkpoint=each(log.checkpoints(), 4))
                task = asyncio.create_task(run)
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                found = await asyncio.to_thread(values, log)
                assert found == list(range(len(found)))
                assert len(found) % 4 == 0 or len(found) == 30
            await appended(log, count=30).run(checkpoint=each(log.checkpoints(), 4))
            assert await asyncio.to_thread(values, log) == list(range(30))

    asyncio.run(main())


def test_facts_are_seen_with_the_checkpoint_behind_them(tmp_path: Path) -> None:
    """By a tail that looks by itself once an hour, too."""
    seen, told = list[int](), asyncio.Event()

    async def main() -> None:
        async with FactLog(tmp_path / "facts.db", poll=3600) as log:

            async def look(outcome: Any) -> None:
                counts.append((outcome.offset, await asyncio.to_thread(lambda: log.next_offset)))

            def take(one: Fact) -> None:
                seen.append(one.payload["v"])
                if len(seen) == 40:
                    told.set()

            counts = list[tuple[int, int]]()
            made = rxml.range(40).pipe(ops.map(fact), log.append())
            flow = made.pipe(ops.map_async(look, concurrency=1))
            tail = log.tail(batches=False).pipe(ops.do_action(take))
            async with tail.start() as tailing:
                await flow.run(checkpoint=each(log.checkpoints(), 8))
                await told.wait()
                await tailing.stop()
        assert counts == [(offset, offset // 8 * 8) for offset in range(40)]

    asyncio.run(main())
    assert seen == list(range(40))


def test_other_writers_wait_until_the_run_is_over(tmp_path: Path) -> None:
    with FactLog(tmp_path / "facts.db") as log:

        def intrude(outcome: Any) -> None:
            if outcome.offset == 10:
                with pytest.raises(LogLockedError, match="by the run of 'main', whose facts"):
                    log.append_facts([fact(99)])

        flow = rxml.range(20).pipe(ops.map(fact), log.append(), ops.do_action(intrude))
        asyncio.run(flow.run(checkpoint=each(log.checkpoints(), 4)))
        log.append_facts([fact(20)])
        assert values(log) == list(range(21))


def test_who_only_keeps_checkpoints_in_it_lets_others_write(tmp_path: Path) -> None:
    async def main() -> None:
        async with FactLog(tmp_path / "facts.db") as log:
            session = await log.checkpoints().begin("main")
            await asyncio.to_thread(log.append_facts, [fact(0)])
            await session.commit(Saved(1, ("a",)))
            await asyncio.to_thread(log.append_facts, [fact(1)])
            await session.close()
            assert await asyncio.to_thread(values, log) == [0, 1]

    asyncio.run(main())


def test_a_run_that_was_taken_over_appends_no_fact_any_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with FactLog(tmp_path / "facts.db") as log:
            waits, gate = asyncio.Event(), asyncio.Event()

            async def slowly(x: int) -> dict[str, Any]:
                if x == 5:
                    waits.set()
                    await gate.wait()
                return fact(x)

            old = rxml.range(10).pipe(ops.map_async(slowly, concurrency=1), log.append())
            async with old.start(checkpoint=each(log.checkpoints(), 2)) as running:
                await waits.wait()
                session = await log.checkpoints().begin("main")
                gate.set()
                with pytest.raises(CheckpointError, match="another run of 'main'"):
                    await running.wait()
                assert await asyncio.to_thread(values, log) == [0, 1, 2, 3]
                await session.commit(Saved(3, ("a",)))
                await session.close()

    with pytest.raises(CheckpointError, match="another run of 'main'"):
        asyncio.run(main())


def test_one_pipeline_at_a_time_has_a_log(tmp_path: Path) -> None:
    async def main() -> None:
        async with FactLog(tmp_path / "facts.db") as log, FactLog(tmp_path / "facts.db") as other:
            session = await log.checkpoints().begin("first")
            with pytest.raises(
                CheckpointError, match="keeps the checkpoints of 'first', which runs"
            ):
                await log.checkpoints().begin("second")
            with pytest.raises(CheckpointError, match="has a writer already"):
                await other.checkpoints().begin("first")
            await session.commit(Saved(1, ("a",)))
            await session.close()
            second = await log.checkpoints().begin("second")
            assert second.saved is None
            await second.close()

    asyncio.run(main())


def test_forgetting_a_run_leaves_its_facts_and_reads_no_file_that_is_not_there(
    tmp_path: Path,
) -> None:
    with FactLog(tmp_path / "facts.db") as log:
        asyncio.run(log.checkpoints().forget())
        assert list(tmp_path.iterdir()) == []
        for _ in range(2):
            asyncio.run(appended(log, count=3).run(checkpoint=log.checkpoints()))
            asyncio.run(log.checkpoints().forget())
        assert values(log) == [0, 1, 2, 0, 1, 2]


def test_what_is_trimmed_meanwhile_is_so_with_the_next_checkpoint(tmp_path: Path) -> None:
    with FactLog(tmp_path / "facts.db") as log:
        log.append_facts([fact(0), fact(1)])

        async def upkeep(outcome: Any) -> None:
            if outcome.offset == 13:
                assert await asyncio.to_thread(log.trim, max_bytes=0) == 14
                assert await asyncio.to_thread(log.compact) == 0
                raise RuntimeError

        made = rxml.range(12).pipe(ops.map(fact), log.append())
        flow = made.pipe(ops.map_async(upkeep, concurrency=1))
        with pytest.raises(RuntimeError):
            asyncio.run(flow.run(checkpoint=each(log.checkpoints(), 12)))
        assert values(log) == [0, 1]
        log.append_facts([fact(2)])
        assert values(log) == [0, 1, 2]


def test_ids_of_facts_that_were_never_committed_are_known_no_more(tmp_path: Path) -> None:
    """More of them than the index holds without writing runs into the file."""

    def batches() -> list[Batch]:
        ids = [f"{number * 7919 % 150_000:06}" for number in range(150_000)]
        times = np.arange(150_000)
        return [
            Batch(
                {
                    "id": ids[at : at + 1000],
                    "key": ["k"] * 1000,
                    "event_time": times[at : at + 1000],
                }
            )
            for at in range(0, 150_000, 1000)
        ]

    with FactLog(tmp_path / "facts.db") as log:

        def perhaps_die(outcome: Any) -> None:
            assert outcome.status == "stored"
            if outcome.offset == 149_999 and deaths.pop():
                raise RuntimeError

        deaths = [False, True]
        flow = rxml.from_batches(batches()).pipe(log.append(), ops.do_action(perhaps_die))
        with pytest.raises(RuntimeError):
            asyncio.run(flow.run(checkpoint=each(log.checkpoints(), 70_000)))
        assert log.next_offset == 140_000
        asyncio.run(flow.run(checkpoint=each(log.checkpoints(), 70_000)))
        assert log.next_offset == 150_000
        assert log.append_batch(batches()[0]).duplicates == 1000
        assert log.append_batch(batches()[-1]).duplicates == 1000


def test_a_full_disk_is_told_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    with FactLog(tmp_path / "facts.db", compression=0) as log:

        def large(number: int) -> dict[str, Any]:
            return {**fact(number), "payload": {"v": number, "x": "x" * 9000}}

        died(log, 20)
        connection = log.writing().connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 2}")
        big = rxml.range(60).pipe(
            ops.map(large),
            log.append(),
            ops.prefetch(5),
            ops.do_action(str),
        )
        named = Checkpoint(log.checkpoints(), every=None, elements=7, name="big")
        with pytest.raises(Exception, match="the disk is full"):
            asyncio.run(big.run(checkpoint=named))
        connection.execute("PRAGMA max_page_count=1000000")
        assert values(log) == list(range(14))
        asyncio.run(appended(log).run(checkpoint=each(log.checkpoints(), 7)))
        assert values(log) == list(range(60))


def test_a_log_that_is_closed_meanwhile_has_what_was_committed(tmp_path: Path) -> None:
    async def main() -> None:
        log = FactLog(tmp_path / "facts.db")

        async def close(outcome: Any) -> None:
            if outcome.offset == 20:
                await log.aclose()

        flow = rxml.range(60).pipe(ops.map(fact), log.append(), ops.map_async(close, concurrency=1))
        with pytest.raises(Exception, match="has been closed"):
            await flow.run(checkpoint=each(log.checkpoints(), 7))

    asyncio.run(main())
    with FactLog(tmp_path / "facts.db") as log:
        assert values(log) == list(range(14))


def test_several_stages_of_a_run_append_to_one_log(tmp_path: Path) -> None:
    def again(outcome: Any) -> dict[str, Any]:
        return fact(1000 + outcome.offset)

    def flow(log: FactLog, die_at: int | None) -> Flowable[Any]:
        def perhaps_die(outcome: Any) -> None:
            if outcome.offset == die_at:
                raise RuntimeError

        ways = [
            rxml.range(start, start + 20).pipe(
                ops.map(fact), log.append(), ops.prefetch(3), ops.map(again), log.append()
            )
            for start in (0, 100)
        ]
        return rxml.merge(*ways).pipe(ops.do_action(perhaps_die))

    with FactLog(tmp_path / "facts.db") as log:
        for die_at in (9, 31, None):
            try:
                asyncio.run(flow(log, die_at).run(checkpoint=each(log.checkpoints(), 3)))
            except RuntimeError:
                assert die_at is not None
        found = values(log)
        assert sorted(value for value in found if value < 1000) == [*range(20), *range(100, 120)]
        assert sorted(value - 1000 for value in found if value >= 1000) == [
            offset for offset, value in enumerate(found) if value < 1000
        ]


def test_a_sqlite_store_on_a_log_is_told_what_would_be_right(tmp_path: Path) -> None:
    with FactLog(tmp_path / "facts.db") as log:
        log.append_facts([fact(0)])
    with pytest.raises(
        CheckpointError, match=r"give run\(checkpoint=\) FactLog\(...\).checkpoints"
    ):
        asyncio.run(rxml.range(3).run(checkpoint=SqliteStore(tmp_path / "facts.db")))


def test_only_a_log_that_commits_with_the_checkpoints_is_sure_of_random_ids(tmp_path: Path) -> None:
    with FactLog(tmp_path / "facts.db") as log, FactLog(tmp_path / "other.db") as other:
        made = rxml.from_iterable([fact(0)])
        for store, once in ((log, True), (other, False)):
            checkpoint = Checkpoint(store.checkpoints(keep=1))
            assert (checkpoint.guarantee(made.pipe(log.append())) == "effectively_once") is once
            assert (
                checkpoint.guarantee(made.pipe(log.append(known_again=True))) == "effectively_once"
            )
        with pytest.raises(ValueError, match=r"checkpoints\(keep=\) wants an int >= 1, got 0"):
            log.checkpoints(keep=0)
