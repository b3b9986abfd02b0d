"""A head that is known is not parsed again, and nobody can tell, however what is sent is cut into packets."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp.http_parser import RawRequestMessage
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from rxml.http.express import Express
from rxml.http.heads import LONGEST, MOST, Heads
from rxml.http.sieve import left_after
from tests.http.helpers import eventually, run
from tests.http.test_express import LONG, request, service

if TYPE_CHECKING:
    from rxml.http.handler import Handler
    from rxml.http.lane import Lane
    from rxml.http.server import Server

LANE = cast("Lane", None)
NAME = "X-Request-Id: q"
CHANGES = re.compile(rb'(Date|X-Request-Id|Content-Length): [^\r]*|"id":"[^"]*"')
"""What is another in each answer."""


class Wire(asyncio.Transport):
    """Keeps what a handler writes."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.handler: Handler = cast("Any", server)._http()
        self.handler.connection_made(self)

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    @override
    def write(self, data: Any) -> None:
        self.written += bytes(data)

    @override
    def is_closing(self) -> bool:
        return self.closed

    @override
    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.handler.connection_lost, None)

    @override
    def abort(self) -> None:
        self.close()

    @override
    def pause_reading(self) -> None:
        """Whatever is given to the handler, it has."""

    @override
    def resume_reading(self) -> None:
        """It was never paused."""


async def wire_of(server: Server) -> Wire:
    """Of a server whose model is loaded and warm, with its own task begun."""
    endpoint = cast("Any", server)._endpoints["/predict"]
    await eventually(endpoint.ready)
    wire = Wire(server)
    await asyncio.sleep(0)
    return wire


async def turns() -> None:
    """Enough for what has come to be answered, if all of it has."""
    for _ in range(16):
        await asyncio.sleep(0)


async def said(server: Server, pieces: list[bytes]) -> bytes:
    """What it writes when these come in packets of their own."""
    wire = await wire_of(server)
    for piece in pieces:
        if not wire.closed:
            wire.handler.data_received(piece)
        await turns()
    wire.close()
    await asyncio.sleep(0)
    return CHANGES.sub(b"", wire.written)


def unknown(_express: Express, _data: bytes) -> None:
    """No head is known."""


def asked(number: int, *headers: str) -> bytes:
    return request(f'{{"x": {number}, "y": 0}}'.encode(), *headers)


REQUESTS = st.one_of(
    st.integers(0, 9).map(asked),
    st.sampled_from([
        asked(1000),
        request(b"no JSON"),
        request(b'{"x": 1, "y": 0}', NAME),
        request(b'{"x": 1, "y": 0}', LONG),
        request(b'{"x": 1, "y": 0}', "X-Request-Priority: none"),
        request(b'{"x": 1, "y": 0}', "Connection: close"),
        request(b"", method="GET"),
        request(b"[" + b" " * 40_000 + b'{"x": 1, "y": 0}]'),
        request(b"", path="/nothing"),
        request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        + b'10\r\n{"x": 1, "y": 0}\r\n0\r\n\r\n',
        b"\r\n" + asked(3),
        b"NONSENSE\r\n\r\n",
    ]),
)  # fmt: skip


@st.composite
def packets(draw: st.DrawFn) -> list[bytes]:
    """Requests, most of them in a packet of their own; others are cut, or come with the next."""
    pieces: list[bytes] = []
    rest = b""
    for each in draw(st.lists(REQUESTS, min_size=1, max_size=8)):
        rest += each
        keep = draw(st.sampled_from([0, 0, 0, 0, 1, 7, 30, len(each), len(each)]))
        cut = len(rest) - min(keep, len(rest))
        pieces, rest = [*pieces, rest[:cut]], rest[cut:]
    return [piece for piece in [*pieces, rest] if piece]


@given(packets())
@settings(max_examples=50)
def test_nobody_can_tell_whether_a_head_was_known(pieces: list[bytes]) -> None:
    async def main() -> tuple[bytes, bytes]:
        async with service().serve() as server:
            quick = await said(server, pieces)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Express, "known", unknown)
                return quick, await said(server, pieces)

    quick, parsed = run(main())
    assert quick == parsed


@pytest.mark.parametrize(("headers", "times"), [((), 1), ((NAME,), 30)])
def test_a_head_that_is_known_is_not_parsed_and_one_with_a_name_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, headers: tuple[str, ...], times: int
) -> None:
    parsed: list[Any] = []
    lane = Express.lane

    def counted(express: Express, message: Any, payload: Any) -> Any:
        parsed.append(message)
        return lane(express, message, payload)

    monkeypatch.setattr(Express, "lane", counted)

    async def main() -> bytes:
        async with service().serve() as server:
            return await said(server, [asked(number % 10, *headers) for number in range(30)])

    written = run(main())
    assert written.count(b"HTTP/1.1 200 OK") == 30
    assert [int(value) for value in re.findall(rb'"value":(\d)', written)] == [*range(10)] * 3
    assert len(parsed) == times


def test_a_server_that_ends_takes_nothing_though_the_head_is_known() -> None:
    async def main() -> bytes:
        async with service().serve() as server:
            wire = await wire_of(server)
            wire.handler.data_received(asked(1))
            cast("Any", server)._serving.leave()
            wire.handler.data_received(asked(1))
            await turns()
            return wire.written

    assert re.findall(rb"HTTP/1.1 (\d+)", run(main())) == [b"200", b"503"]


def test_only_so_many_heads_are_known_and_none_that_is_long() -> None:
    heads = Heads()
    for number in range(3 * MOST):
        heads.keep(b"%d\r\n\r\nbody" % number, LANE, number, 4)
    assert len(heads) == MOST
    assert heads.find(b"1\r\n\r\nbody") is None
    last = b"%d\r\n\r\nlike" % (3 * MOST - 1)
    found = heads.find(last)
    assert found is not None
    assert (found.terms, last[found.begin :]) == (3 * MOST - 1, b"like")
    assert heads.find(last + b"!") is None
    heads.keep(b"x" * LONGEST + b"\r\n\r\nbody", LANE, None, 4)
    assert len(heads) == MOST


def test_what_the_parser_waits_for_is_known_only_while_that_is_certain() -> None:
    first: Any = (RawRequestMessage, None)
    assert left_after(-1, b"x", []) == -1
    assert left_after(5, b"", []) == 5
    assert left_after(5, b"12345", []) == 0
    assert left_after(5, b"123456", []) == -1
    assert left_after(5, b"123", [first]) == -1
    assert left_after(0, b"x", []) == -1
    assert left_after(0, b"x", [first, first]) == -1
