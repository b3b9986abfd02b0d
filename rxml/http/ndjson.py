"""ndjson: lines of JSON of another process, read as they are wanted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from rxml.errors import PipelineError, ProtocolError
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import body_source, label
from rxml.http.dial import LIMITS
from rxml.http.fetch import fetched, hand, piece
from rxml.http.lines import Lines
from rxml.http.reading import Reading
from rxml.http.reconnect import Reconnect, persistently
from rxml.http.replies import Refusal
from rxml.http.sinks import WORDS
from rxml.http.stream import EPOCH, NDJSON, OFFSET, STREAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aiohttp

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.gaps import OnGap
    from rxml.http.limits import Limits

T = TypeVar("T")

_RECONNECT: Final = Reconnect()
_NUMBER: Final = re.compile("[0-9]{1,18}")


@overload
def ndjson(
    url: str,
    *,
    type: None = ...,
    offset: int | None = ...,
    epoch: str | None = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[Any]: ...


@overload
def ndjson(
    url: str,
    *,
    type: type[T],
    offset: int | None = ...,
    epoch: str | None = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[T]: ...


def ndjson(
    url: str,
    *,
    type: Any = None,  # noqa: A002 - it reads best at the call
    offset: int | None = None,
    epoch: str | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    reconnect: Reconnect | None = _RECONNECT,
    on_gap: OnGap = "log",
) -> Flowable[Any]:
    """The lines of JSON at `url`; each run is a connection of its own, and the end of the body is its end.

    The socket is read as elements are wanted, so a reader that stalls holds the sender back by TCP, with at most about
    128 KiB here. If the connection breaks, it is made again. A stream of an `App` with `replay` then goes on behind the
    last element that came, and what is not kept any more is told as a gap. Any other url is read anew: which elements are
    lost or come again nobody knows, and that is told as a gap of unknown size.

    Of an `App` the lines `{"gap": n}`, `{"reset": ...}` and `{"error": ...}` are understood as what they are.

    Args:
        url: `http://` or `https://`.
        type: of an element, made by msgspec; None: any JSON.
        offset: of the first element that is wanted, on a stream with `replay`; None: the next that is made.
        epoch: that it counts in; None: whichever there is.
        headers: further ones of the request.
        limits: `message_bytes` of one line, `hello_seconds` until the answer begins, `idle_seconds` of silence.
        reconnect: when to connect again; None: never.
        on_gap: what follows when elements are lost: `log`, `error`, or a function that is called with a `Gap`.

    Raises:
        PipelineError: url, type, offset or policy are none.
        ConnectionLost: when run, there was no connection and no further attempt; or a status that trying again does not
            help against.
        RemoteError: when run, the flow failed there.
        ProtocolError: when run, a line is too long, or does not fit.
    """
    kind: Any = Any if type is None else type
    reading = Reading.of(
        url, kind, headers=headers, limits=limits, reconnect=reconnect, gaps=on_gap
    )
    if offset is not None and (offset.__class__ is not int or offset < 0):
        raise PipelineError(f"offset must be an int >= 0, got {offset!r}")

    async def body(_inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        client = _Client(reading, outlet, offset, epoch)
        await persistently(client.attempt, client.attempts, outlet.clock, outlet.wanted)

    return body_source(label("ndjson", url), body, capacity=CHUNK)


class _Client:
    """One run, of one connection after the other."""

    def __init__(
        self, reading: Reading, outlet: Outlet[Any], offset: int | None, epoch: str | None
    ) -> None:
        self._reading = reading
        self._outlet = outlet
        self._offset = offset
        self._epoch = epoch
        self.attempts = reading.attempts()
        self._elements = 0
        self._ours = False

    async def attempt(self) -> None:
        """One connection, until the stream has ended."""
        reading = self._reading
        headers = {"Accept": NDJSON, **reading.headers}
        lines = Lines(reading.limits.message_bytes)
        async with fetched(reading.url, headers, self._query(), reading.limits) as response:
            self._begin(response)
            while data := await piece(response, self._outlet):
                await self._take(_cut(reading.url, lines, data))
            await self._take(lines.finish())

    def _query(self) -> dict[str, str]:
        place = {"offset": self._offset, "epoch": self._epoch}
        return {name: str(value) for name, value in place.items() if value is not None}

    def _begin(self, response: aiohttp.ClientResponse) -> None:
        """The head says where the stream goes on; a line says so, too, if that is not what was wanted."""
        self._ours = STREAM in response.headers
        epoch, offset = response.headers.get(EPOCH), response.headers.get(OFFSET, "")
        if self._ours and epoch is not None and _NUMBER.fullmatch(offset):
            if self._epoch != epoch or self._offset is None:
                self._offset = int(offset)
            self._epoch = epoch
        elif self._elements:
            self._reading.lost(None, "connected again, and read from its beginning", self._outlet)

    async def _take(self, lines: Sequence[bytes]) -> None:
        """Hand over what has come, even before an error."""
        elements: list[Any] = []
        try:
            for line in lines:
                if self._ours and line.startswith(WORDS):
                    await self._hand(elements)
                    self._special(line)
                else:
                    elements.append(self._reading.element(line))
        finally:
            await self._hand(elements)

    async def _hand(self, elements: list[Any]) -> None:
        if not elements:
            return
        handed, elements[:] = elements[:], []
        await hand(handed, self._outlet)
        self._elements += len(handed)
        if self._offset is not None:
            self._offset += len(handed)
        self.attempts.progressed()

    def _special(self, line: bytes) -> None:
        """What an `App` says beside elements."""
        found = self._reading.details(line)
        if "error" in found:
            raise self._reading.failure(self._reading.inner(found, "error"))
        if "gap" in found:
            count = self._reading.missed(found, self._outlet)
            self._offset = None if self._offset is None else self._offset + count
        else:
            place = self._reading.place(found["reset"])
            self._offset, self._epoch = place.offset, place.epoch
            self._reading.begun_anew(place.epoch, self._outlet)


def _cut(url: str, lines: Lines, data: bytes) -> list[bytes]:
    try:
        return lines.feed(data)
    except Refusal as refusal:
        raise ProtocolError(f"{url}: {refusal.reason}") from None
