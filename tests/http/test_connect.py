"""A pipeline that goes on in another process; here both ends, and peers that break the rules."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from operator import neg
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import ConnectionLost, PipelineError, ProtocolError, RemoteError
from rxml.http import Limits, connect
from tests.http.helpers import app, eventually, inverse, run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

both = pytest.mark.parametrize("encoding", ["json", "msgpack"])


@dataclass
class Point:
    x: int
    y: float | None = None


class Reading(msgspec.Struct):
    x: int
    y: float | None = None


@both
def test_a_stream_arrives_whole(encoding: Any) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(5000))
        async with service.serve() as server:
            url = server.url + "/out"
            assert await connect(url, encoding=encoding).to_list() == list(range(5000))

    run(main())


@both
def test_elements_become_what_is_asked_for(encoding: Any) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(Point(1, 2.0), Point(2)))
        async with service.serve() as server:
            url = server.url.replace("http", "ws") + "/out"
            plain = await connect(url, encoding=encoding).to_list()
            assert plain == [{"x": 1, "y": 2.0}, {"x": 2, "y": None}]
            typed = await connect(url, encoding=encoding, type=Reading).to_list()
            assert typed == [Reading(1, 2.0), Reading(2)]
            with pytest.raises(ProtocolError, match="does not fit"):
                await connect(url, encoding=encoding, type=int).to_list()

    run(main())


def test_arrays_and_batches_arrive_as_such() -> None:
    async def main() -> None:
        service = app()
        service.stream("/arrays", rxml.of({"a": np.arange(3.0)}))
        service.stream("/rows", rxml.from_batches([Batch({"x": np.arange(4)})]))
        async with service.serve() as server:
            [element] = await connect(server.url + "/arrays").to_list()
            assert element["a"].tolist() == [0.0, 1.0, 2.0]
            rows = await connect(server.url + "/rows").to_list()
            assert rows == [{"x": i} for i in range(4)]

    run(main())


@both
def test_as_many_are_made_there_as_are_asked_for_here(encoding: Any) -> None:
    async def main() -> None:
        made: list[int] = []
        service = app()
        service.stream("/out", rxml.range(10**6).pipe(ops.do_action(made.append)))
        async with service.serve() as server:
            flow = connect(server.url + "/out", encoding=encoding)
            async with flow.open() as subscription:
                for count in range(1, 10):
                    assert len(await subscription.request(1)) == 1
                    assert len(made) == count
                assert 1 <= len(await subscription.request(7)) <= 7
                await asyncio.sleep(0.05)
                assert len(made) == 16

    run(main())


def test_a_reader_that_stalls_stalls_the_flow() -> None:
    async def main() -> None:
        made: list[int] = []
        service = app(heartbeat_seconds=0.05, pong_seconds=0.1)
        service.stream("/out", rxml.range(10**9).pipe(ops.do_action(made.append)))
        async with service.serve() as server:
            flow = connect(server.url + "/out")
            async with flow.open() as subscription:
                assert list((await subscription.request(1)).elements) == [0]
                await subscription.request(1000)
                await asyncio.sleep(0.4)
                stalled = len(made)
                assert stalled <= 1 + 1000
                await asyncio.sleep(0.1)
                assert len(made) == stalled
                got: list[int] = []
                while len(got) < 5000:
                    got.extend((await subscription.request(9)).elements)
                assert got == list(range(got[0], got[0] + len(got)))

    run(main())


def test_two_hops_keep_demand() -> None:
    async def main() -> None:
        made: list[int] = []
        first, second = app(), app()
        first.stream("/out", rxml.range(10**6).pipe(ops.do_action(made.append)))
        async with first.serve() as one:
            second.stream("/again", connect(one.url + "/out").pipe(ops.map(neg)))
            async with (
                second.serve() as two,
                connect(two.url + "/again").open() as subscription,
            ):
                got: list[int] = []
                while len(got) < 5:
                    got.extend((await subscription.request(5 - len(got))).elements)
                assert got == [0, -1, -2, -3, -4]
                assert len(made) == 5

    run(main())


def test_an_error_there_is_an_error_here() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1, 0).pipe(ops.map(inverse)))
        async with (
            service.serve() as server,
            connect(server.url + "/out").open() as subscription,
        ):
            assert list((await subscription.request(9)).elements) == [1]
            with pytest.raises(RemoteError, match="ZeroDivisionError") as caught:
                await subscription.request(9)
            assert caught.value.code == "failed"

    run(main())


def test_leaving_closes_the_socket_and_ends_the_run_there() -> None:
    async def main() -> None:
        ended: list[int] = []
        service = app()
        flow = rxml.range(10**9).pipe(ops.finally_action(lambda: ended.append(1)))
        service.stream("/out", flow)
        async with service.serve() as server:
            async for element in connect(server.url + "/out"):
                if element == 10:
                    break
            await eventually(lambda: ended)

    run(main())


def test_a_server_that_ends_is_a_lost_connection() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.from_async_iterable(one_and_no_more))
        async with service.serve() as server:
            subscription = connect(server.url + "/out").open()
            inner = await subscription.__aenter__()
            assert list((await inner.request(1)).elements) == [1]
            waiting = asyncio.create_task(inner.request(1))
            await asyncio.sleep(0.05)
        with pytest.raises(ConnectionLost):
            await waiting
        await subscription.__aexit__(None, None, None)

    run(main())


def test_what_cannot_be_connected_is_lost() -> None:
    async def main() -> None:
        service = app()
        async with service.serve() as server:
            with pytest.raises(ConnectionLost, match="404"):
                await connect(server.url + "/nowhere").to_list()
        with pytest.raises(ConnectionLost, match=f"nothing listens at 127.0.0.1:{server.port}"):
            await connect(server.url + "/out").to_list()

    run(main())


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "does not begin with ws://"),
        ("localhost:80", "does not begin with ws://"),
        ("ftp://x/y", "does not begin with ws://"),
        ("ws://", "names no host"),
        ("ws:/x", "names no host"),
        ("ws://[::1", "Invalid IPv6"),
        ("ws://x:99999/y", "out of range 0-65535"),
        ("ws://x:y/z", "'y'"),
        (5, "is no str"),
    ],
)
def test_what_is_no_url_of_a_stream_is_refused(url: Any, problem: str) -> None:
    with pytest.raises(PipelineError, match=f"got {re.escape(repr(url))}: .*{problem}"):
        _ = connect(url)


@asynccontextmanager
async def foreign(
    handler: Callable[[ServerConnection], Awaitable[None]], protocol: str = "rxml.v1+json"
) -> AsyncGenerator[str]:
    """A server that rxml did not write."""
    async with serve(handler, "127.0.0.1", 0, subprotocols=[Subprotocol(protocol)]) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def one_and_no_more() -> AsyncGenerator[int]:
    yield 1
    await asyncio.Event().wait()


READY = json.dumps({"type": "ready", "limits": {}})


@pytest.mark.parametrize(
    ("frames", "error", "word"),
    [
        (["junk"], ProtocolError, "frame"),
        ([json.dumps({"type": "complete", "id": 1})], ProtocolError, "hello"),
        (
            [READY, json.dumps({"type": "next", "id": 1, "items": [1, 2, 3]})],
            ProtocolError,
            "asked",
        ),
        ([READY, json.dumps({"type": "next", "id": 1, "items": "ab"})], ProtocolError, "array"),
        ([READY, json.dumps({"type": "request", "id": 1, "n": 1})], ProtocolError, "place"),
        ([READY, json.dumps({"type": "request", "id": 0, "n": 1})], ProtocolError, "no stream"),
        ([READY, json.dumps({"type": "next", "id": 2, "items": [1]})], ProtocolError, "stream 2"),
        ([READY, json.dumps({"type": "complete", "id": 2})], ProtocolError, "stream 2"),
        (
            [READY, json.dumps({"type": "error", "id": 2, "code": "failed"})],
            ProtocolError,
            "stream 2",
        ),
        (
            [READY, json.dumps({"type": "next", "id": 1, "seq": 1, "items": [1]})],
            ProtocolError,
            "seq 1; 0 is the next",
        ),
        ([READY, json.dumps({"type": "next", "id": 1, "items": []})], ProtocolError, "none"),
        ([READY, '"' + "x" * 5_000_000 + '"'], ProtocolError, "message_bytes=4194304"),
        ([READY, b"\x80"], ProtocolError, "binary"),
        ([READY, '{"type":"next","id":1,"items":[' + "[" * 5000], ProtocolError, "frame"),
        ([READY], ConnectionLost, "closed"),
    ],
)
def test_a_server_that_breaks_the_rules_is_left(
    frames: list[str | bytes], error: type[Exception], word: str
) -> None:
    async def answer(socket: ServerConnection) -> None:
        await socket.recv()
        for frame in frames:
            await socket.send(frame)
            if frame is READY:
                await socket.recv()

    async def main() -> None:
        async with foreign(answer) as url, connect(url, encoding="json").open() as subscription:
            with pytest.raises(error, match=word):
                await subscription.request(2)

    run(main())


def test_a_server_without_the_sub_protocol_is_told_apart() -> None:
    async def answer(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async def main() -> None:
        async with foreign(answer, "rxml.v1+msgpack") as url:
            with pytest.raises((ProtocolError, ConnectionLost)):
                await connect(url, encoding="json").to_list()

    run(main())


@pytest.mark.parametrize(
    ("code", "error", "word"),
    [
        (1002, ProtocolError, "1002"),
        (1009, ProtocolError, "1009: so large"),
        (4408, ProtocolError, "4408"),
        (1011, ConnectionLost, "so large"),
        (None, ConnectionLost, "the connection broke"),
    ],
)
def test_what_trying_again_does_not_help_against_is_told_apart(
    code: int | None, error: type[Exception], word: str
) -> None:
    async def answer(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(READY)
        if code is None:
            socket.transport.abort()
        else:
            await socket.close(code, "so large")

    async def main() -> None:
        async with foreign(answer) as url:
            with pytest.raises(error, match=word):
                await connect(url, encoding="json").to_list()

    run(main())


def test_a_path_that_takes_elements_in_is_no_stream() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in")
        async with service.serve() as server, asyncio.timeout(3):
            with pytest.raises(ProtocolError, match="takes elements in; it is no stream"):
                await connect(server.url + "/in").to_list()
            async with flow.open() as subscription:
                asking = asyncio.create_task(subscription.request(5))
                with pytest.raises(ProtocolError, match="takes elements in; it is no stream"):
                    await connect(server.url + "/in").to_list()
                await subscription.cancel()
                await asking

    run(main())


def test_a_silent_server_is_given_up() -> None:
    async def answer(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async def main() -> None:
        limits = Limits(hello_seconds=0.1)
        async with foreign(answer) as url:
            with pytest.raises(ConnectionLost, match=r"no answer to hello within 0\.1 seconds"):
                await connect(url, encoding="json", limits=limits).to_list()

    run(main())
