"""The fact log and checkpoints: read from where it was, and stored once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.eventtime import bounded
from rxml.eventtime.windows.windowing import tumbling
from rxml.facts import Fact, FactLog, derived_id
from rxml.stores import Checkpoint, SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from rxml import Flowable

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def facts(count: int) -> list[Fact]:
    return [
        Fact.of(f"s{i % 3}", START + i * SECOND, {"v": i}, id=f"fact {i}") for i in range(count)
    ]


def summed(row: Any) -> dict[str, Any]:
    key, end = row["key"], row["end"]
    payload = {"n": row["n"]}
    return {"key": key, "event_time": end, "payload": payload, "id": derived_id(key, str(end))}


def pipeline(log: FactLog, sums: FactLog, die_after: int | None) -> Flowable[Any]:
    """Windows over the facts of a log, as facts of another log."""
    seen: list[object] = []

    def perhaps_die(outcome: object) -> None:
        seen.append(outcome)
        if len(seen) == die_after:
            raise RuntimeError

    return log.read().pipe(
        ops.with_event_time("event_time", bounded(2)),
        ops.key_by("key"),
        ops.window(tumbling(5)).aggregate(n=agg.count()),
        ops.map(summed),
        sums.append(known_again=True),
        ops.do_action(perhaps_die),
    )


async def lived(folder: Path, deaths: list[int]) -> list[Any]:
    store = SqliteStore(folder / "store.db")
    checkpoint = Checkpoint(store, every=None, elements=7)
    async with FactLog(folder / "facts.db") as log, FactLog(folder / "sums.db") as sums:
        await rxml.from_iterable(facts(60)).pipe(log.append()).run()
        for die_after in [*deaths, None]:
            flow = pipeline(log, sums, die_after)
            assert checkpoint.guarantee(flow) == "effectively_once"
            try:
                await flow.run(checkpoint=checkpoint)
            except RuntimeError:
                assert die_after is not None
        found = await sums.read(batches=False).to_list()
    return [(fact.id, fact.key, fact.event_time, dict(fact.payload)) for fact in found]


def test_facts_are_stored_once_however_often_the_run_dies(tmp_path: Path) -> None:
    for name in ("whole", "died"):
        (tmp_path / name).mkdir()

    async def main() -> None:
        whole = await lived(tmp_path / "whole", [])
        assert len(whole) == 36
        assert sum(row[3]["n"] for row in whole) == 60
        assert await lived(tmp_path / "died", [1, 5, 2, 9]) == whole

    asyncio.run(main())


def test_a_tail_goes_on_where_it_was(tmp_path: Path) -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        store = SqliteStore(tmp_path / "store.db")
        async with FactLog(tmp_path / "facts.db") as log:
            for part in (facts(20)[:8], facts(20)[8:13], facts(20)[13:]):
                bell, last = asyncio.Event(), part[-1].id

                def take(fact: Fact, bell: asyncio.Event = bell, last: str = last) -> None:
                    seen.append(fact.id)
                    if fact.id == last:
                        bell.set()

                tail = log.tail(batches=False).pipe(ops.do_action(take))
                async with tail.start(checkpoint=Checkpoint(store, every=None)) as running:
                    await rxml.from_iterable(part).pipe(log.append()).run()
                    await bell.wait()
                    assert await running.drain(10)
        return seen

    assert asyncio.run(main()) == [fact.id for fact in facts(20)]


def test_a_log_is_not_taken_to_know_facts_again_unless_that_is_said(tmp_path: Path) -> None:
    with FactLog(tmp_path / "facts.db") as log:
        checkpoint = Checkpoint(SqliteStore(tmp_path / "store.db"))
        made = rxml.from_iterable(facts(3))
        assert checkpoint.guarantee(made.pipe(log.append())) == "at_least_once"
        assert checkpoint.guarantee(made.pipe(log.append(known_again=True))) == "effectively_once"
