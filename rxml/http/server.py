"""Server: one run of an App, from its port to its graceful end."""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from rxml.errors import PortTakenError
from rxml.flow.run import Run
from rxml.flow.scope import Scope
from rxml.http.door import Door
from rxml.http.handler import Handler, Http
from rxml.http.replies import HEADERS, Refusal, reply
from rxml.http.transport import abort

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from rxml.flow.flowable import Flowable
    from rxml.http.endpoint import Endpoint
    from rxml.http.serving import Serving

logger: Final = logging.getLogger("rxml.http")

_CLOSING: Final = 0.5
"""Seconds, after those for draining, in which WebSockets that were cut may close in order."""

_QUICK: Final = 0.25
"""Seconds that draining may take without a word about it."""


class Server:
    """A running server.

    Attributes:
        host: that it is bound to.
        port: that it listens on.
    """

    def __init__(
        self,
        serving: Serving,
        endpoints: Mapping[str, Endpoint],
        background: Sequence[Flowable[Any]],
    ) -> None:
        self._serving = serving
        self._endpoints = endpoints
        self._background = background
        self._runs: list[Run[Any]] = []
        self._scope = Scope()
        self._active = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._cut = asyncio.Event()
        self._listener: asyncio.Server | None = None
        limits = serving.limits
        self._http = Http(
            self._handle,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.request_seconds,
            lingering_time=1.0,
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            max_headers=limits.headers,
            read_bufsize=2**16,
        )
        self._door = Door(self._http, limits)
        self.host: str = ""
        self.port: int = 0

    @property
    def url(self) -> str:
        """Where it answers: `http://127.0.0.1:8080`."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._http.connections)

    async def start(self, host: str, port: int) -> None:
        """Start the background flows, then listen.

        Raises:
            PortTakenError: something else listens there.
        """
        for endpoint in self._endpoints.values():
            endpoint.begin(self._serving)
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(self._door, host, port, backlog=256)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                raise PortTakenError(error.errno, _taken(error, host, port)) from error
            raise
        self.host = host
        self.port = self._listener.sockets[0].getsockname()[1]
        for flow in self._background:
            run = Run[Any](flow)
            self._runs.append(run)
            _ = self._scope.spawn(self._watched(run), name=f"background {flow.spec.name}")

    async def stop(self) -> None:
        """End: refuse what is new, let what is under way come through within the time limit, then cut the rest."""
        self._serving.leave()
        if self._listener is not None:
            self._listener.close()
        if not await self._quiet_within(_QUICK):
            limit = self._serving.limits.drain_seconds
            logger.warning("draining: %s, at most %g s", _clients(self._active), limit)
            if not await self._quiet_within(self._left() + _CLOSING):
                logger.warning("cutting %s", _clients(self._active))
        for run in self._runs:
            await self._unless_cut(run.drain(max(0.1, self._left())), self._left() + _CLOSING)
        self._http.pre_shutdown()
        await self._http.shutdown(0.1 if self._cut.is_set() else 1.0)
        self._door.close()
        await self._scope.aclose()

    def hurry(self) -> None:
        """While it ends: cut at once what is left."""
        self._serving.deadline = asyncio.get_running_loop().time()
        self._cut.set()

    def _left(self) -> float:
        return max(0.0, self._serving.deadline - asyncio.get_running_loop().time())

    async def _quiet_within(self, seconds: float) -> bool:
        await self._unless_cut(self._quiet.wait(), seconds)
        return not self._active

    async def _unless_cut(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> None:
        scope = Scope()
        tasks = [
            scope.spawn(coroutine, name="drain"),
            scope.spawn(self._cut.wait(), name="no draining"),
        ]
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await scope.aclose()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._active += 1
        self._quiet.clear()
        try:
            response = await self._answer(request)
        except Refusal as refusal:
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
        finally:
            self._active -= 1
            if not self._active:
                self._quiet.set()
        if not response.prepared:
            response.headers.update(self._serving.gate.admitted(request))
        if isinstance(request.protocol, Handler) and request.protocol.last:
            response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self._serving.gate.check(request)
        if self._serving.leaving.is_set():
            raise Refusal(503, "the server is about to end", headers={"Connection": "close"})
        endpoint = self._endpoints.get(request.path)
        if endpoint is None:
            known = sorted(self._endpoints)
            raise Refusal(404, f"nothing at {request.path[:200]}", details={"paths": known})
        if request.method == "OPTIONS":
            headers = {**HEADERS, "Allow": ", ".join(endpoint.methods)}
            return web.Response(status=204, headers=headers)
        if request.method not in endpoint.methods:
            allowed = ", ".join(endpoint.methods)
            raise Refusal(405, f"{endpoint.path} answers {allowed}", headers={"Allow": allowed})
        return await endpoint.answer(request, self._serving)

    async def _watched(self, run: Run[Any]) -> None:
        """Keep a background flow's run open until it ends; what it fails with is logged, and harms nothing else."""
        try:
            async with run:
                await run.wait()
        except Exception:
            logger.exception("a background flow has failed")
            for endpoint in self._endpoints.values():
                if problem := endpoint.bereft():
                    logger.error(problem)  # noqa: TRY400 - the traceback is that above


def _taken(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken: end what listens there, or give another port (0: any free one)"
    return f"cannot listen at port {port} of {host}: {error.strerror}"


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"
