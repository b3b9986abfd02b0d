"""Telemetry: traces and metrics of OpenTelemetry, for requests. Needs the extra `otel`, and of it only the API.

Names follow the semantic conventions for HTTP servers, https://opentelemetry.io/docs/specs/semconv/http/.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from rxml.batch.extras import extra_module
from rxml.http.logs import current_traceparent, is_about_a_request
from rxml.http.metrics import BOUNDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
)
_inject: ContextVar[Callable[[dict[str, str]], None] | None] = ContextVar(
    "rxml.http.inject", default=None
)


class Telemetry:
    """Makes a span of each request, as a child of the span that its header `traceparent` names, and measures it.

    Args:
        tracer_provider: where spans go; None: that which is set for the process.
        meter_provider: where measurements go; None: that which is set for the process.

    Raises:
        ModuleNotFoundError: the extra `otel` is not installed.
    """

    def __init__(self, tracer_provider: Any = None, meter_provider: Any = None) -> None:
        trace = extra_module("opentelemetry.trace", "otel")
        metrics = extra_module("opentelemetry.metrics", "otel")
        self._propagate: Any = extra_module("opentelemetry.propagate", "otel")
        self._server: Any = trace.SpanKind.SERVER
        self._error: Any = trace.StatusCode.ERROR
        self._tracer: Any = trace.get_tracer("rxml.http", tracer_provider=tracer_provider)
        meter: Any = metrics.get_meter("rxml.http", meter_provider=meter_provider)
        self._active: Any = meter.create_up_down_counter(
            "http.server.active_requests", unit="{request}", description="Requests being answered."
        )
        self._duration: Any = meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of requests.",
            explicit_bucket_boundaries_advisory=BOUNDS,
        )

    async def traced(
        self,
        request: web.BaseRequest,
        path: str,
        answer: Callable[[], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Answer inside a span.

        Args:
            request: that is answered.
            path: of the endpoint; never what the client has sent.
            answer: does it.
        """
        method = request.method if request.method in _METHODS else "_OTHER"
        fixed = {"http.request.method": method, "url.scheme": request.scheme}
        began = asyncio.get_running_loop().time()
        self._active.add(1, fixed)
        found: dict[str, Any] = {**fixed, "http.route": path}
        token = _inject.set(self._propagate.inject)
        try:
            with self._span(request, found) as span:
                return await self._within(span, found, answer)
        finally:
            _inject.reset(token)
            self._active.add(-1, fixed)
            self._duration.record(asyncio.get_running_loop().time() - began, found)

    def _span(self, request: web.BaseRequest, attributes: dict[str, Any]) -> Any:
        return self._tracer.start_as_current_span(
            f"{attributes['http.request.method']} {attributes['http.route']}",
            context=self._propagate.extract(request.headers),
            kind=self._server,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        )

    async def _within(
        self,
        span: Any,
        attributes: dict[str, Any],
        answer: Callable[[], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        try:
            response = await answer()
        except BaseException as error:
            self._failed(span, attributes, type(error).__name__)
            raise
        attributes["http.response.status_code"] = response.status
        span.set_attribute("http.response.status_code", response.status)
        if response.status >= 500:
            self._failed(span, attributes, str(response.status))
        return response

    def _failed(self, span: Any, attributes: dict[str, Any], kind: str) -> None:
        attributes["error.type"] = kind
        span.set_attribute("error.type", kind)
        span.set_status(self._error)


def outgoing_headers() -> dict[str, str]:
    """Headers that let a request to another service be a part of the trace of the request that is being answered:
    `traceparent` (W3C Trace Context). Without telemetry the caller's own is handed on; none outside of requests.
    """
    headers: dict[str, str] = {}
    inject = _inject.get()
    if inject is not None and is_about_a_request():
        inject(headers)
    elif traceparent := current_traceparent():
        headers["traceparent"] = traceparent
    return headers
