"""Nobody holds the server for himself: others have their turn, and memory is bounded, whatever comes."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect

import rxml
from rxml import operators as ops
from rxml.http import Slow, disconnect
from rxml.http.inflate import STEP
from rxml.http.late import Metered, rest
from rxml.http.link import _IDLE as IDLE
from rxml.http.link import _TURN as TURN
from rxml.http.pool import Arrivals, Pool
from rxml.http.post import _BLOCK as BLOCK
from rxml.http.replies import Refusal
from rxml.http.turns import HOLD, Turns
from tests.http.helpers import app, collecting, eventually, http, post, raw, run
from tests.http.wire_client import client

NDJSON = {"content_type": "application/x-ndjson"}


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each time that work which is always ready offered the others a turn."""
    offered: list[None] = []
    pause, over = Turns.pause, Turns.over

    async def counted(self: Turns) -> None:
        offered.append(None)
        await pause(self)

    def asked(self: Turns, now: float) -> bool:
        others_first = over(self, now)
        if not others_first:  # else `pause` follows, which counts
            offered.append(None)
        return others_first

    monkeypatch.setattr(Turns, "pause", counted)
    monkeypatch.setattr(Turns, "over", asked)
    return offered


@pytest.mark.parametrize("line", [b"1\n", b"\n", b" \n"])
def test_lines_that_do_not_fit_let_others_have_their_turn(line: bytes, turns: list[None]) -> None:
    async def main() -> None:
        service = app(rejects=10**9, inflate_ratio=10**6)
        flow = service.ingest("/in")
        body = gzip.compress(line * (400_000 // len(line)), 1)
        async with service.serve() as server, collecting(flow):
            answer = await post(server, body, {**NDJSON, "content_encoding": "gzip"})
            assert answer.status in (202, 422)
        blocks = 200_000 // BLOCK if line == b"1\n" else 0
        assert len(turns) >= 400_000 // STEP + blocks

    run(main())


def test_a_body_with_too_many_elements_that_do_not_fit_is_left() -> None:
    async def main() -> None:
        service = app(rejects=1000)
        flow = service.ingest("/in", schema=int)
        async with service.serve() as server, collecting(flow) as got:
            answer = await post(server, b"1\n" + b"x\n" * 5000, NDJSON)
            assert (answer.status, got.elements) == (422, [1])
            assert "more than 1000" in answer.json["error"]
            assert 1000 < answer.json["rejected"] < 1500
            assert answer.json["next"] == answer.json["rejected"] + 1

    run(main())


@pytest.mark.parametrize(
    "frame", [b"\x81\x80", b"\x89\x80", b"\x8a\x80"], ids=["empty", "ping", "pong"]
)
def test_frames_that_mean_nothing_end_the_connection_soon(frame: bytes, turns: list[None]) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.never())
        async with service.serve() as server, raw(server) as peer:
            await peer.send(
                b"GET /out HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            await peer.head()
            peer.writer.write((frame + bytes(4)) * 40_000)
            async with asyncio.timeout(3):
                _ = await peer.closed()
                await eventually(lambda: server.connections == 0)
        assert len(turns) < 2 * IDLE + 10

    run(main())


def test_each_request_lets_others_have_their_turn(turns: list[None]) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.never())
        service.stream("/one", rxml.of(1))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(1)
            for _ in range(3000):
                await peer.say(type="request", id=1, n=1)
            await peer.subscribe(1, 2, path="/one")
            assert (await peer.hear())["items"] == [1]
        # Each TURNth message waits for one turn of the loop in any case.
        assert len(turns) >= 3000 - 3000 // TURN

    run(main())


def test_who_pauses_goes_on_after_all_others() -> None:
    async def main() -> None:
        turns = Turns()
        order: list[str] = []

        async def work(name: str) -> None:
            for _ in range(3):
                order.append(name)
                await asyncio.sleep(HOLD)
                await turns.pause()

        await asyncio.gather(work("a"), work("b"))
        assert order == ["a", "b"] * 3

    run(main())


def test_an_array_has_only_so_many_elements() -> None:
    async def main() -> None:
        service = app(items=100)
        flow = service.ingest("/in", schema=int)
        async with service.serve() as server, collecting(flow) as got:
            assert (await post(server, list(range(100)))).status == 202
            answer = await post(server, list(range(101)))
            assert (answer.status, answer.json["accepted"]) == (413, 0)
            assert "at most 100" in answer.json["error"]
            async with connect(server.url.replace("http", "ws") + "/in") as socket:
                await socket.send(str([1] * 101))
                await socket.wait_closed()
                assert (socket.close_code, len(got.elements)) == (4400, 100)

    run(main())


def test_bodies_together_decode_to_only_so_much() -> None:
    async def main() -> None:
        service = app(body_bytes=2**20, decoding_bytes=2**22)
        flow = service.ingest("/in", schema=list[int], deadline=0.5)
        body = b"[" + b",".join([b"[1]"] * 50_000) + b"]"
        async with service.serve() as server, collecting(flow.pipe(ops.take(300)), 300):
            tracemalloc.start()
            answers = await asyncio.gather(*[post(server, body) for _ in range(16)])
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert {answer.status for answer in answers} == {429}
            assert peak < 60 * 2**20  # all at once they are more than 150

    run(main())


def test_slow_bodies_do_not_keep_others_out() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        head = (
            b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 24\r\n\r\n1"
        )
        async with service.serve() as server, collecting(flow) as got:
            peers = [raw(server) for _ in range(80)]
            for each in peers:
                await (await each.__aenter__()).send(head)
            await eventually(lambda: server.connections == 80)
            async with asyncio.timeout(2):
                assert (await post(server, 5)).status == 202
            for each in peers:
                await each.__aexit__(None, None, None)
            assert got.elements == [5]

    run(main())


def test_one_address_has_only_its_share_of_bytes_under_way() -> None:
    async def main() -> None:
        service = app(arriving_bytes=4000)
        flow = service.ingest("/in", schema=str)
        async with service.serve() as server, collecting(flow):
            assert (await post(server, "x" * 900)).status == 202
            answer = await post(server, "x" * 1100)
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert "from this address" in answer.json["error"]
            assert (await post(server, "x" * 900)).status == 202

    run(main())


def test_bytes_under_way_are_given_back() -> None:
    arrivals = Arrivals(100)
    with arrivals.of("a") as arrived:
        arrived(25)
        with pytest.raises(Refusal, match="address"):
            arrived(1)
        for other in "bcd":
            with arrivals.of(other) as from_other:
                from_other(25)
    with arrivals.of("a") as arrived:
        arrived(25)


def test_a_pool_lends_in_order_and_never_more_than_it_has() -> None:
    async def main() -> None:
        pool = Pool(10)
        lent = 0
        order: list[int] = []

        async def borrow(number: int, weight: int) -> None:
            nonlocal lent
            async with pool.hold(weight, None):
                order.append(number)
                lent += min(weight, 10)
                assert lent <= 10
                await asyncio.sleep(0.001)
                lent -= min(weight, 10)

        tasks = [asyncio.create_task(borrow(i, w)) for i, w in enumerate([4, 9, 3, 50, 1, 1])]
        await asyncio.sleep(0)
        tasks[4].cancel()
        await asyncio.wait(tasks)
        assert order == [0, 1, 2, 3, 5]
        with pytest.raises(TimeoutError):
            async with pool.hold(10, None), pool.hold(1, 0.001):
                pass
        async with pool.hold(10, 0.001):
            pass

    run(main())


def test_a_stream_without_its_client_leaves_the_loop_to_others() -> None:
    async def main() -> None:
        seen: list[int] = []
        service = app()
        service.stream("/out", rxml.range(10**9).pipe(ops.do_action(seen.append)))
        service.stream("/one", rxml.of(1))
        async with service.serve() as server, raw(server) as peer:
            await peer.send(b"GET /out HTTP/1.0\r\nHost: localhost\r\n\r\n")
            await peer.head()
            await asyncio.sleep(0.3)  # its socket is full, and the patience with it at an end
            clock = asyncio.get_running_loop().time
            began, count = clock(), len(seen)
            await eventually(lambda: len(seen) > count + 200 * 1024)  # it goes on, 1024 at a time
            assert (
                clock() - began > 0.19
            )  # at least a millisecond of rest after each; without, it is a third of that
            assert (await http(server, "/one")).status == 200

    run(main())


def test_work_is_measured_without_its_waits() -> None:
    async def waits() -> int:
        await asyncio.sleep(0.05)
        return 5

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError

    async def main() -> None:
        step: Metered[Any] = Metered(waits())
        assert await step == 5
        assert step.spent < 0.04
        with pytest.raises(KeyError):
            await Metered(fails())
        task = asyncio.ensure_future(_awaited(Metered(waits())))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


async def _awaited(step: Metered[Any]) -> Any:
    return await step


def test_late_streams_together_take_a_tenth() -> None:
    assert rest(0.004, 1) == pytest.approx(0.04)
    assert rest(0.004, 5) == pytest.approx(0.2)
    assert 0 < rest(0.0, 1) < 0.01
    assert rest(1.0, 100) == 1.0


def heavy(_: int) -> str:
    return "x" * 100_000


@pytest.mark.parametrize("slow", ["latest", disconnect(1000)])
def test_clients_that_stall_at_large_elements_hold_little(slow: Slow | str) -> None:
    async def main() -> None:
        seen: list[int] = []
        service = app()
        flow = rxml.range(10**9).pipe(ops.do_action(seen.append), ops.map(heavy))
        service.stream("/out", flow, slow=slow)
        most = 600_000 if slow == "latest" else 600_000 + 64 * 100_000
        async with service.serve() as server:
            peers = [raw(server) for _ in range(10)]
            tracemalloc.start()
            for each in peers:
                peer = await each.__aenter__()
                cast("asyncio.Transport", peer.writer.transport).pause_reading()
                await peer.send(b"GET /out HTTP/1.0\r\nHost: localhost\r\n\r\n")
            await asyncio.sleep(0.5)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            for each in peers:
                await each.__aexit__(None, None, None)
        assert len(seen) > 10
        assert peak < 10 * most

    run(main())
