"""Client sources against servers that rxml did not write, and against its own."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

import rxml
from rxml import Backoff
from rxml import operators as ops
from rxml.errors import ConnectionLost, GapError, PipelineError, ProtocolError, RemoteError
from rxml.http import Event, Gap, Limits, Reconnect, Replay, ndjson, sse, websocket
from tests.chaos.proxy import Proxy, seeded
from tests.http.helpers import app, eventually, inverse, run
from tests.http.plain import CLOSED, LINES, SSE, Plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

QUICK = Reconnect(backoff=Backoff(0.001, 2.0, 0.01), attempts=20, elapsed=10.0)
LIMITS = Limits(idle_seconds=0.15, hello_seconds=1.0, heartbeat_seconds=0.05, pong_seconds=0.1)


class Sensor(msgspec.Struct):
    value: float


# --- SSE ----------------------------------------------------------------------------------------


def test_sse_goes_on_with_the_last_id_until_there_is_no_content() -> None:
    async def main() -> None:
        server = Plain(
            SSE + b"retry: 1\nid: a1\ndata: 1\n\nid: a2\ndata: 2\n\nid: a3\ndata: lost",
            b"HTTP/1.1 503 Later\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
            SSE + b"data: 3\n\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
        )
        async with server.running():
            flow = sse(server.url, type=int, reconnect=QUICK, on_gap="error")
            assert await flow.to_list() == [1, 2, 3]
            assert [head.get("last-event-id") for head in server.heads] == [None, "a2", "a2", "a2"]
            assert server.heads[0]["accept"] == "text/event-stream"

    run(main())


def test_sse_without_ids_tells_that_elements_may_be_lost() -> None:
    async def main() -> None:
        gaps: list[Gap] = []
        for on_gap in (gaps.append, "error"):
            server = Plain(SSE + b"data: x\n\n", SSE + b"event: e\ndata: y\n\n", b"HTTP/1.1 204 No\r\n\r\n")  # fmt: skip
            async with server.running():
                flow = sse(server.url, reconnect=QUICK, on_gap=on_gap)
                if on_gap == "error":
                    with pytest.raises(GapError, match="may be lost"):
                        await flow.to_list()
                else:
                    assert await flow.to_list() == [Event("x"), Event("y", "e")]
        assert [gap.count for gap in gaps] == [None]

    run(main())


def test_sse_that_is_not_to_connect_again_ends_with_the_body() -> None:
    async def main() -> None:
        server = Plain(SSE + b"data: 1\n\n")
        async with server.running():
            assert await sse(server.url, type=int, reconnect=None).to_list() == [1]

    run(main())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "answered 401"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", "text/html"),
    ],
)
def test_what_does_not_pass_is_asked_once(answer: bytes, words: str) -> None:
    async def main() -> None:
        server = Plain(answer, answer)
        async with server.running():
            with pytest.raises(ConnectionLost, match=words):
                await sse(server.url, reconnect=QUICK).to_list()
            assert len(server.heads) == 1

    run(main())


def test_an_element_that_does_not_fit_comes_behind_those_before_it() -> None:
    async def main() -> None:
        got: list[int] = []
        bodies: list[Any] = [(sse, SSE + b"data: 1\n\ndata: x\n\n"), (ndjson, CLOSED + b"1\nx\n")]
        for source, body in bodies:
            server = Plain(body)
            async with server.running():
                flow = source(server.url, type=int)
                with pytest.raises(ProtocolError, match="does not fit"):
                    await flow.pipe(ops.do_action(got.append)).to_list()
        assert got == [1, 1]

    run(main())


# --- NDJSON -------------------------------------------------------------------------------------


def test_lines_of_any_server() -> None:
    async def main() -> None:
        body = b'{"value": 1}\r\n\n{"value": 2.5}\n{"value": 3}'
        server = Plain(CLOSED + body, CLOSED + body)
        async with server.running():
            assert await ndjson(server.url, type=Sensor).to_list() == [
                Sensor(1),
                Sensor(2.5),
                Sensor(3),
            ]
            assert (await ndjson(server.url).to_list())[0] == {"value": 1}

    run(main())


def test_a_body_that_is_cut_is_read_anew_and_told() -> None:
    async def main() -> None:
        gaps: list[Gap] = []
        whole = b"3\r\n1\n2\r\n2\r\n\n3\r\n"
        chunked = LINES + b"Transfer-Encoding: chunked\r\n\r\n"
        server = Plain(chunked + whole, chunked + whole + b"0\r\n\r\n")
        async with server.running():
            flow = ndjson(server.url, reconnect=QUICK, on_gap=gaps.append)
            assert await flow.to_list() == [1, 2, 1, 2, 3]
            assert [gap.count for gap in gaps] == [None]

    run(main())


def test_a_line_has_a_bound() -> None:
    async def main() -> None:
        server = Plain(CLOSED + b'"' + b"x" * 2000)
        async with server.running():
            with pytest.raises(ProtocolError, match="longer than 1000"):
                await ndjson(server.url, limits=Limits(message_bytes=1000)).to_list()

    run(main())


# --- both, of an App ----------------------------------------------------------------------------


@pytest.mark.parametrize("source", [sse, ndjson])
@pytest.mark.parametrize("seed", range(4))
def test_all_elements_come_once_through_a_network_that_fails(
    source: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rxml.http.sinks.RETRY_MS", 1)

    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(10_000), replay=Replay(20_000, epoch="e"))
        fault = seeded(seed, size=60_000, faulty=4)
        async with service.serve() as server, Proxy(server.port, fault) as proxy:
            url = f"http://127.0.0.1:{proxy.port}/out?offset=0"
            flow = source(url, type=int, limits=LIMITS, reconnect=QUICK, on_gap="error")
            assert await flow.to_list() == list(range(10_000))

    run(main())


@pytest.mark.parametrize("source", [sse, ndjson])
def test_failures_and_gaps_of_an_app_are_understood(source: Any) -> None:
    async def main() -> None:
        got: list[int] = []
        gaps: list[Gap] = []
        service = app()
        service.stream("/fails", rxml.of(1, 1, 0).pipe(ops.map(inverse)))
        service.stream("/kept", rxml.range(100), replay=Replay(8, epoch="e"))
        async with service.serve() as server:
            with pytest.raises(RemoteError, match="failed: ZeroDivisionError"):
                await (
                    source(f"{server.url}/fails", type=int)
                    .pipe(ops.do_action(got.append))
                    .to_list()
                )
            assert got == [1, 1]
            await ndjson(f"{server.url}/kept").to_list()
            for query, first, count in (
                ("offset=50&epoch=e", 92, 42),
                ("offset=50&epoch=x", 92, None),
            ):
                gaps.clear()
                flow = source(f"{server.url}/kept?{query}", type=int, on_gap=gaps.append)
                assert await flow.to_list() == list(range(first, 100))
                assert [gap.count for gap in gaps] == [count]

    run(main())


@pytest.mark.parametrize("source", [sse, ndjson])
def test_a_reader_that_stalls_stalls_the_flow(source: Any) -> None:
    async def main() -> None:
        made: list[int] = []
        service = app(write_bytes=4096)
        flow = rxml.range(10**6).pipe(ops.do_action(made.append), ops.map(lambda i: f"{i:1000}"))
        service.stream("/out", flow, replay=1000)
        async with service.serve() as server:
            async with source(f"{server.url}/out", type=str).open() as subscription:
                await subscription.request(1)
                stalled = 0
                while len(made) > stalled:
                    stalled = len(made)
                    await asyncio.sleep(0.3)
                assert stalled < 20_000
            await eventually(lambda: server.connections == 0)

    run(main())


# --- WebSocket ----------------------------------------------------------------------------------


@asynccontextmanager
async def echoing(handle: Callable[[ServerConnection, int], Any]) -> AsyncGenerator[str]:
    """A server of `websockets`; the handler is told the number of the connection."""
    count = 0

    async def counted(socket: ServerConnection) -> None:
        nonlocal count
        count += 1
        await handle(socket, count - 1)

    async with serve(counted, "127.0.0.1", 0, close_timeout=0.1) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def test_messages_come_as_they_are_or_typed_and_greetings_go_out_each_time() -> None:
    async def main() -> None:
        async def handle(socket: ServerConnection, number: int) -> None:
            greeting = await socket.recv()
            assert greeting == '{"subscribe": "ticks"}'
            await socket.send(json.dumps({"value": number}))
            if number == 0:
                socket.transport.abort()
            await socket.close(1000)

        gaps: list[Gap] = []
        options: Any = {
            "greeting": ['{"subscribe": "ticks"}'],
            "reconnect": QUICK,
            "on_gap": gaps.append,
        }
        async with echoing(handle) as url:
            flow = websocket(url, type=Sensor, **options)
            assert await flow.to_list() in ([Sensor(0), Sensor(1)], [Sensor(1)])
            assert all(gap.count is None for gap in gaps)
            assert await websocket(url, **options).to_list() == ['{"value": 2}']

    run(main())


@pytest.mark.parametrize(
    ("code", "again"), [(1008, False), (4401, False), (1011, True), (1012, True)]
)
def test_a_close_code_says_whether_it_passes(code: int, again: bool) -> None:
    async def main() -> None:
        numbers: list[int] = []

        async def handle(socket: ServerConnection, number: int) -> None:
            numbers.append(number)
            await socket.close(code if number == 0 else 1000)

        async with echoing(handle) as url:
            flow = websocket(url, reconnect=QUICK)
            if again:
                assert await flow.to_list() == []
            else:
                with pytest.raises(ConnectionLost, match=str(code)):
                    await flow.to_list()
        assert len(numbers) == 1 + again

    run(main())


def test_messages_are_read_as_they_are_wanted() -> None:
    async def main() -> None:
        sent: list[int] = []

        async def handle(socket: ServerConnection, _: int) -> None:
            with suppress(Exception):
                for number in range(100_000):
                    await socket.send(f"{number:1000}")
                    sent.append(number)

        async with echoing(handle) as url, websocket(url, type=int).open() as subscription:
            assert list((await subscription.request(1)).elements) == [0]
            await asyncio.sleep(0.3)
            stalled = len(sent)
            await asyncio.sleep(0.2)
            assert len(sent) == stalled < 50_000
            assert list((await subscription.request(1)).elements) == [1]

    run(main())


def test_a_peer_that_answers_no_ping_is_lost_and_one_that_is_silent_is_not() -> None:
    async def main() -> None:
        async def handle(socket: ServerConnection, _: int) -> None:
            await asyncio.sleep(0.3)
            await socket.send("here")
            await socket.close(1000)

        async with echoing(handle) as url:
            assert await websocket(url, limits=LIMITS).to_list() == ["here"]

        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            short = Limits(hello_seconds=0.05, heartbeat_seconds=0.05, pong_seconds=0.05)
            with pytest.raises(ConnectionLost):
                await websocket(f"ws://127.0.0.1:{port}/", limits=short, reconnect=None).to_list()
        await asyncio.sleep(0.01)

    run(main())


WRONG: Any = object()


@pytest.mark.parametrize(
    "make",
    [
        lambda: sse("nowhere"),
        lambda: ndjson("http://x", offset=-1),
        lambda: websocket("ws://x", greeting="hello"),
        lambda: websocket("ws://x", greeting=[WRONG]),
        lambda: sse("http://x", on_gap=WRONG),
        lambda: sse("http://x", reconnect=WRONG),
        lambda: ndjson("http://x", type=WRONG),
    ],
)
def test_what_cannot_be_read_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(PipelineError):
        make()
