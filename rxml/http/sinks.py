"""The three ways in which a client without demand is written to: SSE, NDJSON, and plain WebSocket messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web
from typing_extensions import override

from rxml.errors import ConnectionLost
from rxml.http.encode import to_json
from rxml.http.protocol import DRAIN, SHED
from rxml.http.replies import HEADERS
from rxml.http.transport import abort

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rxml.http.limits import Limits
    from rxml.http.link import Link
    from rxml.http.replay import Stand

RETRY_MS: Final = 1000
"""Milliseconds after which an SSE client connects again."""

FAILED: Final = 1011

WORDS: Final = (b'{"gap":', b'{"error":', b'{"reset":')
"""How lines and messages begin that are no elements; an element that would begin so has a space behind its brace."""


def apart(encoded: Sequence[bytes]) -> list[bytes]:
    """Elements in such a form that none is taken for something else."""
    return [b"{ " + each[1:] if each.startswith(WORDS) else each for each in encoded]


class SocketSink:
    """A WebSocket without a sub-protocol: each message is an element; `{"gap": n}` says that n were skipped here.

    The end of the flow is close code 1000; an error is a message `{"error": {...}}` and another code.
    """

    def __init__(self, link: Link, *, told: bool = False) -> None:
        self._link = link
        self._told = told

    async def stand(self, stand: Stand) -> None:
        """A message, to whoever has said where it wants to go on."""
        if stand.reset or self._told:
            await self._link.send(to_json(standing(stand)), text=True)
        if stand.gap:
            await self.gap(stand.gap)

    async def elements(self, encoded: Sequence[bytes]) -> None:
        """Send elements, a message each."""
        for data in apart(encoded):
            await self._link.send(data, text=True)

    async def gap(self, count: int) -> None:
        """Say that elements were skipped here."""
        await self._link.send(to_json({"gap": count}), text=True)

    async def beat(self) -> None:
        """Nothing: pings show that the stream is alive."""

    async def complete(self) -> None:
        """Close in peace."""
        self._link.close_with(1000, "the stream has ended")

    async def fail(self, code: str, message: str) -> None:
        """Say what happened and close."""
        self._link.close_with({"drain": DRAIN, "slow": SHED}.get(code, FAILED), message)
        if code != "drain":
            await self._link.send(to_json({"error": {"code": code, "message": message}}), text=True)


def standing(stand: Stand) -> dict[str, dict[str, object]]:
    """Where a client goes on, as an object for JSON."""
    kind = "reset" if stand.reset else "position"
    return {kind: {"epoch": stand.epoch, "offset": stand.offset}}


class BodySink:
    """A response whose body goes on."""

    def __init__(
        self, request: web.BaseRequest, limits: Limits, headers: Mapping[str, str]
    ) -> None:
        self._request = request
        self._patience = limits.idle_seconds
        self.response: web.StreamResponse = web.StreamResponse(
            headers={**HEADERS, "X-Accel-Buffering": "no", **headers}
        )

    async def begin(self) -> None:
        """Send the head."""
        await self.response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        """Write, and wait until the transport takes more; a client that takes nothing at all is dropped."""
        try:
            async with asyncio.timeout(self._patience):
                await self.response.write(data)
                await self._request.writer.drain()
        except TimeoutError:
            abort(self._request.transport)
            raise ConnectionLost("the client does not read") from None


class LineSink(BodySink):
    """NDJSON: a line is an element, or `{"gap": n}`; the last is `{"error": {...}}` if it did not end well."""

    async def stand(self, stand: Stand) -> None:
        """A line, if it is not what the client wanted; the head says the rest."""
        if stand.reset:
            await self.write(to_json(standing(stand)) + b"\n")
        if stand.gap:
            await self.gap(stand.gap)

    async def elements(self, encoded: Sequence[bytes]) -> None:
        """Send elements, a line each."""
        await self.write(b"\n".join([*apart(encoded), b""]))

    async def gap(self, count: int) -> None:
        """Say that elements were skipped here."""
        await self.write(b'{"gap":%d}\n' % count)

    async def beat(self) -> None:
        """Nothing: NDJSON has no comments."""

    async def complete(self) -> None:
        """Nothing: the body ends."""

    async def fail(self, code: str, message: str) -> None:
        """The last line."""
        await self.write(to_json({"error": {"code": code, "message": message}}) + b"\n")


class EventSink(BodySink):
    """Server-sent events: `id` counts elements sent from 0; events `gap`, `error` and `complete` beside plain data."""

    def __init__(
        self, request: web.BaseRequest, limits: Limits, headers: Mapping[str, str]
    ) -> None:
        super().__init__(request, limits, headers)
        self._id = 0
        self._epoch = b""

    @override
    async def begin(self) -> None:
        await super().begin()
        await self.write(b"retry: %d\n\n" % RETRY_MS)

    async def stand(self, stand: Stand) -> None:
        """From here on an `id` is an epoch and an offset."""
        self._epoch = f"{stand.epoch}-".encode()
        self._id = stand.offset
        if stand.reset:
            data = to_json(standing(stand)["reset"])
            await self.write(b"event: reset\ndata: %s\n\n" % data)
        if stand.gap:
            await self._missed(stand.gap)

    async def elements(self, encoded: Sequence[bytes]) -> None:
        """Send elements, an event each."""
        epoch = self._epoch
        events = [
            b"id: %s%d\ndata: %s\n\n" % (epoch, *event) for event in enumerate(encoded, self._id)
        ]
        self._id += len(encoded)
        await self.write(b"".join(events))

    async def gap(self, count: int) -> None:
        """Say that elements were skipped here."""
        self._id += count if self._epoch else 0
        await self._missed(count)

    async def _missed(self, count: int) -> None:
        await self.write(b'event: gap\ndata: {"gap":%d}\n\n' % count)

    async def beat(self) -> None:
        """A comment."""
        await self.write(b":\n\n")

    async def complete(self) -> None:
        """Say that there is nothing to connect again for."""
        await self.write(b"event: complete\ndata: {}\n\n")

    async def fail(self, code: str, message: str) -> None:
        """Say what happened."""
        data = to_json({"code": code, "message": message})
        await self.write(b"event: error\ndata: %s\n\n" % data)
