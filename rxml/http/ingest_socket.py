"""The WebSocket of a path of `ingest`: plain messages, or `rxml.v1` with the server's demand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from rxml.errors import ProtocolError
from rxml.http.codec import Codec, items_of
from rxml.http.credit import Refill
from rxml.http.decode import ElementError, json_items, msgpack_items
from rxml.http.encode import to_json
from rxml.http.greeting import greeted
from rxml.http.handing import Handing, UnwantedError
from rxml.http.inbox import DesertedError
from rxml.http.link import Link
from rxml.http.protocol import (
    DRAIN,
    LATER,
    NAMES,
    SHED,
    UPSTREAM,
    Complete,
    Drain,
    Next,
    RawNext,
    Reject,
    Request,
    Subscribe,
    name_of,
)
from rxml.http.race import race
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from rxml.http.decode import Intake
    from rxml.http.inbox import Inbox
    from rxml.http.limits import Limits
    from rxml.http.message import Message
    from rxml.http.pool import Pool
    from rxml.http.serving import Serving

T = TypeVar("T")

_BLOCK: Final = 256


async def converse(
    request: web.BaseRequest, serving: Serving, inbox: Inbox[T], intake: Intake[T], pool: Pool
) -> web.StreamResponse:
    """Take elements from a WebSocket until either side ends."""
    async with Link(request, serving, NAMES) as link:
        handing = Handing(link, serving, inbox, intake, pool)
        try:
            if link.protocol is None:
                await race(_plain(link, handing), _left(link, serving, None))
            else:
                await _spoken(link, serving, handing, link.protocol)
        except UnwantedError as error:
            link.close_with(SHED, str(error))
        except DesertedError as error:
            link.close_with(LATER, str(error))
    return link.ws


async def _spoken(link: Link, serving: Serving, handing: Handing[T], protocol: str) -> None:
    codec = Codec(protocol, serving.limits.wire(serving.limits.message_bytes))
    if await greeted(link, codec, serving.limits):
        upstream = Upstream(link, codec, handing)
        await race(upstream.take(), upstream.ask(), _left(link, serving, codec))


async def _left(link: Link, serving: Serving, codec: Codec | None) -> None:
    """The server ends: nothing more is asked for, so it can be said at once."""
    await serving.leaving.wait()
    if codec is not None:
        await link.say(codec.encode(Drain(deadline_ms=serving.left_ms())), text=codec.text)
    link.close_with(DRAIN, "the server is about to end")


async def _plain(link: Link, handing: Handing[Any]) -> None:
    """Each message is an element, or an array of some; the next is not read before it is wanted."""
    index = 0
    while True:
        await handing.wanted()
        message = await link.receive()
        if message is None:
            return
        async with handing.decoding(message.data, text=message.text):
            index = await _message(link, handing, message, index)


async def _message(link: Link, handing: Handing[Any], message: Message, index: int) -> int:
    """Take the elements of one message; returns the index of the next element."""
    items = _items(message, handing.limits)
    for start in range(0, len(items), _BLOCK):
        valid: list[Any] = []
        for item in items[start : start + _BLOCK]:
            try:
                valid.append(handing.intake.value(item))
            except ElementError as error:
                answer = to_json({"index": index, "error": str(error)})
                await link.say(answer, text=True)
            index += 1
        await handing.give(valid)
        await handing.turns.pause()
    return index


def _items(message: Message, limits: Limits) -> Sequence[Any]:
    try:
        if message.text:
            return json_items(message.data, limits.items)
        return msgpack_items(message.data, limits.wire(limits.message_bytes))
    except Refusal as refusal:
        raise ProtocolError(refusal.reason.replace("body", "message")) from refusal


class Upstream(Generic[T]):
    """The stream that goes up: demand out, elements in."""

    def __init__(self, link: Link, codec: Codec, handing: Handing[T]) -> None:
        self._link = link
        self._codec = codec
        self._handing = handing
        self._window = handing.limits.window
        self._refill = Refill(16 * handing.limits.message_bytes)
        self._came = asyncio.Event()
        self._seq = 0

    async def ask(self) -> None:
        """Send demand as the inbox has room: never more than what is wanted there."""
        while True:
            wanted = await self._handing.inbox.ready(None)
            self._came.clear()
            n = self._refill.ask(min(wanted, self._window))
            if n:
                await self._say(Request(UPSTREAM, n))
            await self._came.wait()

    async def take(self) -> None:
        """Take elements until the client completes or leaves."""
        while (message := await self._link.receive()) is not None:
            async with self._handing.decoding(message.data, text=message.text):
                frame = self._codec.from_client(message.data, text=message.text)
                if isinstance(frame, Complete):
                    await self._say(Complete(UPSTREAM))
                    return
                await self._elements(self._checked(frame), len(message.data))

    def _checked(self, frame: Any) -> Sequence[Any]:
        if isinstance(frame, Subscribe):
            raise ProtocolError("this path takes elements in; it is no stream to subscribe to")
        if not isinstance(frame, Next | RawNext):
            raise ProtocolError(f"{name_of(frame)} has no place on this path")
        if frame.id != UPSTREAM:
            raise ProtocolError(f"the stream that goes up is {UPSTREAM}, got {frame.id}")
        if frame.seq not in (None, self._seq):
            raise ProtocolError(f"seq must be {self._seq}, got {frame.seq}")
        return items_of(frame)

    async def _elements(self, items: Sequence[Any], size: int) -> None:
        self._refill.came(len(items), size)
        valid: list[T] = []
        for item in items:
            try:
                valid.append(self._handing.intake.value(item))
            except ElementError as error:
                await self._say(Reject(UPSTREAM, self._seq, str(error)))
            self._seq += 1
        await self._handing.give(valid)
        self._came.set()

    async def _say(self, frame: Any) -> None:
        await self._link.say(self._codec.encode(frame), text=self._codec.text)
