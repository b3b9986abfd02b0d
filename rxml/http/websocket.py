"""websocket: the messages of another process's WebSocket, read as they are wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, overload

import aiohttp
from aiohttp import WSMsgType

from rxml.errors import ConnectionLost, PipelineError, ProtocolError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.kinds import body_source, label
from rxml.http.address import unreachable
from rxml.http.answered import refused
from rxml.http.dial import LIMITS
from rxml.http.reading import Reading
from rxml.http.reconnect import Reconnect, persistently

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.gaps import OnGap
    from rxml.http.limits import Limits

T = TypeVar("T")

_RECONNECT: Final = Reconnect()
_NORMAL: Final = 1000
_FINAL: Final = frozenset(
    {1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003, 4400, 4401, 4403, 4404, 4413}
)
"""Close codes that trying again does not help against (RFC 6455, 7.4.1, the IANA registry, and those of `rxml.v1`)."""


@overload
def websocket(
    url: str,
    *,
    type: None = ...,
    greeting: Sequence[str | bytes] = ...,
    protocols: Sequence[str] = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[str | bytes]: ...


@overload
def websocket(
    url: str,
    *,
    type: type[T],
    greeting: Sequence[str | bytes] = ...,
    protocols: Sequence[str] = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[T]: ...


def websocket(
    url: str,
    *,
    type: Any = None,  # noqa: A002 - it reads best at the call
    greeting: Sequence[str | bytes] = (),
    protocols: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    reconnect: Reconnect | None = _RECONNECT,
    on_gap: OnGap = "log",
) -> Flowable[Any]:
    """The messages of any WebSocket; each run is a connection of its own. For an `App`'s streams `connect` does more.

    A message is read when it is wanted, so a reader that stalls holds the sender back by TCP, with at most about 128 KiB
    and one message here. Pings of the sender wait as long: one that gives up on late pongs will close. If the connection is
    lost, it is made again; since a WebSocket has no place to go on from, that is told as a gap of unknown size.

    Args:
        url: `ws://` or `wss://`, or `http://` or `https://` which mean the same.
        type: of an element, made by msgspec from each message as JSON; None: str and bytes as they come.
        greeting: messages that are sent first on each connection, such as what is to be subscribed to.
        protocols: sub-protocols to offer.
        headers: further ones of the request.
        limits: `message_bytes` of one message, `hello_seconds` until it is open, `heartbeat_seconds` of silence before a
            ping, `pong_seconds` until something must have come after that.
        reconnect: when to connect again; None: never.
        on_gap: what follows when elements may be lost: `log`, `error`, or a function that is called with a `Gap`.

    Raises:
        PipelineError: url, type, greeting or policy are none.
        ConnectionLost: when run, there was no connection and no further attempt; or it was closed with a code, or answered
            with a status, that trying again does not help against.
        ProtocolError: when run, a message is too large, or does not fit.
    """
    reading = Reading.of(
        url, type, headers=headers, limits=limits, reconnect=reconnect, gaps=on_gap
    )
    first: tuple[Any, ...] = tuple(greeting)
    if isinstance(greeting, str | bytes) or not all(
        isinstance(each, str | bytes) for each in first
    ):
        raise PipelineError(f"greeting must be a list of str or bytes, got {greeting!r}")

    async def body(_inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        client = _Client(reading, outlet, first, tuple(protocols))
        await persistently(client.attempt, client.attempts, outlet.clock, outlet.wanted)

    return body_source(label("websocket", url), body, capacity=CHUNK)


class _Client:
    """One run, of one connection after the other."""

    def __init__(
        self,
        reading: Reading,
        outlet: Outlet[Any],
        greeting: tuple[str | bytes, ...],
        protocols: tuple[str, ...],
    ) -> None:
        self._reading = reading
        self._outlet = outlet
        self._greeting = greeting
        self._protocols = protocols
        self.attempts = reading.attempts()
        self._elements = 0

    async def attempt(self) -> None:
        """One connection, until it is closed in peace."""
        url, limits = self._reading.url, self._reading.limits
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.hello_seconds)
        headers = self._reading.headers
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            try:
                ws = await self._opened(session)
                try:
                    await self._take(ws)
                finally:
                    await ws.close()
            except ConnectionLost:
                raise
            except aiohttp.WSServerHandshakeError as error:
                words = f"{url} answered {error.status}, no WebSocket"
                raise refused(words, error.status, error.headers) from error
            except aiohttp.ClientConnectorError as error:
                raise ConnectionLost(f"{url}: {unreachable(error)}") from error
            except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
                raise ConnectionLost(f"{url}: {str(error) or error.__class__.__name__}") from error

    async def _opened(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        limits = self._reading.limits
        async with asyncio.timeout(limits.hello_seconds):
            ws = await session.ws_connect(
                self._reading.url,
                protocols=self._protocols,
                autoping=False,
                max_msg_size=limits.message_bytes,
                timeout=aiohttp.ClientWSTimeout(ws_close=min(1.0, limits.pong_seconds)),  # pyright: ignore[reportCallIssue]
            )
        for message in self._greeting:
            await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
        return ws

    async def _take(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        if self._elements:
            self._reading.lost(None, "connected again", self._outlet)
        while True:
            await self._outlet.wanted()
            message = await self._next(ws)
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._end(message, ws.close_code)
                return
            data = cast("str | bytes", message.data)
            element = data if self._reading.decoder is None else self._reading.element(data)
            await self._outlet.send(Chunk([element]))
            self._elements += 1
            self.attempts.progressed()

    async def _next(self, ws: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        """The next message, or what ends the connection; one that is silent even when pinged is lost."""
        limits = self._reading.limits
        pinged = False
        while True:
            try:
                seconds = limits.pong_seconds if pinged else limits.heartbeat_seconds
                message = await ws.receive(timeout=seconds)
            except TimeoutError:
                if pinged:
                    raise ConnectionLost(f"{self._reading.url} answers no ping") from None
                await ws.ping()
                pinged = True
                continue
            pinged = False
            if message.type is WSMsgType.PING:
                await ws.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                return message

    def _end(self, message: aiohttp.WSMessage, code: int | None) -> None:
        """What the end of a connection means.

        Raises:
            ConnectionLost: it is not the end of the stream.
            ProtocolError: a message was too large.
        """
        url, limits = self._reading.url, self._reading.limits
        if message.type is WSMsgType.ERROR and code == 1009:
            raise ProtocolError(
                f"{url} sent a message larger than message_bytes={limits.message_bytes}"
            )
        if code != _NORMAL:
            reason = message.extra or f"closed with {code}"
            raise ConnectionLost(f"{url}: {reason}", final=code in _FINAL)
