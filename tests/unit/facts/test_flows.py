"""Flows append to a log, read it by demand, and follow it live without a gap or a repeat."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import FactError, FactLogError, LogClosedError, LogFullError
from rxml.facts import Fact, FactLog, Outcome, facts_batch, facts_of, reading
from rxml.facts.reader import Reader
from rxml.facts.store import FactStore
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context
from rxml.flow.context import Outcome as Ending
from rxml.flow.kinds import source
from rxml.flow.stage import Stage
from rxml.testing import virtual_time
from tests.unit.facts.drawn import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rxml.facts import Outcomes
    from rxml.facts.intake import Intake
    from rxml.facts.joint import Joined
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FactLog]:
    with FactLog(tmp_path / "facts.db") as opened:
        yield opened


def stored(log: FactLog) -> list[Fact]:
    return [fact for batch in log.scan() for fact in facts_of(batch)]


def test_of_a_thousand_documents_the_37_invalid_ones_are_reported(log: FactLog) -> None:
    documents: list[dict[str, Any]] = [
        {"key": "k", "event_time": n} if n % 27 else {"key": "k", "event_time": n, "lower": 1.0}
        for n in range(1, 1001)
    ]
    outcomes = virtual_time.run(rxml.from_iterable(documents).pipe(log.append()).to_list())
    assert len(outcomes) == 1000
    rejected = [row for row, each in enumerate(outcomes) if each.status == "rejected"]
    assert rejected == list(range(26, 1000, 27))
    assert len(rejected) == 37
    assert {outcomes[row].reason for row in rejected} == {
        "upper is None: bounds are two finite floats, or both None"
    }
    assert [each.offset for each in outcomes if each.status == "stored"] == list(range(963))
    assert log.length == 963


@settings(max_examples=25)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 70), st.booleans())
def test_outcomes_and_rows_do_not_depend_on_demand(
    demands: list[int], chunk: int, batches: bool
) -> None:
    async def main(path: str) -> None:
        sent = numbered(60)
        given_flow: Flowable[Any] = (
            rxml.from_batches([facts_batch(sent[at : at + chunk]) for at in range(0, 60, chunk)])
            if batches
            else rxml.from_iterable(sent)
        )
        async with FactLog(path) as log:
            outcomes = await taken(given_flow.pipe(log.append()), demands)
            assert outcomes == [Outcome("stored", n, None) for n in range(60)]
            rows = await taken(log.read(), demands)
            assert [row["offset"] for row in rows] == list(range(60))
            assert await taken(log.read(batches=False), demands) == sent
            assert await taken(log.read(17, batches=False), demands) == sent[17:]
            late = await taken(log.read(batches=False, from_time=333), demands)
            assert late == sent[34:]

    with tempfile.TemporaryDirectory() as folder:
        virtual_time.run(main(f"{folder}/facts.db"))


async def taken(flow: Flowable[Any], demands: list[int]) -> list[Any]:
    elements: list[Any] = []
    async with flow.open() as subscription:
        for turn in range(10_000):
            n = demands[turn % len(demands)]
            chunk = await subscription.request(n)
            assert len(chunk) <= n
            if chunk.end:
                return elements
            elements += list(chunk.elements)
    raise AssertionError


def test_a_batch_whose_columns_are_no_facts_is_rejected_row_by_row(log: FactLog) -> None:
    flow = rxml.from_batches([Batch({"key": ["a", "b"]}), facts_batch(numbered(1))])
    outcomes = virtual_time.run(flow.pipe(log.append()).to_list())
    assert [each.status for each in outcomes] == ["rejected", "rejected", "stored"]
    assert "no column 'event_time'" in (outcomes[0].reason or "")


class Gated(FactLog):
    """A log that stores nothing until it may."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun, self.gate = threading.Event(), threading.Event()

    @override
    def store(
        self,
        intake: Intake,
        marks: Mapping[str, bytes] | None = None,
        run: Joined | None = None,
    ) -> Outcomes:
        self.begun.set()
        assert self.gate.wait(20)
        return super().store(intake, marks, run)


def test_a_cancelled_request_loses_no_outcome(tmp_path: Path) -> None:
    async def main(log: Gated) -> None:
        async with rxml.from_iterable(numbered(5)).pipe(log.append()).open() as subscription:
            request = asyncio.ensure_future(subscription.request(3))
            await asyncio.to_thread(log.begun.wait)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            log.gate.set()
            first = await subscription.request(2)
            assert [each.offset for each in first.elements] == [0, 1]
            rest = [*(await subscription.request(9)).elements]
            rest += (await subscription.request(9)).elements
            assert [each.offset for each in rest] == [2, 3, 4]
            assert (await subscription.request(1)).end

    with Gated(tmp_path / "facts.db") as log:
        virtual_time.run(main(log))


def test_what_was_handed_over_is_stored_even_if_the_stream_is_cancelled(tmp_path: Path) -> None:
    async def main(log: Gated) -> None:
        run = rxml.from_iterable(numbered(5)).pipe(log.append()).start()
        async with run as running:
            await asyncio.to_thread(log.begun.wait)
            stopping = asyncio.ensure_future(running.stop())
            await asyncio.sleep(0)
            log.gate.set()
            await stopping
            (meter,) = [each for each in running.statistics().stages if "append" in each.name]
            assert (meter.dropped, meter.emitted) == (5, 0)

    with Gated(tmp_path / "facts.db") as log:
        virtual_time.run(main(log))
        assert stored(log) == numbered(5)


class OneChunk(Stage[Any]):
    def __init__(self, env: Env, node: Node, chunks: list[Chunk[Any]]) -> None:
        super().__init__(env, node)
        self.chunks = chunks

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        return self.chunks.pop(0) if self.chunks else Chunk((), end=True)


def chunked(*chunks: Chunk[Any]) -> Flowable[Any]:
    left = list(chunks)

    def open_(env: Env, node: Node) -> Subscription[Any]:
        return OneChunk(env, node, left)

    return source("chunks", open_)


def test_contexts_and_signals_pass_beside_the_outcomes(log: FactLog) -> None:
    async def main() -> None:
        contexts = [Context(trace=f"t{n}") for n in range(4)]
        flow = chunked(Chunk(numbered(4), contexts, watermark=7, barrier=2), Chunk((), watermark=9))
        async with flow.pipe(log.append()).open() as subscription:
            first, second = await subscription.request(3), await subscription.request(4)
            assert (first.contexts, second.contexts) == (contexts[:3], contexts[3:])
            assert (first.signals(), second.signals()) == ({}, {"watermark": 7, "barrier": 2})
            assert (await subscription.request(1)).signals() == {"watermark": 9}

    virtual_time.run(main())


def test_a_log_that_fails_fails_the_stream_and_settles_what_was_on_its_way(log: FactLog) -> None:
    ended: list[Ending] = []
    contexts = [Context(settle=ended.append) for _ in range(500)]

    log.append_facts(numbered(1))
    connection = log.writing().connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")

    async def main() -> None:
        facts = [Fact(f"{n}x" * 50, f"{n}y" * 100, n, n) for n in range(500)]
        with pytest.raises(LogFullError) as caught:
            await chunked(Chunk(facts, contexts)).pipe(log.append()).run()
        assert "in stage append" in caught.value.__notes__[0]

    virtual_time.run(main())
    assert ended == [Ending.DROPPED] * 500
    assert stored(log) == numbered(1)


def test_a_closed_log_fails_the_stream(log: FactLog) -> None:
    log.close()
    with pytest.raises(LogClosedError):
        virtual_time.run(rxml.from_iterable(numbered(1)).pipe(log.append()).run())


def test_reading_takes_no_more_than_two_chunks_from_the_file(
    log: FactLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(0, 100, 10):
        log.append_facts(numbered(10, start))
    reads: list[int] = []
    batch_from = Reader.batch_from

    def counted(self: Reader, offset: int, *bounds: int | None) -> Any:
        reads.append(offset)
        return batch_from(self, offset, *bounds)

    monkeypatch.setattr(Reader, "batch_from", counted)
    monkeypatch.setattr(reading, "AHEAD", 0)

    async def main() -> None:
        async with log.read().open() as subscription:
            for taken_rows in range(1, 11):
                assert len(await subscription.request(1)) == 1
                await virtual_time.settle()
                assert reads == [0, 10], taken_rows
            await subscription.request(1)
            await virtual_time.settle()
            assert reads == [0, 10, 20]

    virtual_time.run(main())


def test_a_tail_has_no_gap_and_no_repeat_at_the_seam(log: FactLog) -> None:
    log.append_facts(numbered(25))

    async def write() -> None:
        for start in range(25, 500, 5):
            await rxml.from_iterable(numbered(5, start)).pipe(log.append()).run()

    async def main() -> None:
        async with log.tail(20, batches=False).open() as subscription:
            writing = asyncio.ensure_future(write())
            seen: list[Fact] = []
            while len(seen) < 480:
                seen += (await subscription.request(7)).elements
            await writing
        assert seen == numbered(500)[20:]

    virtual_time.run(main())


def test_a_tail_from_the_end_sees_only_what_comes(log: FactLog) -> None:
    log.append_facts(numbered(5))

    async def main() -> list[int]:
        async with log.tail(None).open() as subscription:
            request = asyncio.ensure_future(subscription.request(10))
            await virtual_time.settle()
            await asyncio.to_thread(log.append_facts, numbered(8))
            return [row["offset"] for row in (await request).elements]

    assert virtual_time.run(main()) == [5, 6, 7]


def test_a_tail_of_what_another_one_writes_looks_by_the_clock_of_the_run(tmp_path: Path) -> None:
    async def main(writer: FactLog, reader: FactLog) -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        async with reader.tail().open() as subscription:
            request = asyncio.ensure_future(subscription.request(10))
            await asyncio.sleep(100.1)
            began = loop.time()
            await asyncio.to_thread(writer.append_facts, numbered(3))
            return len(await request), loop.time() - began

    with FactLog(tmp_path / "facts.db") as writer, FactLog(tmp_path / "facts.db", poll=2) as reader:
        count, waited = virtual_time.run(main(writer, reader))
    assert count == 3
    assert 0 < waited <= 2


def test_a_tail_ends_when_the_run_is_drained_or_the_log_is_closed(log: FactLog) -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []
        async with log.tail().pipe(ops.do_action(seen.append)).start() as run:
            await asyncio.to_thread(log.append_facts, numbered(3))
            await virtual_time.settle()
            assert await run.drain(5)
        async with log.tail(3).open() as subscription:
            request = asyncio.ensure_future(subscription.request(10))
            await virtual_time.settle()
            await log.aclose()
            assert (await request).end
        return [row["offset"] for row in seen]

    assert virtual_time.run(main()) == [0, 1, 2]


def test_where_a_reader_stands_is_where_another_goes_on(log: FactLog) -> None:
    log.append_facts(numbered(10))

    async def main() -> None:
        async with log.read().open() as subscription:
            assert isinstance(subscription, Stage)
            assert subscription.position() == 0
            await subscription.request(4)
            assert subscription.position() == 4
        async with log.read().open() as subscription:
            assert isinstance(subscription, Stage)
            subscription.seek(4)
            assert (await subscription.request(1)).elements[0]["offset"] == 4

    virtual_time.run(main())


def test_a_place_where_the_log_never_was_is_an_error(log: FactLog) -> None:
    log.append_facts(numbered(3))
    for flow in (log.read(4), log.tail(4)):
        with pytest.raises(FactLogError, match="it ends at 3"):
            virtual_time.run(flow.run())
    assert virtual_time.run(log.read(3).to_list()) == []
    noon: Any = "noon"
    with pytest.raises(FactError, match="from_time"):
        list(log.read(from_time=noon).walk())


def test_a_read_ends_at_what_was_there_when_it_began(log: FactLog) -> None:
    log.append_facts(numbered(10))

    async def main() -> int:
        async with log.read().open() as subscription:
            count = len(await subscription.request(3))
            await asyncio.to_thread(log.append_facts, numbered(20))
            while not (chunk := await subscription.request(100)).end:
                count += len(chunk)
            return count

    assert virtual_time.run(main()) == 10


def test_another_process_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    script = (
        "import sys; from rxml.facts import Fact, FactLog\n"
        "with FactLog(sys.argv[1]) as log:\n"
        "    for n in range(300): log.append_facts([Fact(f'{n:032x}', 'k', n, n)])\n"
    )

    async def main() -> list[int]:
        async with FactLog(path, poll=0.01) as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, str(path), cwd=ROOT
            )
            rows = await log.tail().pipe(ops.take(300)).to_list()
            assert await process.wait() == 0
            return [row["offset"] for row in rows]

    assert asyncio.run(main()) == list(range(300))


def test_the_sync_part_needs_no_event_loop() -> None:
    code = "import sys; from rxml.facts import FactLog; FactLog('x'); print('ok')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ok\n"
    assert issubclass(FactLog, FactStore)
