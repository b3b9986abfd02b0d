"""Bytes that no honest client sends: two readings of one request, frames that break the rules, and what answers look like."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from typing_extensions import override
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

import rxml
from rxml.http import App, Limits
from rxml.http.endpoint import Endpoint
from rxml.http.keys import Key, Keyring
from tests.http.helpers import Answer, app, collecting, eventually, http, raw, run, short

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.http import Server
    from rxml.http.serving import Serving

START = b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b"2\r\n{}\r\n0\r\n\r\n"
SMUGGLED = b"GET /out HTTP/1.1\r\nHost: localhost\r\n\r\n"

TWO_READINGS = {
    "CL and TE": START + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY,
    "TE and CL": START + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + BODY,
    "two CL": START + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "two CL that agree": START + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of CL": START + b"Content-Length: 2, 2\r\n\r\n{}",
    "CL +2": START + b"Content-Length: +2\r\n\r\n{}",
    "CL -1": START + b"Content-Length: -1\r\n\r\n{}",
    "CL 0x2": START + b"Content-Length: 0x2\r\n\r\n{}",
    "CL 0_2": START + b"Content-Length: 0_2\r\n\r\n{}",
    "CL in other digits": START + "Content-Length: \uff12\r\n\r\n{}".encode(),
    "CL beyond 64 bits": START + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "xchunked": START + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY,
    "chunked, identity": START + b"Transfer-Encoding: chunked, identity\r\n\r\n" + BODY,
    "chunked twice": START + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + BODY,
    "two TE": START + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + BODY,
    "identity": START + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
    "space before colon": START + b"Transfer-Encoding : chunked\r\n\r\n" + BODY,
    "vertical tab": START + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + BODY,
    "TE of 1.0": START.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + BODY,
    "bare LF": b"POST /in HTTP/1.1\nHost: localhost\nContent-Length: 2\n\n{}",
    "one bare LF": START + b"X: y\nContent-Length: 2\r\n\r\n{}",
    "bare CR": START + b"X: y\rContent-Length: 2\r\n\r\n",
    "a folded line": START + b"X: y\r\n Content-Length: 2\r\n\r\n",
    "NUL": START + b"X: y\x00\r\nContent-Length: 2\r\n\r\n{}",
    "no name": START + b": x\r\nContent-Length: 2\r\n\r\n{}",
    "two hosts": START + b"Host: other\r\nContent-Length: 2\r\n\r\n{}",
    "chunk +2": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "chunk 0x2": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "chunk beyond 64 bits": CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "chunk with bare LF": CHUNKED + b"2\n{}\n0\n\n",
    "extension with bare LF": CHUNKED + b"2;a\n{}\r\n0\r\n\r\n",
    "chunk without its end": CHUNKED + b"2\r\n{}0\r\n\r\n",
    "CL in the trailer": CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
    "version 1.10": START.replace(b"1.1", b"1.10") + b"Content-Length: 2\r\n\r\n{}",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("head", TWO_READINGS.values(), ids=TWO_READINGS)
def test_what_can_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(head: bytes) -> None:
    async def main() -> tuple[bytes, list[Any], int]:
        service = app(request_seconds=1.0, body_seconds=1.0)
        flow = service.ingest("/in")
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, raw(server) as peer, collecting(flow) as got:
            await peer.send(head + SMUGGLED)
            return await peer.closed(), got.elements, reached(server, "/out")

    answer, elements, smuggled = run(main())
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert answer.count(b"HTTP/1.") == 1
    assert smuggled == 0
    assert elements in ([], [{}])  # a body that was whole before its trailer was wrong


def reached(server: Server, path: str) -> int:
    """How many requests to the path were answered."""
    inside: Any = server
    counted: dict[tuple[str, int], int] = inside._serving.metrics._requests
    return sum(count for (of, _), count in counted.items() if of == path)


def test_what_can_be_read_in_one_way_only_is_answered_each() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in")
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, raw(server) as peer, collecting(flow) as got:
            await peer.send(
                CHUNKED + BODY + SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            )
            assert (await peer.closed()).count(b"HTTP/1.1 20") == 2
            assert got.elements == [{}]

    run(main())


UPGRADE = (
    b"GET /%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n"
)


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A frame of WebSocket of less than 64 KiB, masked with zeros."""
    size = len(data)
    head = bytes([fin << 7 | rsv << 4 | opcode, 0x80 | min(size, 126)])
    return head + (struct.pack("!H", size) if size > 125 else b"") + bytes(4) + data


@pytest.mark.parametrize(
    "sent",
    [
        frame(1, b"{}", rsv=4),
        frame(1, b"{}", rsv=2),
        frame(3, b"{}"),
        frame(0, b"{}"),
        frame(1, b"{", fin=False) + frame(1, b"}"),
        frame(9, b"x" * 126),
        frame(9, b"x", fin=False),
        frame(8, b"x"),
        frame(8, struct.pack("!H", 999)),
        frame(1, b"\xff\xfe"),
        b"\x81\xff" + struct.pack("!Q", 2**63),
    ],
    ids=short,
)
def test_a_frame_that_breaks_the_rules_ends_the_connection(sent: bytes) -> None:
    async def main() -> tuple[bytes, list[Any]]:
        service = app(pong_seconds=0.5)
        flow = service.ingest("/in")
        async with service.serve() as server, raw(server) as peer, collecting(flow) as got:
            await peer.send(UPGRADE % (b"in", b""))
            await peer.head()
            await peer.send(sent)
            said = await asyncio.wait_for(peer.closed(), 5)
            await eventually(lambda: not server.connections)
            return said, got.elements

    said, elements = run(main())
    assert elements in ([], [{}])
    if said:
        assert said[0] == 0x88
        assert struct.unpack("!H", said[2:4])[0] in {1002, 1007, 1009}


def test_a_message_in_a_million_pieces_is_no_larger_than_a_message() -> None:
    async def main() -> None:
        service = app(message_bytes=10_000)
        flow = service.ingest("/in", schema=str)
        async with service.serve() as server, raw(server) as peer, collecting(flow):
            await peer.send(UPGRADE % (b"in", b""))
            await peer.head()
            tracemalloc.start()
            peer.writer.write(frame(1, b'"', fin=False))
            pieces = frame(0, b"x", fin=False) * 1000 + frame(0, b"", fin=False) * 1000
            for _ in range(500):
                if peer.writer.is_closing():
                    break
                peer.writer.write(pieces)
                await asyncio.sleep(0)
            said = await asyncio.wait_for(peer.closed(), 10)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            if said:
                assert struct.unpack("!H", said[2:4])[0] == 1009
            assert peak < 40 * 2**20  # that of this client is in it

    run(main(), seconds=30)


def test_messages_are_never_compressed() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        offered = [ClientPerMessageDeflateFactory()]
        async with service.serve() as server:
            url = server.url.replace("http", "ws") + "/out"
            async with connect(url, extensions=offered) as peer:
                assert peer.response is not None
                assert "Sec-WebSocket-Extensions" not in peer.response.headers
                assert await peer.recv() == "1"

    run(main())


class Broken(Endpoint):
    """Fails with words that nobody should hear."""

    methods: ClassVar[tuple[str, ...]] = ("GET",)

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        raise RuntimeError("password=hunter2")


FIXED = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
JSON = {**FIXED, "content-type": "application/json"}
ANSWERS: list[tuple[str, str, bytes | None, int, dict[str, str]]] = [
    ("GET", "/out", None, 200, {**FIXED, "content-type": "application/x-ndjson", "transfer-encoding": "chunked", "x-accel-buffering": "no", "rxml-stream": "1"}),
    ("POST", "/in", b"{}", 202, JSON),
    ("POST", "/in", b"{", 400, JSON),
    ("GET", "/none", None, 404, JSON),
    ("DELETE", "/out", None, 405, {**JSON, "allow": "GET, HEAD"}),
    ("GET", "/in", None, 426, {**JSON, "allow": "POST", "upgrade": "websocket"}),
    ("GET", "/broken", None, 500, JSON),
    ("OPTIONS", "/in", None, 204, {**FIXED, "allow": "POST, GET"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "headers"), ANSWERS)
def test_every_answer_has_these_headers_and_no_other(
    method: str, path: str, body: bytes | None, status: int, headers: dict[str, str]
) -> None:
    async def main() -> Answer:
        service: Any = app()
        flow = service.ingest("/in")
        service.stream("/out", rxml.of(1))
        service._add(Broken("/broken"))
        async with service.serve() as server, collecting(flow):
            return await http(server, path, body, method=method, content_type="application/json")

    answer = run(main())
    assert answer.status == status
    for name in ("date", "content-length", "connection"):
        answer.headers.pop(name, None)
    assert answer.headers == headers
    assert b"hunter2" not in answer.body
    assert b"Traceback" not in answer.body


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/out/../../etc/passwd", "//etc/passwd",
     "/out%00.html", "/..%5c..%5cwindows", "/static/../out", "/OUT", "/out/", "/./out", "/%2fout"],
)  # fmt: skip
def test_a_path_is_a_name_and_nothing_of_a_file(path: str) -> None:
    async def main() -> int:
        service = app()
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, raw(server) as peer:
            await peer.send(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            return int((await peer.closed()).split()[1])

    assert run(main()) in {400, 404}


DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"NaN", b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1e999]", b"[1" + b"0" * 5000 + b"]",
        b"[" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP, b"[" * 200 + b"1" + b"]" * 200,
        b'{"a":1}{"a":1}', b"[1,]", b"[\xff]", b"\xef\xbb\xbf[1]", b"\x00", b"[1.0 2.0]", b"'a'", b"[0x10]",
        b'["\\ud800"]', b"[1_000]", b"[.5]", b"[+1]",
    ],
    ids=short,
)  # fmt: skip
def test_numbers_and_nesting_that_are_none_never_reach_the_flow(body: bytes) -> None:
    async def main() -> tuple[Answer, list[Any]]:
        service = app()
        flow = service.ingest("/in", schema=float)
        async with service.serve() as server, collecting(flow) as got:
            return await http(server, "/in", body, content_type="application/json"), got.elements

    answer, elements = run(main())
    assert answer.status in {400, 413, 422}
    assert json.loads(answer.body)
    assert elements == []


def test_a_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("rxml.http.keys.hmac.compare_digest", compare)
    key, secret = Key.new("one", scopes=["infer"])
    ring = Keyring([key])
    assert ring.find(secret) is key
    assert compared == [(key.digest, key.digest)]
    assert secret not in str(compared)


def test_ten_thousand_sockets_that_say_nothing_cost_little_and_go() -> None:
    async def main() -> None:
        limits = Limits(
            connections=50, connections_per_address=50, request_seconds=0.3, drain_seconds=0.5
        )
        service = App(port=0, limits=limits)
        service.stream("/out", rxml.of(1))
        loop = asyncio.get_running_loop()
        async with service.serve() as server:
            for _ in range(100):
                sockets = [socket.socket() for _ in range(100)]
                for each in sockets:
                    each.setblocking(False)
                    await loop.sock_connect(each, (server.host, server.port))
                    await asyncio.sleep(0)  # it is let in, or not
                assert server.connections <= 50
                for each in sockets:
                    each.close()
            await eventually(lambda: not server.connections)
            inside: Any = server
            assert not inside._http.addresses
            assert (await http(server, "/out")).status == 200

    run(main(), seconds=60)
