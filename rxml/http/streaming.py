"""What a path of `stream` sends, to each kind of client: a flow that each opens anew, or a recording that all read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rxml.http.encode import to_json
from rxml.http.feed import Feed
from rxml.http.following import Follow, Following
from rxml.http.outgoing import Outgoing
from rxml.http.protocol import Error, Resume, Subscribe
from rxml.http.recording import Recording
from rxml.http.replay import behind
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from rxml.flow.flowable import Flowable
    from rxml.http.codec import Codec
    from rxml.http.feed import Sink
    from rxml.http.link import Link
    from rxml.http.replay import Stand
    from rxml.http.serving import Serving
    from rxml.http.slow import Slow


def subscribed(
    frame: Subscribe,
    source: Flowable[Any] | Recording | None,
    link: Link,
    codec: Codec,
    serving: Serving,
) -> Outgoing | Error:
    """The stream for a client of `rxml.v1`, or why there is none."""
    if source is None:
        return Error(frame.id, "path", f"no stream at {frame.path}")
    if isinstance(source, Recording):
        return Following(frame, source, link, codec, serving)
    if frame.resume is not None:
        words = "nothing is kept of this stream to resume from: app.stream(path, flow, replay=...)"
        return Error(frame.id, "resume", words)
    return Outgoing(frame, source, link, codec, serving)


def fed(
    source: Flowable[Any] | Recording,
    sink: Sink,
    serving: Serving,
    stand: Stand | None,
    *,
    slow: Slow,
    key: Callable[[Any], Any] | None,
) -> Feed | Follow:
    """What runs for a client without demand; `stand` is of a recording."""
    if isinstance(source, Recording):
        return Follow(source, sink, stand or source.stand(None), serving)
    return Feed(source, sink, serving, slow=slow, key=key, encode=to_json)


def wanted(request: web.BaseRequest) -> Resume | None:
    """Where a client wants to go on: by `Last-Event-ID`, or by `offset` and `epoch` in the query.

    Raises:
        Refusal: 400, the offset is no number.
    """
    last = request.headers.get("Last-Event-ID")
    if last is not None:
        return behind(last)
    offset, epoch = request.query.get("offset"), request.query.get("epoch")
    if offset is None and epoch is None:
        return None
    try:
        return msgspec.convert({"offset": offset, "epoch": epoch}, Resume, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal(400, f"offset and epoch say where to go on: {error}") from None
