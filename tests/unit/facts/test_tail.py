"""A tail hears of everything that is stored, however slow it is, and says what was trimmed under it."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml.errors import FactError
from rxml.facts import Fact, FactLog, reading
from rxml.flow.run import Run
from rxml.testing import virtual_time
from tests.unit.facts.drawn import numbered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FactLog]:
    with FactLog(tmp_path / "facts.db") as opened:
        yield opened


def test_what_is_stored_after_the_end_was_found_comes_to_a_slow_consumer(log: FactLog) -> None:
    log.append_facts(numbered(1))

    async def main() -> list[int]:
        seen: list[int] = []
        async with log.tail().open() as subscription:
            for more in range(1, 4):
                seen += [row["offset"] for row in (await subscription.request(9)).elements]
                await virtual_time.settle()  # the thread reads ahead and finds the end
                await asyncio.to_thread(log.append_facts, numbered(1, more))
                await virtual_time.settle()
            seen += [row["offset"] for row in (await subscription.request(9)).elements]
        return seen

    assert virtual_time.run(main()) == [0, 1, 2, 3]


@pytest.mark.parametrize("from_time", [None, 0])
def test_what_is_trimmed_under_a_tail_counts_as_dropped_and_is_told_once(
    log: FactLog,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    from_time: int | None,
) -> None:
    monkeypatch.setattr(reading, "AHEAD", 0)
    for start in range(0, 50, 10):
        log.append_facts(numbered(10, start))

    async def main() -> tuple[list[int], int]:
        async with Run[Any](log.tail(from_time=from_time)) as run:

            async def taken() -> list[int]:
                chunk = await run.subscription.request(10)
                await virtual_time.settle()  # the thread has read one chunk ahead
                return [row["offset"] for row in chunk.elements]

            seen = await taken()
            await asyncio.to_thread(log.trim, max_bytes=0)
            await asyncio.to_thread(log.append_facts, numbered(10, 100))
            seen += await taken() + await taken()
            for more in (200, 300):
                await asyncio.to_thread(log.trim, max_bytes=0)
                await asyncio.to_thread(log.append_facts, numbered(10, more))
            seen += await taken()
            return seen, run.statistics().stages[0].dropped

    with caplog.at_level(logging.WARNING, "rxml.facts"):
        seen, dropped = virtual_time.run(main())
    assert seen == [*range(20), *range(50, 60), *range(70, 80)]
    assert dropped == 30 + 10
    assert len(caplog.records) == 1
    assert "trimmed before they were read" in caplog.text


def test_facts_of_no_interest_that_are_trimmed_are_no_loss(
    log: FactLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.append_facts(numbered(20))

    async def main() -> list[int]:
        async with log.tail(from_time=1000).open() as subscription:
            request = asyncio.ensure_future(subscription.request(10))
            await virtual_time.settle()
            await asyncio.to_thread(log.append_facts, numbered(10, 50))
            await virtual_time.settle()
            await asyncio.to_thread(log.trim, max_bytes=0)
            await asyncio.to_thread(log.append_facts, numbered(10, 100))
            return [row["offset"] for row in (await request).elements]

    assert virtual_time.run(main()) == list(range(30, 40))
    assert not caplog.records


@pytest.mark.parametrize("given", [True, False])
def test_facts_arrive_by_the_clock_of_a_virtual_run_unless_the_log_has_its_own(
    tmp_path: Path, given: bool
) -> None:
    async def sent() -> AsyncIterator[dict[str, Any]]:
        for _ in range(3):
            yield {"key": "k", "event_time": 1}
            await asyncio.sleep(3600)

    with FactLog(tmp_path / "facts.db", now=(lambda: 77) if given else None) as log:
        before = time.time_ns()
        virtual_time.run(rxml.from_async_iterable(sent()).pipe(log.append()).run())
        times = [int(each) for batch in log.scan() for each in batch["arrival_time"]]
    apart = [later - earlier for earlier, later in pairwise(times)]
    assert apart == ([0, 0] if given else [3600 * 10**9] * 2)
    assert times[0] == 77 if given else before <= times[0]


def test_a_place_to_begin_at_is_an_offset_or_a_time(log: FactLog) -> None:
    wrong: list[Any] = [-1, True, 1.0, "noon", datetime(2026, 1, 1)]  # noqa: DTZ001
    nothing: Any = None
    for each in (*wrong, nothing):
        with pytest.raises(FactError, match=r"read\(from_\)"):
            list(log.read(each).walk())
    for each in wrong:
        with pytest.raises(FactError, match=r"tail\(from_\)"):
            list(log.tail(each).walk())
    with pytest.raises(FactError, match="give one of them"):
        list(log.read(datetime(2026, 1, 1, tzinfo=UTC), from_time=1).walk())


def test_a_time_is_a_place_to_begin_at(log: FactLog) -> None:
    log.append_facts(numbered(30))
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    log.append_facts([Fact("x", "k", -1, 0)])
    rows = virtual_time.run(log.read(moment).to_list())
    assert [row["offset"] for row in rows] == list(range(30))


def test_small_chunks_are_read_together_up_to_a_bound(
    log: FactLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(0, 100, 10):
        log.append_facts(numbered(10, start))
    monkeypatch.setattr(reading, "AHEAD", 35)

    async def main() -> tuple[list[int], list[int]]:
        held: list[int] = []
        offsets: list[int] = []
        async with Run[Any](log.read()) as run:
            while not (chunk := await run.subscription.request(10)).end:
                await virtual_time.settle()
                offsets.extend(row["offset"] for row in chunk.elements)
                held.append(run.statistics().stages[0].buffered)
        return offsets, held

    offsets, held = virtual_time.run(main())
    assert offsets == list(range(100))
    assert held == [0, 30, 20, 10, 0, 30, 20, 10, 0, 0]
