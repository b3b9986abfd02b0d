"""A flow that a thread reads waits for it, loses nothing, and leaves neither thread nor iterator behind."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from rxml import operators as ops
from rxml.batch import Batch
from rxml.facts.threaded import threaded
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.batch import Row


class Source:
    """Batches of three rows; says in which threads it was read and closed, and waits at a gate if it has one."""

    def __init__(self, batches: int, gate: threading.Event | None = None) -> None:
        self.batches = batches
        self.gate = gate
        self.threads: set[int] = set()
        self.read = 0
        self.closed = 0

    def __call__(self) -> Iterator[Batch]:
        try:
            for at in range(self.batches):
                self.threads.add(threading.get_ident())
                if self.gate is not None:
                    self.gate.wait(10)
                self.read += 1
                yield Batch({"x": [3 * at, 3 * at + 1, 3 * at + 2]})
        finally:
            self.threads.add(threading.get_ident())
            self.closed += 1


def names() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("mine")]


def test_one_thread_reads_a_batch_when_it_is_wanted() -> None:
    source = Source(5)

    async def main() -> None:
        async with threaded("mine", source).open() as stage:
            first = await stage.request(2)
            assert [row["x"] for row in first.elements] == [0, 1]
            assert isinstance(first.elements, Batch)
            second = await stage.request(9)
            assert [row["x"] for row in second.elements] == [2]
            assert source.read == 1
            await stage.cancel()
            assert (source.closed, len(source.threads)) == (1, 1)
            assert threading.get_ident() not in source.threads

    run(main())
    for thread in threading.enumerate():
        if thread.name.startswith("mine"):
            thread.join(10)
    assert names() == []


def test_a_request_that_is_cancelled_leaves_its_batch_to_the_next() -> None:
    gate = threading.Event()
    source = Source(2, gate)

    async def main() -> None:
        async with threaded("mine", source).open() as stage:
            waiting = asyncio.ensure_future(stage.request(9))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            gate.set()
            rows = [row["x"] for _ in range(2) for row in (await stage.request(9)).elements]
            assert rows == [0, 1, 2, 3, 4, 5]
            assert (await stage.request(1)).end

    run(main())
    assert source.closed == 1


def test_a_reading_that_nobody_waits_for_is_let_end() -> None:
    gate = threading.Event()
    source = Source(2, gate)

    async def main() -> None:
        async with threaded("mine", source).open() as stage:
            waiting = asyncio.ensure_future(stage.request(9))
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(gate.set)
            await stage.cancel()
            assert (await waiting).end

    run(main())
    assert (source.read, source.closed) == (1, 1)


def test_an_error_comes_after_the_rows_before_it() -> None:
    def failing() -> Iterator[Batch]:
        yield Batch({"x": [1]})
        raise LookupError("lost")

    seen: list[int] = []

    async def main() -> None:
        async with threaded("mine", failing).open() as stage:
            seen.extend(row["x"] for row in (await stage.request(9)).elements)
            await stage.request(9)

    with pytest.raises(LookupError, match="lost"):
        run(main())
    assert seen == [1]


def test_a_run_that_is_drained_reads_no_further_batch() -> None:
    source = Source(1000)
    seen: list[int] = []

    async def main() -> None:
        enough = asyncio.Event()

        def see(row: Row) -> None:
            seen.append(row["x"])
            if len(seen) >= 30:
                enough.set()

        async with threaded("mine", source).pipe(ops.do_action(see)).start() as running:
            await enough.wait()
            assert await running.drain(10)

    run(main())
    assert source.read < 1000
    assert len(seen) == 3 * source.read
    assert source.closed == 1
