"""AdminServer: answers those who run the service, away from the public port."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from rxml.errors import PortTakenError
from rxml.http.access import bearer, check_scope
from rxml.http.door import Door
from rxml.http.handler import Http
from rxml.http.limits import Limits
from rxml.http.origin import Gate, is_loopback
from rxml.http.prometheus import CONTENT_TYPE, render
from rxml.http.replies import HEADERS, Refusal, reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.http.operating import Admin
    from rxml.http.prometheus import Family
    from rxml.http.serving import Serving
    from rxml.http.siblings import Siblings

_LIMITS: Final = Limits(connections=64, connections_per_address=64, body_bytes=1)


_LOCAL: Final = Gate("127.0.0.1", (), ())


class AdminServer:
    """`/live`, `/ready`, `/metrics`, and `/drain` by POST.

    With keys `/metrics` wants the scope `metrics` and `/drain` the scope `admin`. Without, `/drain` is for those on this
    machine only.

    Args:
        admin: where.
        serving: of the server that is watched.
        drain: begins its end.
        siblings: other workers of the same service, whose numbers are shown, too.
    """

    def __init__(
        self,
        admin: Admin,
        serving: Serving,
        drain: Callable[[], None],
        siblings: Siblings | None = None,
    ) -> None:
        self._admin = admin
        self._serving = serving
        self._drain = drain
        self._siblings = siblings
        self._gate = Gate(admin.host if admin.path is None else "", (), ())
        self._http = Http(
            self._handle,
            _ignore,
            access_log=None,
            keepalive_timeout=_LIMITS.request_seconds,
            lingering_time=0.1,
            max_line_size=_LIMITS.header_bytes,
            max_field_size=_LIMITS.header_bytes,
            max_headers=_LIMITS.headers,
        )
        self._door = Door(self._http, _LIMITS, lambda: None)
        self._listeners: list[asyncio.Server] = []
        self._paths: list[str] = []
        self.port: int | None = None
        self._answers: dict[tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.Response]]]
        self._answers = {
            ("GET", "/live"): self._live,
            ("GET", "/ready"): self._ready,
            ("GET", "/metrics"): self._metrics,
            ("POST", "/drain"): self._end,
        }

    async def start(self) -> None:
        """Listen. Of several workers all do at one port, and the first one at a Unix socket.

        Raises:
            PortTakenError: something else listens there.
        """
        admin, siblings = self._admin, self._siblings
        try:
            if admin.path is None:
                await self._listen()
            elif siblings is None or siblings.number == 0:
                await self._listen_at(admin.path)
        except OSError as error:
            where = admin.path or f"port {admin.port} of {admin.host}"
            raise PortTakenError(
                error.errno or errno.EADDRINUSE, f"the admin side cannot listen at {where}: {error}"
            ) from error
        if siblings is not None:
            await self._listen_at(siblings.own)
            self._answers["GET", "/samples"] = self._samples

    async def _listen(self) -> None:
        shared = None if self._siblings is None else self._siblings.admin_port
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(
            self._door,
            self._admin.host,
            self._admin.port or shared or 0,
            reuse_port=True if self._siblings is not None else None,
        )
        self._listeners.append(listener)
        self.port = listener.sockets[0].getsockname()[1]

    async def _listen_at(self, path: str) -> None:
        bound = await asyncio.to_thread(_bound, path)
        loop = asyncio.get_running_loop()
        self._listeners.append(await loop.create_unix_server(self._door, sock=bound))
        self._paths.append(path)

    async def stop(self) -> None:
        """Close the port and what is connected to it."""
        for listener in self._listeners:
            listener.close()
        self._http.pre_shutdown()
        await self._http.shutdown(0.1)
        self._door.close()
        for path in self._paths:
            await asyncio.to_thread(Path(path).unlink, missing_ok=True)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            self._gate.check(request)
            answer = self._answers.get((request.method, request.path), self._nothing)
            return await answer(request)
        except Refusal as refusal:
            return refusal.response()

    async def _nothing(self, request: web.BaseRequest) -> web.Response:
        shown = [path for _, path in self._answers if path != "/samples"]
        raise Refusal(404, f"nothing at {request.path[:200]}", details={"paths": shown})

    async def _live(self, request: web.BaseRequest) -> web.Response:
        del request
        return reply(200, {"live": True})

    async def _ready(self, request: web.BaseRequest) -> web.Response:
        del request
        readiness = self._serving.readiness
        checks = await readiness.state()
        ready = all(checks.values()) and not readiness.draining
        said = {"ready": ready, "draining": readiness.draining, "checks": checks}
        return reply(200 if ready else 503, said)

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        self._check(request, "metrics")
        families = self._families()
        if self._siblings is not None:
            families = await self._siblings.with_own(families)
        return web.Response(
            text=render(families), headers={**HEADERS, "Content-Type": CONTENT_TYPE}
        )

    async def _samples(self, request: web.BaseRequest) -> web.Response:
        """For siblings, which come by the Unix socket that only this user can open."""
        if not _is_unix(request):
            raise Refusal(404, "nothing at /samples")
        return web.Response(body=msgspec.msgpack.encode(self._families()), headers=HEADERS)

    async def _end(self, request: web.BaseRequest) -> web.Response:
        if self._siblings is not None:
            raise Refusal(409, "this is one of several workers: end their parent, by SIGTERM")
        if self._serving.access.keyed:
            self._check(request, "admin")
        elif not _is_unix(request):
            _LOCAL.check(
                request
            )  # a page whose name was made to point here comes from this machine, too
            if not is_loopback(request.remote or ""):
                raise Refusal(403, "/drain beyond loopback wants a key with the scope admin")
        self._drain()
        return reply(202, {"draining": True})

    def _families(self) -> list[Family]:
        return self._serving.metrics.families()

    def _check(self, request: web.BaseRequest, scope: str) -> None:
        access = self._serving.access
        if access.keyed:
            check_scope(access.find(bearer(request)), scope)


def _is_unix(request: web.BaseRequest) -> bool:
    sock: socket.socket | None = request.get_extra_info("socket")
    return sock is not None and sock.family == socket.AF_UNIX


def _ignore(status: int) -> None:
    """What is no request is nobody's affair here."""


def _bound(path: str) -> socket.socket:
    """A Unix socket that only this user can open; one that nobody listens at any more is removed."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        if Path(path).is_socket() and not _answers(path):
            Path(path).unlink()
        sock.bind(path)
        Path(path).chmod(0o600)  # before it listens: until then nobody can connect
        sock.settimeout(0)
    except BaseException:
        sock.close()
        raise
    return sock


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
        probe.connect(path)
        return True
    return False
