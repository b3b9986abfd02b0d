"""App: paths that take and send streams, and flows that run beside them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from rxml.errors import PipelineError
from rxml.flow.scope import uninterrupted
from rxml.http.checks import instance, names
from rxml.http.limits import Limits
from rxml.http.operating import Operating
from rxml.http.origin import Gate
from rxml.http.paths import Paths
from rxml.http.rotation import new_loop
from rxml.http.running import until_signal
from rxml.http.server import Server
from rxml.http.serving import Serving
from rxml.http.stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

    from rxml.http.keys import Key
    from rxml.http.operating import Admin
    from rxml.http.siblings import Siblings
    from rxml.http.telemetry import Telemetry
    from rxml.http.tls import Tls

A = TypeVar("A")
T = TypeVar("T")


class App(Paths):
    """A service: what it takes in, what it sends out, and what runs as long as it does. Building one opens nothing.

    Args:
        host: address to bind; loopback unless told otherwise.
        port: to listen on; 0 for any free one.
        limits: on what clients may ask.
        origins: web pages that may connect beside those of the same host, such as `https://example.org`.
        hosts: names, beside those of loopback, that a server bound to loopback answers to.
        show_errors: tell clients the text of errors in flows, not only their class.
        keys: who may do what; without any, everybody may do everything. See `Key.new`.
        channels: paths by the name of their channel: keys may be confined to channels, and do not see other ones.
        read_only: take nothing in (403).
        tls: certificate and key.
        admin: where `/metrics`, `/live` and `/ready` are answered: a port, the path of a Unix socket, or an `Admin`.
        telemetry: where traces and metrics of OpenTelemetry go.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        host: str = "127.0.0.1",
        port: int = 8080,
        *,
        limits: Limits | None = None,
        origins: Iterable[str] = (),
        hosts: Iterable[str] = (),
        show_errors: bool = False,
        keys: Iterable[Key] = (),
        channels: Mapping[str, Iterable[str]] | None = None,
        read_only: bool = False,
        tls: Tls | None = None,
        admin: Admin | int | str | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        if port.__class__ is not int or not 0 <= port <= 65535:
            raise PipelineError(f"a port is an int from 0 to 65535, got {port!r}")
        self.host = host
        self.port = port
        self.limits: Limits = Limits() if limits is None else limits
        instance("host", host, str)
        instance("limits", self.limits, Limits)
        self._origins = names("origins", origins, "https://example.org")
        self._hosts = names("hosts", hosts, "service.local")
        self._show_errors = show_errors
        self._operating = Operating.of(
            keys=keys,
            channels=channels,
            read_only=read_only,
            tls=tls,
            admin=admin,
            telemetry=telemetry,
        )
        super().__init__(self._operating.readiness)

    @asynccontextmanager
    async def serve(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        siblings: Siblings | None = None,
    ) -> AsyncGenerator[Server]:
        """Serve inside `async with`; leaving it drains, for at most `limits.drain_seconds`, and leaves nothing behind.

        Args:
            host: instead of the app's.
            port: instead of the app's; 0 for any free one, see `Server.port`.
            siblings: other processes that serve this app at the same port.

        Raises:
            PortTakenError: something else listens there.
        """
        host = self.host if host is None else host
        flows = {
            each.path: each.flow for each in self._endpoints.values() if isinstance(each, Stream)
        }
        gate = Gate(host, self._origins, self._hosts)
        operating = self._operating
        serving = Serving(
            self.limits,
            flows,
            gate,
            self._show_errors,
            access=operating.access,
            readiness=operating.readiness.again(),
        )
        server = Server(serving, dict(self._endpoints), tuple(self._background), operating)
        port = self.port if port is None else port
        await server.start(host, port, siblings=siblings)
        try:
            yield server
        finally:
            await uninterrupted(server.stop(), name="stop the server")

    def run(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        ready: Callable[[Server], None] | None = None,
        siblings: Siblings | None = None,
    ) -> None:
        """Serve until SIGINT or SIGTERM, then drain; a second signal cuts what is left. Blocks.

        Args:
            host: instead of the app's.
            port: instead of the app's.
            ready: called once it listens.
            siblings: other processes that serve this app at the same port.

        Raises:
            PortTakenError: something else listens there.
        """
        serving = self.serve(host=host, port=port, siblings=siblings)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(until_signal(serving, ready))
