"""Link: one WebSocket of the server, with its liveness, its bounds and an honest end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from aiohttp import WSMsgType, web

from rxml.errors import ConnectionLost, ProtocolError
from rxml.flow.scope import Scope
from rxml.http.access import key_of
from rxml.http.authorize import UNAUTHORIZED, authorize, seconds_left
from rxml.http.message import Message
from rxml.http.protocol import BAD_FRAME, SHED
from rxml.http.race import heard
from rxml.http.replies import HEADERS, Refusal
from rxml.http.transport import abort

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from rxml.http.keys import Key
    from rxml.http.serving import Serving

logger: Final = logging.getLogger("rxml.http")

_NEVER: Final = 2**62
_TURN: Final = 128
"""Messages that are read without a pause, if they have come already."""
_IDLE: Final = 2000
"""Messages that mean nothing, and pings and pongs, that a client may send in `_SPAN` seconds."""
_SPAN: Final = 20.0
# members of an Enum are looked up slowly before Python 3.12
_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_OPEN: Final = (_TEXT, _BINARY, WSMsgType.PING, WSMsgType.PONG)
INTERNAL: Final = 1011


class Link:
    """A WebSocket that is open inside `async with`.

    Pings go out after silence, and a client that answers none is dropped. Nothing is sent while the transport holds more
    than it should, except pings: `send` waits. Waiting sends share one task, because a drain that is cancelled would
    take the others down with it. Whoever sends much that means nothing is closed with 4429.

    An error inside the `async with` ends there: one of the protocol closes with 4400, an unexpected one is logged and
    closes with 1011; a lost connection is passed on.
    """

    def __init__(
        self, request: web.BaseRequest, serving: Serving, protocols: Iterable[str] = ()
    ) -> None:
        self._request = request
        self._transport = request.transport
        self._serving = serving
        self._limits = limits = serving.limits
        self._turns = serving.turns
        self._heard = 0
        self._idle = 0
        self._idle_since = 0.0
        self.ws: web.WebSocketResponse = web.WebSocketResponse(
            timeout=limits.pong_seconds,
            autoping=False,
            autoclose=False,
            protocols=tuple(protocols),
            compress=False,
            max_msg_size=limits.message_bytes,
            writer_limit=_NEVER,
        )
        self.ws.headers.update(HEADERS)
        self._scope = Scope()
        self._drain: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._listening: float | None = None
        self._pinged = False
        self._timer: asyncio.TimerHandle | None = None
        self._code = (1000, "")
        self._closing = False

    async def __aenter__(self) -> Self:
        try:
            await self.ws.prepare(self._request)
        except web.HTTPException as error:
            raise Refusal(400, "not a WebSocket handshake of version 13") from error
        await self._authorize()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        ours = isinstance(error, Exception) and not isinstance(error, ConnectionError)
        if isinstance(error, ProtocolError):
            self.close_with(BAD_FRAME, str(error))
        elif ours:
            logger.error("a WebSocket has failed: %s", self._request.path, exc_info=error)
            self.close_with(INTERNAL, "internal error")
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._close()
        finally:
            if self._paused:
                self.abort()
            await self._scope.aclose()
        return ours

    async def _authorize(self) -> None:
        """Let in whoever has a key, for as long as it holds."""
        try:
            await authorize(self, self._request, self._serving)
            if (seconds := seconds_left(self._request)) is not None:
                self._scope.start(self._expire(seconds), name="expire a key")
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise

    async def _expire(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.close_with(UNAUTHORIZED, "the key has expired")
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(self._limits.pong_seconds):
                await self.writable()
                await self._say_close()
                await asyncio.sleep(self._limits.pong_seconds)
        self.abort()

    @property
    def key(self) -> Key | None:
        """Of the client; None if none is wanted."""
        return key_of(self._request)

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
            now = self._loop.time()
            self._heard += 1
            if self._turns.over(now) or not self._heard % _TURN:
                await self._let_others()
                now = self._loop.time()
            self._pinged, self._listening = False, now
            if self._timer is None:
                self._timer = self._loop.call_later(self._limits.heartbeat_seconds, self._silent)
            try:
                message = await self.ws.receive()
            finally:
                self._listening = None
            if message.type is _BINARY:
                return Message(message.data, text=False)
            if message.type is _TEXT:
                return Message(message.data.encode(), text=True)
            if message.type not in (WSMsgType.PING, WSMsgType.PONG) or not self.idle():
                return None
            if message.type is WSMsgType.PING and not self._paused:
                await self.ws.pong(message.data)

    def idle(self) -> bool:
        """Count a message that means nothing; False if there were too many of them, and the connection is to be closed."""
        now = asyncio.get_running_loop().time()
        if now - self._idle_since > _SPAN:
            self._idle, self._idle_since = 0, now
        self._idle += 1
        if self._idle > _IDLE:
            self.close_with(SHED, "too many messages that mean nothing")
            return False
        return True

    async def _let_others(self) -> None:
        """What has come already is read without waiting, so others would not have their turn."""
        if self._heard % _TURN:
            await self._turns.pause()
        else:
            await asyncio.sleep(0)

    def _silent(self) -> None:
        """Ping, or drop, a client from which nothing has come for long; one timer for all messages."""
        limits, since = self._limits, self._listening
        allowed = limits.heartbeat_seconds + (limits.pong_seconds if self._pinged else 0.0)
        left = allowed if since is None else since + allowed - self._loop.time()
        if left <= 0 and self._pinged:
            self.abort()
            return
        if left <= 0:
            self._pinged = True
            self._scope.start(self._knock(), name="ping a silent client")
            left = limits.pong_seconds
        self._timer = self._loop.call_later(left, self._silent)

    async def _knock(self) -> None:
        with suppress(ConnectionError):
            await self.ws.ping()

    async def ping(self) -> None:
        """Show that the server is alive, and find out if the client is gone for good."""
        if not self._paused:
            await self.ws.ping()

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
                self._drain.add_done_callback(heard)
            await asyncio.shield(self._drain)

    async def send(self, data: bytes, *, text: bool) -> None:
        """Send one message, and wait until the transport takes more.

        Raises:
            ConnectionError: the client is gone.
        """
        if self._paused:
            await self.writable()
        await self.ws.send_frame(data, _TEXT if text else _BINARY)
        if self._paused:
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
        """Close in order, if the client takes it: not by aiohttp, which reads what is left without letting others in."""
        if self.ws.closed:
            return
        limits = self._limits
        try:
            async with asyncio.timeout(min(1.0, limits.pong_seconds)):
                await self.writable()
            await self._say_close()
        except (TimeoutError, ConnectionError):
            self.abort()
            return
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(limits.pong_seconds):
                await self._answered()
        if self._transport is not None:
            self._transport.close()

    async def _say_close(self) -> None:
        if self._closing:
            return
        self._closing = True
        code, reason = self._code
        await self.ws.send_frame(code.to_bytes(2, "big") + _cut(reason), WSMsgType.CLOSE)

    async def _answered(self) -> None:
        """Read until the client's own close; what still comes before it means nothing."""
        if self.ws.close_code is not None:
            return
        for _ in range(_IDLE):
            message = await self.ws.receive()
            if message.type not in _OPEN:
                return
            await self._turns.pause()

    def abort(self) -> None:
        """Drop the connection without a word."""
        abort(self._transport)


def _cut(reason: str) -> bytes:
    """The reason as the at most 123 bytes of UTF-8 that a close frame has room for."""
    return reason.encode(errors="replace")[:123].decode(errors="ignore").encode()
