"""Body: what a client sends, read by demand, and only so much and so slowly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import ClientPayloadError, hdrs
from aiohttp.web import RequestPayloadError

from rxml.http.handler import Handler
from rxml.http.inflate import CODINGS, STEP, Inflater
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.web import BaseRequest

    from rxml.http.limits import Limits


class Body:
    """The body of one request, decompressed. Nothing is read before `read` is called.

    Args:
        request: whose body.
        limits: for size and time.
        most: bytes in all, decompressed.

    Raises:
        Refusal: 413 if the client says itself that it is too large, 415 for an unknown coding.
    """

    def __init__(self, request: BaseRequest, limits: Limits, most: int) -> None:
        self._request = request
        self._most = most
        self._limits = limits
        self._size = self._received = 0
        self._ended = False
        self._begun = False
        coding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
        if coding not in ("identity", *CODINGS):
            known = ", ".join(CODINGS)
            raise Refusal(
                415, f"Content-Encoding {coding!r} is not understood; use {known} or none"
            )
        self._inflater = None if coding == "identity" else Inflater(coding, limits.inflate_ratio)
        if (request.content_length or 0) > most:
            self._refuse()

    async def read(self, seconds: float) -> bytes:
        """The next bytes; none at the end.

        Args:
            seconds: how long to wait for the client.

        Raises:
            Refusal: 400, 408 or 413.
            ConnectionError: the client is gone.
        """
        try:
            async with asyncio.timeout(seconds):
                data = await self._next()
        except TimeoutError:
            raise Refusal(408, f"the body stood still for {seconds:g} seconds") from None
        self._grown(len(data))
        return data

    def at_hand(self) -> bytes | None:
        """All of it, if it is here already and as it is; else None, and nothing has happened.

        Most small bodies come together with their head: they need no timer, and hold nothing while they come.

        Raises:
            Refusal: 413.
        """
        content, protocol = self._request.content, self._request.protocol
        waits = self._begun or self._inflater is not None or not content.is_eof()
        if waits or content.exception() is not None:
            return None
        if isinstance(protocol, Handler) and protocol.cut is content:
            return None
        self._begun = True
        data = content.read_nowait()
        self._grown(len(data))
        return data

    async def whole(self, arrived: Callable[[int], None]) -> bytes:
        """All of it. It is decompressed only when it is here: a slow client holds no more than it has sent.

        Args:
            arrived: told of bytes before they are kept.

        Raises:
            Refusal: 400, 408 or 413, or what `arrived` raises.
            ConnectionError: the client is gone.
        """
        inflater, self._inflater = self._inflater, None
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.body_seconds
        parts: list[bytes] = []
        while part := await self.read(max(0.0, end - loop.time())):
            arrived(len(part))
            parts.append(part)
        if inflater is None:
            return b"".join(parts)
        return self._inflated(inflater, b"".join(parts), arrived)

    def _inflated(self, inflater: Inflater, data: bytes, arrived: Callable[[int], None]) -> bytes:
        parts: list[bytes] = []
        self._size = 0
        inflater.feed(data)
        while part := inflater.read():
            self._grown(len(part))
            arrived(len(part))
            parts.append(part)
        inflater.finish()
        return b"".join(parts)

    async def _next(self) -> bytes:
        if not self._begun:
            self._begun = True
            await self._go_on()
        inflater = self._inflater
        if inflater is None:
            return await self._receive()
        while not (data := inflater.read()):
            if self._ended:
                return b""
            received = await self._receive()
            self._received += len(received)
            if self._received > self._most:
                self._refuse()
            if received:
                inflater.feed(received)
            else:
                self._ended = True
                inflater.finish()
        return data

    async def _receive(self) -> bytes:
        content, protocol = self._request.content, self._request.protocol
        try:
            data = await content.read(STEP)
        except (RequestPayloadError, ClientPayloadError) as error:
            raise ConnectionResetError("the client left in the middle of its body") from error
        if not data and isinstance(protocol, Handler) and protocol.cut is content:
            raise Refusal(400, "the body is cut off")
        return data

    async def _go_on(self) -> None:
        """A client that asks first whether to send (`Expect: 100-continue`) is told so only now."""
        if self._request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._request.writer.output_size = 0

    def _grown(self, count: int) -> None:
        self._size += count
        if self._size > self._most:
            self._refuse()

    def _refuse(self) -> None:
        raise Refusal(413, f"the body is larger than {self._most} bytes")
