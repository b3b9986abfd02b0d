"""Connection: a keep-alive connection of the client, which asks one thing at a time."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final

from benchmarks.serving.answers import ProtocolError, parse
from benchmarks.serving.process import HOST

if TYPE_CHECKING:
    from benchmarks.serving.answers import Answer

_BIND_ADDRESS_NO_PORT: Final = 24
_READ: Final = 262_144
_AT_ONCE: Final = frozenset((0, errno.EINPROGRESS))


class Connection:
    """A non-blocking socket and what is under way on it.

    Args:
        port: of the server.
        source: address of the client; all of 127.0.0.0/8 are this machine's.

    Attributes:
        fd: of the socket.
        asked: the number of what was asked; -1 if nothing was.
        began: when it should have been asked, on the clock of whoever asks.
        waiting: what could not be sent yet.
    """

    __slots__ = ("_data", "_socket", "asked", "began", "fd", "waiting")

    def __init__(self, port: int, source: str = HOST) -> None:
        self._socket = socket.socket()
        self._socket.settimeout(0)
        if source != HOST:
            self._socket.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            self._socket.bind((source, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex((HOST, port))
        if code not in _AT_ONCE:
            self._socket.close()
            raise OSError(code, f"cannot connect to {HOST}:{port}")
        self._data = b""
        self.fd: int = self._socket.fileno()
        self.asked: int = -1
        self.began: float = 0.0
        self.waiting: bytes = b""

    def send(self, data: bytes) -> bool:
        """Send it, or keep what the socket does not take; False if something is kept.

        Raises:
            OSError: the connection is lost.
        """
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise
            sent = 0
        self.waiting = data[sent:]
        return not self.waiting

    def receive(self) -> Answer | None:
        """The answer, if all of it has come.

        Raises:
            OSError: the connection is lost, or what came is no answer.
        """
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return None
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "closed by the server")
        if self._data:
            data = self._data + data
        try:
            answer = parse(data)
        except (ProtocolError, ValueError) as error:
            raise OSError(errno.EPROTO, str(error)) from error
        self._data = b"" if answer else data
        return answer

    def close(self) -> None:
        """Give up what is under way."""
        self._socket.close()
