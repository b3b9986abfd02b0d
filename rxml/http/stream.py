"""Stream: a path whose flow is sent to whoever asks, in the form that they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import hdrs, web
from typing_extensions import override

from rxml.http.codec import Codec
from rxml.http.encode import to_json
from rxml.http.endpoint import Endpoint, is_upgrade
from rxml.http.feed import Feed
from rxml.http.greeting import greeted
from rxml.http.link import Link
from rxml.http.protocol import NAMES
from rxml.http.race import race
from rxml.http.replies import HEADERS, Refusal
from rxml.http.session import Session
from rxml.http.sinks import EventSink, LineSink, SocketSink

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.http.feed import Sink
    from rxml.http.serving import Serving
    from rxml.http.slow import Slow

EVENTS: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"
_LINES: Final = (NDJSON, "application/ndjson", "application/jsonl", "application/json", "*/*")


class Stream(Endpoint):
    """Sends a flow as WebSocket, SSE or NDJSON; each client opens it anew.

    Args:
        path: of the URL.
        flow: what is sent.
        slow: what happens to clients without demand that do not keep up.
        key: of an element, for the policy `latest`.
    """

    methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD")

    def __init__(
        self, path: str, flow: Flowable[Any], *, slow: Slow, key: Callable[[Any], Any] | None
    ) -> None:
        super().__init__(path)
        self.flow = flow
        self._slow = slow
        self._key = key

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        if is_upgrade(request):
            return await self._socket(request, serving)
        kind, shown = form(request.headers.get(hdrs.ACCEPT, "*/*"))
        make = EventSink if kind == EVENTS else LineSink
        headers = {"Content-Type": shown, **serving.gate.admitted(request)}
        if request.method == "HEAD":
            return web.StreamResponse(headers={**HEADERS, **headers})
        sink = make(request, serving.limits, headers)
        await sink.begin()
        await self._feed(sink, serving).run()
        await sink.response.write_eof()
        return sink.response

    def _feed(self, sink: Sink, serving: Serving) -> Feed:
        return Feed(self.flow, sink, serving, slow=self._slow, key=self._key, encode=to_json)

    async def _socket(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        async with Link(request, serving, NAMES) as link:
            if link.protocol is None:
                await race(self._feed(SocketSink(link), serving).run(), _listen(link))
            else:
                await self._spoken(link, serving, link.protocol)
        return link.ws

    async def _spoken(self, link: Link, serving: Serving, protocol: str) -> None:
        codec = Codec(protocol, serving.limits.wire(serving.limits.message_bytes))
        if await greeted(link, codec, serving.limits):
            await Session(link, codec, serving, self._flow_of(serving)).run()

    def _flow_of(self, serving: Serving) -> Callable[[str | None], Flowable[Any] | None]:
        def found(path: str | None) -> Flowable[Any] | None:
            return self.flow if path is None else serving.flows.get(path)

        return found


async def _listen(link: Link) -> None:
    """Answer pings and notice the end; messages of a client without a sub-protocol mean nothing."""
    while await link.receive() is not None and link.idle():
        pass


def form(accept: str) -> tuple[str, str]:
    """What to send by the header `Accept`, and the Content-Type to call it.

    A browser that opens the path as a page gets NDJSON that it shows as text.

    Raises:
        Refusal: 406, it accepts none of what there is.
    """
    for kind in _by_quality(accept):
        if kind == EVENTS:
            return EVENTS, EVENTS
        if kind in ("text/html", "text/plain", "text/*"):
            return NDJSON, "text/plain; charset=utf-8"
        if kind in _LINES or kind == "application/*":
            return NDJSON, NDJSON
    raise Refusal(406, f"this path sends {EVENTS}, {NDJSON}, or WebSocket messages")


def _by_quality(accept: str) -> list[str]:
    kinds: list[tuple[float, str]] = []
    for part in accept.lower().split(","):
        kind, *parameters = (each.strip() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            kinds.append((-float(quality), kind))
        except ValueError:
            continue
    return [kind for quality, kind in sorted(kinds, key=lambda each: each[0]) if quality < 0]
