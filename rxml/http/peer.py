"""Peer: the other end of `rxml.v1`, as a client sees it on one connection."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp

from rxml.errors import ConnectionLost, ProtocolError, RemoteError
from rxml.http.address import unreachable
from rxml.http.answered import refused
from rxml.http.protocol import BAD_FRAME, HELLO_TIMEOUT, Error, Frame, Hello, Ready

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from rxml.http.codec import Codec
    from rxml.http.limits import Limits

_TOO_LARGE: Final = 1009
_BROKEN_RULES: Final = (1002, 1003, 1007, _TOO_LARGE, BAD_FRAME, HELLO_TIMEOUT)
"""Close codes that trying again does not help against."""


class Peer:
    """One connection, greeted; open inside `async with Peer.at(...)`.

    Args:
        url: for what is said of it.
        ws: open.
        codec: of its sub-protocol.
        limits: on messages and times.

    Attributes:
        most: bytes of a message that the other end takes.
        window: elements that it takes ahead.
    """

    def __init__(
        self, url: str, ws: aiohttp.ClientWebSocketResponse, codec: Codec, limits: Limits
    ) -> None:
        self._url = url
        self._ws = ws
        self._codec = codec
        self._limits = limits
        self.most: int = limits.message_bytes

    @classmethod
    @asynccontextmanager
    async def at(
        cls, url: str, codec: Codec, limits: Limits, headers: Mapping[str, str]
    ) -> AsyncGenerator[Peer]:
        """Connect and greet; whatever breaks inside is a `ConnectionLost`.

        Raises:
            ConnectionLost: no connection, or it broke.
            ProtocolError: the other end does not speak `rxml.v1`.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.hello_seconds)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            try:
                ws = await _opened(session, url, codec.protocol, limits)
                try:
                    peer = cls(url, ws, codec, limits)
                    await peer._greet()
                    yield peer
                finally:
                    await ws.close()
            except ConnectionLost:
                raise
            except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
                raise ConnectionLost(f"{url}: {str(error) or type(error).__name__}") from error

    async def _greet(self) -> None:
        await self.say(Hello())
        seconds = self._limits.hello_seconds
        try:
            async with asyncio.timeout(seconds):
                frame, _ = await self.receive()
        except TimeoutError:
            message = f"{self._url}: no answer to hello within {seconds:g} seconds"
            raise ConnectionLost(message) from None
        if not isinstance(frame, Ready):
            raise ProtocolError(f"{self._url} answered hello with {frame!r}")
        self.most = min(self.most, max(1024, frame.limits.get("message_bytes", self.most)))

    async def receive(self) -> tuple[Any, int]:
        """The next frame, and the size of its message in bytes.

        Raises:
            ConnectionLost: the connection has ended.
            ProtocolError: it has ended because somebody broke the rules, or this is no frame.
        """
        message = await self._ws.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            text = message.type is aiohttp.WSMsgType.TEXT
            data = cast("str", message.data).encode() if text else cast("bytes", message.data)
            return self._codec.from_server(data, text=text), len(data)
        raise self._ended(message, self._ws.close_code)

    def _ended(self, message: aiohttp.WSMessage, code: int | None) -> Exception:
        """The error of a connection that ends, by the code that either side has closed it with."""
        if message.type is aiohttp.WSMsgType.ERROR and code == _TOO_LARGE:
            most = self._limits.message_bytes
            return ProtocolError(f"{self._url} sent a message larger than message_bytes={most}")
        if code in _BROKEN_RULES:
            reason = message.extra or "without a reason"
            return ProtocolError(f"{self._url} closed with {code}: {reason}")
        if code in (None, 1006):
            return ConnectionLost(f"{self._url}: the connection broke")
        return ConnectionLost(f"{self._url}: {message.extra or f'closed with {code}'}")

    async def say(self, frame: Frame) -> None:
        """Send a frame; waits while the socket takes nothing."""
        await self.write(self._codec.encode(frame))

    async def write(self, data: bytes) -> None:
        """Send a message that is encoded already."""
        if self._codec.text:
            await self._ws.send_str(data.decode())
        else:
            await self._ws.send_bytes(data)

    def failure(self, frame: Error) -> Exception:
        """What a stream has failed with there."""
        if frame.code == "drain":
            return ConnectionLost(f"{self._url}: {frame.message}")
        retry = None if frame.retry_after_ms is None else frame.retry_after_ms / 1000
        return RemoteError(frame.code, frame.message, retry)


async def _opened(
    session: aiohttp.ClientSession, url: str, protocol: str, limits: Limits
) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(limits.hello_seconds):
            ws = await session.ws_connect(
                url,
                protocols=(protocol,),
                max_msg_size=limits.message_bytes,
                heartbeat=limits.heartbeat_seconds,
                timeout=aiohttp.ClientWSTimeout(ws_close=min(1.0, limits.pong_seconds)),  # pyright: ignore[reportCallIssue]
            )
    except aiohttp.WSServerHandshakeError as error:
        raise refused(
            f"{url} answered {error.status}, no WebSocket", error.status, error.headers
        ) from error
    except aiohttp.ClientConnectorError as error:
        raise ConnectionLost(f"{url}: {unreachable(error)}") from error
    if ws.protocol != protocol:
        await ws.close()
        raise ProtocolError(f"{url} does not speak {protocol}")
    return ws
