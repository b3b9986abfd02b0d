"""Whatever is asked, the answer is one of ours: in JSON, with our headers, without other people's words or tracebacks."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

import pytest
from typing_extensions import override
from websockets.asyncio.client import connect

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError, RemoteError
from rxml.http import App, Limits
from tests.http.helpers import app, collecting, http, post, raw, run, short
from tests.http.wire_client import client

if TYPE_CHECKING:
    from rxml.http import Server

GET = b"GET /out HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"\x16\x03\x01garbage\r\n\r\n", 400),
        (b"GET /out HTTP/1.1\r\n\r\n", 400),
        (GET + b"X: " + b"a" * 9000 + b"\r\n\r\n", 400),
        (GET + b"Content-Length: -1\r\n\r\n", 400),
        (b"GET /%ff%00%zz?\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /out HTTP/1.1\r\nHost: [\r\n\r\n", 421),
        (GET + b"Origin: http://[\r\n\r\n", 403),
        (GET + b"Origin: null\r\n\r\n", 403),
        (GET + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n", 400),
        (b"OPTIONS /out HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 204),
        (b"DELETE /out HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        (GET + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n", 400),
    ],
    ids=short,
)
def test_what_is_no_request_is_answered_quietly(
    head: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> bytes:
        service = app(request_seconds=0.3)
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, raw(server) as peer:
            await peer.send(head)
            return await peer.closed()

    with caplog.at_level(logging.INFO):
        answer = run(main())
    assert b" %d " % status in answer.splitlines()[0]
    assert b"Server:" not in answer
    assert b"nosniff" in answer
    assert b"aiohttp" not in answer
    if status != 204:
        assert b"\r\nContent-Type: application/json\r\n" in answer
        assert b'{"error":"' in answer
    assert not caplog.records


def test_a_missing_host_is_no_reason_to_let_a_page_in() -> None:
    async def main() -> None:
        service = App("0.0.0.0", 0)
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, raw(server) as peer:
            await peer.send(b"GET /out HTTP/1.0\r\nOrigin: null\r\n\r\n")
            assert b" 403 " in await peer.head()

    run(main())


def test_head_gets_the_head_only() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.never())
        async with service.serve() as server, raw(server) as peer:
            for accept in (b"*/*", b"text/event-stream"):
                await peer.send(GET.replace(b"GET", b"HEAD") + b"Accept: " + accept + b"\r\n\r\n")
                head = await peer.head()
                assert b" 200 " in head
                assert (b"text/event-stream" if accept != b"*/*" else b"ndjson") in head

    run(main())


def test_whoever_sends_no_content_type_is_told_how() -> None:
    async def main() -> None:
        service = app()
        _ = service.ingest("/in")
        async with service.serve() as server:
            answer = await post(server, {}, {"content_type": "application/x-www-form-urlencoded"})
            assert answer.status == 415
            assert "curl: -H 'content-type: application/json'" in answer.json["error"]

    run(main())


def test_the_byte_that_is_no_utf8_is_that_of_the_line() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in")
        async with service.serve() as server, collecting(flow):
            line = b'{"a":"\xff"}'
            answer = await post(server, line, {"content_type": "application/x-ndjson"})
            assert answer.json["errors"] == [{"index": 0, "error": "not UTF-8 (byte 6)"}]

    run(main())


async def refused(server: Server, **frame: Any) -> tuple[int, str]:
    async with client(server, "/out") as peer:
        await peer.say(**frame)
        return await peer.closed()


def test_frames_are_called_by_their_names_and_checked_for_sense() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        async with service.serve() as server:
            code, reason = await refused(server, type="next", id=1, items=[1])
            assert (code, reason) == (4400, "next has no place here")
            for deadline in (-1, 2**31, 10**400, 1.5):
                code, reason = await refused(
                    server, type="subscribe", id=1, n=1, deadline_ms=deadline
                )
                assert code == 4400
            code, reason = await refused(server, type="ü" * 200)
            assert code == 4400
            assert reason.encode()[-2:] == "ü".encode()

    run(main())


def unsendable() -> rxml.Flowable[Any]:
    return rxml.throw(ValueError("\ud800"))


def cancels(_: int) -> int:
    raise asyncio.CancelledError


class WordlessError(Exception):
    @override
    def __str__(self) -> str:
        raise SystemError


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize(
    ("flow", "word"),
    [
        (unsendable(), r"ValueError: \?"),
        (rxml.throw(WordlessError()), "WordlessError"),
        (rxml.of(1).pipe(ops.map(cancels)), "RuntimeError"),
        (rxml.of("\ud800"), "Error"),
    ],
)
def test_a_stream_always_ends_with_a_frame(
    flow: Any, word: str, encoding: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # What pytest captures travels between its processes, and a surrogate cannot.
    caplog.set_level(logging.CRITICAL, logger="rxml.http")

    async def main() -> None:
        service = App(port=0, show_errors=True)
        service.stream("/out", flow)
        async with service.serve() as server, asyncio.timeout(3):
            with pytest.raises(RemoteError, match=word):
                await rxml.connect(server.url + "/out", encoding=encoding).to_list()
            lines = (await http(server, "/out")).body.splitlines()
            assert b'"code":"failed"' in lines[-1]

    run(main())


def test_a_mistake_of_the_server_closes_with_1011_and_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise KeyError("secret")

    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        monkeypatch.setattr("rxml.http.ingest_socket.to_json", broken)
        async with service.serve() as server, collecting(flow):
            async with connect(server.url.replace("http", "ws") + "/in") as socket:
                await socket.send('"no number"')
                await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (1011, "internal error")

    run(main())
    assert "a WebSocket has failed: /in" in caplog.text


def test_an_answer_that_breaks_off_does_not_look_whole(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError("secret")

    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        monkeypatch.setattr("rxml.http.sinks.LineSink.complete", broken)
        async with service.serve() as server, raw(server) as peer:
            await peer.send(GET + b"\r\n")
            answer = await peer.closed()
            assert b"0\r\n\r\n" not in answer
            assert answer.count(b"HTTP/1.1") <= 1

    run(main())
    assert "a request has failed" in caplog.text


def test_what_users_pass_is_checked() -> None:
    wrong: list[Any] = [
        lambda: App(port=cast("Any", "80")),
        lambda: App(host=cast("Any", 5)),
        lambda: App(limits=cast("Any", 5)),
        lambda: App(origins="http://a.b"),
        lambda: App(hosts=cast("Any", 5)),
        lambda: App(hosts=cast("Any", [5])),
        lambda: App().stream(cast("Any", 5), rxml.of(1)),
        lambda: App().ingest(cast("Any", None)),
        lambda: App().ingest("/a", deadline=cast("Any", "5")),
        lambda: App().ingest("/a", deadline=float("nan")),
        lambda: App().ingest("/a", deadline=True),
        lambda: rxml.connect(cast("Any", 5)),
        lambda: rxml.connect("ws://[::1"),
        lambda: rxml.connect("ws://host:port/x"),
        lambda: rxml.connect("ws://h", limits=cast("Any", 5)),
    ]
    for each in wrong:
        with pytest.raises(PipelineError, match="got"):
            each()
    for limits in ({"connections": 1.5}, {"streams": 0.5}, {"items": "5"}):
        with pytest.raises(ValueError, match="whole number"):
            Limits(**cast("dict[str, Any]", limits))
    _ = App().ingest("/a", deadline=float("inf"))
