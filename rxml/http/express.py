"""Express: small requests that are all here are answered without a task, a request object or a response object for each.

aiohttp reads a request in one go when it comes in one packet. For the paths that want it, such a request is taken from its
parser at once; the answer is written in one go when it is there. Everything that is not plain goes the long way: a body that
is still coming, what is compressed or asks first, what comes from a page of a browser, connections that are to be closed. So
does everything while there are keys, traces or a log of accesses.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from aiohttp import hdrs
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion11
from aiohttp.web_protocol import MAX_MSG_QUEUE_SIZE

from rxml.http.logs import logs_access
from rxml.http.replies import HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rxml.http.express_needs import Connection, Counting
    from rxml.http.serving import Serving

logger: Final = logging.getLogger("rxml.http")

_LONG: Final = (
    hdrs.ORIGIN,
    hdrs.EXPECT,
    hdrs.CONTENT_ENCODING,
    hdrs.UPGRADE,
    hdrs.AUTHORIZATION,
    "traceparent",
)
"""Headers with which a request goes the long way."""

_PIPELINED: Final = MAX_MSG_QUEUE_SIZE - 1
"""Requests that wait behind the one that is answered, until no more are read."""

_AWAY: Final = 60.0
"""Seconds for which a connection does not count as idle while its answer is being made; each has its own deadline."""

_REASONS: Final = {
    200: "OK",
    207: "Multi-Status",
    400: "Bad Request",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
GONE: Final = 499
"""What a request counts as whose client left before its answer."""

_CLOSES: Final = "Connection: close\r\n"
_ALWAYS: Final = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())


class Reply(NamedTuple):
    """An answer.

    Attributes:
        status: of HTTP.
        body: of it.
        headers: beside those of every answer.
        shed: why it is a refusal, in a word; see `Refusal`.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    shed: str | None = None


_BROKEN: Final = Reply(500, b'{"error":"internal error"}\n', {"Content-Type": "application/json"})


class Lane(Protocol):
    """Answers the requests to one path."""

    @property
    def path(self) -> str:
        """Of the URL."""
        ...

    def takes(self, headers: Mapping[str, str], size: int) -> bool:
        """Whether a body of so many bytes with these headers may go this way."""
        ...

    def take(
        self,
        headers: Mapping[str, str],
        body: bytes,
        done: Callable[[Reply], None],
        gone: Callable[[], bool],
    ) -> None:
        """Answer a request; `done` is told the reply, once, perhaps before this returns."""
        ...


class Express:
    """What all connections of a server share.

    Args:
        lanes: by path.
        serving: of the server.
        answering: counts what is being answered.
    """

    def __init__(self, lanes: Mapping[str, Lane], serving: Serving, answering: Counting) -> None:
        self._lanes = lanes
        self._serving = serving
        self.answering: Counting = answering
        self._again: tuple[Reply | None, str, bytes] = (None, "", b"")

    def lane(self, message: Any, payload: Any) -> Lane | None:
        """The lane that a request may take; None: it goes the long way."""
        if message.__class__ is not RawRequestMessage or message.method != "POST":
            return None
        lane = self._lanes.get(message.path)
        if lane is None or not payload.is_eof() or payload.exception() is not None:
            return None
        plain = (
            message.version == HttpVersion11
            and not message.should_close
            and not message.upgrade
            and message.compression is None
        )
        headers = message.headers
        if not plain or logs_access():
            return None
        for name in _LONG:
            if name in headers:
                return None
        serving = self._serving
        if serving.leaving.is_set() or not serving.gate.knows(headers.get(hdrs.HOST, "")):
            return None
        return lane if lane.takes(headers, payload.total_bytes) else None

    def written(self, reply: Reply) -> bytes:
        """The whole answer; that of a refusal is remembered, since many are told the same."""
        if reply.shed is None:
            return written(reply)
        known, date, data = self._again
        if known is not reply or date != rfc822_formatted_time():
            data = written(reply)
            self._again = (reply, rfc822_formatted_time(), data)
        return data


class Sieve:
    """Stands before the parser of one connection, and takes out what goes by express.

    Args:
        parser: of aiohttp.
        handler: of the connection.
        express: of the server.
    """

    def __init__(self, parser: Any, handler: Connection, express: Express) -> None:
        self._parser = parser
        self._handler = handler
        self._express = express
        self._held: list[tuple[Any, Any]] = []
        self._path = ""
        self._began = 0.0
        self.busy: bool = False

    def __getattr__(self, name: str) -> Any:
        """Whatever else aiohttp asks of its parser."""
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> tuple[Sequence[tuple[Any, Any]], bool, bytes]:
        """What aiohttp has to see to."""
        messages, upgraded, tail = self._parser.feed_data(data)
        if messages:
            messages = self._sifted(messages, upgraded=upgraded)
        return messages, upgraded, tail

    def _sifted(
        self, messages: Sequence[tuple[Any, Any]], *, upgraded: bool
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
        self._take(lane, *messages[0])
        return ()

    def _hold(self, messages: Sequence[tuple[Any, Any]]) -> None:
        self._held.extend(messages)
        if len(self._held) >= _PIPELINED:  # the parser holds what comes beyond, however much
            self._handler.enough()

    def _take(self, lane: Lane, message: Any, payload: Any) -> None:
        self.busy = True
        self._parser.message_consumed()
        self._path, self._began = lane.path, self._handler.away(_AWAY)
        self._express.answering.begun()
        try:
            lane.take(message.headers, payload.read_nowait(), self._done, self._gone)
        except Exception:
            logger.exception("a request has failed: POST %r", lane.path)
            self._done(_BROKEN)

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
        last = self._express.answering.last()
        handler.transport.write(written(reply, last=True) if last else self._express.written(reply))
        if last:
            self._held.clear()
            handler.transport.close()
            return
        handler.back()
        self._go_on()

    def _go_on(self) -> None:
        """What has come meanwhile."""
        held, self._held = self._held, []
        while held:
            lane = self._express.lane(*held[0]) if self._handler.waits else None
            if lane is None:
                self._handler.long_way(held)
                return
            first = held.pop(0)
            self._held = held
            self._take(lane, *first)
            if self.busy:
                return
            held, self._held = self._held, []
        self._handler.more()


def written(reply: Reply, *, last: bool = False) -> bytes:
    """The whole answer; `last`: its connection ends with it."""
    status, body = reply.status, reply.body
    head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    return (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\n{_ALWAYS}{head}"
        f"{_CLOSES if last else ''}"
        f"Content-Length: {len(body)}\r\nDate: {rfc822_formatted_time()}\r\n\r\n"
    ).encode("latin-1") + body
