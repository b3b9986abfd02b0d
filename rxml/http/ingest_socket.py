"""The WebSocket of a path of `ingest`: plain messages, or `rxml.v1` with the server's demand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rxml.errors import ProtocolError
from rxml.http.codec import Codec, items_of
from rxml.http.credit import Refill
from rxml.http.decode import ElementError, Intake, json_items, msgpack_items
from rxml.http.encode import to_json
from rxml.http.greeting import greeted
from rxml.http.link import Link, Message
from rxml.http.protocol import (
    BAD_FRAME,
    DRAIN,
    NAMES,
    UPSTREAM,
    Complete,
    Drain,
    Next,
    RawNext,
    Reject,
    Request,
)
from rxml.http.race import race
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from rxml.http.inbox import Inbox
    from rxml.http.serving import Serving

T = TypeVar("T")


async def converse(
    request: web.BaseRequest, serving: Serving, inbox: Inbox[T], intake: Intake[T]
) -> web.StreamResponse:
    """Take elements from a WebSocket until either side ends."""
    async with Link(request, serving.limits, NAMES) as link:
        try:
            if link.protocol is None:
                await race(_plain(link, serving, inbox, intake), _left(link, serving, None))
            else:
                await _spoken(link, serving, inbox, intake, link.protocol)
        except ProtocolError as error:
            link.close_with(BAD_FRAME, str(error))
    return link.ws


async def _spoken(
    link: Link, serving: Serving, inbox: Inbox[T], intake: Intake[T], protocol: str
) -> None:
    codec = Codec(protocol, serving.limits.wire(serving.limits.message_bytes))
    if await greeted(link, codec, serving.limits):
        upstream = Upstream(link, codec, serving, inbox, intake)
        await race(upstream.take(), upstream.ask(), _left(link, serving, codec))


async def _left(link: Link, serving: Serving, codec: Codec | None) -> None:
    """The server ends: nothing more is asked for, so it can be said at once."""
    await serving.leaving.wait()
    if codec is not None:
        await link.say(codec.encode(Drain(deadline_ms=serving.left_ms())), text=codec.text)
    link.close_with(DRAIN, "the server is about to end")


async def _plain(link: Link, serving: Serving, inbox: Inbox[T], intake: Intake[T]) -> None:
    """Each message is an element, or an array of some; the next is not read before it is wanted."""
    index = 0
    while True:
        await inbox.ready(None)
        message = await link.receive()
        if message is None:
            return
        for item in _items(message, serving):
            try:
                await inbox.offer([intake.value(item)], None)
            except ElementError as error:
                answer = to_json({"index": index, "error": str(error)})
                await link.say(answer, text=True)
            index += 1


def _items(message: Message, serving: Serving) -> Sequence[Any]:
    try:
        if message.text:
            return json_items(message.data)
        return msgpack_items(message.data, serving.limits.wire(serving.limits.message_bytes))
    except Refusal as refusal:
        raise ProtocolError(refusal.reason.replace("body", "message")) from refusal


class Upstream(Generic[T]):
    """The stream that goes up: demand out, elements in."""

    def __init__(
        self, link: Link, codec: Codec, serving: Serving, inbox: Inbox[T], intake: Intake[T]
    ) -> None:
        self._link = link
        self._codec = codec
        self._inbox = inbox
        self._intake = intake
        self._window = serving.limits.window
        self._refill = Refill(16 * serving.limits.message_bytes)
        self._came = asyncio.Event()
        self._seq = 0

    async def ask(self) -> None:
        """Send demand as the inbox has room: never more than what is wanted there."""
        while True:
            wanted = await self._inbox.ready(None)
            self._came.clear()
            n = self._refill.ask(min(wanted, self._window))
            if n:
                await self._say(Request(UPSTREAM, n))
            await self._came.wait()

    async def take(self) -> None:
        """Take elements until the client completes or leaves."""
        while (message := await self._link.receive()) is not None:
            frame = self._codec.from_client(message.data, text=message.text)
            if isinstance(frame, Complete):
                await self._say(Complete(UPSTREAM))
                return
            if not isinstance(frame, Next | RawNext):
                raise ProtocolError(f"{type(frame).__name__.lower()} has no place on this path")
            if frame.id != UPSTREAM:
                raise ProtocolError(f"the stream that goes up is {UPSTREAM}, got {frame.id}")
            await self._elements(items_of(frame), len(message.data))

    async def _elements(self, items: Sequence[Any], size: int) -> None:
        self._refill.came(len(items), size)
        valid: list[T] = []
        for item in items:
            try:
                valid.append(self._intake.value(item))
            except ElementError as error:
                await self._say(Reject(UPSTREAM, self._seq, str(error)))
            self._seq += 1
        await self._inbox.offer(valid, None)
        self._came.set()

    async def _say(self, frame: Any) -> None:
        await self._link.say(self._codec.encode(frame), text=self._codec.text)
