"""The greeting of `rxml.v1`: `hello`, then `ready`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rxml.errors import ProtocolError
from rxml.http.protocol import HELLO_TIMEOUT, Hello, Ready, name_of

if TYPE_CHECKING:
    from rxml.http.codec import Codec
    from rxml.http.limits import Limits
    from rxml.http.link import Link


async def greeted(link: Link, codec: Codec, limits: Limits) -> bool:
    """Wait for `hello` and answer it; False if the client left, or said nothing in time.

    Raises:
        ProtocolError: it said something else.
    """
    try:
        async with asyncio.timeout(limits.hello_seconds):
            message = await link.receive()
    except TimeoutError:
        link.close_with(HELLO_TIMEOUT, f"no hello within {limits.hello_seconds:g} seconds")
        return False
    if message is None:
        return False
    frame = codec.from_client(message.data, text=message.text)
    if not isinstance(frame, Hello):
        raise ProtocolError(f"the first frame must be hello, got {name_of(frame)}")
    if frame.version != 1:
        raise ProtocolError(f"version must be 1, got {frame.version}")
    bounds = {
        "message_bytes": limits.message_bytes,
        "streams": limits.streams,
        "window": limits.window,
    }
    await link.say(codec.encode(Ready(bounds)), text=codec.text)
    return True
