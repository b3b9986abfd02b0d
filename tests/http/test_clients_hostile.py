"""Client sources and servers that mean no good, or elements that look like something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

import rxml
from rxml.errors import ProtocolError
from rxml.http import buffer, ndjson, sse
from tests.http.helpers import app, http, run
from tests.http.plain import CLOSED, LINES, SSE, Plain

ODD: list[Any] = [
    {"error": 0.3, "model": "price"},
    {"error": {"code": "failed", "message": "x"}},
    {"gap": 3},
    {"reset": True},
    {"reset": {"epoch": "a", "offset": 0}},
]


@pytest.mark.parametrize("replay", [None, 10])
def test_an_element_is_never_taken_for_something_else(replay: int | None) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.from_iterable(ODD), slow=buffer(10), replay=replay)
        async with service.serve() as server:
            url = f"{server.url}/out"
            place = 0 if replay else None
            got = await ndjson(url, offset=place, reconnect=None, on_gap="error").to_list()
            assert got == ODD
            if not replay:
                lines = (await http(server, "/out")).body.splitlines()
                assert [json.loads(line) for line in lines] == ODD

    run(main())


OURS = CLOSED.replace(b"\r\n\r\n", b"\r\nRxml-Stream: 1\r\n\r\n")
PLACED = b"\r\nRxml-Stream: 1\r\nRxml-Epoch: a\r\nRxml-Offset: %s\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b'{"error":0.3}',
        b'{"error":null}',
        b'{"gap":true}',
        b'{"gap":-1}',
        b'{"gap":1e300}',
        b'{"gap":99999999999999999999}',
        b'{"reset":true}',
        b'{"reset":{"offset":"x"}}',
        b'{"reset":{"offset":-1}}',
        b'{"reset":{"epoch":[]}}',
    ],
)
def test_a_word_that_means_nothing_breaks_the_rules(line: bytes) -> None:
    async def main() -> None:
        async with Plain(OURS + line + b"\n").running() as server:
            with pytest.raises(ProtocolError):
                await ndjson(server.url, reconnect=None).to_list()

    run(main())


@pytest.mark.parametrize("data", [b'{"offset":-1}', b'{"epoch":1}'])
def test_an_event_that_means_nothing_breaks_the_rules(data: bytes) -> None:
    async def main() -> None:
        head = SSE.replace(b"\r\n\r\n", b"\r\nRxml-Stream: 1\r\n\r\n")
        async with Plain(head + b"event: reset\ndata: " + data + b"\n\n").running() as server:
            with pytest.raises(ProtocolError):
                await sse(server.url, reconnect=None).to_list()

    run(main())


@pytest.mark.parametrize("offset", [b"9" * 5000, "²".encode(), b"-1", b"1e3"])
def test_a_place_that_is_no_number_is_none(offset: bytes) -> None:
    async def main() -> None:
        head = LINES + b"Connection: close" + PLACED % offset
        async with Plain(head + b"1\n2\n").running() as server:
            assert await ndjson(server.url, reconnect=None).to_list() == [1, 2]

    run(main())
