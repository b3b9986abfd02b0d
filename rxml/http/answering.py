"""Answering: from a request to its answer, whatever happens on the way; each is counted."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from rxml.http.access import key_of
from rxml.http.endpoint import is_upgrade
from rxml.http.express import GONE
from rxml.http.handler import Handler
from rxml.http.logs import access, note, note_access
from rxml.http.metrics import UNKNOWN
from rxml.http.replies import HEADERS, Refusal, reply
from rxml.http.transport import abort

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.http.endpoint import Endpoint
    from rxml.http.listener import Listener
    from rxml.http.serving import Serving
    from rxml.http.telemetry import Telemetry

logger: Final = logging.getLogger("rxml.http")

SWITCHING: Final = 101


class Answering:
    """Answers all requests of a server.

    Args:
        serving: what they have in common.
        endpoints: by path. One whose path ends with `/*` answers all below it that no other does, the longest path first.
        telemetry: where traces go.

    Attributes:
        quiet: set while nothing is being answered.
        listener: takes connections, fewer when answering takes long.
    """

    def __init__(
        self, serving: Serving, endpoints: Mapping[str, Endpoint], telemetry: Telemetry | None
    ) -> None:
        self._serving = serving
        self._metrics = serving.metrics
        self._telemetry = telemetry
        self._time = asyncio.get_running_loop().time
        self._endpoints = endpoints
        below = [each for each in endpoints.values() if each.path.endswith("/*")]
        self._below = [(each.path[:-1], each) for each in sorted(below, key=_longest)]
        self.quiet: asyncio.Event = asyncio.Event()
        self.quiet.set()
        self.listener: Listener | None = None

    def last(self) -> bool:
        """Whether a connection ends with the answer that it is given now: there are more than the loop keeps up with."""
        return self.listener is not None and self.listener.leaves()

    @property
    def active(self) -> int:
        """Requests that are being answered."""
        return self._metrics.in_flight

    def begun(self) -> None:
        """One is being answered by express."""
        if self.listener is not None:
            self.listener.works()
        self._metrics.in_flight += 1
        self.quiet.clear()

    def refused(self, path: str, status: int, shed: str | None) -> None:
        """One was answered by express as soon as it came; see `ended`."""
        if self.listener is not None:
            self.listener.works()
        self._metrics.shed(status, shed)
        self._metrics.answered(path, status, 0.0)

    def ended(self, path: str, status: int, shed: str | None, seconds: float) -> None:
        """It has been.

        Args:
            path: of its endpoint.
            status: of the answer.
            shed: see `Refusal`.
            seconds: that it took.
        """
        metrics = self._metrics
        if status >= 400:
            metrics.shed(status, shed)
        metrics.answered(path, status, seconds)
        metrics.in_flight -= 1
        if not metrics.in_flight:
            self.quiet.set()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one.

        Raises:
            ConnectionError: the client is gone, or must be dropped.
        """
        endpoint = self._find(request.path)
        name = UNKNOWN if endpoint is None else endpoint.path
        began = self._time()
        if self.listener is not None:
            self.listener.works()
        self._metrics.in_flight += 1
        self.quiet.clear()
        note(request)
        status = GONE
        try:
            if self._telemetry is None:
                response = await self._always(request, endpoint)
            else:
                always = partial(self._always, request, endpoint)
                response = await self._telemetry.traced(request, name, always)
            status = response.status
            return response
        finally:
            self._done(request, endpoint, status, self._time() - began)

    def _done(
        self, request: web.BaseRequest, endpoint: Endpoint | None, status: int, seconds: float
    ) -> None:
        metrics = self._metrics
        name = UNKNOWN if endpoint is None else endpoint.path
        lasting = status == SWITCHING or (endpoint is not None and endpoint.scope == "stream")
        metrics.answered(name, status, None if lasting else seconds)
        metrics.in_flight -= 1
        if not metrics.in_flight:
            self.quiet.set()
        if access.level:
            note_access(request, name, status, seconds)
        note(None)

    def _find(self, path: str) -> Endpoint | None:
        found = self._endpoints.get(path)
        if found is None:
            for beginning, endpoint in self._below:
                if path.startswith(beginning):
                    return endpoint
        return found

    async def _always(
        self, request: web.BaseRequest, endpoint: Endpoint | None
    ) -> web.StreamResponse:
        try:
            response = await self._answer(request, endpoint)
        except Refusal as refusal:
            self._metrics.shed(refusal.status, refusal.shed)
            response = refusal.response()
        except ConnectionError:
            raise
        except Exception as error:
            logger.exception("a request has failed: %s %r", request.method, request.path)
            if (
                request.writer.output_size > 0
            ):  # an answer has begun: its end must not look like one
                abort(request.transport)
                raise ConnectionResetError("the answer has failed") from error
            response = reply(500, {"error": "internal error"})
        if not response.prepared:
            response.headers.update(self._serving.gate.admitted(request))
        if (isinstance(request.protocol, Handler) and request.protocol.last) or self.last():
            response.force_close()
        return response

    async def _answer(
        self, request: web.BaseRequest, endpoint: Endpoint | None
    ) -> web.StreamResponse:
        serving = self._serving
        serving.gate.check(request)
        if serving.leaving.is_set():
            raise Refusal(
                503, "the server is about to end", headers={"Connection": "close"}, shed="drain"
            )
        if request.method == "OPTIONS":
            return self._options(endpoint, request.path)
        if serving.access.plain and endpoint is not None and request.method in endpoint.methods:
            return await endpoint.answer(request, serving)
        if not serving.access.plain:
            right = None if endpoint is None else endpoint.wants(request.path)
            serving.access.admit(request, right, may_be_late=_is_socket(request, endpoint))
        if endpoint is None:
            raise self._nothing(request)
        if request.method not in endpoint.methods:
            allowed = ", ".join(endpoint.methods)
            raise Refusal(405, f"{endpoint.path} answers {allowed}", headers={"Allow": allowed})
        return await self._while_it_holds(request, endpoint)

    def _options(self, endpoint: Endpoint | None, path: str) -> web.Response:
        """A browser asks without a key: with keys the answer is the same for all paths, and says nothing about them."""
        if self._serving.access.keyed:
            methods: tuple[str, ...] = ("GET", "HEAD", "POST")
        elif endpoint is None:
            raise Refusal(
                404, f"nothing at {path[:200]}", details={"paths": sorted(self._endpoints)}
            )
        else:
            methods = endpoint.methods
        return web.Response(status=204, headers={**HEADERS, "Allow": ", ".join(methods)})

    def _nothing(self, request: web.BaseRequest) -> Refusal:
        shown = self._serving.access.shown(request, self._endpoints)
        return Refusal(404, f"nothing at {request.path[:200]}", details={"paths": shown})

    async def _while_it_holds(
        self, request: web.BaseRequest, endpoint: Endpoint
    ) -> web.StreamResponse:
        """An answer that outlasts its key is broken off; a WebSocket sees to that itself, and closes with 4401."""
        key = key_of(request)
        left = None if key is None else key.left()
        if left is None or _is_socket(request, endpoint):
            return await endpoint.answer(request, self._serving)
        timer = asyncio.get_running_loop().call_later(left, abort, request.transport)
        try:
            return await endpoint.answer(request, self._serving)
        finally:
            timer.cancel()


def _is_socket(request: web.BaseRequest, endpoint: Endpoint | None) -> bool:
    return endpoint is not None and endpoint.sockets and is_upgrade(request)


def _longest(endpoint: Endpoint) -> int:
    return -len(endpoint.path)
