"""`rxml.v1` on a path of `stream`, driven by a client that rxml did not write."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.http.protocol import MOST
from tests.http.helpers import app, eventually, inverse, padded, run
from tests.http.wire_client import client

both = pytest.mark.parametrize("encoding", ["json", "msgpack"])


@both
def test_nothing_comes_that_was_not_asked_for(encoding: str) -> None:
    async def main() -> None:
        seen: list[int] = []
        service = app()
        service.stream("/out", rxml.range(1000).pipe(ops.do_action(seen.append)))
        async with service.serve() as server, client(server, "/out", encoding) as peer:
            await peer.subscribe(3)
            assert await peer.items(3) == [0, 1, 2]
            await asyncio.sleep(0.02)
            assert len(seen) == 3
            await peer.say(type="request", id=1, n=1)
            await peer.say(type="request", id=1, n=1)
            assert await peer.items(2) == [3, 4]
            await peer.say(type="request", id=1, n=MOST)
            assert await peer.items(995) == list(range(5, 1000))
            assert await peer.hear() == {"type": "complete", "id": 1}

    run(main())


def test_ready_tells_the_limits() -> None:
    async def main() -> None:
        service = app(streams=7)
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, client(server, "/out", greet=False) as peer:
            ready = await peer.hello()
            assert (ready["type"], ready["limits"]["streams"]) == ("ready", 7)

    run(main())


def test_frames_count_their_elements() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(5000).pipe(ops.map(padded)))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(MOST)
            seq = 0
            while (frame := await peer.hear())["type"] == "next":
                assert frame["seq"] == seq
                assert len(frame["items"]) * 1000 <= 2**16
                seq += len(frame["items"])
            assert seq == 5000

    run(main())


def test_a_batch_travels_as_columns() -> None:
    async def main() -> None:
        batch = Batch({"x": np.arange(500.0)})
        service = app(message_bytes=2000)
        service.stream("/out", rxml.from_batches([batch]))
        async with service.serve() as server, client(server, "/out", "msgpack") as peer:
            await peer.subscribe(500)
            count = 0
            while count < 500:
                items = (await peer.hear())["items"]
                assert isinstance(items, Batch)
                assert items["x"].tolist() == list(range(count, count + len(items)))
                count += len(items)

    run(main())


def test_streams_of_one_connection_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(10))
        service.stream("/never", rxml.never())
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(5, 1, path="/never")
            await peer.subscribe(2, 2)
            assert (await peer.hear()) == {"type": "next", "id": 2, "seq": 0, "items": [0]}
            assert (await peer.hear()) == {"type": "next", "id": 2, "seq": 1, "items": [1]}
            await peer.subscribe(1, 3, path="/out")
            assert (await peer.hear())["id"] == 3
            await peer.subscribe(1, 4, path="/nowhere")
            frame = await peer.hear()
            assert (frame["type"], frame["id"], frame["code"]) == ("error", 4, "path")

    run(main())


def test_cancel_ends_the_run_and_frees_the_id() -> None:
    async def main() -> None:
        ended: list[int] = []
        service = app()
        flow = rxml.never().pipe(ops.finally_action(lambda: ended.append(1)))
        service.stream("/out", flow)
        service.stream("/one", rxml.of(1))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(5)
            await asyncio.sleep(0.02)
            await peer.say(type="cancel", id=1)
            await peer.say(type="cancel", id=99)
            await peer.say(type="request", id=1, n=1)
            await eventually(lambda: ended)
            await peer.subscribe(2, 1, path="/one")
            assert (await peer.hear())["items"] == [1]

    run(main())


def test_an_error_ends_the_stream_and_not_the_connection() -> None:
    async def main() -> None:
        service = app()
        service.stream("/bad", rxml.of(1, 0).pipe(ops.map(inverse)))
        service.stream("/good", rxml.of(1))
        async with service.serve() as server, client(server, "/bad") as peer:
            await peer.subscribe(9)
            assert await peer.items(1) == [1]
            frame = await peer.hear()
            assert (frame["type"], frame["code"], frame["message"]) == (
                "error",
                "failed",
                "ZeroDivisionError",
            )
            await peer.subscribe(1, 2, path="/good")
            assert (await peer.hear())["items"] == [1]

    run(main())


BROKEN: list[tuple[list[Any], str]] = [
    ([{"type": "request", "id": 1, "n": 0}], "got 0"),
    ([{"type": "request", "id": 1, "n": -5}], "got -5"),
    ([{"type": "request", "id": 1, "n": MOST + 1}], str(MOST)),
    ([{"type": "request", "id": 1, "n": MOST - 5}] * 2, "beyond"),
    ([{"type": "request", "id": 1}], "n"),
    ([{"type": "request", "id": "1", "n": 1}], "int"),
    ([{"type": "request", "id": 1, "n": 1.5}], "int"),
    ([{"type": "subscribe", "id": 1, "n": 1}], "in use"),
    ([{"type": "subscribe", "id": 0, "n": 1}], "in use"),
    ([{"type": "subscribe", "id": 2, "n": 0}], "got 0"),
    ([{"type": "next", "id": 1, "items": []}], "no place"),
    ([{"type": "hello"}], "no place"),
    ([{"type": "lease", "n": 1}], "lease"),
    ([{"id": 1}], "type"),
    ([[]], "array"),
]


@pytest.mark.parametrize(("frames", "word"), BROKEN)
@both
def test_whoever_breaks_the_rules_is_closed_with_4400(
    encoding: str, frames: list[Any], word: str
) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.never())
        async with service.serve() as server, client(server, "/out", encoding) as peer:
            await peer.subscribe(1)
            for frame in frames:
                if isinstance(frame, dict):
                    await peer.say(**frame)
                else:
                    await peer.socket.send("[]" if encoding == "json" else b"\x90")
            code, reason = await peer.closed()
            assert code == 4400
            assert word in reason

    run(main())


@pytest.mark.parametrize("junk", ["", "{", "nul\x00l", b"\xff", b"", "[" * 5000])
def test_junk_is_closed_with_4400(junk: str | bytes) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        for encoding in ("json", "msgpack"):
            async with service.serve() as server, client(server, "/out", encoding) as peer:
                await peer.socket.send(junk)
                assert (await peer.closed())[0] == 4400

    run(main())


def test_the_first_frame_is_hello_of_a_known_version() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        async with service.serve() as server:
            async with client(server, "/out", greet=False) as peer:
                await peer.subscribe(1)
                assert await peer.closed() == (4400, "the first frame must be hello, got subscribe")
            async with client(server, "/out", greet=False) as peer:
                await peer.say(type="hello", version=2)
                assert (await peer.closed())[0] == 4400

    run(main())


@pytest.mark.parametrize("greet", [True, False])
def test_a_client_that_says_nothing_is_closed_with_4408(greet: bool) -> None:
    async def main() -> None:
        service = app(hello_seconds=0.05)
        service.stream("/out", rxml.of(1))
        async with service.serve() as server, client(server, "/out", greet=greet) as peer:
            assert (await peer.closed())[0] == 4408

    run(main())


def test_there_are_only_so_many_streams() -> None:
    async def main() -> None:
        service = app(streams=3)
        service.stream("/out", rxml.never())
        async with service.serve() as server, client(server, "/out") as peer:
            for id_ in range(1, 5):
                await peer.subscribe(1, id_)
            frame = await peer.hear()
            assert (frame["id"], frame["code"]) == (4, "streams")
            await peer.say(type="cancel", id=1)
            await asyncio.sleep(0.02)
            await peer.subscribe(1, 5)
            await peer.subscribe(1, 6)
            assert (await peer.hear())["id"] == 6

    run(main())


def test_a_stream_without_demand_ends_after_a_while() -> None:
    async def main() -> None:
        service = app(idle_seconds=0.05)
        service.stream("/out", rxml.range(9))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(1)
            assert await peer.items(1) == [0]
            assert (await peer.hear())["code"] == "idle"

    run(main())


def test_a_deadline_ends_the_stream() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.never())
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(1, deadline_ms=20)
            assert (await peer.hear())["code"] == "deadline"

    run(main())


def test_pings_are_answered_while_the_reader_stalls() -> None:
    async def main() -> None:
        service = app(heartbeat_seconds=0.05, pong_seconds=2.0)
        service.stream("/out", rxml.range(10**9).pipe(ops.map(padded)))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(5)
            await peer.items(5)
            await asyncio.sleep(0.4)  # no demand, but the client's library answers pings
            async with asyncio.timeout(1):
                answered = await peer.socket.ping()
                await answered
            await peer.say(type="request", id=1, n=5)
            await peer.items(5)

    run(main())


def test_a_client_that_never_reads_is_dropped_and_its_run_ends() -> None:
    async def main() -> None:
        ended: list[int] = []
        service = app(heartbeat_seconds=0.05, pong_seconds=0.1)
        flow: rxml.Flowable[str] = rxml.range(10**9).pipe(
            ops.map(padded), ops.finally_action(lambda: ended.append(1))
        )
        service.stream("/out", flow)
        async with (
            service.serve() as server,
            client(server, "/out", max_queue=1, ping_interval=None) as peer,
        ):
            await peer.subscribe(MOST)
            await eventually(lambda: ended)
            peer.socket.transport.abort()

    run(main())


def test_an_element_larger_than_a_message_fails_the_stream() -> None:
    async def main() -> None:
        service = app(message_bytes=1000)
        service.stream("/out", rxml.of("a", "x" * 2000))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(9)
            assert await peer.items(1) == ["a"]
            assert (await peer.hear())["code"] == "size"

    run(main())
