"""Clients that are gone, or are not wanted for too long: nothing of them stays, and the log does not fill."""

from __future__ import annotations

import asyncio
import gc
import logging
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest
from typing_extensions import override
from websockets.asyncio.client import connect

import rxml
from rxml import operators as ops
from rxml.http import App, Limits
from rxml.http.race import race
from tests.http.helpers import app, collecting, eventually, http, inverse, post, raw, run
from tests.http.wire_client import client

UPGRADE = (
    b"GET /in HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def test_a_sender_that_is_gone_is_noticed_while_nothing_is_wanted() -> None:
    async def main() -> None:
        service = app(heartbeat_seconds=0.05)
        _ = service.ingest("/in")
        text = b"\x81\xfe\x04\x00" + bytes(4) + b"x" * 1024
        async with service.serve() as server:
            async with raw(server) as peer:
                await peer.send(UPGRADE)
                await peer.head()
                peer.writer.write(text * 2000)  # more than the server reads while nothing is wanted
                await asyncio.sleep(0.05)
                assert server.connections == 1
            async with asyncio.timeout(3):
                await eventually(lambda: server.connections == 0)

    run(main())


@pytest.mark.parametrize("message", [None, "{}"])
def test_a_sender_that_is_not_wanted_for_too_long_is_told(message: str | None) -> None:
    async def main() -> None:
        service = app(idle_seconds=0.1)
        _ = service.ingest("/in")
        async with service.serve() as server:
            async with connect(server.url.replace("http", "ws") + "/in") as socket:
                if message is not None:
                    await socket.send(message)
                await socket.wait_closed()
            assert socket.close_code == 4429
            assert "nothing was asked for in 0.1 seconds" in (socket.close_reason or "")

    run(main())


@pytest.mark.parametrize("message", ["[{}, {}]", "{}"])
def test_elements_that_stay_unwanted_end_the_connection(message: str) -> None:
    async def main() -> None:
        service = app(idle_seconds=0.1)
        flow = service.ingest("/in")
        async with service.serve() as server, collecting(flow.pipe(ops.take(1)), 1) as got:
            async with connect(server.url.replace("http", "ws") + "/in") as socket:
                await socket.send(message)
                await socket.wait_closed()
            assert (socket.close_code, got.elements) == (4429, [{}])

    run(main())


def test_what_has_lost_its_reader_answers_503(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        service = app()
        service.background(service.ingest("/in", schema=int).pipe(ops.map(inverse)))
        async with service.serve() as server:
            url = server.url.replace("http", "ws") + "/in"
            async with connect(url) as socket, asyncio.timeout(3):
                assert (await post(server, [0])).status == 202
                await socket.send("1")
                await socket.wait_closed()
                assert (socket.close_code, socket.close_reason) == (
                    1013,
                    "nothing reads /in any more",
                )
                answer = await post(server, [1])
                assert (answer.status, answer.json["next"]) == (503, 0)
        assert "ingest /in has no reader any more" in caplog.text

    run(main())


def test_what_has_a_reader_again_takes_elements_again() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        service.background(flow.pipe(ops.map(inverse)))
        async with service.serve() as server:
            assert (await post(server, [0])).status == 202
            await asyncio.sleep(0.05)
            assert (await post(server, [1])).status == 503
            async with collecting(flow) as got:
                assert (await post(server, [5])).status == 202
                assert await got.reaches(1) == [5]

    run(main())


def test_clients_that_vanish_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        service = app()
        _ = service.ingest("/in")
        service.stream("/out", rxml.range(10**9))
        async with service.serve() as server:
            for path in (b"/in", b"/out"):
                for _ in range(5):
                    async with raw(server) as peer:
                        await peer.send(UPGRADE.replace(b"/in", path))
                        await peer.head()
                        reset = struct.pack("ii", 1, 0)
                        peer.writer.get_extra_info("socket").setsockopt(
                            SOL_SOCKET, SO_LINGER, reset
                        )
            for _ in range(5):
                async with client(server, "/out") as spoken:
                    await spoken.subscribe(1000)
                    spoken.socket.transport.abort()
            await eventually(lambda: server.connections == 0)

    with caplog.at_level(logging.INFO):
        run(main())
        gc.collect()
    assert "never retrieved" not in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_of_two_that_fail_at_once_both_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ConnectionResetError

    async def main() -> None:
        with pytest.raises(ConnectionResetError):
            await race(fails(), fails())
        gc.collect()

    run(main())
    assert "never retrieved" not in caplog.text


def test_a_client_that_only_listens_any_more_gets_its_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        service.stream("/out", rxml.range(3))
        one = b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n5"
        get = b"GET /out HTTP/1.1\r\nHost: localhost\r\n\r\n"
        cases: list[tuple[bytes, list[bytes]]] = [
            (get, [b"200 OK", b"\r\n0\r\n\r\n"]),
            (one % 1, [b"202 Accepted", b'"accepted":1']),
            (one % 9, [b"400 Bad Request", b"cut off"]),
            (one % 1 + get, [b"202 Accepted", b"200 OK"]),
        ]
        async with service.serve() as server, collecting(flow):
            for sent, words in cases:
                async with raw(server) as peer, asyncio.timeout(3):
                    await peer.send(sent)
                    peer.writer.write_eof()
                    answer = await peer.closed()
                    assert all(word in answer for word in words), answer

    run(main())
    assert not caplog.records


def test_a_listener_that_is_gone_is_noticed_soon() -> None:
    async def main() -> None:
        ended: list[int] = []
        service = app()
        flow = rxml.never().pipe(ops.finally_action(lambda: ended.append(1)))
        service.stream("/out", flow)
        async with service.serve() as server:
            async with raw(server) as peer:
                await peer.send(b"GET /out HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await peer.head()
                peer.writer.close()
            async with asyncio.timeout(3):
                await eventually(lambda: ended)

    run(main())


def test_draining_is_told_and_can_be_cut(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        service = App(port=0, limits=Limits(drain_seconds=10.0))
        service.stream("/out", rxml.of(60).pipe(ops.map_async(asyncio.sleep, concurrency=1)))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(1)
            await asyncio.sleep(0.05)
            loop.call_later(0.5, server.hurry)
            began = loop.time()
            await server.stop()
            assert 0.3 < loop.time() - began < 3
        assert "draining: 1 client, at most 10 s" in caplog.text

    run(main())


def test_a_stream_that_cannot_go_on_does_not_look_as_if_it_had_ended() -> None:
    class BrokenError(Exception):
        @override
        def __str__(self) -> str:
            raise SystemError

    async def main() -> None:
        flow: rxml.Flowable[Any] = rxml.throw(BrokenError())
        service = App(port=0, show_errors=True)
        service.stream("/out", flow)
        async with service.serve() as server:
            assert b'"message":"BrokenError"' in (await http(server, "/out")).body

    run(main())
