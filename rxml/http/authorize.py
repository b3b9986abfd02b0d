"""The key of a WebSocket: in its first message if it came without one, and only for as long as it holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from rxml.errors import ConnectionLost
from rxml.http.access import KEY, key_of, late_right
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.http.serving import Serving

UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403


class _Authorize(msgspec.Struct, tag_field="type", tag="authorize"):
    token: str


_DECODER: Final = msgspec.json.Decoder(_Authorize)


class Peer(Protocol):
    """A WebSocket, as far as it is needed here."""

    async def receive(self) -> Any:
        """The next message; None when the connection is closing or gone."""
        ...

    def close_with(self, code: int, reason: str) -> None:
        """The code and the reason with which it will close."""
        ...


async def authorize(link: Peer, request: web.BaseRequest, serving: Serving) -> None:
    """Wait for the key, if it is still to come.

    Raises:
        ConnectionLost: there is none that is good; the link is to be closed, with 4401 or 4403.
    """
    right = late_right(request)
    if right is None:
        return
    try:
        token = await _token(link, serving.limits.hello_seconds)
        key = serving.access.find(token)
        serving.access.check(key, right, request.path)
    except Refusal as refusal:
        code = UNAUTHORIZED if refusal.status == 401 else FORBIDDEN
        link.close_with(code, refusal.reason)
        raise ConnectionLost("the client has no key for this") from refusal
    request[KEY] = key


async def _token(link: Peer, seconds: float) -> str:
    try:
        async with asyncio.timeout(seconds):
            message = await link.receive()
        if message is None:
            raise ConnectionLost("the client has left before it brought a key")
        return _DECODER.decode(message.data).token
    except (TimeoutError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refusal(
            401, 'the first message must be {"type": "authorize", "token": ...}'
        ) from error


def seconds_left(request: web.BaseRequest) -> float | None:
    """How long the key of the request still holds; None: for ever."""
    key = key_of(request)
    return None if key is None else key.left()
