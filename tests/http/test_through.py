"""An operator of another process, as an operator here."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import ConnectionLost, PipelineError, ProtocolError, RemoteError
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import body_source
from rxml.http import Limits
from rxml.http.through import through
from tests.chaos.proxy import EVENTS, Fault, Proxy
from tests.http.helpers import app, eventually, inverse, padded, run
from tests.http.operated import operated

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.http import App

both = pytest.mark.parametrize("encoding", ["json", "msgpack"])


def ten_times(x: int) -> int:
    return x * 10


def halved(x: int) -> dict[str, float]:
    return {"y": x / 2}


def third(x: int) -> bool:
    return x % 3 == 0


def twice(x: int) -> Flowable[int]:
    return rxml.of(x, x)


DOUBLE = ops.concat_map(twice)


@asynccontextmanager
async def serving(service: App) -> AsyncGenerator[str]:
    async with service.serve() as server:
        yield server.url + "/run"


def dated(count: int, outcomes: dict[int, Outcome]) -> Flowable[int]:
    """Elements whose ends are noted."""

    async def body(_inlets: Any, outlet: Outlet[int]) -> None:
        for i in range(count):
            await outlet.emit(i, Context(fact_id=str(i), settle=partial(outcomes.__setitem__, i)))

    return body_source("dated", body, capacity=16)


@both
@pytest.mark.parametrize("count", [0, 1, 3000])
def test_all_elements_are_answered_in_order(encoding: Any, count: int) -> None:
    async def main() -> None:
        async with serving(operated(ops.map(ten_times))) as url:
            flow = rxml.range(count).pipe(through(url, encoding=encoding))
            assert await flow.to_list() == [x * 10 for x in range(count)]

    run(main())


def test_results_become_what_is_asked_for_and_batches_stay_such() -> None:
    class Answer(msgspec.Struct):
        y: float

    async def main() -> None:
        async with serving(operated(ops.map(halved))) as url:
            assert await rxml.of(3).pipe(through(url, type=Answer)).to_list() == [Answer(1.5)]
        batch = Batch({"x": np.arange(500)})
        service = operated(ops.map(lambda row: row["x"] + 1), dict[str, int], message_bytes=4096)
        async with serving(service) as url:
            rows = await rxml.from_batches([batch]).pipe(through(url)).to_list()
            assert rows == list(range(1, 501))

    run(main())


def test_as_many_are_taken_here_as_are_wanted_there() -> None:
    async def main() -> None:
        made: list[int] = []
        async with serving(operated(ops.map(ten_times))) as url:
            flow = rxml.range(10**6).pipe(ops.do_action(made.append), through(url))
            async with flow.open() as subscription:
                for count in range(1, 6):
                    assert list((await subscription.request(1)).elements) == [10 * (count - 1)]
                    assert len(made) == count
                await asyncio.sleep(0.05)
                assert len(made) == 5

    run(main())


def test_a_reader_that_stalls_stalls_both_sides() -> None:
    async def main() -> None:
        made: list[int] = []
        worked: list[int] = []
        there = rxml.compose(ops.do_action(worked.append), ops.map(padded))
        service = operated(there, heartbeat_seconds=0.05, pong_seconds=0.2)
        async with serving(service) as url:
            flow = rxml.range(10**6).pipe(ops.do_action(made.append), through(url))
            async with flow.open() as subscription:
                await subscription.request(1)
                await subscription.request(1000)
                await asyncio.sleep(0.3)
                stalled = (len(made), len(worked))
                assert max(stalled) <= 2 * 1024
                await asyncio.sleep(0.1)
                assert (len(made), len(worked)) == stalled

    run(main())


def test_the_operator_ends_first() -> None:
    async def main() -> None:
        async with serving(operated(ops.take(3))) as url:
            flow = rxml.range(10**6).pipe(through(url, aligned=False))
            assert await flow.to_list() == [0, 1, 2]
            with pytest.raises(RemoteError, match="short"):
                await rxml.range(10**6).pipe(through(url)).to_list()

    run(main())


@pytest.mark.parametrize("operator", [ops.filter(third), DOUBLE])
def test_any_number_of_results_for_an_element(operator: Operator[int, int]) -> None:
    async def main() -> None:
        async with serving(operated(operator)) as url:
            here = await rxml.range(500).pipe(operator).to_list()
            assert await rxml.range(500).pipe(through(url, aligned=False)).to_list() == here

    run(main())


def test_more_results_than_elements_break_the_alignment() -> None:
    async def main() -> None:
        async with serving(operated(DOUBLE)) as url:
            with pytest.raises(ProtocolError, match="a result more"):
                await rxml.range(5).pipe(through(url)).to_list()

    run(main())


def test_errors_come_behind_the_results_before_them() -> None:
    async def main() -> None:
        got: list[int] = []
        async with serving(operated(ops.map(inverse))) as url:
            there = rxml.of(1, 1, 0, 1).pipe(through(url), ops.do_action(got.append))
            with pytest.raises(RemoteError, match="failed: ZeroDivisionError"):
                await there.to_list()
            assert got == [1, 1]
            here = rxml.of(1, 1, 0).pipe(ops.map(inverse), through(url), ops.do_action(got.append))
            with pytest.raises(ZeroDivisionError):
                await here.to_list()
            assert got == [1, 1, 1, 1]

    run(main())


def test_an_element_that_is_refused_there_is_the_supervisors() -> None:
    async def main() -> None:
        letters: list[Any] = []
        elements = rxml.of(1, "two", 3, "four")
        async with serving(operated(ops.map(ten_times))) as url:
            kept = elements.pipe(through(url), ops.supervise("resume", dead_letters=letters.append))
            assert await kept.to_list() == [10, 30]
            assert [letter.element for letter in letters] == ["two", "four"]
            for aligned in (True, False):
                with pytest.raises(RemoteError, match="reject"):
                    await elements.pipe(through(url, aligned=aligned)).to_list()

    run(main())


def test_results_answer_for_their_elements() -> None:
    async def main() -> None:
        outcomes: dict[int, Outcome] = {}
        seen: list[str | None] = []
        async with serving(operated(ops.map(ten_times))) as url:
            flow = dated(50, outcomes).pipe(through(url))
            async with flow.open() as subscription:
                while not (chunk := await subscription.request(7)).end:
                    assert chunk.contexts is not None
                    seen += [context.fact_id for context in chunk.contexts]
            assert seen == [str(i) for i in range(50)]
            assert outcomes == {}
            cut = dated(50, outcomes).pipe(through(url))
            async with cut.open() as subscription:
                first = len(await subscription.request(1))
                await subscription.request(20)
            assert first == 1
            assert set(outcomes.values()) <= {Outcome.DROPPED}

    run(main())


@pytest.mark.parametrize("event", [each for each in EVENTS if each != "half_close"])
def test_a_connection_that_breaks_is_told(event: Any) -> None:
    async def main() -> None:
        service = operated(ops.map(padded))
        fault = Fault(event, 50_000)
        limits = Limits(heartbeat_seconds=0.1, pong_seconds=0.1)
        async with service.serve() as server, Proxy(server.port, lambda _: fault) as proxy:
            flow = rxml.range(10**6).pipe(
                through(f"ws://127.0.0.1:{proxy.port}/run", limits=limits)
            )
            got: list[str] = []
            with pytest.raises(ConnectionLost):
                await flow.pipe(ops.do_action(got.append)).to_list()
            assert got == [padded(i) for i in range(len(got))]
            await proxy.__aexit__()
            await eventually(lambda: server.connections == 0)

    run(main())


def test_what_is_no_operator_says_so() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        _ = service.ingest("/in")
        async with service.serve() as server:
            for path in ("/out", "/in"):
                with pytest.raises((ProtocolError, ConnectionLost, RemoteError)):
                    await rxml.of(1).pipe(through(server.url + path)).to_list()
            with pytest.raises(ConnectionLost, match="404"):
                await rxml.of(1).pipe(through(server.url + "/nowhere")).to_list()

    run(main())


@pytest.mark.parametrize("url", ["ftp://x", "nothing", 3])
def test_a_url_that_is_none_is_refused(url: Any) -> None:
    with pytest.raises(PipelineError, match="url"):
        through(url)


def test_an_element_that_no_message_holds() -> None:
    async def main() -> None:
        async with serving(operated(ops.map(len), str, message_bytes=2000)) as url:
            with pytest.raises(RemoteError, match="size: an element has"):
                await rxml.of("x", "x" * 3000).pipe(through(url)).to_list()

    run(main())
