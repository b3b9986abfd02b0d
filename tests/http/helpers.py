"""What the tests of the http room share: a loop with a limit, and clients that rxml did not write."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from rxml.http import App, Limits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping

    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.http import Server

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T], seconds: float = 15.0) -> T:
    """Run a test on a loop of its own; nothing may be left running when it ends."""

    async def main() -> T:
        result = await asyncio.wait_for(coroutine, seconds)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"left running: {left}"
        return result

    return asyncio.run(main())


def inverse(x: int) -> int:
    """Fails for 0."""
    return 1 // x


def padded(i: int) -> str:
    """A large element."""
    return "x" * 1000 + str(i)


def short(value: object) -> str | None:
    """The name of a parameter: bytes by their number, since some hold the time at which they were packed."""
    return f"{len(value)}B" if isinstance(value, bytes) else None


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Addressed(Protocol):
    """What has a URL."""

    @property
    def url(self) -> str: ...


async def http(
    server: Addressed,
    path: str,
    body: bytes | None = None,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: str,
) -> Answer:
    """One request by urllib."""
    headers = {**(headers or {}), **more}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.url + path, data=body, headers=names, method=method)
    return await asyncio.to_thread(_fetch, request)


def _fetch(request: urllib.request.Request) -> Answer:
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return Answer(response.status, _lower(response.headers.items()), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _lower(error.headers.items()), error.read())


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


async def post(server: Server, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    """POST JSON, or bytes as they are."""
    headers = {"content_type": "application/json", **(headers or {})}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await http(server, "/in", data, headers=headers)


class Raw:
    """A connection of plain bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def closed(self) -> bytes:
        """All that still comes, until the server has closed."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def raw(server: Server) -> AsyncGenerator[Raw]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


class Collected:
    """Runs a flow and keeps what comes, up to what is asked for."""

    def __init__(self) -> None:
        self.elements: list[Any] = []
        self._grown = asyncio.Event()

    def add(self, chunk: Chunk[Any]) -> None:
        self.elements.extend(chunk.elements)
        self._grown.set()

    async def reaches(self, count: int) -> list[Any]:
        while len(self.elements) < count:
            self._grown.clear()
            await self._grown.wait()
        return self.elements


@asynccontextmanager
async def collecting(flow: Flowable[Any], n: int = 1000) -> AsyncGenerator[Collected]:
    """Ask for n at a time, over and over."""
    collected = Collected()

    async def collect() -> None:
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(n)).end:
                collected.add(chunk)

    task = asyncio.create_task(collect())
    await asyncio.sleep(0)
    try:
        yield collected
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


def app(**limits: Any) -> App:
    """An app at any free port."""
    quick: dict[str, Any] = {"drain_seconds": 1.0, **limits}
    return App(port=0, limits=Limits(**quick))


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    while not condition():  # noqa: ASYNC110 - nothing tells when it does
        await asyncio.sleep(0.005)
