"""kill -9 at twenty random places: what a pipeline gives that comes back each time."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.dying import (
    BARRIER,
    DSN,
    FACTS,
    RESULTS,
    STORE,
    WINDOWS,
    live,
    lives,
    windows_by_hand,
    write_events,
)
from rxml.facts import Fact, FactLog, facts_of
from rxml.stores import PostgresStore, SqliteStore
from rxml.wire import dumps
from tests.unit.stores.postgres import fresh, started

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

DEATHS = 20

pytestmark = pytest.mark.timeout(120)
"""Twenty interpreters start, whatever else the machine does."""


def windows(folder: Path) -> list[dict[str, Any]]:
    return asyncio.run(SqliteStore(folder / STORE).read("windows").to_list())


def test_a_table_that_commits_with_the_checkpoints_is_that_of_a_run_that_never_died(
    tmp_path: Path,
) -> None:
    died, whole = tmp_path / "died", tmp_path / "whole"
    died.mkdir()
    whole.mkdir()
    events = write_events(died, 8000)
    write_events(whole, 8000)
    lived = lives(died, "joined", DEATHS, most=120, seed=11)
    assert [life.killed for life in lived] == [True] * DEATHS + [False]
    assert not live(whole, "joined", None).killed
    assert windows(died) == windows(whole)
    rows = Counter((row["key"], row["start"], row["n"], row["total"]) for row in windows(died))
    by_hand = windows_by_hand(events)
    assert rows == Counter((key, start, *found) for (key, start), found in by_hand.items())


@pytest.fixture(scope="module")
def server() -> Generator[Any]:
    with started() as running:
        yield running


def test_a_table_in_postgresql_is_that_of_a_run_that_never_died(
    tmp_path: Path, server: Any
) -> None:
    events = write_events(tmp_path, 6000)
    deaths = DEATHS // 2

    def lived(how_often: int, seed: int) -> list[dict[str, Any]]:
        dsn = fresh(server)
        (tmp_path / DSN).write_text(dsn)
        found = lives(tmp_path, "postgres", how_often, most=120, seed=seed)
        assert [life.killed for life in found] == [True] * how_often + [False]
        return asyncio.run(PostgresStore(dsn).read("windows").to_list())

    died = lived(deaths, 14)
    assert died == lived(0, 0)
    rows = Counter((row["key"], row["start"], row["n"], row["total"]) for row in died)
    by_hand = windows_by_hand(events)
    assert rows == Counter((key, start, *found) for (key, start), found in by_hand.items())


def test_facts_with_random_ids_are_those_of_a_run_that_never_died(tmp_path: Path) -> None:
    def lived(name: str, deaths: int) -> tuple[list[bytes], int]:
        folder = tmp_path / name
        folder.mkdir()
        write_events(folder, 8000)
        found = lives(folder, "nameless", deaths, most=120, seed=15)
        assert [life.killed for life in found] == [True] * deaths + [False]
        with FactLog(folder / WINDOWS) as log:
            batches = list(log.scan())
        ids = {each for batch in batches for each in batch.array("id").tolist()}
        rows = [row for batch in batches for row in batch]
        told = ("offset", "key", "event_time", "payload", "lower", "upper")
        return [dumps({name: row[name] for name in told}) for row in rows], len(ids)

    died, ids = lived("died", DEATHS)
    whole, _ = lived("whole", 0)
    assert died == whole
    assert len(died) == ids == len(windows_by_hand(write_events(tmp_path, 8000)))


def test_a_fact_log_stores_the_windows_over_another_once(tmp_path: Path) -> None:
    events = write_events(tmp_path, 6000)
    with FactLog(tmp_path / FACTS) as log:
        log.append_facts(
            [
                Fact.of(str(each["key"]), int(each["ts"]), {"value": each["value"]})
                for each in events
            ]
        )
    lived = lives(tmp_path, "logged", DEATHS // 2, most=120, seed=13)
    assert [life.killed for life in lived] == [True] * (DEATHS // 2) + [False]
    with FactLog(tmp_path / WINDOWS) as log:
        facts = [fact for batch in log.scan() for fact in facts_of(batch)]
    found = Counter((f.key, f.event_time, f.payload["n"], f.payload["total"]) for f in facts)
    by_hand = windows_by_hand(events)
    assert found == Counter((key, start, *both) for (key, start), both in by_hand.items())


def test_a_file_that_knows_nothing_of_them_has_again_what_came_behind_the_last_one(
    tmp_path: Path,
) -> None:
    events = write_events(tmp_path, 6000)
    lived = lives(tmp_path, "appended", DEATHS // 2, most=400, seed=12)
    assert [life.killed for life in lived] == [True] * (DEATHS // 2) + [False]
    lines = [
        [int(word) for word in line.split()]
        for line in (tmp_path / RESULTS).read_text().splitlines()
    ]
    totals = {count: total for _, count, total in lines}
    sums = accumulate(int(event["value"]) for event in events)
    assert totals == dict(enumerate(sums, start=1))
    runs = [
        [count for _, count, _ in group] for _, group in groupby(lines, key=lambda line: line[0])
    ]
    assert all(counts == list(range(counts[0], counts[-1] + 1)) for counts in runs)
    for before, after in pairwise(runs):
        assert after[0] % BARRIER == 1
        assert 0 <= before[-1] + 1 - after[0] <= BARRIER
