"""Server: one run of an App, from its port to its graceful end."""

from __future__ import annotations

import asyncio
import errno
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import PortTakenError
from rxml.flow.run import Run
from rxml.flow.scope import Scope
from rxml.http.admin import AdminServer
from rxml.http.answering import Answering
from rxml.http.door import Door
from rxml.http.express import Express
from rxml.http.handler import Http
from rxml.http.listener import Listener
from rxml.http.operating import Operating
from rxml.http.parser import require_fast_parser
from rxml.http.valve import Valve

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from rxml.flow.flowable import Flowable
    from rxml.http.endpoint import Endpoint
    from rxml.http.serving import Serving
    from rxml.http.siblings import Siblings

logger: Final = logging.getLogger("rxml.http")

_CLOSING: Final = 0.5
"""Seconds, after those for draining, in which WebSockets that were cut may close in order."""

MALFORMED: Final = "malformed"
"""The path that the metrics have for what is no request."""

_HANDSHAKE: Final = 5.0
"""Seconds that a client of TLS has to say who it is, and to say goodbye."""

_QUICK: Final = 0.25
"""Seconds that draining may take without a word about it."""


class Server:
    """A running server.

    Attributes:
        host: that it is bound to.
        port: that it listens on.
        admin_port: of its admin side; None if it has none.
        ending: set once somebody has asked for the end on the admin side.
    """

    def __init__(
        self,
        serving: Serving,
        endpoints: Mapping[str, Endpoint],
        background: Sequence[Flowable[Any]],
        operating: Operating | None = None,
    ) -> None:
        self._serving = serving
        self._operating = operating or Operating()
        self._answering = Answering(serving, endpoints, self._operating.telemetry)
        self._endpoints = endpoints
        self._background = background
        self._runs: list[Run[Any]] = []
        self._scope = Scope()
        self._cut = asyncio.Event()
        self._listener: Listener | None = None
        limits = serving.limits
        self._http = Http(
            self._answering,
            partial(serving.metrics.answered, MALFORMED, seconds=None),
            secure=self._operating.tls is not None,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.request_seconds,
            lingering_time=1.0,
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            max_headers=limits.headers,
            read_bufsize=2**16,
        )
        if self._operating.telemetry is None and serving.access.plain:
            lanes = {each.path: each.lane(serving) for each in endpoints.values()}
            known = {path: lane for path, lane in lanes.items() if lane is not None}
            self._http.express = Express(known, serving, self._answering) if known else None
        self._door = Door(self._http, limits, partial(serving.metrics.shed, 503, "connections"))
        self._admin: AdminServer | None = None
        self._ticking: Callable[[], None] = _nothing
        self.ending: asyncio.Event = asyncio.Event()
        self.host: str = ""
        self.port: int = 0
        self.admin_port: int | None = None

    @property
    def url(self) -> str:
        """Where it answers: `http://127.0.0.1:8080`."""
        scheme = "http" if self._operating.tls is None else "https"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._http.connections)

    async def start(self, host: str, port: int, *, siblings: Siblings | None = None) -> None:
        """Start the background flows, then listen.

        Args:
            host: address to bind.
            port: to listen on; 0 for any free one.
            siblings: other workers that listen there, too.

        Raises:
            PortTakenError: something else listens there.
            PipelineError: the parser of requests is the slow and lenient one, or the certificate cannot be used.
        """
        require_fast_parser()
        for endpoint in self._endpoints.values():
            endpoint.begin(self._serving)
        try:
            await self._listen(host, port, shared=siblings is not None)
            await self._watch(siblings)
        except BaseException:
            self._abandon()
            raise
        for number, flow in enumerate(self._background):
            run = Run[Any](flow)
            self._runs.append(run)
            self._serving.metrics.watch(f"{number} {flow.spec.name}", run)
            _ = self._scope.spawn(self._watched(run), name=f"background {flow.spec.name}")

    async def _listen(self, host: str, port: int, *, shared: bool) -> None:
        tls = self._operating.tls
        options: dict[str, Any] = {}
        if tls is not None:
            options["ssl"] = await asyncio.to_thread(tls.context)
            options["ssl_handshake_timeout"] = _HANDSHAKE
            options["ssl_shutdown_timeout"] = _HANDSHAKE
        valve = Valve(self._serving.limits.connections)
        refused = partial(self._serving.metrics.shed, 503, "connections")
        listener = Listener(self._door, valve, self._http.active, options, refused)
        try:
            self.port = await listener.bind(host, port, shared=shared)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                raise PortTakenError(error.errno, _taken(error, host, port)) from error
            raise
        self.host = host
        self._listener = self._answering.listener = self._http.listener = listener

    async def _watch(self, siblings: Siblings | None) -> None:
        """Show what is going on, where somebody may look."""
        metrics, admin = self._serving.metrics, self._operating.admin
        if admin is None:
            return
        metrics.gauge("rxml_http_connections", "Connections open.", lambda: self.connections)
        self._admin = AdminServer(admin, self._serving, self.ask_to_end, siblings)
        await self._admin.start()
        self.admin_port = self._admin.port
        self._ticking = metrics.tick(asyncio.get_running_loop())

    def _abandon(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def ask_to_end(self) -> None:
        """Ask whoever runs the server to end it: `ending` is set, and `/ready` says no."""
        self._serving.readiness.draining = True
        self.ending.set()

    async def stop(self) -> None:
        """End: refuse what is new, let what is under way come through within the time limit, then cut the rest."""
        await self._linger()
        await asyncio.sleep(0)  # who waits at the port is taken and told, not reset
        self._serving.leave()
        if self._listener is not None:
            self._listener.close()
        if not await self._quiet_within(_QUICK):
            limit = self._serving.limits.drain_seconds
            logger.warning("draining: %s, at most %g s", _clients(self._answering.active), limit)
            if not await self._quiet_within(self._left() + _CLOSING):
                logger.warning("cutting %s", _clients(self._answering.active))
        for run in self._runs:
            await self._unless_cut(run.drain(max(0.1, self._left())), self._left() + _CLOSING)
        self._http.pre_shutdown()
        await self._http.shutdown(0.1 if self._cut.is_set() else 1.0)
        self._door.close()
        if self._listener is not None:
            await self._listener.aclose()
        for endpoint in self._endpoints.values():
            await endpoint.end()
        self._ticking()
        if self._admin is not None:
            await self._admin.stop()
        await self._scope.aclose()

    async def _linger(self) -> None:
        """Let whoever balances the load see that this server is not ready any more."""
        self._serving.readiness.draining = True
        admin = self._operating.admin
        if admin is not None and admin.linger:
            await self._unless_cut(asyncio.sleep(admin.linger), admin.linger)

    def hurry(self) -> None:
        """While it ends: cut at once what is left."""
        self._serving.deadline = asyncio.get_running_loop().time()
        self._cut.set()

    def _left(self) -> float:
        return max(0.0, self._serving.deadline - asyncio.get_running_loop().time())

    async def _quiet_within(self, seconds: float) -> bool:
        await self._unless_cut(self._answering.quiet.wait(), seconds)
        return not self._answering.active

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


def _nothing() -> None:
    """Nothing ticks."""
