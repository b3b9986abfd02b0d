"""`app.predict` over POST: forms, errors, wishes, and clients that leave."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import PipelineError
from rxml.wire import dumps, loads
from tests.http.helpers import app, eventually, http, post, raw, run
from tests.http.predicted import predict_of, ready, sums

if TYPE_CHECKING:
    from tests.http.helpers import Answer

MSGPACK = {"content_type": "application/msgpack"}
BY = {"model": "sums", "version": "7", "rung": "primary"}


def asked(
    body: object,
    headers: dict[str, str] | None = None,
    *,
    method: str | None = None,
    **options: Any,
) -> Answer:
    """One request to a model of sums."""

    async def main() -> Answer:
        service, _ = sums(**options)
        async with ready(service) as server:
            if method is None:
                return await post(server, body, headers)
            return await http(server, "/in", method=method)

    return run(main())


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ({"x": 1, "k": 2}, 3.0),
        ({"x": 1.5, "k": 2, "more": "is left out"}, 3.5),
        ([{"x": 1, "k": 2}, {"x": 3, "k": 4}], [3.0, 7.0]),
        ({"columns": {"x": [1, 3], "k": [2, 4]}}, [3.0, 7.0]),
        ({"rows": [{"x": 1}, {"x": 3}], "shared": {"k": 2}}, [3.0, 5.0]),
        ({"rows": [{"x": 1, "k": 9}], "shared": {"k": 2}}, [10.0]),
    ],
)
def test_forms_of_json(body: Any, values: Any) -> None:
    answer = asked(body, {"x_request_id": "mine.1"})
    assert (answer.status, answer.headers["x-request-id"]) == (200, "mine.1")
    said: Any = answer.json
    if body.__class__ is list or "rows" in body:
        assert [each["value"] for each in said] == values
        assert [each["id"] for each in said] == [f"mine.1/{i}" for i in range(len(values))]
        said = {**said[0], "id": "mine.1"}
    elif "columns" in said:
        assert said["columns"]["value"] == values
    else:
        assert said["value"] == values
    assert {**BY, "id": "mine.1"}.items() <= said.items()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"x": 1.0, "k": 2}, 3.0),
        ({"x": np.float64(1.0), "k": np.int64(2)}, 3.0),
        ([{"x": 1.0, "k": 2}, {"x": 2.0, "k": 2}], [3.0, 4.0]),
        ([{"x": 1.0, "k": 2}], [3.0]),
    ],
)
def test_forms_of_msgpack(body: object, value: Any) -> None:
    answer = asked(dumps(body), MSGPACK)
    said = loads(answer.body)
    assert answer.headers["content-type"] == "application/msgpack"
    many = body.__class__ is list
    assert ([each["value"] for each in said] if many else said["value"]) == value


def test_a_batch_is_answered_by_a_batch() -> None:
    said = loads(asked(dumps(Batch({"x": np.arange(3.0), "k": np.arange(3)})), MSGPACK).body)
    assert said["columns"]["value"].tolist() == [0.0, 2.0, 4.0]
    assert said["columns"].names == ("value",)
    assert BY.items() <= said.items()


@pytest.mark.parametrize(
    ("body", "status", "field", "words"),
    [
        ({"x": "one", "k": 2}, 400, "x", "float"),
        ({"x": 1}, 400, "k", "required"),
        ([{"x": 1, "k": 2}, {"x": 1, "k": None}], 400, "[1].k", "int"),
        ({"columns": {"x": [1, 2], "k": [1]}}, 400, None, "one length"),
        ({"columns": {"x": [1], "k": ["a"]}}, 400, "[0].k", "int"),
        ({"rows": [{"x": 1}], "shared": {}}, 400, "[0].k", "required"),
        ([], 400, None, "no rows"),
        ([{"x": 1, "k": 2}] * 6, 413, None, "at most 5"),
        ({"columns": {"x": [1] * 6, "k": [1] * 6}}, 413, None, "at most 5"),
        (b"", 400, None, "empty"),
        (b"  \n", 400, None, "empty"),
        (b"{", 400, None, "not JSON"),
        (b'{"x": 1, "k": 2} more', 400, None, "not JSON"),
        (b"[" * 10_000, 400, "[0]", "object"),
        (b'{"x": "\xff"}', 400, "x", "float"),
        (b'{"x": 1e999, "k": 1}', 400, "x", "range"),
        (b"3", 400, None, "object"),
        (b"[" + b"{}," * 400_000 + b"{}]", 413, None, "larger"),
    ],
)
def test_what_does_not_fit_is_refused(
    body: object, status: int, field: str | None, words: str
) -> None:
    answer = asked(body, rows=5)
    assert (answer.status, words in answer.json["error"]) == (status, True), answer.body
    assert answer.json.get("field") == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (dumps({"x": [1], "k": 1}), "x"),
        (dumps({"x": 1.0}), "k"),
        (dumps(Batch({"x": np.arange(3.0)})), "k"),
        (dumps(Batch({"x": np.array(["a", "b"]), "k": np.arange(2)})), "x"),
        (dumps(Batch({"x": np.zeros((2, 2)), "k": np.arange(2)})), "x"),
        (dumps([1, 2]), None),
        (dumps("row"), None),
        (b"\xc1", None),
        (b"\xdd\xff\xff\xff\xff", None),
        (dumps({"x": 1.0, "k": 1})[:-1], None),
    ],
)
def test_hostile_msgpack(body: bytes, field: str | None) -> None:
    answer = asked(body, MSGPACK)
    assert answer.status == 400
    assert answer.json.get("field") == field


def test_other_methods_kinds_and_codings() -> None:
    assert asked(b"x", {"content_type": "text/plain"}).status == 415
    assert asked(b"x", {"content_encoding": "br"}).status == 415
    for method in ("GET", "PUT"):
        answer = asked(b"", method=method)
        assert (answer.status, "POST" in answer.headers["allow"]) == (405, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_request_timeout_ms": "abc"}, 400),
        ({"x_request_timeout_ms": "0"}, 400),
        ({"x_request_timeout_ms": "nan"}, 400),
        ({"x_request_timeout_ms": "30001"}, 400),
        ({"x_request_timeout_ms": "2500.5"}, 200),
        ({"x_request_priority": "101"}, 400),
        ({"x_request_priority": "-100"}, 200),
        ({"x_request_id": "no blanks"}, 200),
    ],
)
def test_wishes(headers: dict[str, str], status: int) -> None:
    answer = asked({"x": 1, "k": 2}, headers)
    assert answer.status == status
    if status == 200:
        assert answer.headers["x-request-id"] != "no blanks"


def test_what_the_model_says_is_not_told() -> None:
    answer = asked({"x": 1, "k": 13})
    assert (answer.status, b"secret" in answer.body) == (500, False)
    assert answer.json["code"] == "ZeroDivisionError"


def test_some_rows_fail_alone() -> None:
    answer = asked([{"x": 1, "k": 1}, {"x": 1, "k": 13}, {"x": 1, "k": 3}])
    assert answer.status == 207
    first, second, third = answer.json
    assert (first["value"], third["value"], second["status"]) == (2.0, 4.0, 500)
    assert b"secret" not in answer.body


def test_who_wants_it_too_soon_is_told_in_time() -> None:
    async def main() -> None:
        service, model = sums(threads=True)
        async with ready(service) as server:
            model.gate.clear()
            answer = await post(server, {"x": 1, "k": 2}, {"x_request_timeout_ms": "30"})
            assert answer.status == 504
            model.gate.set()
            assert (await post(server, {"x": 1, "k": 2})).status == 200

    run(main())


def test_more_than_can_be_held_is_shed_with_a_time_to_come_back() -> None:
    async def main() -> None:
        service, model = sums(threads=True, capacity=2)
        async with ready(service) as server:
            model.gate.clear()
            first = [asyncio.create_task(post(server, {"x": i, "k": 2})) for i in range(2)]
            await eventually(lambda: predict_of(service).service.waiting == 2)
            answer = await post(server, {"x": 9, "k": 2})
            assert (answer.status, int(answer.headers["retry-after"]) >= 1) == (429, True)
            model.gate.set()
            assert [(await each).status for each in first] == [200, 200]
            assert 9.0 not in model.seen

    run(main())


def test_rows_of_a_client_that_has_left_are_not_scored() -> None:
    async def main() -> None:
        service, model = sums(threads=True)
        async with ready(service) as server:
            assert (await post(server, {"x": 0, "k": 2})).status == 200
            waiting = predict_of(service).service
            model.gate.clear()
            busy = asyncio.create_task(post(server, {"x": 1, "k": 2}))
            await eventually(lambda: waiting.waiting == 1)
            async with raw(server) as leaving:
                body = json.dumps({"x": 77, "k": 2}).encode()
                head = b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                await leaving.send(head % len(body) + body)
                await eventually(lambda: waiting.waiting == 2)
                linger = struct.pack(
                    "ii", 1, 0
                )  # close by a reset: a mere end could be of one half
                leaving.writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
            await eventually(lambda: server.connections == 1)
            model.gate.set()
            assert (await busy).status == 200
            await eventually(lambda: waiting.waiting == 0)
            assert 1.0 in model.seen
            assert 77.0 not in model.seen

    run(main())


def test_any_operator_and_any_schema() -> None:
    class Row(msgspec.Struct):
        name: str

    def greet(row: Row) -> str:
        return f"hello {row.name}"

    async def main() -> None:
        service = app()
        service.predict("/in", ops.map(greet), schema=Row)
        async with ready(service) as server:
            said = (await post(server, {"name": "you"})).json
            assert said["value"] == "hello you"
            said = (await post(server, {"columns": {"name": ["a", "b"]}})).json
            assert [each["value"] for each in said] == ["hello a", "hello b"]
            assert (await post(server, {"name": 3})).json["field"] == "name"
            packed = dumps(Batch({"name": np.array(["a"], object)}))
            said = loads((await post(server, packed, MSGPACK)).body)
            assert said[0]["value"] == "hello a"

    run(main())


def test_ready_only_once_the_model_is() -> None:
    async def main() -> None:
        service, _ = sums()
        endpoint = predict_of(service)
        assert not endpoint.ready()
        async with service.serve():
            await eventually(endpoint.ready)
        assert not endpoint.ready()

    run(main())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"deadline": 0.0}, "deadline"),
        ({"deadline": True}, "deadline"),
        ({"schema": Ellipsis}, "decoded"),
    ],
)
def test_what_cannot_be_built(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        app().predict("/in", ops.map(abs), **wrong)
    with pytest.raises(PipelineError, match="filter"):
        app().predict("/in", ops.filter(bool))
    with pytest.raises(ValueError, match="capacity"):
        app().predict("/in", ops.map(abs), capacity=0)
