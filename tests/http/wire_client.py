"""A client of `rxml.v1` written by hand on `websockets`: it can break every rule."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from rxml import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from rxml.http import Server

HELLO = {"type": "hello", "version": 1}


class Client:
    """Frames in and out."""

    def __init__(self, socket: ClientConnection, encoding: str) -> None:
        self.socket = socket
        self._json = encoding == "json"

    async def say(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame) if self._json else wire.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        data = await self.socket.recv()
        frame: dict[str, Any] = json.loads(data) if isinstance(data, str) else wire.loads(data)
        return frame

    async def hello(self) -> dict[str, Any]:
        await self.say(**HELLO)
        return await self.hear()

    async def subscribe(self, n: int, id_: int = 1, **fields: Any) -> None:
        await self.say(type="subscribe", id=id_, n=n, **fields)

    async def items(self, count: int) -> list[Any]:
        """That many elements, whatever the frames; fails if more come than that."""
        got: list[Any] = []
        while len(got) < count:
            frame = await self.hear()
            assert frame["type"] == "next", frame
            assert frame["seq"] >= len(got)
            got.extend(frame["items"])
        assert len(got) == count
        return got

    async def _read(self) -> None:
        while True:
            await self.socket.recv()

    async def closed(self) -> tuple[int, str]:
        """The code and the reason of the server's close, after whatever still comes."""
        with pytest.raises(ConnectionClosed) as closed:
            await self._read()
        assert closed.value.rcvd is not None, "no close frame came"
        return closed.value.rcvd.code, closed.value.rcvd.reason


@asynccontextmanager
async def client(
    server: Server, path: str, encoding: str = "json", *, greet: bool = True, **options: Any
) -> AsyncGenerator[Client]:
    url = server.url.replace("http", "ws") + path
    protocols = [Subprotocol(f"rxml.v1+{encoding}")]
    async with connect(url, subprotocols=protocols, **options) as socket:
        found = Client(socket, encoding)
        if greet:
            assert (await found.hello())["type"] == "ready"
        yield found
