"""connect: a stream of another process, asked for as it is wanted here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast, overload
from urllib.parse import urlsplit

import aiohttp
import msgspec

from rxml.batch import Batch
from rxml.errors import ConnectionLost, PipelineError, ProtocolError, RemoteError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.kinds import body_source, label
from rxml.http.codec import Codec, items_of
from rxml.http.credit import Refill
from rxml.http.decode import ElementError, Intake
from rxml.http.limits import Limits
from rxml.http.protocol import (
    JSON,
    MSGPACK,
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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription

T = TypeVar("T")

_PROTOCOLS: Final = {"json": JSON, "msgpack": MSGPACK}
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
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss", "http", "https") or not parts.netloc:
        raise PipelineError(
            f"connect wants a url like ws://127.0.0.1:8080/predictions, got {url!r}"
        )
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

    async def run(self, headers: dict[str, str]) -> None:
        limits = self._limits
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.hello_seconds)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            ws = await self._opened(session)
            try:
                await self._greet(ws)
                asking = self._outlet.spawn(self._ask(ws), "demand")
                taking = self._outlet.spawn(self._take(ws), "elements")
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
        except (aiohttp.ClientError, OSError) as error:
            raise self._lost(error) from error
        if ws.protocol != self._codec.protocol:
            await ws.close()
            raise ProtocolError(f"{self._url} does not speak {self._codec.protocol}")
        return ws

    async def _greet(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        await self._say(ws, Hello())
        async with asyncio.timeout(self._limits.hello_seconds):
            frame, _ = await self._receive(ws)
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
                await self._say(ws, Request(1, n) if begun else Subscribe(1, n))
                begun = True
            await self._came.wait()

    async def _take(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Take what comes, until the stream has ended."""
        while True:
            frame, size = await self._receive(ws)
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

    def _elements(self, items: Any, size: int) -> None:
        self._refill.came(len(items), size)
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
        if message.type is aiohttp.WSMsgType.CLOSE and message.data in (4400, 4408):
            raise ProtocolError(f"{self._url} closed with {message.data}: {message.extra}")
        reason = message.extra or f"closed with {ws.close_code}"
        raise ConnectionLost(f"{self._url}: {reason}")

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
