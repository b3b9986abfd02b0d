"""Socket: a WebSocket on a path of predict, with `rxml.v1` or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.http.codec import Codec
from rxml.http.greeting import greeted
from rxml.http.link import Link
from rxml.http.predict.messages import Messages
from rxml.http.predict.stream import RowStream
from rxml.http.protocol import NAMES, Error
from rxml.http.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from rxml.http.pool import Arrivals
    from rxml.http.predict.wishes import Terms
    from rxml.http.protocol import Subscribe
    from rxml.http.serving import Serving


async def converse(
    request: web.BaseRequest,
    serving: Serving,
    terms: Terms,
    arrivals: Arrivals,
) -> web.StreamResponse:
    """Talk with one client until either side ends.

    Args:
        request: the upgrade.
        serving: limits and turns.
        terms: how rows are answered.
        arrivals: counts the bytes of rows that are not answered, of all clients.
    """
    async with Link(request, serving, NAMES) as link:
        if link.protocol is None:
            await Messages(link, serving, terms).run()
            return link.ws
        codec = Codec(link.protocol, serving.limits.wire(serving.limits.message_bytes))
        with arrivals.of(request.remote) as arrived:
            opened = _opener(terms, arrived, (link, codec, serving))
            if await greeted(link, codec, serving.limits):
                await Session(link, codec, serving, opened, takes_in=True).run()
    return link.ws


def _opener(
    terms: Terms,
    arrived: Callable[[int], None],
    ends: tuple[Link, Codec, Serving],
) -> Callable[[Subscribe], RowStream | Error]:
    def opened(frame: Subscribe) -> RowStream | Error:
        if frame.path is not None or frame.resume is not None:
            return Error(frame.id, "path", "an operator has one path, and nothing to resume")
        return RowStream(frame, terms, arrived=arrived, ends=ends)

    return opened
