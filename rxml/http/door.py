"""Door: how many connections there are, and how much each may have waiting in its transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakSet

from typing_extensions import override

from rxml.http.handler import address_of
from rxml.http.replies import HEADERS
from rxml.http.transport import abort, narrow

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.http.handler import Http
    from rxml.http.limits import Limits

_BODY: Final = b'{"error":"too many connections"}\n'
_HEAD: Final = {
    **HEADERS,
    "Retry-After": "1",
    "Connection": "close",
    "Content-Type": "application/json",
    "Content-Length": len(_BODY),
}
_FULL: Final = b"\r\n".join(
    [
        b"HTTP/1.1 503 Service Unavailable",
        *[f"{name}: {value}".encode() for name, value in _HEAD.items()],
        b"",
        _BODY,
    ]
)


class Door:
    """Lets connections in as long as there are few enough, in all and from one address.

    Args:
        server: speaks HTTP with those that are let in.
        limits: how many, and how much may wait to be sent.
        refused: called for each connection that is not let in.
    """

    def __init__(self, server: Http, limits: Limits, refused: Callable[[], None]) -> None:
        self._server = server
        self._limits = limits
        self._refused = refused
        self._transports: WeakSet[asyncio.Transport] = WeakSet()

    def __call__(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return _Arrival(self)

    def let_in(self, transport: asyncio.Transport) -> None:
        """Hand a new connection to the server, or refuse it."""
        limits = self._limits
        address = address_of(transport)
        many = len(self._server.connections) >= limits.connections
        if many or self._server.addresses[address] >= limits.connections_per_address:
            self._refused()
            transport.write(_FULL)
            transport.close()
            return
        self._transports.add(transport)
        narrow(transport, self._limits.write_bytes)
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)

    def close(self) -> None:
        """Drop all connections that are left."""
        for transport in list(self._transports):
            abort(transport)


class _Arrival(asyncio.Protocol):
    """Stands in until it is known whether a connection is let in."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._door.let_in(cast("asyncio.Transport", transport))
