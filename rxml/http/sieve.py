"""Sieve: what stands before the parser of one connection, and takes out what goes by express."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs
from aiohttp.http import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import (
    MAX_MSG_QUEUE_SIZE,
    _ErrInfo,  # pyright: ignore[reportPrivateUsage] # what the parser was told in vain has no other name
)

from rxml.http.express import BROKEN, GONE, written
from rxml.http.heads import END

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.http.express import Express
    from rxml.http.express_needs import Connection
    from rxml.http.lane import Lane, Reply

logger: Final = logging.getLogger("rxml.http")

_PIPELINED: Final = MAX_MSG_QUEUE_SIZE - 1
"""Requests that wait behind the one that is answered, until no more are read."""

_UNKNOWN: Final = -1
_WHOLE: Final = 2**15
"""Bytes of a body that the parser hands on at once, whatever is read of it."""

_NONE: Final[tuple[Sequence[tuple[Any, Any]], bool, bytes]] = ((), False, b"")


class Sieve:
    """What is plain is taken out as soon as it has been parsed, or unparsed if its head is known.

    Args:
        parser: of aiohttp.
        handler: of the connection.
        express: of the server.

    Attributes:
        busy: something that went by express is being answered.
    """

    def __init__(self, parser: Any, handler: Connection, express: Express) -> None:
        self._parser = parser
        self._handler = handler
        self._express = express
        self._held: list[tuple[Any, Any]] = []
        self._left = 0  # bytes that the parser still waits for until a request ends
        self._path = ""
        self._began = 0.0
        self._going = False
        self.busy: bool = False

    def __getattr__(self, name: str) -> Any:
        """Whatever else aiohttp asks of its parser."""
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> tuple[Sequence[tuple[Any, Any]], bool, bytes]:
        """What aiohttp has to see to."""
        if not self._left and not self.busy:
            known = self._express.known(data)
            if known is not None and self._handler.waits:
                self._take(known.lane, known.terms, data, known.begin)
                return _NONE
        left, self._left = self._left, _UNKNOWN
        try:
            messages, upgraded, tail = self._parser.feed_data(data)
        except HttpProcessingError as error:
            if not self.busy:
                raise
            self._hold([(_ErrInfo(400, error, error.message), EMPTY_PAYLOAD)])  # has its turn, too
            return _NONE
        self._left = left_after(left, data, messages)
        if messages:
            messages = self._sifted(messages, data, upgraded=upgraded)
        return messages, upgraded, tail

    def _sifted(
        self, messages: Sequence[tuple[Any, Any]], data: bytes, *, upgraded: bool
    ) -> Sequence[tuple[Any, Any]]:
        if self.busy:  # each connection is answered in the order in which it asks
            self._hold(messages)
            return ()
        if upgraded or not self._handler.waits:
            return messages
        lane = self._express.lane(*messages[0])
        if lane is None:
            return messages
        self._hold(messages[1:])
        self._parsed(lane, *messages[0], data=b"" if self._left else data)
        return ()

    def _hold(self, messages: Sequence[tuple[Any, Any]]) -> None:
        self._held.extend(messages)
        if len(self._held) >= _PIPELINED:  # the parser holds what comes beyond, however much
            self._handler.enough()

    def _parsed(self, lane: Lane, message: Any, payload: Any, data: bytes = b"") -> None:
        """Take a request out of the parser; its head is kept if `data` is all of it and nothing else."""
        self.busy = True  # more may be parsed as its body is read
        self._parser.message_consumed()
        body = payload.read_nowait()
        terms = self._express.keep(data, lane, message.headers, len(body))
        self._take(lane, terms, body, 0)

    def _take(self, lane: Lane, terms: Any, data: bytes, begin: int) -> None:
        reply = self._refusal(lane, terms)
        if reply is not None:
            return self._refuse(lane, reply)
        self.busy = True
        self._path, self._began = lane.path, self._handler.asks()
        self._express.answering.begun()
        try:
            lane.take(terms, data[begin:], self._done, self._gone)
        except Exception:
            logger.exception("a request has failed: POST %r", lane.path)
            self._done(BROKEN)
        return None

    def _refuse(self, lane: Lane, reply: Reply) -> None:
        self.busy = False
        self._express.answering.refused(lane.path, reply.status, reply.shed)
        self._handler.asks()
        if self._send(reply) and self._held:
            self._go_on()

    def _refusal(self, lane: Lane, terms: Any) -> Reply | None:
        try:
            return lane.refuses(terms)
        except Exception:
            logger.exception("a request has failed: POST %r", lane.path)
            return BROKEN

    def _done(self, reply: Reply) -> None:
        if self.busy:
            self._ended(reply.status, reply.shed)
            self._reply(reply)

    def _ended(self, status: int, shed: str | None) -> None:
        self.busy = False
        self._express.answering.ended(self._path, status, shed, self._handler.now() - self._began)

    def lost(self) -> None:
        """The connection has ended; nobody waits for what is being answered."""
        self._held.clear()
        if self.busy:
            self._ended(GONE, None)

    def _gone(self) -> bool:
        return self._handler.transport is None

    def _reply(self, reply: Reply) -> None:
        handler = self._handler
        if handler.transport is None:
            self._held.clear()
            return
        if self._send(reply):
            handler.back(last=not self._held)
            self._go_on()

    def _send(self, reply: Reply) -> bool:
        """Write an answer; whether the connection goes on."""
        transport, express = self._handler.transport, self._express
        if not express.answering.last():
            transport.write(express.written(reply))
            return True
        transport.write(written(reply, last=True))
        self._held.clear()
        transport.close()
        return False

    def _go_on(self) -> None:
        """What has come meanwhile, one after the other: each may be answered as it is taken, however many there are."""
        if self._going:
            return
        self._going = True
        try:
            while self._held and not self.busy:
                if not self._goes(*self._held[0]):
                    return
        finally:
            self._going = False
        transport = self._handler.transport
        if not self.busy and transport is not None and not transport.is_closing():
            self._handler.more()

    def _goes(self, message: Any, payload: Any) -> bool:
        """Take the first that has waited; False: it goes the long way, and all behind it."""
        lane = self._express.lane(message, payload) if self._handler.waits else None
        if lane is None:
            held, self._held = self._held, []
            self._handler.long_way(held)
            return False
        del self._held[0]
        self._parsed(lane, message, payload)
        return True


def left_after(left: int, data: bytes, messages: Sequence[tuple[Any, Any]]) -> int:
    """Bytes that the parser still waits for until the request that it reads ends; negative: that is not known any more.

    Args:
        left: before it was given `data`; 0: it waits for a new request.
        data: what has come.
        messages: the requests whose heads have ended with that.
    """
    if left < 0 or not data:
        return left
    if left:
        return _UNKNOWN if messages else left - len(data)
    if len(messages) != 1:
        return _UNKNOWN
    message = messages[0][0]
    if message.chunked or message.upgrade or message.should_close:
        return _UNKNOWN
    body = int(message.headers.get(hdrs.CONTENT_LENGTH, 0))
    return _UNKNOWN if body > _WHOLE else data.find(END) + len(END) + body - len(data)
