"""sse: server-sent events of another process, read as they are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from rxml.errors import ConnectionLost
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import body_source, label
from rxml.http.dial import LIMITS
from rxml.http.events import Events
from rxml.http.fetch import fetched, hand, piece
from rxml.http.reading import Reading
from rxml.http.reconnect import Reconnect, persistently
from rxml.http.stream import EPOCH, EVENTS, STREAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aiohttp

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.events import Event
    from rxml.http.gaps import OnGap
    from rxml.http.limits import Limits

T = TypeVar("T")

_RECONNECT: Final = Reconnect()
_LONGEST: Final = 60.0
"""Seconds that a server may ask to wait by `retry`."""


@overload
def sse(
    url: str,
    *,
    type: None = ...,
    last: str | None = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[Event]: ...


@overload
def sse(
    url: str,
    *,
    type: type[T],
    last: str | None = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[T]: ...


def sse(
    url: str,
    *,
    type: Any = None,  # noqa: A002 - it reads best at the call
    last: str | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    reconnect: Reconnect | None = _RECONNECT,
    on_gap: OnGap = "log",
) -> Flowable[Any]:
    """The server-sent events at `url`; each run is a connection of its own.

    The socket is read as elements are wanted, so a reader that stalls holds the sender back by TCP, with at most about
    128 KiB here. If the connection is lost, or the body ends, it is made again with `Last-Event-ID`, after the server's
    `retry:` at least. Servers that give no `id` cannot go on where they were: that is told as a gap of unknown size.

    Of an `App` the events `gap`, `reset`, `error` and `complete` are understood as what they are.

    Args:
        url: `http://` or `https://`.
        type: of an element, made by msgspec from the data of each `message` event as JSON, others are left out; None: an
            element is an `Event`.
        last: `Last-Event-ID` of the first request; None: none.
        headers: further ones of the request.
        limits: `message_bytes` of one event, `hello_seconds` until the answer begins, `idle_seconds` of silence.
        reconnect: when to connect again; None: never, and the end of the body is the end.
        on_gap: what follows when elements are lost: `log`, `error`, or a function that is called with a `Gap`.

    Raises:
        PipelineError: url, type or policy are none.
        ConnectionLost: when run, there was no connection and no further attempt; or a status that trying again does not
            help against.
        RemoteError: when run, the flow failed there.
        ProtocolError: when run, an event is too large, or its data does not fit.
    """
    reading = Reading.of(
        url, type, headers=headers, limits=limits, reconnect=reconnect, gaps=on_gap
    )

    async def body(_inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        client = _Client(reading, outlet, last)
        await persistently(client.attempt, client.attempts, outlet.clock, outlet.wanted)

    return body_source(label("sse", url), body, capacity=CHUNK)


class _Client:
    """One run, of one connection after the other."""

    def __init__(self, reading: Reading, outlet: Outlet[Any], last: str | None) -> None:
        self._reading = reading
        self._outlet = outlet
        self._events = Events(reading.limits.message_bytes)
        self._events.last = last or ""
        self.attempts = reading.attempts()
        self._elements = 0
        self._ours = False

    async def attempt(self) -> None:
        """One connection, until the stream has ended."""
        events, reading = self._events, self._reading
        events.restart()
        headers = {"Accept": EVENTS, "Cache-Control": "no-cache", **reading.headers}
        if events.last:
            headers["Last-Event-ID"] = events.last
        async with fetched(reading.url, headers, {}, reading.limits) as response:
            if response.status == 204:
                return
            self._begin(response)
            while data := await piece(response, self._outlet):
                if await self._take(events.feed(data)):
                    return
        if reading.reconnect is not None or self._ours:
            raise ConnectionLost(f"{reading.url}: the body has ended without an end of the stream")

    def _begin(self, response: aiohttp.ClientResponse) -> None:
        reading = self._reading
        if response.content_type != EVENTS:
            words = f"{reading.url} sends {response.content_type}, not {EVENTS}"
            raise ConnectionLost(words, final=True)
        self._ours = STREAM in response.headers
        resumes = EPOCH in response.headers if self._ours else bool(self._events.last)
        if self._elements and not resumes:
            reading.lost(None, "connected again, and there is no id to go on from", self._outlet)

    async def _take(self, events: Sequence[Event]) -> bool:
        """Hand over what has come; True at the end of the stream."""
        if self._events.retry is not None:
            self.attempts.least = min(_LONGEST, self._events.retry)
        elements: list[Any] = []
        try:
            for event in events:
                if self._ours and event.event != "message":
                    await self._hand(elements)
                    if self._special(event):
                        return True
                elif self._reading.decoder is None:
                    elements.append(event)
                elif event.event == "message":
                    elements.append(self._reading.element(event.data))
        finally:
            await self._hand(elements)
        return False

    async def _hand(self, elements: list[Any]) -> None:
        """Hand over, and forget, what is there: even before an error."""
        if elements:
            handed, elements[:] = elements[:], []
            await hand(handed, self._outlet)
            self._elements += len(handed)
            self.attempts.progressed()

    def _special(self, event: Event) -> bool:
        """What an `App` says beside elements; True if it is the end."""
        if event.event == "complete":
            return True
        found = self._reading.details(event.data)
        if event.event == "error":
            raise self._reading.failure(found)
        if event.event == "gap":
            self._reading.missed(found, self._outlet)
        elif event.event == "reset":
            self._reading.begun_anew(self._reading.place(found).epoch, self._outlet)
        return False
