"""What happens seldom: it is right all the same."""

from __future__ import annotations

import asyncio
import errno
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from websockets.asyncio.client import connect

import rxml
from rxml import operators as ops
from rxml.errors import RemoteError
from rxml.http.address import unreachable
from rxml.http.codec import Codec
from rxml.http.pool import Pool
from rxml.http.protocol import Error
from tests.http.helpers import app, collecting, http, post, run

NDJSON = {"content_type": "application/x-ndjson"}


def connection_error(number: int, kind: type[Any] = aiohttp.ClientConnectorError) -> Any:
    key = Mock(host="there", port=80, ssl=False, is_ssl=False)
    return kind(key, OSError(number, "no route"))


def test_why_no_connection_could_be_made_is_said_in_few_words() -> None:
    assert unreachable(connection_error(errno.ECONNREFUSED)) == "nothing listens at there:80"
    assert unreachable(connection_error(errno.EHOSTUNREACH)) == (
        "no connection to there:80: no route"
    )
    unknown = connection_error(errno.EINVAL, aiohttp.ClientConnectorDNSError)
    assert unreachable(unknown) == "there is no host there"


def test_bytes_that_come_as_waiting_ends_are_given_back() -> None:
    async def borrow(pool: Pool, weight: int) -> None:
        async with pool.hold(weight, None):
            await asyncio.sleep(0)

    async def main() -> None:
        pool = Pool(10)
        async with pool.hold(10, None):
            waiting = asyncio.create_task(borrow(pool, 10))
            await asyncio.sleep(0)
        waiting.cancel()  # it has been lent the bytes already, and does not know yet
        await asyncio.wait([waiting])
        async with pool.hold(10, 0.01):
            pass

    run(main())


@pytest.mark.parametrize("lines", [True, False])
def test_bodies_that_wait_for_others_to_be_decoded_are_429(lines: bool) -> None:
    async def main() -> None:
        service = app(decoding_bytes=1000)
        flow = service.ingest("/in", schema=int, deadline=0.3)
        headers = NDJSON if lines else {}
        body = b"1\n" * 900 if lines else b"[" + b"1," * 900 + b"1]"
        async with service.serve() as server, collecting(flow.pipe(ops.take(2)), 2):
            answers = await asyncio.gather(*[post(server, body, headers) for _ in range(3)])
            assert {answer.status for answer in answers} == {429}
            assert sum(answer.json["accepted"] for answer in answers) == 2

    run(main())


def test_messages_that_wait_for_others_to_be_decoded_end_the_connection() -> None:
    async def main() -> None:
        service = app(decoding_bytes=1000, idle_seconds=0.2)
        flow = service.ingest("/in", schema=int)
        async with service.serve() as server, collecting(flow.pipe(ops.take(2)), 2):
            url = server.url.replace("http", "ws") + "/in"
            async with connect(url) as one, connect(url) as two:
                for socket in (one, two):
                    await socket.send(str([1] * 500))
                for socket in (one, two):
                    await socket.wait_closed()
                    assert socket.close_code == 4429

    run(main())


def test_a_timeout_of_the_flow_is_not_the_deadline() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.throw(TimeoutError("slow")))
        async with service.serve() as server:
            with pytest.raises(RemoteError, match="failed: TimeoutError"):
                await rxml.connect(server.url + "/out").to_list()

    run(main())


def test_words_that_cannot_be_encoded_end_the_stream_without_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encode = Codec.encode

    def wordless(self: Codec, frame: Any) -> bytes:
        if isinstance(frame, Error) and frame.message:
            raise TypeError("no words")
        return encode(self, frame)

    async def main() -> None:
        service = app()
        service.stream("/out", rxml.throw(ValueError()))
        monkeypatch.setattr(Codec, "encode", wordless)
        async with service.serve() as server:
            with pytest.raises(RemoteError, match="failed"):
                await rxml.connect(server.url + "/out").to_list()

    run(main())


def sized(n: int) -> str:
    return "x" * n


def test_large_elements_after_small_ones_are_encoded_in_parts() -> None:
    async def main() -> None:
        sizes = [10] * 600 + [20_000] * 600
        service = app()
        service.stream("/out", rxml.from_iterable(sizes).pipe(ops.map(sized)))
        async with service.serve() as server:
            got = await rxml.connect(server.url + "/out").pipe(ops.map(len)).to_list()
            assert got == sizes
            lines = (await http(server, "/out")).body.splitlines()
            assert [len(line) - 2 for line in lines] == sizes

    run(main())
