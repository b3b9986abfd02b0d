"""`app.predict` over NDJSON and WebSocket: answers in order as they come, bounds, and what fails alone."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from websockets.asyncio.client import connect as dial

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import RemoteError
from rxml.http import through
from rxml.http.predict.lineup import ROWS
from rxml.http.protocol import MOST
from rxml.wire import dumps, loads
from tests.http.helpers import app, eventually, post, raw, run
from tests.http.operated import exchange
from tests.http.predicted import predict_of, ready, sums
from tests.http.wire_client import client

if TYPE_CHECKING:
    from rxml.http import Server
    from tests.http.helpers import Raw

both = pytest.mark.parametrize("encoding", ["json", "msgpack"])
NDJSON = {"content_type": "application/x-ndjson"}
HEAD = (
    b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\nX-Request-Id: me\r\n\r\n"
)


def row(i: int) -> dict[str, Any]:
    return {"x": float(i), "k": 1}


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def line(i: int) -> bytes:
    return json.dumps(row(i)).encode() + b"\n"


async def answered(connection: Raw) -> Any:
    """The next line of a chunked body."""
    size = int(await connection.reader.readline(), 16)
    data = await connection.reader.readexactly(size + 2)
    return json.loads(data)


def url(server: Server) -> str:
    return server.url.replace("http", "ws") + "/in"


def test_each_line_has_its_answer() -> None:
    async def main() -> None:
        service, _ = sums()
        async with ready(service) as server:
            body = line(1) + b'{"x": 1}\n\n  \nzz\n' + b'{"x": 2, "k": 13}\n' + line(4)[:-1]
            answer = await post(server, body, {**NDJSON, "x_request_id": "me"})
            said = [json.loads(each) for each in answer.body.splitlines()]
            assert answer.headers["content-type"] == "application/x-ndjson"
            assert [each["id"] for each in said] == [f"me/{i}" for i in range(5)]
            assert [each.get("value") for each in said] == [2.0, None, None, None, 5.0]
            assert [each.get("status") for each in said] == [None, 400, 400, 500, None]
            assert said[1]["field"] == "k"
            assert b"secret" not in answer.body

    run(main())


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"\n\n", 400), (b"[" * 300_000, 413)])
def test_a_body_without_rows_is_refused(body: bytes, status: int) -> None:
    async def main() -> None:
        service, _ = sums()
        async with ready(service) as server:
            assert (await post(server, body, NDJSON)).status == status

    run(main())


def test_answers_come_while_lines_still_do() -> None:
    async def main() -> None:
        service, _ = sums()
        async with ready(service) as server, raw(server) as connection:
            await connection.send(HEAD + chunk(line(0)))
            head = await connection.head()
            assert head.startswith(b"HTTP/1.1 200")
            assert (await answered(connection))["value"] == 1.0
            for i in range(1, 4):
                await connection.send(chunk(line(i)))
                assert (await answered(connection))["id"] == f"me/{i}"
            await connection.send(chunk(b"0" * 300_000))
            assert (await answered(connection))["status"] == 413

    run(main())


def test_no_more_lines_are_read_than_may_be_under_way() -> None:
    async def main() -> None:
        service, model = sums(threads=True, deadline=30.0)
        async with ready(service) as server, raw(server) as connection:
            lane = predict_of(service).service
            model.gate.clear()
            await connection.send(HEAD)
            sending = asyncio.create_task(_send_all(connection, 3 * ROWS))
            await eventually(lambda: lane.waiting >= ROWS // 2)
            await asyncio.sleep(0.05)
            assert lane.waiting <= ROWS
            model.gate.set()
            await connection.head()
            for i in range(3 * ROWS):
                assert (await _line(connection)) == i + 1.0
            await sending

    run(main())


async def _send_all(connection: Raw, count: int) -> None:
    for i in range(0, count, 64):
        await connection.send(chunk(b"".join(line(j) for j in range(i, i + 64))))
    await connection.send(b"0\r\n\r\n")


async def _line(connection: Raw) -> float:
    """The value of the next line, whatever the chunks."""
    while not (data := await connection.reader.readline()).startswith(b"{"):
        assert data
    value: float = json.loads(data)["value"]
    return value


def test_rows_of_a_stream_that_was_left_are_not_scored() -> None:
    async def main() -> None:
        service, model = sums(threads=True)
        async with ready(service) as server:
            async with dial(url(server)) as socket:
                await socket.send(json.dumps(row(0)))
                assert json.loads(await socket.recv())["value"] == 1.0
                model.gate.clear()
                await socket.send(json.dumps(row(1)))
                waiting = predict_of(service).service
                await eventually(lambda: waiting.waiting == 1)
                await asyncio.sleep(0.05)
                for i in range(50, 60):
                    await socket.send(json.dumps(row(i)))
                await eventually(lambda: waiting.waiting == 11)
            await eventually(lambda: server.connections == 0)
            model.gate.set()
            await eventually(lambda: waiting.waiting == 0)
            assert not [x for x in model.seen if x >= 50]

    run(main())


def test_each_message_is_asked_as_a_body_is() -> None:
    async def main() -> None:
        service, _ = sums()
        async with (
            ready(service) as server,
            dial(url(server), additional_headers={"X-Request-Id": "me"}) as socket,
        ):
            batch = Batch({"x": np.arange(3.0), "k": np.arange(3)})
            rows = [row(1), {"x": 1, "k": 13}]
            for message in (
                json.dumps(row(1)),
                json.dumps(rows),
                "zz",
                dumps(batch),
                dumps(row(2)),
                json.dumps({"columns": {"x": [1], "k": [2]}}),
                dumps([1]),
            ):
                await socket.send(message)
            said = [
                json.loads(each) if isinstance(each, str) else loads(each)
                for each in [await socket.recv() for _ in range(7)]
            ]
            assert (said[0]["id"], said[0]["value"]) == ("me/0", 2.0)
            assert [each.get("status") for each in said[1]] == [None, 500]
            assert (said[2]["status"], said[2]["id"]) == (400, "me/2")
            assert said[3]["columns"]["value"].tolist() == [0.0, 2.0, 4.0]
            assert said[4]["value"] == 3.0
            assert said[5]["columns"]["value"] == [3.0]
            assert said[6]["status"] == 400

    run(main())


@both
def test_results_come_as_they_are_asked_for(encoding: str) -> None:
    async def main() -> None:
        service, _ = sums()
        async with ready(service) as server, client(server, "/in", encoding) as peer:
            await peer.subscribe(2)
            frame = await peer.hear()
            assert (frame["type"], frame["n"]) == ("request", 2)
            await peer.say(type="next", id=1, items=[row(1)], seq=0)
            frame = await peer.hear()
            assert (frame["seq"], frame["items"][0]["value"]) == (0, 2.0)
            await peer.say(type="next", id=1, items=[row(2), row(3)])
            code, reason = await peer.closed()
            assert (code, "1 were asked for" in reason) == (4400, True)

    run(main())


@both
def test_rows_fail_alone_and_in_their_place(encoding: str) -> None:
    async def main() -> None:
        service, _ = sums()
        async with ready(service) as server, client(server, "/in", encoding) as peer:
            frames = await exchange(peer, [row(0), {"x": "a", "k": 1}, row(2), {"x": 0.0, "k": 13}])
            rejects = {each["seq"]: each["status"] for each in frames if each["type"] == "reject"}
            assert rejects == {1: 400, 3: 500}
            values = [x["value"] for frame in frames for x in frame.get("items", ())]
            assert values == [1.0, 3.0]
            assert frames[-1]["type"] == "complete"

    run(main())


def test_batches_are_answered_by_batches() -> None:
    async def main() -> None:
        service, _ = sums()
        batch = Batch({"x": np.arange(100.0), "k": np.arange(100) + 20})
        async with ready(service) as server, client(server, "/in", "msgpack") as peer:
            await peer.subscribe(MOST)
            assert (await peer.hear())["type"] == "request"
            await peer.say(type="next", id=1, items=batch)
            frame = await peer.hear()
            assert frame["items"]["value"].tolist() == (batch["x"] + batch["k"]).tolist()
            assert (frame["model"], frame["version"], frame["rung"]) == ("sums", "7", "primary")
            await peer.say(type="next", id=1, items=Batch({"x": np.arange(2.0)}), seq=100)
            rejected: list[dict[str, Any]] = []
            while len(rejected) < 2:
                frame = await peer.hear()
                rejected += [frame] if frame["type"] != "request" else []
            assert [(each["seq"], each["status"]) for each in rejected] == [(100, 400), (101, 400)]

    run(main())


def test_rows_are_asked_for_before_those_that_were_asked_for_are_used_up() -> None:
    async def main() -> None:
        service, _ = sums()
        async with ready(service) as server, client(server, "/in", "msgpack") as peer:
            await peer.subscribe(MOST)
            left = (await peer.hear())["n"]
            for rows, more in ((100, ROWS - left + 100), (ROWS // 2 - 1, 0), (1, ROWS // 2)):
                batch = Batch({"x": np.zeros(rows), "k": np.full(rows, 20)})
                await peer.say(type="next", id=1, items=batch)
                assert len((await peer.hear())["items"]) == rows
                if more:
                    frame = await peer.hear()
                    assert (frame["type"], frame["n"]) == ("request", more)
            await peer.say(type="complete", id=1)
            assert (await peer.hear())["type"] == "complete"

    run(main())


@both
@pytest.mark.parametrize("count", [0, 1, 3000])
def test_a_flow_goes_through_it(encoding: Any, count: int) -> None:
    async def main() -> None:
        service, _ = sums()
        async with ready(service) as server:
            flow = rxml.range(count).pipe(ops.map(row), through(url(server), encoding=encoding))
            assert [each["value"] for each in await flow.to_list()] == [
                i + 1.0 for i in range(count)
            ]
            if count == 1:
                bad = rxml.of({"x": 1.0, "k": 13}).pipe(through(url(server), encoding=encoding))
                with pytest.raises(RemoteError, match="the model has failed"):
                    await bad.to_list()

    run(main())


def test_results_that_are_no_predictions_go_as_they_are() -> None:
    async def main() -> None:
        service = app()
        service.predict("/in", ops.map(lambda n: n * 10), schema=int)
        async with ready(service) as server:
            assert await rxml.range(5).pipe(through(url(server))).to_list() == [0, 10, 20, 30, 40]

    run(main())


@both
def test_the_end_of_the_server_answers_what_is_under_way(encoding: str) -> None:
    async def main() -> None:
        service, model = sums(threads=True)
        async with ready(service) as server, client(server, "/in", encoding) as peer:
            await peer.subscribe(5)
            assert (await peer.hear())["type"] == "request"
            await eventually(predict_of(service).ready)
            model.gate.clear()
            await peer.say(type="next", id=1, items=[row(1)])
            await eventually(lambda: predict_of(service).service.waiting == 1)
            ending = asyncio.create_task(server.stop())
            assert (await peer.hear())["type"] == "drain"
            model.gate.set()
            assert (await peer.hear())["items"][0]["value"] == 2.0
            frame = await peer.hear()
            assert (frame["type"], frame["code"]) == ("error", "drain")
            assert (await peer.closed())[0] == 4503
            await ending

    run(main())


def test_each_row_has_its_own_deadline() -> None:
    async def main() -> None:
        service, model = sums(threads=True)
        wishes = {"X-Request-Timeout-Ms": "50"}
        async with (
            ready(service) as server,
            dial(url(server), additional_headers=wishes) as socket,
        ):
            await eventually(predict_of(service).ready)
            model.gate.clear()
            await socket.send(json.dumps(row(1)))
            assert json.loads(await socket.recv())["status"] == 504
            model.gate.set()
            async with dial(url(server)) as patient:
                await patient.send(json.dumps(row(2)))
                assert json.loads(await patient.recv())["value"] == 3.0

    run(main())
