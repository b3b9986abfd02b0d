"""Handler: aiohttp's reading of requests, with answers and logs of our own."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from typing_extensions import override

from rxml.http.activity import NEVER, Activity
from rxml.http.replies import reply
from rxml.http.request import Request, SecureRequest
from rxml.http.sieve import Sieve

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.http.express import Express
    from rxml.http.listener import Listener

logger: Final = logging.getLogger("rxml.http")

_SOON: Final = 0.01
_GRACE: Final = 1.0
"""Seconds that an answer may still take once its client will say no more: it may be gone altogether."""


class Handler(web.RequestHandler):
    """One connection of HTTP.

    What is no request is answered in JSON, without the parser's words, and logged only for who debugs. A client that has
    closed its half of the connection still gets its answer.

    Attributes:
        address: of the client; None over a Unix socket.
        asked: when it has asked last, see `Activity`.
        ended: the client will say no more.
        cut: the body in the middle of which it said its last.
        sieve: takes out what goes by express; None: nothing does.
    """

    __slots__ = ("address", "asked", "cut", "ended", "sieve")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.address: str | None = None
        self.asked: int = NEVER
        self.ended: bool = False
        self.cut: Any = None
        self.sieve: Sieve | None = None

    def express(self, express: Express) -> None:
        """Have what is plain go by express."""
        self._parser = self.sieve = Sieve(self._parser, self, express)  # type: ignore[assignment] # stands in for it

    @property
    def waits(self) -> bool:
        """Whether nothing is being answered the long way, and the next answer would leave at once."""
        waiter = self._waiter
        closing = self._close or self._force_close or self.ended or self._paused
        return not closing and waiter is not None and not waiter.done() and not self._messages

    def now(self) -> float:
        """The time of the loop, in seconds."""
        return self._loop.time()

    def asks(self) -> float:
        """It is being answered by express, or has been as soon as it had asked; returns the time."""
        now = self._loop.time()
        self._next_keepalive_close_time = now + self._keepalive_timeout
        self._request_count += 1
        manager: Any = self._manager
        if manager is not None:
            manager.requests_count += 1
            manager.activity.asks(self, now)
        return now

    @override
    def _process_keepalive(self) -> None:
        """It is not idle while it is being answered by express, however long that takes: each answer has its own deadline."""
        if self.sieve is not None and self.sieve.busy:
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        super()._process_keepalive()

    def back(self, *, last: bool) -> None:
        """It has been answered by express; `last`: nothing waits behind that."""
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if last and self.ended and self.transport is not None:
            self.transport.close()

    def enough(self) -> None:
        """Nothing more is read until `more`."""
        if not self._buffer_paused:
            self._pause_reading_for_buffer()

    def more(self) -> None:
        """What was not parsed yet, and what has not been read."""
        if self._buffer_paused:
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self.transport is None or not self._buffer_paused:
            return
        self._buffer_paused = False  # so that who has enough again says so, and goes on from there
        self.data_received(b"")
        if not (self._buffer_paused or self._reading_paused):
            self._resume_transport_reading()

    def long_way(self, messages: list[tuple[Any, Any]]) -> None:
        """These have waited behind what went by express, and do not go that way themselves."""
        self._request_count += len(messages)
        self._messages.extend(messages)
        if self.ended:  # while others were answered: what is not all here will never be
            self._loop.call_later(_SOON, self._say_ended)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @override
    def data_received(self, data: bytes) -> None:
        if self._close and self._payload_parser is not None and self.transport is not None:
            self.transport.pause_reading()  # what has broken the rules of WebSocket is not even received
        super().data_received(data)

    @override
    def eof_received(self) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # asyncio's may
        if self.sieve is not None and self.sieve.busy:
            self.ended = True
            return True
        idle = self._waiter is not None and not self._messages
        if self._payload_parser is not None or idle or not self._request_count:
            return False
        self.ended = True
        # A request that has come with the end may be on its way to its handler, where it cannot be seen.
        asyncio.get_running_loop().call_later(_SOON, self._say_ended)
        return True

    def _say_ended(self) -> None:
        request, waiting = self._current_request, self._messages
        if request is None and not waiting:
            self._give_up()
            return
        for payload in (request.content if request else None, waiting[-1][1] if waiting else None):
            if payload is not None and not payload.is_eof():
                self.cut = payload
                payload.feed_eof()
        if request is not None and request.method != "POST":
            asyncio.get_running_loop().call_later(_GRACE, self._give_up)

    @property
    def last(self) -> bool:
        """True if the request that is being answered is the last one."""
        return self.ended and not self._messages

    def _give_up(self) -> None:
        """Whoever is gone for good is noticed like this: nothing but an end comes, as from one who only listens."""
        if self.transport is not None:
            self.transport.close()

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        logger.debug("no request: %s", message, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        if isinstance(self._manager, Http):
            self._manager.refused(status)
        if status == 400:
            response = reply(400, {"error": "the request is malformed, or its head too large"})
        else:
            response = reply(status, {"error": "internal error"})
        response.force_close()
        return response

    @override
    def log_exception(self, *args: Any, **kw: Any) -> None:
        logger.error(*args, **kw)


class Http(web.Server):
    """Makes a `Handler` for each connection.

    Args:
        handler: answers a request.
        refused: called with the status of each answer to what is no request.
        secure: connections are over TLS.
        options: of `Handler`.

    Attributes:
        activity: how many connections have asked lately.
        addresses: how many connections each address has.
        express: takes what is plain; None: nothing does.
        listener: is told of connections that have left.
    """

    def __init__(
        self, handler: Any, refused: Callable[[int], None], *, secure: bool = False, **options: Any
    ) -> None:
        self.activity: Activity = Activity()
        self.addresses: Counter[str | None] = Counter()
        self._make: Any = SecureRequest if secure else Request
        self.refused: Callable[[int], None] = refused
        super().__init__(handler, handler_cancellation=True, request_factory=self._request)
        self._options = options
        self.express: Express | None = None
        self.listener: Listener | None = None

    def _request(self, *arguments: Any) -> web.BaseRequest:
        made: web.BaseRequest = self._make(*arguments, self._loop)
        if isinstance(handler := made.protocol, Handler):
            self.activity.asks(handler, self._loop.time())
        return made

    def active(self) -> int:
        """How many connections have asked lately."""
        return self.activity.count(self._loop.time())

    @override
    def __call__(self) -> Handler:
        handler = Handler(self, loop=asyncio.get_running_loop(), **self._options)
        if self.express is not None:
            handler.express(self.express)
        return handler

    @override
    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if isinstance(handler, Handler):
            handler.address = address_of(transport)
            self.addresses[handler.address] += 1

    @override
    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        if isinstance(handler, Handler) and handler in self._connections:
            self.addresses[handler.address] -= 1
            if not self.addresses[handler.address]:
                del self.addresses[handler.address]
            self.activity.leaves(handler)
        super().connection_lost(handler, exc)
        if isinstance(handler, Handler) and handler.sieve is not None:
            handler.sieve.lost()
        if self.listener is not None:
            self.listener.left()


def address_of(transport: asyncio.BaseTransport) -> str | None:
    """The address of who is at the other end; None over a Unix socket."""
    peer: Any = transport.get_extra_info("peername")
    return str(peer[0]) if peer else None
