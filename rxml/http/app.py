"""App: paths that take and send streams, and flows that run beside them."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, overload

from rxml.errors import PipelineError
from rxml.flow.placing import flowable
from rxml.flow.scope import uninterrupted
from rxml.http.checks import instance, names
from rxml.http.ingest import Ingest
from rxml.http.limits import Limits
from rxml.http.origin import Gate
from rxml.http.server import Server
from rxml.http.serving import Serving
from rxml.http.slow import policy
from rxml.http.stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from rxml.flow.flowable import Flowable
    from rxml.http.endpoint import Endpoint
    from rxml.http.slow import Slow

A = TypeVar("A")
T = TypeVar("T")


class App:
    """A service: what it takes in, what it sends out, and what runs as long as it does. Building one opens nothing.

    Args:
        host: address to bind; loopback unless told otherwise.
        port: to listen on; 0 for any free one.
        limits: on what clients may ask.
        origins: web pages that may connect beside those of the same host, such as `https://example.org`.
        hosts: names, beside those of loopback, that a server bound to loopback answers to.
        show_errors: tell clients the text of errors in flows, not only their class.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8080,
        *,
        limits: Limits | None = None,
        origins: Iterable[str] = (),
        hosts: Iterable[str] = (),
        show_errors: bool = False,
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
        self._endpoints: dict[str, Endpoint] = {}
        self._background: list[Flowable[Any]] = []

    @overload
    def ingest(
        self, path: str, *, schema: None = None, deadline: float = 5.0, capacity: int = 0
    ) -> Flowable[dict[str, Any]]: ...

    @overload
    def ingest(
        self, path: str, *, schema: type[T], deadline: float = 5.0, capacity: int = 0
    ) -> Flowable[T]: ...

    def ingest(
        self,
        path: str,
        *,
        schema: type[Any] | None = None,
        deadline: float = 5.0,
        capacity: int = 0,
    ) -> Flowable[Any]:
        """What clients post to `path`, or send on its WebSocket: JSON, NDJSON or msgpack.

        Hot, for one run at a time; `ops.share()` behind it makes it one for many. Demand reaches the socket: a body is
        not read before its elements are wanted. What is not wanted within the deadline is answered with 429 and a
        `Retry-After` from the pace so far; on a WebSocket it waits.

        Args:
            path: of the URL.
            schema: what each element must be, a type that msgspec can make, such as a `msgspec.Struct` or a dataclass;
                None: any JSON object.
            deadline: seconds that an element of a POST may wait to be wanted.
            capacity: elements that are taken before they are wanted; they are lost if the run ends.

        Raises:
            PipelineError: the path is taken or none, or the schema cannot be made.
            AlreadyRunningError: when run, another run has this flow.
        """
        endpoint: Ingest[Any] = Ingest(path, schema, deadline=deadline, capacity=capacity)
        self._add(endpoint)
        return endpoint.inbox.flow()

    def stream(
        self,
        path: str,
        flow: Flowable[A],
        *,
        slow: Slow | str = "latest",
        key: Callable[[A], Any] | None = None,
    ) -> None:
        """Send a flow to whoever asks at `path`: WebSocket, SSE, or NDJSON.

        Each client opens the flow anew; share it with `ops.share()` if it is to run once for all.

        Args:
            path: of the URL.
            flow: what is sent; elements are what JSON, or `rxml.wire`, has a form for.
            slow: what happens to clients that have no way to say how many they want and do not keep up: `latest()`,
                `buffer(n)`, `drop_oldest(n)`, `drop_newest(n)`, `disconnect(n)`. Those that speak `rxml.v1` get what they
                ask for.
            key: of an element; `latest` keeps the latest of each key.

        Raises:
            PipelineError: the path is taken or none, it is no flow, or the policy is none.
        """
        self._add(Stream(path, flowable(flow, f"stream({path})"), slow=policy(slow), key=key))

    def background(self, flow: Flowable[Any]) -> None:
        """Run a flow for its effects as long as the app is served; if it fails, that is logged and the app goes on."""
        self._background.append(flowable(flow, "background"))

    @asynccontextmanager
    async def serve(
        self, *, host: str | None = None, port: int | None = None
    ) -> AsyncGenerator[Server]:
        """Serve inside `async with`; leaving it drains, for at most `limits.drain_seconds`, and leaves nothing behind.

        Args:
            host: instead of the app's.
            port: instead of the app's; 0 for any free one, see `Server.port`.

        Raises:
            PortTakenError: something else listens there.
        """
        host = self.host if host is None else host
        flows = {
            each.path: each.flow for each in self._endpoints.values() if isinstance(each, Stream)
        }
        gate = Gate(host, self._origins, self._hosts)
        serving = Serving(self.limits, flows, gate, self._show_errors)
        server = Server(serving, dict(self._endpoints), tuple(self._background))
        await server.start(host, self.port if port is None else port)
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
    ) -> None:
        """Serve until SIGINT or SIGTERM, then drain; a second signal cuts what is left. Blocks.

        Args:
            host: instead of the app's.
            port: instead of the app's.
            ready: called once it listens.

        Raises:
            PortTakenError: something else listens there.
        """
        asyncio.run(self._run(host, port, ready))

    async def _run(
        self, host: str | None, port: int | None, ready: Callable[[Server], None] | None
    ) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        served: list[Server] = []

        def end() -> None:
            """The first signal drains, a second one cuts."""
            if ended.is_set():
                for server in served:
                    server.hurry()
            ended.set()

        for number in numbers:
            loop.add_signal_handler(number, end)
        try:
            async with self.serve(host=host, port=port) as server:
                served.append(server)
                if ready is not None:
                    ready(server)
                await ended.wait()
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What answers, in the order in which it was added."""
        return tuple(self._endpoints.values())

    def _add(self, endpoint: Endpoint) -> None:
        if endpoint.path in self._endpoints:
            raise PipelineError(f"{endpoint.path} is taken by another endpoint of this app")
        self._endpoints[endpoint.path] = endpoint
