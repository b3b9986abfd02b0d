"""OperatorSocket: an operator behind a WebSocket. Elements come up, results go down, each as the other side asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rxml.flow.chunk import Chunk
from rxml.flow.kinds import body_source
from rxml.http.codec import Codec
from rxml.http.decode import ElementError, json_items, msgpack_items
from rxml.http.encode import to_json
from rxml.http.exchange import Exchange
from rxml.http.feed import Feed
from rxml.http.greeting import greeted
from rxml.http.link import Link
from rxml.http.pool import SHARE, Arrivals
from rxml.http.protocol import NAMES, SHED, Error
from rxml.http.replies import Refusal
from rxml.http.session import Session
from rxml.http.sinks import SocketSink
from rxml.http.slow import buffer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.decode import Intake
    from rxml.http.message import Message
    from rxml.http.protocol import Subscribe
    from rxml.http.serving import Serving

A = TypeVar("A")
B = TypeVar("B")

_AHEAD = 64
"""Results that wait for a client without sub-protocol."""


class OperatorSocket(Generic[A, B]):
    """Answers WebSockets with the results of an operator; each stream is a run of its own.

    With `rxml.v1` both directions have credits, several streams share a socket, and each begins with `subscribe`. Without,
    a message is an element (or an array of some), each result is a message in JSON, and an element that is not valid is
    answered with `{"index": i, "error": "..."}`; the next message is read when it is wanted.

    Args:
        operator: what runs.
        intake: what elements must be.
        waiting_bytes: that decoded elements of all clients may take until they are wanted, a quarter of it for one
            address; by an upper estimate. Beyond it a stream ends with the error `busy`, unless nothing else waits.
    """

    def __init__(
        self,
        operator: Callable[[Flowable[A]], Flowable[B]],
        intake: Intake[A],
        waiting_bytes: int,
    ) -> None:
        self._operator = operator
        self._intake = intake
        self._arrivals = Arrivals(waiting_bytes)
        self._most = max(1, waiting_bytes // SHARE)

    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        """Talk with one client until either side ends."""
        async with Link(request, serving, NAMES) as link:
            if link.protocol is None:
                await self._plain(link, serving)
            else:
                with self._arrivals.of(request.remote) as arrived:
                    await self._spoken(link, serving, link.protocol, arrived)
        return link.ws

    async def _spoken(
        self, link: Link, serving: Serving, protocol: str, arrived: Callable[[int], None]
    ) -> None:
        codec = Codec(protocol, serving.limits.wire(serving.limits.message_bytes))

        def opened(frame: Subscribe) -> Exchange | Error:
            if frame.path is not None or frame.resume is not None:
                return Error(frame.id, "path", "an operator has one path, and nothing to resume")
            ends = (link, codec, serving)
            return Exchange(
                frame, self._operator, self._intake, arrived=arrived, most=self._most, ends=ends
            )

        if await greeted(link, codec, serving.limits):
            await Session(link, codec, serving, opened, takes_in=True).run()

    async def _plain(self, link: Link, serving: Serving) -> None:
        messages = _Messages(link, serving, self._intake)
        flow = self._operator(body_source("messages", messages.body, capacity=_AHEAD, rate=True))
        sink = SocketSink(link)
        await Feed(flow, sink, serving, slow=buffer(_AHEAD), key=None, encode=to_json).run()


class _Messages(Generic[A]):
    """The messages of a client without sub-protocol, read as they are wanted."""

    def __init__(self, link: Link, serving: Serving, intake: Intake[A]) -> None:
        self._link = link
        self._serving = serving
        self._intake = intake
        self._index = 0

    async def body(self, _inlets: tuple[Subscription[Any], ...], outlet: Outlet[A]) -> None:
        """Until the client leaves or the server ends."""
        over = asyncio.Event()
        delist = outlet.env.enlist(over.set, endless=True)
        try:
            while not over.is_set() and await self._wanted(outlet):
                message = await self._link.receive()
                if message is None:
                    return
                await self._take(message, outlet)
        except ConnectionError:  # no error of the flow: nobody waits for its results any more
            return
        finally:
            delist()

    async def _wanted(self, outlet: Outlet[A]) -> bool:
        """Wait for demand; pings find out meanwhile whether the client has left. False if there was none for too long."""
        limits = self._serving.limits
        try:
            async with asyncio.timeout(limits.idle_seconds):
                while not await self._within(outlet, limits.heartbeat_seconds):
                    await self._link.ping()
        except TimeoutError:
            self._link.close_with(SHED, f"no result was read in {limits.idle_seconds:g} seconds")
            return False
        return True

    async def _within(self, outlet: Outlet[A], seconds: float) -> bool:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await outlet.wanted()
        except TimeoutError:
            if not limit.expired():
                raise
            return False
        return True

    async def _take(self, message: Message, outlet: Outlet[A]) -> None:
        items = await self._items(message)
        for start in range(0, len(items), _AHEAD):
            valid: list[A] = []
            for item in items[start : start + _AHEAD]:
                try:
                    valid.append(self._intake.value(item))
                except ElementError as error:
                    await self._refuse(str(error))
                self._index += 1
            if valid:
                await outlet.send(Chunk(valid))
            await self._serving.turns.pause()

    async def _items(self, message: Message) -> Sequence[Any]:
        limits = self._serving.limits
        try:
            if message.text:
                return json_items(message.data, limits.items)
            return msgpack_items(message.data, limits.wire(limits.message_bytes))
        except Refusal as refusal:
            await self._refuse(refusal.reason.replace("body", "message"))
            self._index += 1
            return ()

    async def _refuse(self, reason: str) -> None:
        await self._link.say(to_json({"index": self._index, "error": reason}), text=True)
