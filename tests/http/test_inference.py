"""The Open Inference Protocol: tensors, hostile and not, wishes, and what is served."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml import models
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.http.inference.codings import accepted
from rxml.models.adapters.function import from_function
from rxml.models.registry.registry import Registry
from tests.http.helpers import Answer, app, eventually, http, raw, run
from tests.http.inferred import Sums, inferred, tensor, x

if TYPE_CHECKING:
    from pathlib import Path

    from rxml.batch import Batch
    from rxml.http import Server

HEAD = "Inference-Header-Content-Length"


async def infer(
    server: Server, body: Any, *, model: str = "sums", action: str = "infer", **headers: str
) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await http(server, f"/v2/models/{model}/{action}", data, headers=headers)


def asked(body: Any, model: str = "sums", **headers: str) -> Answer:
    async def main() -> Answer:
        async with inferred().serve() as server:
            return await infer(server, body, model=model, **headers)

    return run(main())


def framed(request: dict[str, Any], *tensors: bytes) -> tuple[bytes, dict[str, str]]:
    """A body whose tensors follow as bytes."""
    head = json.dumps(request).encode()
    return b"".join([head, *tensors]), {HEAD: str(len(head))}


def test_nested_and_flat_are_the_same() -> None:
    for data in ([1.0, 2.0], [[1.0], [2.0]], [1, 2]):
        for shape in ([2], [2, 1]):
            answer = asked({"id": "q", "inputs": [tensor("x", "FP64", shape, data)]})
            assert answer.status == 200, answer.body
            said = answer.json
            assert (said["id"], said["model_name"]) == ("q", "sums")
            assert said["outputs"] == [tensor("value", "FP64", [2], [2.0, 3.0])]


def test_all_datatypes_both_ways() -> None:
    inputs = [
        tensor("half", "FP16", [2], [0.5, 2]),
        tensor("flag", "BOOL", [2], [True, False]),
        tensor("text", "BYTES", [2], ["ä", ""]),
        tensor("small", "UINT8", [2], [0, 255]),
        tensor("pair", "FP32", [2, 2], [[1, 2], [3, 4]]),
    ]
    said = asked({"inputs": inputs}, "echo").json["outputs"]
    assert [each["data"] for each in said] == [
        [0.5, 2.0],
        [True, False],
        ["ä", ""],
        [0, 255],
        [1.0, 2.0, 3.0, 4.0],
    ]
    assert [each["datatype"] for each in said] == ["FP16", "BOOL", "BYTES", "UINT8", "FP32"]


def test_binary_tensors_both_ways() -> None:
    parts = [
        np.array([0.5, 2], "<f2").tobytes(),
        b"\x01\x00",
        b"\x02\x00\x00\x00\xc3\xa4\x00\x00\x00\x00",
        b"\x00\xff",
        np.arange(4, dtype="<f4").tobytes(),
    ]
    names = [("half", "FP16"), ("flag", "BOOL"), ("text", "BYTES"), ("small", "UINT8")]
    shapes = {name: [2] for name, _ in names} | {"pair": [2, 2]}
    inputs = [
        tensor(name, kind, shapes[name], None, binary_data_size=len(part))
        for (name, kind), part in zip([*names, ("pair", "FP32")], parts, strict=True)
    ]
    body, head = framed({"inputs": inputs, "parameters": {"binary_data_output": True}}, *parts)
    answer = asked(body, "echo", **head)
    size = int(answer.headers[HEAD.lower()])
    said = json.loads(answer.body[:size])["outputs"]
    assert answer.body[size:] == b"".join(parts)
    assert [each["parameters"]["binary_data_size"] for each in said] == [len(p) for p in parts]


ONE = tensor("x", "FP64", [1], [1.0])


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([], "missing"),
        ([ONE, ONE], "twice"),
        ([ONE, tensor("y", "FP64", [1], [1.0])], "no input 'y'"),
        ([tensor("x", "FP64", [2], [1.0])], "promises 2"),
        ([tensor("x", "FP64", [-1], [1.0])], "lengths"),
        ([tensor("x", "FP64", [], [1.0])], "lengths"),
        ([tensor("x", "FP64", [0], [])], "no rows"),
        ([tensor("x", "FP64", [2**40, 2**40], [1.0])], "at most"),
        ([tensor("x", "FP64", [2, 1], [[1.0], 2.0])], "datatype"),
        ([tensor("x", "FP64", [3, 1], [[1.0], [2.0, 3.0]])], "ragged"),
        ([tensor("x", "FP64", [1, 2], [[1.0, 2.0]])], "shape"),
        ([tensor("x", "FP64", [1], ["1"])], "datatype"),
        ([tensor("x", "FP64", [1], [None])], "datatype"),
        ([tensor("x", "FP64", [1], 1.0)], "datatype"),
        ([tensor("x", "FP64", [1], None)], "no data"),
        ([tensor("x", "FP32", [1], [1e300])], "fit"),
        ([tensor("x", "FP16", [1], [1e6])], "fit"),
        ([tensor("x", "UINT8", [1], [-1])], "fit"),
        ([tensor("x", "INT8", [1], [128])], "fit"),
        ([tensor("x", "UINT64", [1], [2**70])], ""),
        ([tensor("x", "INT64", [1], [1.5])], "datatype"),
        ([tensor("x", "BOOL", [1], [1])], "datatype"),
        ([tensor("x", "FP65", [1], [1.0])], "FP65"),
        ([tensor("x", "BYTES", [1], ["a"])], ""),
        ([tensor("x", "FP64", [1], [1.0], binary_data_size=8)], "0 bytes are left"),
        ([tensor("x", "FP64", [1], [1.0], binary_data_size="8")], "number of bytes"),
    ],
)
def test_tensors_that_are_none(inputs: list[Any], words: str) -> None:
    answer = asked({"inputs": inputs})
    assert (answer.status, words in answer.json["error"]) == (400, True), answer.body


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"inputs": 3}', b'{"inputs": [3]}', b"\xff", b"[" * 100_000],
)
def test_bodies_that_are_no_request(body: bytes) -> None:
    answer = asked(body)
    assert (answer.status, bool(answer.json["error"])) == (400, True)


def test_deep_data_costs_nothing() -> None:
    data = b"[" * 200_000 + b"]" * 200_000
    head = b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":'
    assert asked(head + data + b"}]}").status == 400


@pytest.mark.parametrize("head", ["-1", "abc", "", "9" * 30, "10000", "²"])
def test_lengths_of_heads_that_are_none(head: str) -> None:
    async def main() -> None:
        async with inferred().serve() as server, raw(server) as connection:
            body = json.dumps(x(1.0)).encode()
            text = f"POST /v2/models/sums/infer HTTP/1.1\r\nHost: localhost\r\n{HEAD}: {head}\r\n"
            await connection.send(f"{text}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert (await connection.head()).startswith(b"HTTP/1.1 400")

    run(main())


@pytest.mark.parametrize(
    ("datatype", "shape", "part", "size", "words"),
    [
        ("FP64", [1], b"\0" * 8, 7, "bytes"),
        ("FP64", [2], b"\0" * 8, 8, "has 16"),
        ("FP64", [1], b"\0" * 8, 9, "left"),
        ("FP64", [1], b"\0" * 9, 8, "behind the last"),
        ("BYTES", [1], b"\xff\xff\xff\xff", 4, "claims"),
        ("BYTES", [1], b"\1\0", 2, "cut off"),
        ("BYTES", [1], b"\1\0\0\0\xff", 5, "UTF-8"),
        ("BYTES", [2], b"\0\0\0\0", 4, "1 elements"),
        ("BYTES", [1], b"\0\0\0\0\0\0\0\0", 8, "1 elements"),
    ],
)
def test_bytes_that_are_no_tensor(
    datatype: str, shape: list[int], part: bytes, size: int, words: str
) -> None:
    given = tensor("x", datatype, shape, None, binary_data_size=size)
    body, head = framed({"inputs": [given]}, part)
    answer = asked(body, **head)
    assert (answer.status, words in answer.json["error"]) == (400, True), answer.body


@pytest.mark.parametrize(
    "parameters",
    [{"timeout": -1}, {"timeout": "1"}, {"timeout": True}, {"priority": -1}, {"priority": 1.5}],
)
def test_wishes_that_are_none(parameters: dict[str, Any]) -> None:
    assert asked({**x(1.0), "parameters": parameters}).status == 400


def test_an_output_that_there_is_none_of() -> None:
    assert asked({**x(1.0), "outputs": [{"name": "z"}]}).status == 400


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v2", "GET", 200),
        ("/v2/", "GET", 200),
        ("/v2/health/live", "GET", 200),
        ("/v2/models/none", "GET", 404),
        ("/v2/models/sums/versions/3", "GET", 404),
        ("/v2/models/sums/versions/1", "GET", 200),
        ("/v2/models/sums/generate", "POST", 404),
        ("/v2/models/sums/infer", "GET", 405),
        ("/v2/models/sums", "POST", 405),
        ("/v2/repository/models/sums/unload", "POST", 403),
        ("/v2/none", "GET", 404),
    ],
)
def test_paths(path: str, method: str, status: int) -> None:
    async def main() -> None:
        async with inferred().serve() as server:
            answer = await http(server, path, b"" if method == "POST" else None, method=method)
            assert answer.status == status
            assert "generate" not in json.dumps(answer.json.get("extensions", []))

    run(main())


def test_compressed_both_ways() -> None:
    async def main() -> None:
        async with inferred().serve() as server:
            body = json.dumps(x(*map(float, range(1000)))).encode()
            ways: list[tuple[str, Any]] = [("gzip", gzip), ("deflate", zlib)]
            for name, module in ways:
                headers = {"Content-Encoding": name, "Accept-Encoding": name}
                answer = await infer(server, module.compress(body), **headers)
                assert answer.headers["content-encoding"] == name
                said = json.loads(module.decompress(answer.body))
                assert said["outputs"][0]["data"][-1] == 1000.0
                answer = await infer(server, x(1.0), **{"Accept-Encoding": name})
                assert "content-encoding" not in answer.headers

    run(main())


def test_codings_are_taken_as_they_are_weighed() -> None:
    said = [
        accepted(each)
        for each in ("", "identity", "gzip;q=0", "gzip;q=0.2, deflate;q=0.8", "*", "gzip;q=x", "br")
    ]
    assert [None if each is None else each.value for each in said] == [
        *[None] * 3,
        "deflate",
        "gzip",
        *[None] * 2,
    ]


def test_a_timeout_is_kept_to_the_end() -> None:
    async def main() -> None:
        sums = Sums()
        operator = ops.score(sums.model(), on=models.threads(1))
        async with inferred({"sums": operator}).serve() as server:
            assert (await infer(server, x(1.0))).status == 200
            sums.gate.clear()
            answer = await infer(server, {**x(2.0), "parameters": {"timeout": 30_000}})
            assert answer.status == 504
            sums.gate.set()

    run(main())


def test_events_are_asked_for_as_they_are_read() -> None:
    async def main() -> None:
        sums = Sums()
        service = inferred({"sums": ops.score(sums.model(), on=models.threads(1))})
        async with service.serve() as server:
            body = {
                **x(*map(float, range(5))),
                "id": "e",
                "parameters": {"binary_data_output": True},
            }
            answer = await infer(server, body, action="infer_stream")
            events = [json.loads(each[6:]) for each in answer.body.split(b"\n\n") if each]
            assert [each["outputs"][0]["data"] for each in events] == [[i + 1.0] for i in range(5)]
            assert [each["parameters"]["index"] for each in events] == list(range(5))
            assert {each["id"] for each in events} == {"e"}
            sums.gate.clear()
            many = json.dumps(x(*map(float, range(1000, 9000)))).encode()
            async with raw(server) as connection:
                head = "POST /v2/models/sums/infer_stream HTTP/1.1\r\nHost: localhost\r\n"
                await connection.send(f"{head}Content-Length: {len(many)}\r\n\r\n".encode() + many)
                await connection.head()
                sums.gate.set()
                await connection.reader.readuntil(b"1001.0")
            await eventually(lambda: server.connections == 0)
            assert len([value for value in sums.seen if value >= 1000]) < 8000

    run(main())


def test_models_are_unloaded_and_loaded_until_they_are_ready() -> None:
    async def main() -> None:
        service = inferred(control=True)
        async with service.serve() as server:
            assert (await http(server, "/v2/repository/models/sums/unload", b"")).status == 200
            assert (await infer(server, x(1.0))).status == 503
            index = (await http(server, "/v2/repository/index", b"")).json
            assert {each["name"]: each["state"] for each in index}["sums"] == "UNAVAILABLE"
            assert (await http(server, "/v2/models/sums/ready")).status == 503
            assert (await http(server, "/v2/repository/models/sums/load", b"")).status == 200
            assert (await http(server, "/v2/models/sums/ready")).status == 200
            assert (await infer(server, x(1.0))).json["outputs"][0]["data"] == [2.0]

    run(main())


def scaled(rows: Batch) -> Any:
    return 2 * rows["x"]


def tripled(rows: Batch) -> Any:
    return 3 * rows["x"]


def test_what_an_alias_shows_is_served(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models", modules=["tests.http.test_inference"])
    with pytest.raises(PipelineError, match="champion"):
        app().inference(registry)
    schema = Sums().model().signature.inputs
    for function in (scaled, tripled):
        registry.publish("price", from_function(function, inputs=schema))
    registry.promote("price", "champion", 1)
    service = inferred(registry)

    async def main() -> None:
        async with service.serve() as server:
            said = (await infer(server, x(2.0), model="price")).json
            assert (said["outputs"][0]["data"], said["model_version"]) == ([4.0], "1")
            metadata = (await http(server, "/v2/models/price")).json
            assert (metadata["versions"], metadata["inputs"][0]["name"]) == (["champion"], "x")
            await asyncio.to_thread(registry.promote, "price", "champion", 2)
            while said["model_version"] == "1":
                said = (await infer(server, x(2.0), model="price/versions/champion")).json
            assert (said["outputs"][0]["data"], said["model_version"]) == ([6.0], "2")

    run(main())


@pytest.mark.parametrize("given", [{}, {"a": 3}, {"a": ops.map(abs)}])
def test_what_cannot_be_served(given: Any) -> None:
    with pytest.raises(PipelineError, match="inference"):
        inferred(given)
