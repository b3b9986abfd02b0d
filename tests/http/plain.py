"""A server of plain bytes, as they may come from anybody."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
LINES = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
CLOSED = LINES + b"Connection: close\r\n\r\n"


class Plain:
    """A server of plain bytes: each connection gets the next answer; what was asked is kept."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.heads: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            self.paths.append(head[0].split(" ")[1])
            self.heads.append(
                {name.lower(): value for name, value in (x.split(": ", 1) for x in head[1:] if x)}
            )
            writer.write(self._answers.pop(0) if self._answers else b"HTTP/1.1 410 Gone\r\n\r\n")
            await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Plain]:
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/data"
        async with server:
            yield self
        await asyncio.sleep(0.01)
