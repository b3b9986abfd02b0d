"""One path, three forms: NDJSON, SSE, plain WebSocket messages."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import PipelineError, RemoteError
from rxml.http import App, Limits, Slow, buffer, disconnect, drop_oldest
from tests.http.helpers import app, eventually, http, inverse, raw, run


class Struct(msgspec.Struct):
    x: int


@dataclass
class Data:
    x: float


ELEMENTS: list[Any] = [
    1,
    "ü",
    {"a": [1, None]},
    Struct(1),
    Data(0.5),
    np.float64(1.5),
    np.arange(3),
    {"deep": np.int32(3)},
    float("nan"),
]
AS_JSON = [1, "ü", {"a": [1, None]}, {"x": 1}, {"x": 0.5}, 1.5, [0, 1, 2], {"deep": 3}, None]


def streamed(flow: rxml.Flowable[Any], **options: Any) -> App:
    service = app()
    service.stream("/out", flow, **options)
    return service


async def collect(socket: ClientConnection, got: list[Any]) -> None:
    while True:
        got.append(json.loads(await socket.recv()))


async def messages(url: str) -> tuple[list[Any], int]:
    """All that a WebSocket says, and the code with which it closes."""
    got: list[Any] = []
    async with connect(url.replace("http", "ws")) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await collect(socket, got)
        assert closed.value.rcvd is not None
        return got, closed.value.rcvd.code


def events(body: bytes) -> list[dict[str, str]]:
    return [
        dict(line.split(": ", 1) for line in event.splitlines())
        for event in body.decode().split("\n\n")
        if event
    ]


def test_a_flow_comes_out_as_lines() -> None:
    async def main() -> None:
        async with streamed(rxml.from_iterable(ELEMENTS)).serve() as server:
            answer = await http(server, "/out", accept="*/*")
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/x-ndjson"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert [json.loads(line) for line in answer.body.splitlines()] == AS_JSON

    run(main())


def test_a_flow_comes_out_as_events() -> None:
    async def main() -> None:
        async with streamed(rxml.from_iterable(ELEMENTS)).serve() as server:
            answer = await http(server, "/out", accept="text/event-stream")
            assert answer.headers["content-type"] == "text/event-stream"
            first, *elements, last = events(answer.body)
            assert first == {"retry": "1000"}
            assert last == {"event": "complete", "data": "{}"}
            assert [int(event["id"]) for event in elements] == list(range(len(AS_JSON)))
            assert [json.loads(event["data"]) for event in elements] == AS_JSON

    run(main())


def test_a_flow_comes_out_as_messages() -> None:
    async def main() -> None:
        async with streamed(rxml.from_iterable(ELEMENTS)).serve() as server:
            assert await messages(f"{server.url}/out") == (AS_JSON, 1000)

    run(main())


def test_rows_of_batches_come_out_as_objects() -> None:
    async def main() -> None:
        batch = Batch({"x": np.arange(2), "name": ["a", "b"]})
        async with streamed(rxml.from_batches([batch])).serve() as server:
            answer = await http(server, "/out")
            assert answer.body == b'{"x":0,"name":"a"}\n{"x":1,"name":"b"}\n'

    run(main())


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/plain; charset=utf-8"),
        ("application/json", "application/x-ndjson"),
        ("text/event-stream;q=0.1, application/x-ndjson", "application/x-ndjson"),
        ("image/png, text/event-stream", "text/event-stream"),
        ("image/png;q=x, */*;q=0.1", "application/x-ndjson"),
        ("image/png, */*;q=0", None),
    ],
)
def test_the_form_is_what_the_client_accepts(accept: str, kind: str | None) -> None:
    async def main() -> None:
        async with streamed(rxml.of(1)).serve() as server:
            answer = await http(server, "/out", accept=accept)
            if kind is None:
                assert answer.status == 406
                assert "text/event-stream" in answer.json["error"]
            else:
                assert (answer.status, answer.headers["content-type"]) == (200, kind)

    run(main())


def failing() -> rxml.Flowable[Any]:
    return rxml.of(1, 0).pipe(ops.map(inverse))


def test_a_failed_flow_says_so_in_every_form_and_tells_no_text() -> None:
    async def main() -> None:
        async with streamed(failing()).serve() as server:
            error = {"code": "failed", "message": "ZeroDivisionError"}
            lines = (await http(server, "/out")).body.splitlines()
            assert [json.loads(line) for line in lines] == [1, {"error": error}]
            last = events((await http(server, "/out", accept="text/event-stream")).body)[-1]
            assert (last["event"], json.loads(last["data"])) == ("error", error)
            assert await messages(f"{server.url}/out") == ([1, {"error": error}], 1011)

    run(main())


def test_the_text_of_errors_is_told_if_the_app_says_so() -> None:
    async def main() -> None:
        service = App(port=0, show_errors=True)
        service.stream("/out", failing())
        async with service.serve() as server:
            assert b"division" in (await http(server, "/out")).body

    run(main())


def test_an_element_that_json_has_no_form_for_fails_the_stream() -> None:
    async def main() -> None:
        async with streamed(rxml.of(1, object())).serve() as server:
            lines = (await http(server, "/out")).body.splitlines()
            assert lines[0] == b"1"
            assert json.loads(lines[1])["error"]["message"] == "TypeError"
            encoding: Any
            for encoding, error in (("json", "TypeError"), ("msgpack", "WireError|TypeError")):
                async with rxml.connect(f"{server.url}/out", encoding=encoding).open() as flow:
                    assert list((await flow.request(9)).elements) == [1]
                    with pytest.raises(RemoteError, match=error):
                        await flow.request(9)

    run(main())


def test_each_client_runs_the_flow_anew() -> None:
    async def main() -> None:
        async with streamed(rxml.range(3)).serve() as server:
            bodies = await asyncio.gather(*[http(server, "/out") for _ in range(5)])
            assert {answer.body for answer in bodies} == {b"0\n1\n2\n"}

    run(main())


def test_a_long_finite_flow_loses_nothing_for_a_client_that_reads() -> None:
    async def main() -> None:
        async with streamed(rxml.range(30_000), slow=buffer(100)).serve() as server:
            body = (await http(server, "/out")).body
            assert body.splitlines() == [b"%d" % i for i in range(30_000)]

    run(main())


def test_a_client_that_leaves_ends_its_run() -> None:
    async def main() -> None:
        ended: list[str] = []
        flow = rxml.never().pipe(ops.finally_action(lambda: ended.append("")))
        async with streamed(flow).serve() as server:
            for accept in ("*/*", "text/event-stream"):
                async with raw(server) as client:
                    head = f"GET /out HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n"
                    await client.send(head.encode())
                    await client.head()
                    await asyncio.sleep(0.02)
            async with connect(f"{server.url}/out".replace("http", "ws")):
                await asyncio.sleep(0.02)
            await eventually(lambda: len(ended) == 3)

    run(main())


def test_an_idle_event_stream_beats() -> None:
    async def main() -> None:
        service = App(port=0, limits=Limits(heartbeat_seconds=0.05, drain_seconds=0.5))
        service.stream("/out", rxml.never())
        async with service.serve() as server, raw(server) as client:
            await client.send(
                b"GET /out HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
            )
            await client.head()
            await client.reader.readuntil(b":\n\n")
            await client.reader.readuntil(b":\n\n")

    run(main())


def large(i: int) -> dict[str, Any]:
    return {"i": i, "key": i % 3, "pad": "x" * 5000}


def key_of(element: dict[str, Any]) -> int:
    key: int = element["key"]
    return key


async def stalled(
    slow: Slow | str, key: Any = None, *, to_the_end: bool = False
) -> tuple[list[Any], list[int]]:
    """What a client reads that stalls while 5000 large elements flow, and how far the flow had got when it went on.

    Args:
        slow: what becomes of elements meanwhile.
        key: of the elements.
        to_the_end: the client stalls until the flow has come to its end, and not for a moment only.
    """
    seen: list[int] = []
    all_seen = asyncio.Event()

    def saw(number: int) -> None:
        seen.append(number)
        if len(seen) == 5000:
            all_seen.set()

    elements = rxml.range(5000).pipe(ops.do_action(saw), ops.map(large))
    async with streamed(elements, slow=slow, key=key).serve() as server, raw(server) as client:
        client.writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 65536)
        await client.send(b"GET /out HTTP/1.0\r\nHost: localhost\r\n\r\n")
        await client.head()
        await (all_seen.wait() if to_the_end else asyncio.sleep(0.5))
        so_far = [len(seen)]
        lines = (await client.closed()).splitlines()
        return [json.loads(line) for line in lines], so_far


def test_a_stalled_client_gets_the_latest_of_each_key_and_the_gap() -> None:
    async def main() -> None:
        got, _ = await stalled("latest", key=key_of, to_the_end=True)  # which it comes to alone
        assert [element["i"] for element in got[-3:]] == [4997, 4998, 4999]
        gaps = sum(each["gap"] for each in got if "gap" in each)
        elements = [each["i"] for each in got if "i" in each]
        assert gaps > 1000
        assert len(elements) + gaps == 5000
        assert elements == sorted(elements)

    run(main())


def test_a_stalled_client_of_a_buffer_stalls_the_flow_and_loses_nothing() -> None:
    async def main() -> None:
        got, so_far = await stalled(buffer(10))
        assert so_far[0] < 3000
        assert [element["i"] for element in got] == list(range(5000))

    run(main())


def test_a_stalled_client_of_drop_oldest_gets_the_end() -> None:
    async def main() -> None:
        got, _ = await stalled(drop_oldest(10))
        assert [element["i"] for element in got[-10:]] == list(range(4990, 5000))

    run(main())


def test_a_stalled_client_may_be_disconnected() -> None:
    async def main() -> None:
        got, so_far = await stalled(disconnect(10, patience=0.1))
        assert so_far[0] < 3000
        assert len(got) < 3000

    run(main())


def test_a_policy_is_checked_when_it_is_given() -> None:
    for wrong in ("fastest", 5, None):
        with pytest.raises(PipelineError, match="latest"):
            App().stream("/out", rxml.of(1), slow=wrong)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(PipelineError, match=">= 1"):
        buffer(0)
    with pytest.raises(PipelineError, match="Flowable"):
        App().stream("/out", [1])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
