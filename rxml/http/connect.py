"""connect: a stream of another process, asked for as it is wanted here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast, overload

import aiohttp
import msgspec

from rxml.batch import Batch
from rxml.errors import ConnectionLost, PipelineError, ProtocolError, RemoteError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.kinds import body_source, label
from rxml.http.address import require_url, unreachable
from rxml.http.checks import instance
from rxml.http.codec import Codec, items_of
from rxml.http.credit import Refill
from rxml.http.decode import ElementError, Intake
from rxml.http.limits import Limits
from rxml.http.protocol import (
    BAD_FRAME,
    HELLO_TIMEOUT,
    JSON,
    MSGPACK,
    UPSTREAM,
    Complete,
    Drain,
    Error,
    Frame,
    Hello,
    Next,
    RawNext,
    Ready,
    Request,
    Subscribe,
)
from rxml.http.race import heard
from rxml.http.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription

T = TypeVar("T")

_PROTOCOLS: Final = {"json": JSON, "msgpack": MSGPACK}
_ID: Final = 1
_TOO_LARGE: Final = 1009
_BROKEN_RULES: Final = (1002, 1003, 1007, _TOO_LARGE, BAD_FRAME, HELLO_TIMEOUT)
"""Close codes that trying again does not help against."""
_HELD_BYTES: Final = 4 * 2**20
_LIMITS: Final = Limits(message_bytes=4 * 2**20, items=1_000_000)


@overload
def connect(
    url: str,
    *,
    encoding: Literal["msgpack", "json"] = ...,
    type: None = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
) -> Flowable[Any]: ...


@overload
def connect(
    url: str,
    *,
    type: type[T],
    encoding: Literal["msgpack", "json"] = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
) -> Flowable[T]: ...


def connect(
    url: str,
    *,
    encoding: Literal["msgpack", "json"] = "msgpack",
    type: Any = None,  # noqa: A002 - it reads best at the call
    headers: Mapping[str, str] | None = None,
    limits: Limits = _LIMITS,
) -> Flowable[Any]:
    """The stream that an `App` of another process offers at `url`; each run is a connection of its own.

    Demand travels: what is asked for here is asked for there (1 if 1 is wanted), again when three quarters of it have
    come, and at most about 4 MiB of it at a time. A reader here that stalls so stalls the flow there. An element that was
    asked for and not yet taken waits here; at most 1024 do.

    Args:
        url: `ws://` or `wss://`, or `http://` or `https://` which mean the same.
        encoding: on the wire; msgpack keeps arrays and batches.
        type: what each element is made into, by msgspec; None: dicts, lists, numbers, arrays.
        headers: further headers of the request.
        limits: `message_bytes`, `depth`, `items`, `heartbeat_seconds`, `hello_seconds` and `pong_seconds` count here.

    Raises:
        PipelineError: the url or the encoding is none of these.
        ConnectionLost: when run, no connection could be made, or it broke, or the server ends; `ops.retry` helps.
        RemoteError: when run, the flow failed there.
        ProtocolError: when run, the other end does not speak `rxml.v1`, or broke its rules.
    """
    require_url(url)
    instance("limits", limits, Limits)
    if encoding not in _PROTOCOLS:
        raise PipelineError(f"encoding must be 'msgpack' or 'json', got {encoding!r}")
    intake: Intake[Any] | None = None if type is None else Intake(type)

    async def body(_inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        codec = Codec(_PROTOCOLS[encoding], limits.wire(limits.message_bytes))
        client = _Client(url, codec, intake, limits, outlet)
        await client.run(dict(headers or {}))

    return body_source(label("connect", url), body, capacity=CHUNK)


class _Client:
    """One connection, for one run."""

    def __init__(
        self,
        url: str,
        codec: Codec,
        intake: Intake[Any] | None,
        limits: Limits,
        outlet: Outlet[Any],
    ) -> None:
        self._url = url
        self._codec = codec
        self._intake = intake
        self._limits = limits
        self._outlet = outlet
        self._refill = Refill(_HELD_BYTES)
        self._came = asyncio.Event()
        self._draining = False
        self._seq = 0
        self._turns = Turns()

    async def run(self, headers: dict[str, str]) -> None:
        limits = self._limits
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.hello_seconds)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            ws = await self._opened(session)
            try:
                await self._greet(ws)
                asking = self._outlet.spawn(self._ask(ws), "demand")
                taking = self._outlet.spawn(self._take(ws), "elements")
                asking.add_done_callback(heard)
                taking.add_done_callback(heard)
                done, _ = await asyncio.wait([asking, taking], return_when=asyncio.FIRST_COMPLETED)
                (taking if taking in done else asking).result()
            except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
                raise self._lost(error) from error
            finally:
                await ws.close()

    async def _opened(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        limits = self._limits
        try:
            async with asyncio.timeout(limits.hello_seconds):
                ws = await session.ws_connect(
                    self._url,
                    protocols=(self._codec.protocol,),
                    max_msg_size=limits.message_bytes,
                    heartbeat=limits.heartbeat_seconds,
                    timeout=aiohttp.ClientWSTimeout(ws_close=min(1.0, limits.pong_seconds)),  # pyright: ignore[reportCallIssue]
                )
        except aiohttp.WSServerHandshakeError as error:
            raise ConnectionLost(f"{self._url} answered {error.status}, no WebSocket") from error
        except aiohttp.ClientConnectorError as error:
            raise ConnectionLost(f"{self._url}: {unreachable(error)}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._lost(error) from error
        if ws.protocol != self._codec.protocol:
            await ws.close()
            raise ProtocolError(f"{self._url} does not speak {self._codec.protocol}")
        return ws

    async def _greet(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        await self._say(ws, Hello())
        seconds = self._limits.hello_seconds
        try:
            async with asyncio.timeout(seconds):
                frame, _ = await self._receive(ws)
        except TimeoutError:
            message = f"{self._url}: no answer to hello within {seconds:g} seconds"
            raise ConnectionLost(message) from None
        if not isinstance(frame, Ready):
            raise ProtocolError(f"{self._url} answered hello with {frame!r}")

    async def _ask(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Pass demand on."""
        begun = False
        while True:
            wanted = await self._outlet.wanted()
            self._came.clear()
            n = 0 if self._draining else self._refill.ask(wanted)
            if n:
                await self._say(ws, Request(_ID, n) if begun else Subscribe(_ID, n))
                begun = True
            await self._came.wait()

    async def _take(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Take what comes, until the stream has ended."""
        while True:
            frame, size = await self._receive(ws)
            await self._turns.pause()
            self._check(frame)
            if isinstance(frame, Next | RawNext):
                self._elements(items_of(frame), size)
            elif isinstance(frame, Complete):
                return
            elif isinstance(frame, Error):
                raise self._failure(frame)
            elif isinstance(frame, Drain):
                self._draining = True
            else:
                raise ProtocolError(f"{self._url} sent {frame!r}, which has no place here")

    def _check(self, frame: Any) -> None:
        """Each frame is of the one stream there is, and elements come in order."""
        if isinstance(frame, Request) and frame.id == UPSTREAM:
            raise ProtocolError(f"{self._url} takes elements in; it is no stream")
        if isinstance(frame, Next | RawNext | Complete | Error) and frame.id != _ID:
            raise ProtocolError(f"{self._url} sent a frame of stream {frame.id}, not {_ID}")
        if isinstance(frame, Next | RawNext) and (frame.seq or 0) != self._seq:
            raise ProtocolError(f"{self._url} sent seq {frame.seq}; {self._seq} is the next")

    def _elements(self, items: Any, size: int) -> None:
        self._refill.came(len(items), size)
        self._seq += len(items)
        if not isinstance(items, Batch):
            items = [self._element(item) for item in items]
        self._outlet.channel.put(Chunk(items))
        self._came.set()

    def _element(self, item: Any) -> Any:
        try:
            if self._intake is not None:
                return self._intake.value(item)
            return msgspec.json.decode(item) if isinstance(item, msgspec.Raw) else item
        except (ElementError, msgspec.MsgspecError, RecursionError) as error:
            raise ProtocolError(
                f"{self._url} sent an element that does not fit: {error}"
            ) from error

    def _failure(self, frame: Error) -> Exception:
        if frame.code == "drain":
            return ConnectionLost(f"{self._url}: {frame.message}")
        retry = None if frame.retry_after_ms is None else frame.retry_after_ms / 1000
        return RemoteError(frame.code, frame.message, retry)

    async def _receive(self, ws: aiohttp.ClientWebSocketResponse) -> tuple[Any, int]:
        message = await ws.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            text = message.type is aiohttp.WSMsgType.TEXT
            data = cast("str", message.data).encode() if text else cast("bytes", message.data)
            return self._codec.from_server(data, text=text), len(data)
        raise self._ended(message, ws.close_code)

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

    async def _say(self, ws: aiohttp.ClientWebSocketResponse, frame: Frame) -> None:
        data = self._codec.encode(frame)
        if self._codec.text:
            await ws.send_str(data.decode())
        else:
            await ws.send_bytes(data)

    def _lost(self, error: BaseException) -> ConnectionLost:
        if isinstance(error, ConnectionLost):
            return error
        return ConnectionLost(f"{self._url}: {str(error) or type(error).__name__}")
