"""Link: one WebSocket of the server, with its liveness, its bounds and an honest end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from aiohttp import WSMessage, WSMsgType, web

from rxml.errors import ConnectionLost
from rxml.flow.scope import Scope
from rxml.http.replies import HEADERS, Refusal
from rxml.http.transport import abort

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from rxml.http.limits import Limits

_NEVER: int = 2**62


@dataclass(frozen=True, slots=True)
class Message:
    """What came: text or binary."""

    data: bytes
    text: bool


class Link:
    """A WebSocket that is open inside `async with`.

    Pings go out after silence, and a client that answers none is dropped. Nothing is sent while the transport holds more
    than it should, except pings: `send` waits. Waiting sends share one task, because a drain that is cancelled would
    take the others down with it.
    """

    def __init__(
        self, request: web.BaseRequest, limits: Limits, protocols: Iterable[str] = ()
    ) -> None:
        self._request = request
        self._transport = request.transport
        self._limits = limits
        self.ws = web.WebSocketResponse(
            timeout=limits.pong_seconds,
            autoping=False,
            protocols=tuple(protocols),
            compress=False,
            max_msg_size=limits.message_bytes,
            writer_limit=_NEVER,
        )
        self.ws.headers.update(HEADERS)
        self._scope = Scope()
        self._drain: asyncio.Task[None] | None = None
        self._code = (1000, "")

    async def __aenter__(self) -> Self:
        try:
            await self.ws.prepare(self._request)
        except web.HTTPException as error:
            raise Refusal(400, f"not a WebSocket handshake: {error.text}") from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._close()
        finally:
            if self._paused or not self.ws.closed:
                self.abort()
            await self._scope.aclose()

    @property
    def protocol(self) -> str | None:
        """The sub-protocol that was agreed on."""
        return self.ws.ws_protocol

    @property
    def _paused(self) -> bool:
        return self._request.protocol.writing_paused

    async def receive(self) -> Message | None:
        """The next message; None when the connection is closing or gone."""
        while True:
            message = await self._heard()
            if message is None:
                return None
            if message.type is WSMsgType.TEXT:
                return Message(message.data.encode(), text=True)
            if message.type is WSMsgType.BINARY:
                return Message(message.data, text=False)
            if message.type is WSMsgType.PING:
                if not self._paused:
                    await self.ws.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                return None

    async def _heard(self) -> WSMessage | None:
        """Whatever comes next, pongs too; None if the client is silent even when pinged."""
        limits = self._limits
        try:
            message = await self.ws.receive(timeout=limits.heartbeat_seconds)
        except TimeoutError:
            await self.ws.ping()
            try:
                message = await self.ws.receive(timeout=limits.pong_seconds)
            except TimeoutError:
                self.abort()
                return None
        return message

    async def writable(self) -> None:
        """Wait until the transport takes more.

        Raises:
            ConnectionError: the client is gone.
        """
        while self._paused:
            if self._request.transport is None:
                raise ConnectionLost("the client is gone")
            if self._drain is None or self._drain.done():
                writer = self._request.writer
                self._drain = self._scope.spawn(writer.drain(), name="drain a WebSocket")
            await asyncio.shield(self._drain)

    async def send(self, data: bytes, *, text: bool) -> None:
        """Send one message, and wait until the transport takes more.

        Raises:
            ConnectionError: the client is gone.
        """
        await self.writable()
        await self.ws.send_frame(data, WSMsgType.TEXT if text else WSMsgType.BINARY)
        await self.writable()

    async def say(self, data: bytes, *, text: bool) -> None:
        """Send one message in answer to another; a client that does not take it is dropped.

        Raises:
            ConnectionError: the client is gone.
        """
        try:
            async with asyncio.timeout(self._limits.pong_seconds):
                await self.send(data, text=text)
        except TimeoutError:
            self.abort()
            raise ConnectionLost("the client does not read") from None

    def close_with(self, code: int, reason: str) -> None:
        """The code and reason, at most 123 bytes, with which the end of the `async with` will close."""
        self._code = (code, reason)

    async def _close(self) -> None:
        if self.ws.closed:
            return
        try:
            async with asyncio.timeout(min(1.0, self._limits.pong_seconds)):
                await self.writable()
        except (TimeoutError, ConnectionError):
            return
        code, reason = self._code
        await self.ws.close(code=code, message=reason.encode()[:123], drain=False)

    def abort(self) -> None:
        """Drop the connection without a word."""
        abort(self._transport)
