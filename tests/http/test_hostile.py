"""Clients that mean no good: each is refused in time, and costs little."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import rxml
from rxml.http import App, Limits
from tests.http.helpers import Raw, app, collecting, eventually, http, post, raw, run, short
from tests.http.wire_client import client

POST = b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n"
NDJSON = "application/x-ndjson"


def spoken(head: bytes, **limits: Any) -> tuple[bytes, float]:
    """Send bytes and nothing more; what the server says until it closes, and how long it waits."""

    async def main() -> tuple[bytes, float]:
        service = app(**limits)
        flow = service.ingest("/in")
        async with service.serve() as server, raw(server) as peer, collecting(flow):
            began = time.perf_counter()
            await peer.send(head)
            return await peer.closed(), time.perf_counter() - began

    return run(main())


@pytest.mark.parametrize(
    ("head", "limits"),
    [
        (b"", {"request_seconds": 0.2}),
        (b"POST /in HT", {"request_seconds": 0.2}),
        (b"POST /in HTTP/1.1\r\nHost: localh", {"request_seconds": 0.2}),
    ],
    ids=short,
)
def test_a_head_that_does_not_come_is_not_waited_for(head: bytes, limits: dict[str, Any]) -> None:
    answer, seconds = spoken(head, **limits)
    assert answer == b""
    assert seconds < 3


def test_a_head_that_trickles_is_not_waited_for() -> None:
    async def main() -> None:
        service = app(request_seconds=0.2)
        async with service.serve() as server, raw(server) as peer:

            async def trickle() -> None:
                for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 1000:
                    await peer.send(bytes([byte]))
                    await asyncio.sleep(0.02)

            trickling = asyncio.create_task(trickle())
            async with asyncio.timeout(3):
                assert await peer.closed() == b""
            trickling.cancel()
            await asyncio.wait([trickling])

    run(main())


@pytest.mark.parametrize("kind", [b"application/json", b"application/x-ndjson"])
def test_a_body_that_stands_still_is_408(kind: bytes) -> None:
    head = POST % kind + b"Content-Length: 100\r\n\r\n{" + b'"a'
    answer, seconds = spoken(head, body_seconds=0.2, idle_seconds=0.2)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.1 < seconds < 5


def test_a_line_that_trickles_is_408() -> None:
    async def main() -> None:
        service = app(body_seconds=0.3)
        flow = service.ingest("/in")
        async with service.serve() as server, raw(server) as peer, collecting(flow):
            await peer.send(POST % NDJSON.encode() + b"Content-Length: 1000\r\n\r\n")

            async def trickle() -> None:
                while True:
                    await peer.send(b" ")
                    await asyncio.sleep(0.02)

            trickling = asyncio.create_task(trickle())
            async with asyncio.timeout(3):
                assert (await peer.head()).startswith(b"HTTP/1.1 408 ")
            trickling.cancel()
            await asyncio.wait([trickling])

    run(main())


def test_lines_may_come_slowly_one_by_one() -> None:
    async def main() -> None:
        service = app(body_seconds=0.1)
        flow = service.ingest("/in")
        async with service.serve() as server, raw(server) as peer, collecting(flow) as got:
            await peer.send(POST % NDJSON.encode() + b"Content-Length: 12\r\n\r\n")
            for _ in range(4):
                await asyncio.sleep(0.08)
                await peer.send(b"{}\n")
            assert (await peer.head()).startswith(b"HTTP/1.1 202 ")
            assert await got.reaches(4) == [{}] * 4

    run(main())


def bomb(size: int) -> bytes:
    return gzip.compress(b"0" * size)


@pytest.mark.parametrize(
    ("body", "headers", "limits"),
    [
        (b"[" + b"1," * 600_000 + b"1]", {}, {}),
        (b"x" * 300_000, {"content_type": NDJSON}, {}),
        (b'"' + b"x" * 300_000 + b'"\n', {"content_type": NDJSON}, {}),
        (bomb(50_000_000), {"content_encoding": "gzip"}, {}),
        (bomb(50_000_000), {"content_encoding": "gzip", "content_type": NDJSON}, {}),
        (gzip.compress(b"0\n" * 50_000, 1), {"content_encoding": "gzip", "content_type": NDJSON}, {"stream_bytes": 70_000}),
        (gzip.compress(b"0" * 1000) * 900 + bomb(5_000_000), {"content_encoding": "gzip"}, {}),
        (b"{}\n" * 1000, {"content_type": NDJSON}, {"stream_bytes": 1000}),
    ],
    ids=short,
)  # fmt: skip
def test_what_is_too_large_is_413_and_takes_little_memory(
    body: bytes, headers: dict[str, str], limits: dict[str, Any]
) -> None:
    async def main() -> None:
        service = app(**limits)
        flow = service.ingest("/in", schema=int)
        async with service.serve() as server, collecting(flow):
            tracemalloc.start()
            answer = await post(server, body, headers)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert answer.status == 413, answer
            assert peak < 8 * 2**20 + len(body)

    run(main())


@pytest.mark.parametrize(
    "head",
    [
        b"GET /in HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /in HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /in HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
    ],
    ids=short,
)
def test_a_bad_head_is_400(head: bytes) -> None:
    answer, _ = spoken(head, request_seconds=0.5)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))


def test_there_are_only_so_many_connections() -> None:
    async def main() -> None:
        service = app(connections=5)
        service.stream("/out", rxml.of(1))
        async with service.serve() as server:
            held = [raw(server) for _ in range(5)]
            peers = [await each.__aenter__() for each in held]
            await eventually(lambda: server.connections == 5)
            answer = await http(server, "/out")
            assert (answer.status, answer.json) == (503, {"error": "too many connections"})
            await held[0].__aexit__(None, None, None)
            await eventually(lambda: server.connections == 4)
            assert (await http(server, "/out")).status == 200
            for each in held[1:]:
                await each.__aexit__(None, None, None)
            assert all(isinstance(peer, Raw) for peer in peers)

    run(main())


def test_there_are_only_so_many_connections_of_one_address() -> None:
    async def main() -> None:
        service = app(connections_per_address=1)
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, raw(server):
            await eventually(lambda: server.connections == 1)
            assert (await http(server, "/out")).status == 503

    run(main())


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://{own}", 200),
        ("http://admitted.example", 200),
        ("http://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("null", 403),
        ("http://{own}.evil.example", 403),
    ],
    ids=short,
)
def test_only_own_and_listed_pages_get_in(origin: str | None, status: int) -> None:
    async def main() -> None:
        service = App(port=0, origins=["http://admitted.example/"])
        service.stream("/out", rxml.of(1))
        async with service.serve() as server:
            own = f"127.0.0.1:{server.port}"
            headers = {} if origin is None else {"origin": origin.format(own=own)}
            answer = await http(server, "/out", headers=headers)
            assert answer.status == status
            listed = origin == "http://admitted.example"
            assert ("access-control-allow-origin" in answer.headers) is listed
            url = f"ws://{own}/out"
            if status == 200:
                async with connect(url, additional_headers=headers) as peer:
                    assert await peer.recv() == "1"
            else:
                with pytest.raises(InvalidStatus, match="403"):
                    await connect(url, additional_headers=headers)

    run(main())


def test_a_page_asks_first_and_is_told_only_if_it_is_listed() -> None:
    async def main() -> None:
        service = App(port=0, origins=["http://admitted.example"])
        _ = service.ingest("/in")
        async with service.serve() as server:
            listed = await http(server, "/in", method="OPTIONS", origin="http://admitted.example")
            assert listed.status == 204
            assert listed.headers["access-control-allow-origin"] == "http://admitted.example"
            other = await http(server, "/in", method="OPTIONS", origin="http://evil.example")
            assert other.status == 403

    run(main())


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.2:1", 200),
        ("[::1]:80", 200),
        ("known", 200),
        ("evil.example", 421),
    ],
    ids=short,
)
def test_a_name_that_was_made_to_point_here_is_refused(host: str, status: int) -> None:
    async def main() -> None:
        service = App(port=0, hosts=["known"])
        service.stream("/out", rxml.of(1))
        async with service.serve() as server:
            assert (await http(server, "/out", host=host)).status == status

    run(main())


@pytest.mark.parametrize("path", ["/in", "/out"])
def test_a_message_that_is_too_large_closes_the_socket(path: str) -> None:
    async def main() -> None:
        service = app(message_bytes=1000)
        flow = service.ingest("/in", schema=str)
        service.stream("/out", rxml.never())
        async with service.serve() as server, collecting(flow):
            url = server.url.replace("http", "ws") + path
            for message in ("x" * 5000, ["x" * 100] * 50):
                async with connect(url, compression=None) as peer:
                    await peer.send(message)
                    await peer.wait_closed()
                    assert peer.close_code == 1009

    run(main())


def test_a_flood_of_pings_costs_nothing() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.never())
        async with service.serve() as server, raw(server) as peer:
            await peer.send(
                b"GET /out HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            await peer.head()
            cast("asyncio.Transport", peer.writer.transport).pause_reading()
            tracemalloc.start()
            ping = b"\x89\xfd" + bytes(4) + b"x" * 125
            for _ in range(60):
                peer.writer.write(ping * 100)
                await asyncio.sleep(0)
            await asyncio.sleep(0.2)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 10 * 2**20

    run(main())


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_client_that_vanishes_leaves_nothing(encoding: str) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(10**9))
        async with service.serve() as server:
            for _ in range(5):
                async with client(server, "/out", encoding) as peer:
                    await peer.subscribe(2**31 - 1)
                    await peer.hear()
                    peer.socket.transport.abort()
            await eventually(lambda: server.connections == 0)

    run(main())


def test_a_limit_is_positive() -> None:
    for wrong in (
        {"streams": 0},
        {"body_bytes": -1},
        {"pong_seconds": float("nan")},
        {"window": True},
    ):
        with pytest.raises(ValueError, match="positive"):
            Limits(**cast("dict[str, Any]", wrong))
