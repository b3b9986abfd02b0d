"""What goes by express is answered as what goes the long way, in the same order, under the same bounds."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from rxml import models, wire
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.flow.service import Service
from rxml.http import App, Key, Limits
from rxml.http.express import Express
from tests.http.helpers import eventually, run
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from rxml.http.server import Server

XY = Schema.of(x="float64", y="int64")
SUM = models.from_function(lambda rows: rows["x"] + rows["y"], inputs=XY)
ROW = b'{"x": 1.5, "y": 2}'
LONG = "Authorization: Bearer nothing"
"""A header with which a request goes the long way, and that changes nothing else where there are no keys."""


def request(body: bytes, *headers: str, path: str = "/predict", method: str = "POST") -> bytes:
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def service(place: Any = None, **how: Any) -> App:
    app = App(port=0, **how)
    app.predict("/predict", ops.score(SUM, name="sum", version="7", on=place))
    return app


class Client:
    """One connection, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        self.writer.write(data)
        return await self.answer()

    def reset(self) -> None:
        """Go away, and say so: a mere close might be one who still wants an answer."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def pour(self, data: bytes) -> None:
        while True:
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["Content-Length"]))
        return int(head[0].split()[1]), headers, body


@asynccontextmanager
async def bare(server: Server) -> AsyncGenerator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def client_of(server: Server) -> AsyncGenerator[Client]:
    """A client that has asked once: before the task of its connection has begun, a request goes the long way."""
    async with bare(server) as client:
        assert (await client.ask(request(ROW)))[0] == 200
        yield client


class Counted:
    """How many went by express."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken = 0
        lane = Express.lane

        def counted(express: Express, message: Any, payload: Any) -> Any:
            found = lane(express, message, payload)
            self.taken += found is not None
            return found

        monkeypatch.setattr(Express, "lane", counted)


@pytest.fixture
def express(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


BODIES = {
    "row": (ROW, "application/json"),
    "rows": (b'[{"x": 1, "y": 2}, {"x": 2, "y": 3}]', "application/json"),
    "columns": (b'{"columns": {"x": [1, 2], "y": [3, 4]}}', "application/json"),
    "shared": (b'{"shared": {"x": 1}, "rows": [{"y": 3}, {"y": 4}]}', "application/json"),
    "msgpack": (wire.dumps(Batch({"x": [1.0], "y": [2]})), "application/msgpack"),
    "missing": (b'{"x": 1.5}', "application/json"),
    "wrong": (b'{"x": "a", "y": 1}', "application/json"),
    "cut": (b'{"x": 1', "application/json"),
    "empty": (b"", "application/json"),
    "no rows": (b"[]", "application/json"),
    "not UTF-8": (b'{"x": "\xff"}', "application/json"),
    "deep": (b"[" * 3000, "application/json"),
    "no msgpack": (b"\xc1", "application/msgpack"),
}


@pytest.mark.parametrize("name", BODIES)
def test_both_ways_answer_alike(name: str, express: Counted) -> None:
    body, kind = BODIES[name]
    same = (f"Content-Type: {kind}", "X-Request-Id: q", "X-Request-Priority: 3")

    async def main() -> None:
        async with service().serve() as server, client_of(server) as client:
            before = express.taken
            quick = await client.ask(request(body, *same))
            assert express.taken == before + 1
            slow = await client.ask(request(body, *same, LONG))
            assert express.taken == before + 1
            assert quick[0] == slow[0]
            assert quick[2] == slow[2]
            assert {**quick[1], "Date": ""} == {**slow[1], "Date": ""}

    run(main())


@pytest.mark.parametrize(
    "header",
    [
        "Origin: http://localhost",
        "Content-Encoding: identity",
        "Connection: close",
        "X-Request-Timeout-Ms: soon",
        "Content-Type: text/plain",
        "Host: elsewhere.example",
    ],
)
def test_what_is_not_plain_is_answered_as_ever(header: str) -> None:
    async def main() -> None:
        async with (
            service().serve() as server,
            client_of(server) as client,
            client_of(server) as other,
        ):
            asked = request(ROW, header).replace(
                b"Host: localhost\r\n", b"" if "Host" in header else b"Host: localhost\r\n"
            )
            quick = await client.ask(asked)
            slow = await other.ask(asked.replace(b"\r\n\r\n", f"\r\n{LONG}\r\n\r\n".encode(), 1))
            assert quick[0] == slow[0]
            assert json.loads(quick[2]).keys() == json.loads(slow[2]).keys()

    run(main())


def test_requests_in_one_packet_are_answered_in_their_order(express: Counted) -> None:
    bodies = [f'{{"x": {i}, "y": 0}}'.encode() for i in range(20)]
    asked = [request(body, *([LONG] if i % 5 == 3 else [])) for i, body in enumerate(bodies)]

    async def main() -> list[float]:
        async with service(models.threads()).serve() as server, client_of(server) as client:
            client.writer.write(b"".join(asked))
            return [json.loads((await client.answer())[2])["value"] for _ in bodies]

    assert run(main()) == list(range(20))
    assert express.taken > 2


def test_a_body_in_pieces_and_what_is_no_request_are_seen_to() -> None:
    async def main() -> None:
        async with service().serve() as server, client_of(server) as client:
            whole = request(ROW)
            client.writer.write(whole[:-5])
            await asyncio.sleep(0)
            assert json.loads((await client.ask(whole[-5:]))[2])["value"] == 3.5
            assert json.loads((await client.ask(whole))[2])["value"] == 3.5
            assert (await client.ask(b"NONSENSE\r\n\r\n"))[0] == 400

    run(main())


def test_who_has_said_all_still_gets_an_answer() -> None:
    async def main() -> None:
        async with service(Timed(base=0.02)).serve() as server, client_of(server) as client:
            client.writer.write(request(ROW))
            client.writer.write_eof()
            assert json.loads((await client.answer())[2])["value"] == 3.5
            assert await client.reader.read() == b""

    run(main())


def test_the_row_of_one_who_is_gone_is_not_scored() -> None:
    place = Timed(base=0.05)

    async def main() -> None:
        async with (
            service(place).serve() as server,
            client_of(server) as first,
            client_of(server) as second,
            client_of(server) as third,
        ):
            first.writer.write(request(b'{"x": 1, "y": 0}'))
            await eventually(lambda: [1.0] in place.batches)
            second.writer.write(request(b'{"x": 2, "y": 0}'))
            await second.writer.drain()
            await asyncio.sleep(0.01)
            second.reset()
            assert (await third.ask(request(b'{"x": 3, "y": 0}')))[0] == 200
            assert (await first.answer())[0] == 200

    run(main())
    assert [2.0] not in place.batches
    assert all(2.0 not in batch for batch in place.batches)


def test_one_who_never_reads_fills_no_memory(express: Counted) -> None:
    async def main() -> None:
        limits = Limits(write_bytes=1024)
        async with service(limits=limits).serve() as server, client_of(server) as client:
            with suppress(TimeoutError):
                await asyncio.wait_for(client.pour(request(ROW) * 64), 2)
            assert express.taken < 100_000  # what fits into the buffers of two sockets
            client.writer.transport.abort()

    run(main())


def test_with_keys_nothing_goes_by_express(express: Counted) -> None:
    key, secret = Key.new("shop", scopes=["infer"])

    async def main() -> None:
        async with service(keys=[key]).serve() as server, bare(server) as client:
            assert (await client.ask(request(ROW)))[0] == 401
            assert (await client.ask(request(ROW, f"Authorization: Bearer {secret}")))[0] == 200
            assert (await client.ask(request(ROW)))[0] == 401

    run(main())
    assert express.taken == 0


def test_a_server_that_ends_answers_what_is_under_way_and_counts_it() -> None:
    place = Timed(base=0.1)

    async def main() -> None:
        async with AsyncExitStack() as left:
            async with service(place).serve() as server:
                client = await left.enter_async_context(client_of(server))
                seen = len(place.batches)
                client.writer.write(request(ROW))
                await eventually(lambda: len(place.batches) > seen)
            assert json.loads((await client.answer())[2])["value"] == 3.5
            assert await client.reader.read() == b""

    run(main())


def test_a_connection_that_rests_after_an_answer_is_closed() -> None:
    async def main() -> None:
        async with (
            service(limits=Limits(request_seconds=0.2)).serve() as server,
            client_of(server) as client,
        ):
            assert (await client.ask(request(ROW)))[0] == 200
            assert await client.reader.read() == b""

    run(main())


def test_an_answer_may_take_longer_than_a_connection_may_rest() -> None:
    async def main() -> None:
        async with (
            service(Timed(base=0.5), limits=Limits(request_seconds=0.2)).serve() as server,
            client_of(server) as client,
        ):
            assert (await client.ask(request(ROW)))[0] == 200

    run(main())


@pytest.mark.parametrize(("wait", "after"), [(0.0, "1"), (3.2, "4"), (1e9, "30")])
def test_what_finds_no_room_is_refused_before_its_body_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, wait: float, after: str
) -> None:
    crowded: list[float | None] = [wait]

    def told(_service: Any, _within: float | None) -> float | None:
        return crowded[0]

    async def main() -> None:
        async with (
            service(limits=Limits(retry_seconds=30)).serve() as server,
            client_of(server) as client,
        ):
            monkeypatch.setattr(Service, "crowded", told)
            for _ in range(2):
                status, headers, body = await client.ask(request(b"no JSON"))
                assert (status, headers["Retry-After"]) == (429, after)
                assert json.loads(body)["error"].startswith("there is more to do")
            crowded[0] = None
            assert (await client.ask(request(b"no JSON")))[0] == 400
            assert (await client.ask(request(ROW)))[0] == 200

    run(main())


@pytest.mark.parametrize("kind", ["application/json", "application/msgpack"])
@pytest.mark.parametrize("headers", [(), (LONG,)])
def test_an_answer_that_cannot_be_sent_harms_nobody_else(
    kind: str, headers: tuple[str, ...]
) -> None:
    async def answer(row: Any) -> Any:
        await asyncio.sleep(0)
        return row["x"] or object()

    app = App(port=0)
    app.predict("/predict", ops.map_async(answer, concurrency=1))

    async def main() -> None:
        async with app.serve() as server, bare(server) as client:
            for x, status in [(1, 200), (0, 500), (0, 500), (2, 200)]:
                body = wire.dumps({"x": x}) if kind.endswith("pack") else b'{"x": %d}' % x
                asked = request(body, f"Content-Type: {kind}", *headers)
                answered, _, told = await asyncio.wait_for(client.ask(asked), 5)
                assert answered == status, told

    run(main())
