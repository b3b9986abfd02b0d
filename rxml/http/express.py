"""Express: small requests that are all here are answered without a task, a request object or a response object for each.

aiohttp reads a request in one go when it comes in one packet. For the paths that want it, such a request is taken from its
parser at once; the answer is written in one go when it is there. Everything that is not plain goes the long way: a body that
is still coming, what is compressed or asks first, what comes from a page of a browser, connections that are to be closed. So
does everything while there are keys, traces or a log of accesses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion11

from rxml.http.heads import Heads
from rxml.http.lane import Reply
from rxml.http.logs import logs_access
from rxml.http.replies import HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.http.express_needs import Counting
    from rxml.http.heads import Known
    from rxml.http.lane import Lane
    from rxml.http.serving import Serving

_LONG: Final = (
    hdrs.ORIGIN,
    hdrs.EXPECT,
    hdrs.CONTENT_ENCODING,
    hdrs.UPGRADE,
    hdrs.AUTHORIZATION,
    "traceparent",
)
"""Headers with which a request goes the long way."""

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

_NAME: Final = "X-Request-Id"

_REFUSALS: Final = 256
"""Refusals that are kept written: those of a lane differ by why, and by the seconds to wait."""

_CLOSES: Final = "Connection: close\r\n"
_ALWAYS: Final = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())


BROKEN: Final = Reply(500, b'{"error":"internal error"}\n', {"Content-Type": "application/json"})


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
        self._heads = Heads()
        self._date = ""
        self._refusals: dict[int, tuple[Reply, bytes]] = {}

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

    def known(self, data: bytes) -> Known | None:
        """What is known of a request whose head has come before; None: it is to be parsed."""
        known = self._heads.find(data)
        if known is None or self._serving.leaving.is_set() or logs_access():
            return None
        return known

    def keep(self, data: bytes, lane: Lane, headers: Mapping[str, str], body: int) -> Any:
        """What the lane reads in a head; it is known from now on, unless it has a name of its own and will not come again.

        Args:
            data: the whole request, and nothing else; empty: it came otherwise, and is not kept.
            lane: that answers it.
            headers: of it.
            body: its bytes.
        """
        terms = lane.read(headers)
        if data and _NAME not in headers:
            self._heads.keep(data, lane, terms, body)
        return terms

    def written(self, reply: Reply) -> bytes:
        """The whole answer; those of refusals are remembered for as long as their date holds, since many are told the same."""
        if reply.shed is None:
            return written(reply)
        date = rfc822_formatted_time()
        if date != self._date:
            self._date = date
            self._refusals.clear()
        found = self._refusals.get(id(reply))
        if found is None:
            found = reply, written(reply)
            if len(self._refusals) < _REFUSALS:
                self._refusals[id(reply)] = found
        return found[1]


def written(reply: Reply, *, last: bool = False) -> bytes:
    """The whole answer; `last`: its connection ends with it."""
    status, body = reply.status, reply.body
    head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    return (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\n{_ALWAYS}{head}"
        f"{_CLOSES if last else ''}"
        f"Content-Length: {len(body)}\r\nDate: {rfc822_formatted_time()}\r\n\r\n"
    ).encode("latin-1") + body
