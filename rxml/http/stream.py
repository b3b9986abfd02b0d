"""Stream: a path whose flow is sent to whoever asks, in the form that they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import hdrs, web
from typing_extensions import override

from rxml.http.codec import Codec
from rxml.http.endpoint import Endpoint, is_upgrade
from rxml.http.greeting import greeted
from rxml.http.link import Link
from rxml.http.protocol import NAMES
from rxml.http.race import race
from rxml.http.recording import Recording
from rxml.http.replies import HEADERS, Refusal
from rxml.http.session import Session
from rxml.http.sinks import EventSink, LineSink, SocketSink
from rxml.http.streaming import fed, subscribed, wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.http.feed import Feed, Sink
    from rxml.http.following import Follow
    from rxml.http.outgoing import Outgoing
    from rxml.http.protocol import Error, Subscribe
    from rxml.http.replay import Stand
    from rxml.http.serving import Serving
    from rxml.http.slow import Slow

EVENTS: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"
STREAM: Final = "Rxml-Stream"
"""This header says that gaps, errors and the end are told as docs/http.md has it."""
EPOCH: Final = "Rxml-Epoch"
OFFSET: Final = "Rxml-Offset"
_LINES: Final = (NDJSON, "application/ndjson", "application/jsonl", "application/json", "*/*")


class Stream(Endpoint):
    """Sends a flow as WebSocket, SSE or NDJSON; each client opens it anew, unless it is recorded.

    Args:
        path: of the URL.
        flow: what is sent; a recording runs once for all and is kept for those who come back.
        slow: what happens to clients without demand that do not keep up.
        key: of an element, for the policy `latest`.
    """

    methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD")
    scope: ClassVar[str] = "stream"
    sockets: ClassVar[bool] = True

    def __init__(
        self,
        path: str,
        flow: Flowable[Any] | Recording,
        *,
        slow: Slow,
        key: Callable[[Any], Any] | None,
    ) -> None:
        super().__init__(path)
        self.flow: Flowable[Any] | Recording = flow
        self._slow = slow
        self._key = key

    @override
    def begin(self, serving: Serving) -> None:
        if isinstance(self.flow, Recording):
            self.flow.begin()

    @override
    async def end(self) -> None:
        if isinstance(self.flow, Recording):
            await self.flow.end()

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        if is_upgrade(request):
            return await self._socket(request, serving)
        kind, shown = form(request.headers.get(hdrs.ACCEPT, "*/*"))
        make = EventSink if kind == EVENTS else LineSink
        stand = self._stand(request)
        headers = {
            "Content-Type": shown,
            **_told(stand),
            **serving.gate.admitted(request),
        }
        if request.method == "HEAD":
            return web.StreamResponse(headers={**HEADERS, **headers})
        sink = make(request, serving.limits, headers)
        await sink.begin()
        await self._fed(sink, serving, stand).run()
        await sink.response.write_eof()
        return sink.response

    def _stand(self, request: web.BaseRequest) -> Stand | None:
        return self.flow.stand(wanted(request)) if isinstance(self.flow, Recording) else None

    def _fed(self, sink: Sink, serving: Serving, stand: Stand | None) -> Feed | Follow:
        return fed(self.flow, sink, serving, stand, slow=self._slow, key=self._key)

    async def _socket(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        stand = self._stand(request)
        async with Link(request, serving, NAMES) as link:
            if link.protocol is None:
                sink = SocketSink(link, told="offset" in request.query)
                await race(self._fed(sink, serving, stand).run(), _listen(link))
            else:
                await self._spoken(link, serving, link.protocol)
        return link.ws

    async def _spoken(self, link: Link, serving: Serving, protocol: str) -> None:
        codec = Codec(protocol, serving.limits.wire(serving.limits.message_bytes))

        def opened(frame: Subscribe) -> Outgoing | Error:
            source = self.flow if frame.path is None else serving.flow_at(frame.path, link.key)
            return subscribed(frame, source, link, codec, serving)

        if await greeted(link, codec, serving.limits):
            await Session(link, codec, serving, opened).run()


def _told(stand: Stand | None) -> dict[str, str]:
    """Headers by which a client knows that a stream is one of ours, and where it stands in it."""
    if stand is None:
        return {STREAM: "1"}
    return {STREAM: "1", EPOCH: stand.epoch, OFFSET: str(stand.offset)}


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
