"""The WebSocket of a path of `ingest`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from rxml import wire
from tests.http.helpers import app, collecting, run
from tests.http.wire_client import client

both = pytest.mark.parametrize("encoding", ["json", "msgpack"])


def test_plain_messages_are_elements() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        async with (
            service.serve() as server,
            collecting(flow) as got,
            connect(server.url.replace("http", "ws") + "/in") as socket,
        ):
            await socket.send("1")
            await socket.send("[2, 3]")
            await socket.send(wire.dumps([4]))
            await socket.send('"x"')
            answer = json.loads(await socket.recv())
            assert answer == {"index": 4, "error": "Expected `int`, got `str`"}
            await socket.send("5")
            assert await got.reaches(5) == [1, 2, 3, 4, 5]
            await socket.send("[junk")
            await socket.wait_closed()
            assert socket.close_code == 4400

    run(main())


def test_plain_messages_are_not_read_before_they_are_wanted() -> None:
    async def main() -> None:
        service = app(drain_seconds=0.1)
        flow = service.ingest("/in")
        async with (
            service.serve() as server,
            flow.open() as subscription,
            connect(server.url.replace("http", "ws") + "/in") as socket,
        ):
            sent = 0

            async def push() -> None:
                nonlocal sent
                while True:
                    await socket.send(json.dumps({"x": "y" * 200_000}))
                    sent += 1

            pushing = asyncio.create_task(push())
            assert len(await subscription.request(3)) >= 1
            await asyncio.sleep(0.3)
            stalled = sent
            await asyncio.sleep(0.1)
            assert sent == stalled < 100
            assert len(await subscription.request(1)) == 1
            pushing.cancel()
            await asyncio.wait([pushing])
            socket.transport.abort()

    run(main())


@both
def test_demand_travels_to_the_sender(encoding: str) -> None:
    async def main() -> None:
        service = app(window=10)
        flow = service.ingest("/in", schema=int)
        async with service.serve() as server, client(server, "/in", encoding) as peer:
            hearing = asyncio.create_task(peer.hear())
            await asyncio.sleep(0.05)
            assert not hearing.done()  # nobody reads yet, so nothing is asked for
            async with flow.open() as subscription:
                asking = asyncio.create_task(subscription.request(3))
                assert await hearing == {"type": "request", "id": 0, "n": 3}
                await peer.say(type="next", id=0, items=[1, 2, 3])
                assert list((await asking).elements) == [1, 2, 3]
                asking = asyncio.create_task(subscription.request(1000))
                assert (await peer.hear())["n"] == 10  # not more than the window
                await peer.say(type="next", id=0, items=list(range(8)))
                assert list((await asking).elements) == list(range(8))
                asking = asyncio.create_task(subscription.request(1000))
                assert (await peer.hear())["n"] == 8  # three quarters have come: as many again
                asking.cancel()
                await asyncio.wait([asking])

    run(main())


@both
def test_elements_that_do_not_fit_are_told_by_number(encoding: str) -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        async with (
            service.serve() as server,
            client(server, "/in", encoding) as peer,
            collecting(flow) as got,
        ):
            await peer.hear()
            await peer.say(type="next", id=0, items=[1, "x", 2])
            frame = await peer.hear()
            assert (frame["type"], frame["seq"]) == ("reject", 1)
            assert "int" in frame["message"]
            assert await got.reaches(2) == [1, 2]
            await peer.say(type="complete", id=0)
            while (frame := await peer.hear())["type"] != "complete":
                assert frame["type"] == "request"
            assert (await peer.closed())[0] == 1000

    run(main())


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "next", "id": 0, "items": [1] * 5},
        {"type": "next", "id": 1, "items": [1]},
        {"type": "next", "id": 0, "items": 5},
        {"type": "next", "id": 0, "items": []},
        {"type": "next", "id": 0, "items": [1], "seq": 1},
        {"type": "subscribe", "id": 1, "n": 1},
    ],
)
@both
def test_more_than_was_asked_for_breaks_the_rules(encoding: str, frame: dict[str, Any]) -> None:
    async def main() -> None:
        service = app(window=4)
        flow = service.ingest("/in", schema=int)
        async with (
            service.serve() as server,
            client(server, "/in", encoding) as peer,
            collecting(flow),
        ):
            await peer.hear()
            await peer.say(**frame)
            assert (await peer.closed())[0] == 4400

    run(main())


def test_senders_are_told_when_the_server_ends() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in")
        async with service.serve() as server, collecting(flow):
            opened = client(server, "/in")
            peer = await opened.__aenter__()
            await peer.hear()
        assert (await peer.hear())["type"] == "drain"
        assert (await peer.closed())[0] == 4503
        await opened.__aexit__(None, None, None)

    run(main())
