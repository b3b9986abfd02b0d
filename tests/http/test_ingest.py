from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from rxml import wire
from rxml.batch import Batch
from rxml.errors import AlreadyRunningError, PipelineError
from rxml.http import App
from tests.http.helpers import Answer, app, collecting, http, post, run, short


class Reading(msgspec.Struct, frozen=True):
    sensor: str
    value: float


GOOD = [{"sensor": "a", "value": 1.0}, {"sensor": "b", "value": 2.5}]
READINGS = [Reading("a", 1.0), Reading("b", 2.5)]
LINES = b'{"sensor":"a","value":1.0}\n\n{"sensor":"b","value":2.5}\r\n'


def exchange(
    body: object, schema: type[Any] | None = Reading, headers: dict[str, str] | None = None
) -> tuple[Answer, list[Any]]:
    """Post once while a run reads; the answer, and what the run got."""

    async def main() -> tuple[Answer, list[Any]]:
        service = app()
        flow = service.ingest("/in", schema=schema)
        async with service.serve() as server, collecting(flow) as got:
            answer = await post(server, body, headers)
            await got.reaches(answer.json.get("accepted", 0))
            return answer, got.elements

    return run(main())


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps(GOOD).encode(), {}),
        (json.dumps(GOOD).encode(), {"content_type": "application/json; charset=utf-8"}),
        (LINES, {"content_type": "application/x-ndjson"}),
        (LINES.rstrip(), {"content_type": "application/x-ndjson"}),
        (wire.dumps(GOOD), {"content_type": "application/msgpack"}),
        (
            wire.dumps(Batch({"sensor": ["a", "b"], "value": np.array([1.0, 2.5])})),
            {"content_type": "application/x-msgpack"},
        ),
        (
            gzip.compress(LINES),
            {"content_type": "application/x-ndjson", "content_encoding": "gzip"},
        ),
        (zlib.compress(json.dumps(GOOD).encode()), {"content_encoding": "deflate"}),
        (
            gzip.compress(LINES[:20]) + gzip.compress(LINES[20:]),
            {"content_type": "application/x-ndjson", "content_encoding": "gzip"},
        ),
    ],
    ids=short,
)
def test_every_format_gives_the_same_elements(body: bytes, headers: dict[str, str]) -> None:
    answer, got = exchange(body, headers=headers)
    assert (answer.status, answer.json) == (202, {"accepted": 2, "rejected": 0, "errors": []})
    assert got == READINGS


def test_raw_deflate_is_understood_too() -> None:
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(json.dumps(GOOD).encode()) + packer.flush()
    assert exchange(body, headers={"content_encoding": "deflate"})[1] == READINGS


def test_one_object_is_one_element() -> None:
    answer, got = exchange(GOOD[0])
    assert answer.status == 202
    assert got == READINGS[:1]


def test_an_empty_array_is_no_element() -> None:
    answer, got = exchange([])
    assert (answer.status, answer.json["accepted"], got) == (202, 0, [])


def test_without_a_schema_any_object_is_an_element_and_nothing_else_is() -> None:
    answer, got = exchange([{"x": [1, None]}, 5], schema=None)
    assert answer.status == 207
    assert got == [{"x": [1, None]}]
    assert answer.json["errors"] == [{"index": 1, "error": "Expected `object`, got `int`"}]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "application/json",
            (
                b'[{"sensor":"a","value":1.0},{"sensor":"b"},{"sensor":"b","value":"x"},'
                b'{"sensor":"b","value":2.5}]'
            ),
        ),
        (
            "application/x-ndjson",
            (
                b'{"sensor":"a","value":1.0}\n{"sensor":"b"}\n{"sensor":"b","value":"x"}\n'
                b'{"sensor":"b","value":2.5}\n'
            ),
        ),
        (
            "application/msgpack",
            wire.dumps([GOOD[0], {"sensor": "b"}, {"sensor": "b", "value": "x"}, GOOD[1]]),
        ),
    ],
    ids=short,
)
def test_a_mixed_body_tells_which_elements_are_wrong_and_why(kind: str, body: bytes) -> None:
    answer, got = exchange(body, headers={"content_type": kind})
    assert answer.status == 207
    assert got == READINGS
    assert answer.json == {
        "accepted": 2,
        "rejected": 2,
        "errors": [
            {"index": 1, "error": "Object missing required field `value`"},
            {"index": 2, "error": "Expected `float`, got `str` - at `$.value`"},
        ],
    }


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"sensor":"a","value":' + b"9" * 5000 + b"}", "out of range"),
    ],
    ids=short,
)
def test_a_bad_element_is_named_not_crashed_on(body: bytes, word: str) -> None:
    answer, got = exchange(body)
    assert (answer.status, got) == (422, [])
    assert word in answer.json["errors"][0]["error"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "word"),
    [
        (b"", {}, 400, "empty"),
        (b"  \n", {}, 400, "empty"),
        (b"[1,", {}, 400, "truncated"),
        (b'[{"sensor":}]', {}, 400, "byte 11"),
        (b"garbage", {}, 400, "byte 0"),
        (b"[garbage", {}, 400, "byte 1"),
        (b'{"sensor":"\xff\xfe","value":1}', {}, 400, "UTF-8 (byte 11)"),
        (b'[{"sensor":"\xff\xfe","value":1}]', {}, 400, "UTF-8 (byte 12)"),
        (b'{"sensor":"a","value":NaN}', {}, 400, "malformed"),
        (b'{"sensor":"a","value":1}garbage', {}, 400, "trailing"),
        (b"[" * 10_000 + b"]" * 10_000, {}, 400, "nested"),
        (b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", {}, 400, "nested"),
        (b"\xc1\xc1", {"content_type": "application/msgpack"}, 400, "byte 0"),
        (b"\xdd\xff\xff\xff\xff", {"content_type": "application/msgpack"}, 400, "msgpack"),
        (b"\x91" * 200 + b"\x01", {"content_type": "application/msgpack"}, 400, "msgpack"),
        (b"junk", {"content_encoding": "gzip"}, 400, "decompressed"),
        (gzip.compress(b"[]")[:-4], {"content_encoding": "gzip"}, 400, "cut off"),
        (zlib.compress(b"[]") + b"more", {"content_encoding": "deflate"}, 400, "something else"),
        (b"[]", {"content_encoding": "br"}, 415, "gzip"),
        (b"a=1", {"content_type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        (b"[]", {"content_type": "text/plain"}, 415, "application/json"),
    ],
    ids=short,
)
def test_a_bad_body_is_refused_as_a_whole(
    body: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    answer, got = exchange(body, headers=headers)
    assert (answer.status, got) == (status, []), answer
    assert word in answer.json["error"]


def test_deep_json_inside_a_line_is_a_bad_element() -> None:
    line = b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}\n{}"
    answer, got = exchange(line, headers={"content_type": "application/x-ndjson"}, schema=None)
    assert (answer.status, got) == (207, [{}])


def test_lines_around_a_bad_one_are_taken() -> None:
    answer, got = exchange(
        LINES + b"\x00\xff\n" + LINES, headers={"content_type": "application/x-ndjson"}
    )
    assert (answer.status, answer.json["rejected"], got) == (207, 1, READINGS * 2)


def test_errors_are_counted_beyond_those_listed() -> None:
    answer, _ = exchange(b"x\n" * 5000, headers={"content_type": "application/x-ndjson"})
    assert (answer.status, answer.json["rejected"]) == (422, 5000)
    assert len(answer.json["errors"]) == 100


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/nowhere", "GET", 404), ("/in", "DELETE", 405), ("/in", "GET", 426), ("/in/", "GET", 404)],
    ids=short,
)
def test_what_is_not_there_is_said_in_json(path: str, method: str, status: int) -> None:
    async def main() -> Answer:
        service = app()
        _ = service.ingest("/in")
        async with service.serve() as server:
            return await http(server, path, method=method)

    answer = run(main())
    assert answer.status == status
    assert answer.json["error"]
    assert "server" not in answer.headers


def test_a_flow_feeds_one_run_at_a_time() -> None:
    async def main() -> None:
        flow = app().ingest("/in")
        async with collecting(flow):
            with pytest.raises(AlreadyRunningError, match=r"ops\.share\(\)"):
                await flow.to_list()
        async with flow.open() as again, asyncio.timeout(5):
            waiting = asyncio.create_task(again.request(1))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            await again.cancel()
            assert (await waiting).end

    run(main())


def test_an_app_is_checked_when_it_is_built() -> None:
    service = App()
    _ = service.ingest("/in")
    for wrong in (
        lambda: service.ingest("/in"),
        lambda: service.ingest("in"),
        lambda: service.ingest("/a?b"),
        lambda: service.ingest("/b", deadline=0),
        lambda: service.ingest("/c", capacity=-1),
        lambda: service.ingest("/d", schema=cast("type[Any]", str | bytes)),
        lambda: App(port=70_000),
    ):
        with pytest.raises(PipelineError):
            wrong()
