"""Answers: HTTP/1.1 responses out of what has come from a socket, with no more work than that takes."""

from __future__ import annotations

from typing import Final, NamedTuple

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_MOST_HEADER_BYTES: Final = 65_536


class ProtocolError(Exception):
    """What came is no HTTP/1.1 response."""


class Answer(NamedTuple):
    """A whole response.

    Attributes:
        status: three digits.
        body: without chunks.
        head: status line and headers, in lower case.
    """

    status: int
    body: bytes
    head: bytes

    @property
    def closes(self) -> bool:
        """The server will close the connection."""
        return b"\r\nconnection: close" in self.head


def parse(data: bytes) -> Answer | None:
    """The response that `data` begins with, or None if it has not come wholly.

    Nothing may follow it: the client asks for nothing more on a connection before it has its answer.

    Raises:
        ProtocolError: it is no response, or something follows it.
    """
    end = data.find(_END)
    if end < 0:
        if len(data) > _MOST_HEADER_BYTES or not b"HTTP/1.1"[: len(data)] == data[:8]:
            raise ProtocolError(f"no response begins with {data[:40]!r}")
        return None
    head = data[:end].lower()
    if not head.startswith(b"http/1.1 "):
        raise ProtocolError(f"no response begins with {data[:40]!r}")
    at = head.find(_LENGTH)
    if at < 0:
        return _unmeasured(head, data[end + 4 :])
    stop = head.find(b"\r", at)
    length = int(head[at + len(_LENGTH) : stop if stop > 0 else end])
    missing = end + 4 + length - len(data)
    if missing > 0:
        return None
    if missing < 0:
        raise ProtocolError(f"{-missing} bytes follow a response of {length}")
    return Answer(int(head[9:12]), data[end + 4 :], head)


def _unmeasured(head: bytes, rest: bytes) -> Answer | None:
    if b"\r\ntransfer-encoding: chunked" not in head:
        raise ProtocolError(f"neither a length nor chunks: {head!r}")
    body: list[bytes] = []
    while True:
        size, found, rest = rest.partition(b"\r\n")
        if not found:
            return None
        length = int(size.partition(b";")[0], 16)
        if len(rest) < length + 2:
            return None
        if length == 0:
            return Answer(int(head[9:12]), b"".join(body), head)
        body.append(rest[:length])
        rest = rest[length + 2 :]
