"""What is done to the transports of connections."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import asyncio


def abort(transport: asyncio.Transport | None) -> None:
    """Drop a connection without a word, unless it is gone: asyncio's `abort` fails on one that is closed."""
    if transport is None:
        return
    if (
        _over_tls(
            transport
        )  # after `close` it may wait long for the other side's word; its `abort` may come at any time
        or not transport.is_closing()
        or transport.get_write_buffer_size()
    ):
        transport.abort()


def _over_tls(transport: asyncio.Transport) -> bool:
    try:
        return transport.get_extra_info("sslcontext") is not None
    except AttributeError:  # asyncio's, once it has let go of its connection
        return True


def narrow(transport: asyncio.Transport, size: int) -> None:
    """Let little wait to be sent, here and in the kernel: what waits is old when it arrives.

    Args:
        transport: of a new connection.
        size: in bytes.
    """
    transport.set_write_buffer_limits(high=size)
    with suppress(OSError):
        cast("socket.socket", transport.get_extra_info("socket")).setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, size
        )
