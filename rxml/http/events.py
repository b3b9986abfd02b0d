"""Events: server-sent events as they come. Pure.

The grammar is that of WHATWG HTML, 9.2.6 "Interpreting an event stream".
"""

from __future__ import annotations

import msgspec

from rxml.errors import ProtocolError


class Event(msgspec.Struct, frozen=True):
    """One server-sent event.

    Attributes:
        data: its lines.
        event: its type.
        id: the last `id` so far; empty if there was none.
    """

    data: str
    event: str = "message"
    id: str = ""


class Events:
    """Cuts what is fed into events.

    Args:
        most: bytes that an event may have.

    Attributes:
        last: the `id` that came last, with a whole event; sent as `Last-Event-ID`.
        retry: seconds to wait before connecting again, as the server wants it; None: it did not say.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = bytearray()
        self._begun = self._half = False
        self._data: list[bytes] = []
        self._size = 0
        self._event = self._id = ""
        self.last: str = ""
        self.retry: float | None = None

    def restart(self) -> None:
        """A new connection: what is not whole is lost, what came last stays."""
        self._rest.clear()
        self._begun = self._half = False
        self._id = self.last
        self._clear()

    def feed(self, data: bytes) -> list[Event]:
        """The events that end within `data`.

        Raises:
            ProtocolError: one is too large.
        """
        lines = self._lines(data)
        events = [event for line in lines if (event := self._line(line)) is not None]
        if self._size + len(self._rest) > self._most:
            raise ProtocolError(f"an event is larger than {self._most} bytes")
        return events

    def _lines(self, data: bytes) -> list[bytes]:
        """Whole lines; their ends are CR LF, LF or CR. What has come of the next is not looked at again with each byte."""
        if self._half and data.startswith(b"\n"):
            data = data[1:]
        self._half = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        head, *lines = data.split(b"\n")
        self._rest += head
        if not lines:
            return []
        lines.insert(0, bytes(self._rest if self._begun else self._rest.removeprefix(_BOM)))
        self._rest = bytearray(lines.pop())
        self._begun = True
        return lines

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatched()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"event":
            self._event = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif name == b"retry" and value.isdigit():
            self.retry = int(value[:12]) / 1000
        return None

    def _dispatched(self) -> Event | None:
        self.last = self._id
        if not self._data:
            self._clear()
            return None
        data = b"\n".join(self._data).decode(errors="replace")
        event = Event(data, self._event or "message", self._id)
        self._clear()
        return event

    def _clear(self) -> None:
        self._data, self._size, self._event = [], 0, ""


_BOM = b"\xef\xbb\xbf"
