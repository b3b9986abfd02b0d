"""WebSocket: a client that sends as many rows as it may on one connection, in frames made beforehand."""

from __future__ import annotations

import select
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.serving.process import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_READ: Final = 1_048_576
_BINARY: Final = 0x82
_CLOSE: Final = 8
_PING: Final = 9
_PONG: Final = 0x8A
_HANDSHAKE: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{more}\r\n"
)


def masked(payload: bytes, first: int = _BINARY) -> bytes:
    """A message as a client sends it; the mask is zero, which spares this side the work and no other."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", first, 0x80 | length)
    elif length < 65_536:
        head = struct.pack("!BBH", first, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, length)
    return head + bytes(4) + payload


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames that `data` begins with, as opcodes and payloads, and the rest."""
    frames: list[tuple[int, bytes]] = []
    at = 0
    while len(data) - at >= 2:
        length, start = data[at + 1] & 0x7F, at + 2
        if length == 126:
            if len(data) < at + 4:
                break
            length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif length == 127:
            if len(data) < at + 10:
                break
            length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        if len(data) < start + length:
            break
        frames.append((data[at] & 0x0F, data[start : start + length]))
        at = start + length
    return frames, data[at:]


@dataclass(frozen=True, slots=True)
class Talk:
    """How rows are sent and answered.

    Attributes:
        path: of the WebSocket.
        protocol: sub-protocol, or "".
        opening: messages that the client begins with.
        messages: what is sent in turns, each with `rows` rows.
        rows: of a message.
        heard: from a message of the server, how many rows it answers, and for how many more it asks.
        credit: rows that may be sent before the server has said anything.
    """

    path: str
    protocol: str
    opening: Sequence[bytes]
    messages: Sequence[bytes]
    rows: int
    heard: Callable[[bytes], tuple[int, int]]
    credit: int


class Talker:
    """One connection. Use `run` once.

    Args:
        port: of the server.
        talk: what is said.

    Attributes:
        kept: the first answers of the server, as many as there are different messages to it.
    """

    def __init__(self, port: int, talk: Talk) -> None:
        self._talk = talk
        self._credit = talk.credit
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self._out = bytearray()
        self._frames = [masked(message) for message in talk.messages]
        self._sent = self._done = self._number = 0
        self.kept: list[bytes] = []
        self._greet()

    def _greet(self) -> None:
        named = self._talk.protocol
        more = f"Sec-WebSocket-Protocol: {named}\r\n" if named else ""
        self._socket.sendall(_HANDSHAKE.format(path=self._talk.path, more=more).encode())
        while b"\r\n\r\n" not in self._rest:
            if not (data := self._socket.recv(4096)):
                raise ConnectionResetError("the server has closed")
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(f"no WebSocket: {head[:200]!r}")
        for message in self._talk.opening:
            self._out += masked(message)
        self._socket.settimeout(0)

    def run(self, rows: int, seconds: float = 60.0) -> tuple[int, float]:
        """Send so many rows, or for so long, and wait for the answers; returns rows and seconds."""
        poll = select.poll()
        began = time.perf_counter()
        end = began + seconds
        while self._sent > self._done or (self._done < rows and time.perf_counter() < end):
            if time.perf_counter() < end:
                self._fill(rows)
            poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._out else 0))
            if not poll.poll(5000):
                raise TimeoutError(f"{self._done} of {self._sent} rows answered, then silence")
            self._write()
            self._read()
        return self._done, time.perf_counter() - began

    def _fill(self, rows: int) -> None:
        each, count = self._talk.rows, len(self._frames)
        while len(self._out) < _READ and self._sent < rows:
            if self._credit < each:
                return
            self._credit -= each
            self._out += self._frames[self._number % count]
            self._number += 1
            self._sent += each

    def _write(self) -> None:
        if not self._out:
            return
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            return
        del self._out[:sent]

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError("the server has closed")
        frames, self._rest = split(self._rest + data if self._rest else data)
        for opcode, payload in frames:
            if opcode == _CLOSE:
                raise ConnectionResetError(f"the server has closed: {payload[2:]!r}")
            if opcode == _PING:
                self._out += masked(payload, _PONG)
                continue
            answered, more = self._talk.heard(payload)
            self._done += answered
            self._credit += more
            if answered and len(self.kept) < len(self._frames):
                self.kept.append(payload)

    def close(self) -> None:
        """End it."""
        self._socket.close()
