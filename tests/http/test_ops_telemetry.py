"""Traces, measurements and logs of requests."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from typing_extensions import override

import rxml
from rxml.http import App, JsonFormatter, Key, Limits, Telemetry
from rxml.http.endpoint import Endpoint
from rxml.http.logs import access
from rxml.http.replies import reply
from rxml.http.telemetry import outgoing_headers
from tests.http.helpers import http, raw, run

if TYPE_CHECKING:
    from collections.abc import Generator

    from aiohttp import web

    from rxml.http.serving import Serving

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Echo(Endpoint):
    """Answers with the headers that a request to another service would carry."""

    methods: ClassVar[tuple[str, ...]] = ("GET",)

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        await asyncio.sleep(0)
        return reply(200, outgoing_headers())


class Broken(Echo):
    """Fails."""

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        raise ZeroDivisionError("secret \u2028 text")


def service(**options: Any) -> App:
    made: Any = App(port=0, limits=Limits(drain_seconds=0.5), **options)
    made.stream("/out", rxml.of(1))
    made._add(Echo("/echo"))
    made._add(Broken("/broken"))
    app: App = made
    return app


class Seen:
    """What the SDK of OpenTelemetry has got."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        tracer = TracerProvider()
        tracer.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.telemetry = Telemetry(tracer, MeterProvider([self.reader]))

    def span(self) -> Any:
        (span,) = self.exporter.get_finished_spans()
        return span

    def points(self, name: str) -> list[Any]:
        data: Any = self.reader.get_metrics_data()
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


def test_a_request_is_a_span_of_the_trace_that_its_caller_names() -> None:
    seen = Seen()

    async def main() -> Any:
        async with service(telemetry=seen.telemetry).serve() as server:
            return (await http(server, "/echo", headers={"traceparent": PARENT})).json

    headers = run(main())
    span = seen.span()
    assert (span.name, span.kind) == ("GET /echo", SpanKind.SERVER)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert headers["traceparent"] == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.route": "/echo",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize("header", ["", "00-x", f"00-{'0' * 32}-{'1' * 16}-01", "ff-" + PARENT[3:]])
def test_a_trace_that_is_none_begins_a_new_one(header: str) -> None:
    seen = Seen()

    async def main() -> None:
        async with service(telemetry=seen.telemetry).serve() as server:
            await http(server, "/echo", headers={"traceparent": header})

    run(main())
    assert seen.span().parent is None


def test_failures_and_strangers_are_told_apart_without_words_of_theirs() -> None:
    seen = Seen()

    async def main() -> None:
        async with service(telemetry=seen.telemetry).serve() as server:
            await http(server, "/broken")
            await http(server, "/nothing/at/all")
            async with raw(server) as peer:
                await peer.send(
                    b"PROPFIND /out HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                await peer.closed()

    run(main())
    broken, nothing, other = seen.exporter.get_finished_spans()
    assert broken.status.status_code is StatusCode.ERROR
    assert broken.attributes is not None
    assert broken.attributes["error.type"] == "500"
    assert not broken.events
    assert nothing.name == "GET unknown"
    assert nothing.status.status_code is StatusCode.UNSET
    assert other.name == "_OTHER /out"


def test_requests_are_measured() -> None:
    seen = Seen()

    async def main() -> None:
        async with service(telemetry=seen.telemetry).serve() as server:
            await asyncio.gather(*[http(server, "/echo") for _ in range(5)])

    run(main())
    (duration,) = seen.points("http.server.request.duration")
    assert duration.count == 5
    assert duration.attributes["http.response.status_code"] == 200
    assert duration.explicit_bounds[0] == 0.0005
    (active,) = seen.points("http.server.active_requests")
    assert active.value == 0


def test_without_telemetry_a_trace_is_handed_on_as_it_came() -> None:
    async def main() -> None:
        async with service().serve() as server:
            for header, handed in ((PARENT, {"traceparent": PARENT}), ("00-evil\tx", {}), ("", {})):
                answer = await http(server, "/echo", headers={"traceparent": header})
                assert answer.json == handed

    run(main())
    assert outgoing_headers() == {}


@contextmanager
def logged() -> Generator[io.StringIO]:
    """The lines of JSON that come meanwhile."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("rxml")
    logger.addHandler(handler)
    access.setLevel(logging.INFO)
    try:
        yield stream
    finally:
        logger.removeHandler(handler)
        access.setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_answer_is_a_line_of_json_with_who_what_and_how_long() -> None:
    key, secret = Key.new("shop", scopes=["infer"])

    async def main() -> None:
        headers = {
            "X-Request-ID": "abc-1",
            "traceparent": PARENT,
            "Authorization": f"Bearer {secret}",
        }
        async with service(keys=[key]).serve() as server:
            await http(server, "/echo?secret=1", headers=headers)

    with logged() as stream:
        run(main())
    (line,) = lines(stream)
    assert line.pop("seconds") < 5
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "rxml.http.access",
        "message": "GET /echo 200",
        "request_id": "abc-1",
        "trace_id": TRACE,
        "method": "GET",
        "path": "/echo",
        "status": 200,
        "key": "shop",
    }
    assert secret not in stream.getvalue()


@pytest.mark.parametrize("given", [b"a\tb", b"x" * 129, b"\xff\xfe", b'{"a":1}', b"", b"\x7f"])
def test_an_id_that_is_not_plain_is_not_taken(given: bytes) -> None:
    async def main() -> None:
        async with service().serve() as server, raw(server) as peer:
            await peer.send(
                b"GET /broken HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: "
                + given
                + b"\r\n\r\n"
            )
            await peer.closed()

    with logged() as stream:
        run(main())
    if b"\x7f" not in given:  # else it is no request at all
        failed, answered = lines(stream)
        assert failed["request_id"] == answered["request_id"]
        assert failed["request_id"].replace("-", "").isalnum()
        assert "ZeroDivisionError" in failed["error"]
    assert len(stream.getvalue().splitlines()) == len(stream.getvalue().split("\n")) - 1


def test_what_cannot_be_json_is_still_a_line() -> None:
    # Not through a logger: what pytest keeps of logs must be UTF-8.
    told = {"msg": "a\n\ud800" + "b" * 10_000, "thing": object(), "text": "\udcff", "no": None}
    line = json.loads(JsonFormatter().format(logging.makeLogRecord(told)))
    assert len(line["message"]) < 4200
    assert line["thing"].startswith("<object")
    assert "no" not in line
