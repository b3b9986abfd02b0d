"""Door: how many connections there are, and how much each may have waiting in its transport."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakSet

from typing_extensions import override

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.http.limits import Limits

_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nServer: rxml\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: 32\r\n\r\n"
    b'{"error":"too many connections"}'
)


class Door:
    """Lets connections in as long as there are few enough, in all and from one address.

    Args:
        server: speaks HTTP with those that are let in.
        limits: how many, and how much may wait to be sent.
    """

    def __init__(self, server: web.Server, limits: Limits) -> None:
        self._server = server
        self._limits = limits
        self._transports: WeakSet[asyncio.Transport] = WeakSet()

    def __call__(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return _Arrival(self)

    def let_in(self, transport: asyncio.Transport) -> None:
        """Hand a new connection to the server, or refuse it."""
        here = [_address(each.transport) for each in self._server.connections]
        same = here.count(_address(transport))
        if len(here) >= self._limits.connections or same >= self._limits.connections_per_address:
            transport.write(_FULL)
            transport.close()
            return
        self._transports.add(transport)
        self._narrow(transport)
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)

    def close(self) -> None:
        """Drop all connections that are left."""
        for transport in list(self._transports):
            transport.abort()

    def _narrow(self, transport: asyncio.Transport) -> None:
        """What waits to be sent is old when it arrives, so little may wait: here and in the kernel."""
        bound = self._limits.write_bytes
        transport.set_write_buffer_limits(high=bound)
        with suppress(OSError):
            cast("socket.socket", transport.get_extra_info("socket")).setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, bound
            )


def _address(transport: asyncio.BaseTransport | None) -> Any:
    peer: Any = None if transport is None else transport.get_extra_info("peername")
    return peer[0] if peer else None


class _Arrival(asyncio.Protocol):
    """Stands in until it is known whether a connection is let in."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._door.let_in(cast("asyncio.Transport", transport))
