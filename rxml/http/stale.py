"""Stale: connections whose first request has waited at the port for longer than an answer would take."""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from math import inf
from typing import Final

from rxml.http.replies import HEADERS

PATIENCE: Final = 1.0
"""Seconds after which a request that nobody has read is refused: whoever sent it may have given up."""

_TELLS: Final = sys.platform == "linux"
_TCP_INFO: Final = struct.Struct("=B 51x I 72x Q")
"""Of the kernel's `struct tcp_info`: `tcpi_state`, `tcpi_last_data_recv` in milliseconds, and `tcpi_bytes_received`."""

_CLOSE_WAIT: Final = 8

_READ: Final = 2**16

_BODY: Final = (
    b'{"error":"there is more to do than can be done: this waited too long to be read"}\n'
)
_HEAD: Final = {
    **HEADERS,
    "Retry-After": "1",
    "Connection": "close",
    "Content-Type": "application/json",
    "Content-Length": len(_BODY),
}
REFUSAL: Final = b"\r\n".join(
    [
        b"HTTP/1.1 503 Service Unavailable",
        *[f"{name}: {value}".encode() for name, value in _HEAD.items()],
        b"",
        _BODY,
    ]
)


def waited(connection: socket.socket) -> float:
    """Seconds since the last data came that nobody has read yet; 0 if there are none, or the system does not tell.

    Infinite if the other side will say no more, as one that has given up.

    Args:
        connection: that nothing was read from.
    """
    if not _TELLS:
        return 0.0
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    except OSError:  # no TCP
        return 0.0
    if len(told) < _TCP_INFO.size:
        return 0.0
    state, milliseconds, received = _TCP_INFO.unpack(told)
    if state == _CLOSE_WAIT:
        return inf
    return milliseconds / 1000 if received else 0.0


def turn_away(connection: socket.socket, *, secure: bool) -> None:
    """Refuse it, and close it, without a protocol of its own.

    Args:
        connection: that does not block.
        secure: it wants TLS, and cannot be told anything.
    """
    with connection, suppress(OSError):  # it may be gone already
        # What is left unread makes a close a reset, which takes the answer with it.
        with suppress(BlockingIOError):
            connection.recv(_READ)
        if not secure:
            connection.send(REFUSAL)
