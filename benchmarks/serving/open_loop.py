"""Open: requests come when they are due, and clients give up when they have waited long enough.

A latency counts from when the request was due, not from when it could be sent: a server that is slow to answer
makes nobody ask less. Each request takes a connection that has nothing to do, the one used last, or opens
one; a client that gives up closes its connection, as browsers and proxies do.
"""

from __future__ import annotations

import select
import sys
import time
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks.serving.connection import Connection
from benchmarks.serving.process import HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.serving.answers import Answer

GAVE_UP: Final = -1
"""As a status: nothing came in time."""

LOST: Final = -2
"""As a status: the server has refused or closed the connection."""

UNSENT: Final = -3
"""As a status: all connections were busy, and the client failed at once."""

_MANY: Final = sys.platform == "linux"
"""Connections come from many addresses, as those of many clients do: elsewhere this machine has but one."""

_ADDRESSES: Final = 200
_AHEAD_SECONDS: Final = 0.002
_BURST: Final = 64
_LATE_LIMIT: Final = 0.02
_LOOKS_SECONDS: Final = 0.002
"""Who is late by more looks at what has come before it asks, as clients do: a connection that has ended meanwhile is not used."""


def _doubles() -> array[float]:
    return array("d")


def _shorts() -> array[int]:
    return array("h")


def _longs() -> array[int]:
    return array("l")


@dataclass(slots=True)
class Opened:
    """What came of each request, in the order in which they ended.

    Attributes:
        due: seconds from the beginning.
        latencies: seconds from when it was due until its end.
        statuses: of HTTP, or one of those above.
        numbers: how many were sent before, which tells the request; -1 if it never was.
        bodies: every so many answers with 200: their numbers and bodies.
        behind: the share of requests that the client itself looked at more than 20 ms late.
        began: when, by `perf_counter`.
    """

    due: array[float] = field(default_factory=_doubles)
    latencies: array[float] = field(default_factory=_doubles)
    statuses: array[int] = field(default_factory=_shorts)
    numbers: array[int] = field(default_factory=_longs)
    bodies: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    behind: float = 0.0
    began: float = 0.0

    def add(self, due: float, latency: float, status: int, number: int) -> None:
        """One request has ended."""
        self.numbers.append(number)
        self.due.append(due)
        self.latencies.append(latency)
        self.statuses.append(status)

    def count(self, status: int) -> int:
        """How many ended so."""
        return self.statuses.count(status)

    def of(self, status: int, since: float = 0.0, until: float = float("inf")) -> list[float]:
        """Latencies of those that ended so and were due between the two."""
        rows = zip(self.due, self.latencies, self.statuses, strict=True)
        return [late for due, late, ended in rows if ended == status and since <= due < until]


class OpenLoop:
    """Clients that ask at given times.

    Args:
        port: of the server.
        requests: whole requests, taken in turns.
        give_up: seconds after which a client goes away.
        most: connections at once, >= 1; who finds them all busy fails at once. Had he waited, the server would get
            old requests first whatever it did.
        keep: of so many answers one is kept, to be looked at when the clock has stopped.
    """

    def __init__(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        give_up: float,
        most: int,
        keep: int = 64,
    ) -> None:
        self._keep = keep
        self._port, self._requests = port, requests
        self._give_up, self._most = give_up, most
        self._poll = select.epoll()
        self._idle: list[Connection] = []
        self._busy: dict[int, Connection] = {}
        self._count = self._opened = 0
        self._number = -1
        self._asked: deque[tuple[float, Connection, int]] = deque()
        self._began = 0.0
        self._found = Opened()

    def run(self, due: Sequence[float]) -> Opened:
        """Ask at each of these times, in seconds from now, and wait for what is open."""
        self._began = self._found.began = time.perf_counter()
        at, late, count = 0, 0, len(due)
        while at < count or self._busy:
            now = time.perf_counter() - self._began
            if at < count and now - due[at] > _LOOKS_SECONDS:
                self._work(0.0)
            stop = min(at + _BURST, count)
            while at < stop and due[at] <= now:
                late += now - due[at] > _LATE_LIMIT
                self._arrive(due[at])
                at += 1
            self._expire(now)
            self._work(0.0 if at < count and due[at] - now < _AHEAD_SECONDS else 0.001)
        self._found.behind = late / max(1, count)
        return self._found

    def _work(self, wait: float) -> None:
        for fd, event in self._poll.poll(wait):
            if connection := self._busy.get(fd):
                self._event(connection, event)
            else:
                self._closed_while_idle(fd)

    def _arrive(self, due: float) -> None:
        if self._idle or self._count < self._most:
            self._ask(due)
        else:
            self._end(due, UNSENT)

    def _ask(self, due: float) -> None:
        try:
            connection = self._idle.pop() if self._idle else self._connect()
        except OSError:
            self._end(due, LOST)
            return
        self._number += 1
        connection.asked, connection.began = self._number, due
        self._busy[connection.fd] = connection
        self._asked.append((due, connection, self._number))
        try:
            if not connection.send(self._requests[self._number % len(self._requests)]):
                self._poll.modify(connection.fd, select.EPOLLIN | select.EPOLLOUT)
        except OSError:
            self._lose(connection, LOST)

    def _connect(self) -> Connection:
        self._opened += 1
        source = f"127.0.1.{1 + self._opened % _ADDRESSES}" if _MANY else HOST
        connection = Connection(self._port, source)
        self._poll.register(connection.fd, select.EPOLLIN)
        self._count += 1
        return connection

    def _event(self, connection: Connection, event: int) -> None:
        try:
            if event & select.EPOLLOUT and connection.send(connection.waiting):
                self._poll.modify(connection.fd, select.EPOLLIN)
            if not event & ~select.EPOLLOUT:
                return
            answer = connection.receive()
        except OSError:
            self._lose(connection, LOST)
            return
        if answer is not None:
            self._answered(connection, answer)

    def _answered(self, connection: Connection, answer: Answer) -> None:
        self._end(connection.began, answer.status, connection.asked)
        if answer.status == 200 and connection.asked % self._keep == 0:
            self._found.bodies.append((connection.asked, answer.body))
        connection.asked = -1
        del self._busy[connection.fd]
        if answer.closes:
            self._shut(connection)
        else:
            self._idle.append(connection)

    def _expire(self, now: float) -> None:
        """Let those go whose patience is at an end."""
        since = now - self._give_up
        while self._asked and (self._asked[0][0] < since or self._asked[0][1].asked < 0):
            _, connection, number = self._asked.popleft()
            if connection.asked == number:
                self._lose(connection, GAVE_UP)

    def _end(self, due: float, status: int, number: int = -1) -> None:
        self._found.add(due, time.perf_counter() - self._began - due, status, number)

    def _lose(self, connection: Connection, status: int) -> None:
        self._end(connection.began, status, connection.asked)
        connection.asked = -1
        del self._busy[connection.fd]
        self._shut(connection)

    def _closed_while_idle(self, fd: int) -> None:
        gone = next(connection for connection in self._idle if connection.fd == fd)
        self._idle.remove(gone)
        self._shut(gone)

    def _shut(self, connection: Connection) -> None:
        self._count -= 1
        connection.close()

    def close(self) -> None:
        """Close all connections."""
        for connection in [*self._idle, *self._busy.values()]:
            connection.close()
        self._poll.close()
