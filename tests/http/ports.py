"""A port whose connections echo, with a valve that stays where it is put."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from typing_extensions import override

from rxml.http.listener import Listener
from rxml.http.valve import Valve
from tests.http.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

MOST: Final = 100


class Echo(asyncio.Protocol):
    """Gives back what comes, and counts itself."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.port.open.append(self)

    @override
    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.port.open.remove(self)
        self.port.listener.left()


class Still(Valve):
    """A valve that stays where it is put."""

    @override
    def read(self, seconds: float, now: float, open_: int) -> bool:
        return False

    @override
    def rested(self, now: float) -> None:
        """Rest changes nothing."""


class Port:
    """A listener whose connections echo."""

    def __init__(self, valve: Valve | None = None, **tls: Any) -> None:
        self.open: list[Echo] = []
        self.refused = 0
        self.valve = valve or Valve(MOST)
        self.listener = Listener(self.door, self.valve, lambda: len(self.open), tls, self.refuse)
        self.number = 0

    @property
    def waits(self) -> int:
        """How many the kernel keeps waiting at most."""
        return cast("int", cast("Any", self.listener)._waits)

    def door(self) -> Echo:
        return Echo(self)

    def refuse(self) -> None:
        self.refused += 1

    def narrow(self, limit: int) -> None:
        self.valve.limit = limit

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)


@asynccontextmanager
async def port(valve: Valve | None = None, **tls: Any) -> AsyncGenerator[Port]:
    made = Port(valve, **tls)
    made.number = await made.listener.bind("127.0.0.1", 0, shared=False)
    try:
        yield made
    finally:
        await made.listener.aclose()
        for each in [*made.open]:
            assert each.transport is not None
            each.transport.abort()
        await eventually(lambda: not made.open)


async def echoed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"hello")
    return await reader.readexactly(5)
