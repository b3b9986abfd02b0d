"""Closed: so many connections, each of which asks again as soon as it has its answer."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks.serving.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_KEPT: Final = 4096


@dataclass(slots=True)
class Closed:
    """What came of it.

    Attributes:
        seconds: from the first question to the last answer.
        latencies: of the answers with status 200, in seconds, as they came.
        bodies: some answers: which request, and the body.
        refused: answers with another status, by status.
        lost: connections that the server has closed with a question open.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    bodies: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    refused: dict[int, int] = field(default_factory=dict[int, int])
    lost: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


class ClosedLoop:
    """A client of `connections` that take the requests in turns.

    Args:
        port: of the server.
        requests: whole requests, heads and bodies.
        connections: how many, >= 1.
        keep: of so many answers one is kept, to be looked at when the clock has stopped.
    """

    def __init__(
        self, port: int, requests: Sequence[bytes], connections: int, *, keep: int = 1
    ) -> None:
        self._port = port
        self._every = keep
        self._requests = requests
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._next = 0
        for _ in range(connections):
            self._connect()

    def _connect(self) -> Connection:
        connection = Connection(self._port)
        self._open[connection.fd] = connection
        self._poll.register(connection.fd, select.EPOLLIN)
        return connection

    def _ask(self, connection: Connection) -> None:
        connection.asked = self._next
        self._next = (self._next + 1) % len(self._requests)
        connection.began = time.perf_counter()
        if not connection.send(self._requests[connection.asked]):
            self._poll.modify(connection.fd, select.EPOLLIN | select.EPOLLOUT)

    def run(self, seconds: float, most: int) -> Closed:
        """Ask for `seconds` or until there are `most` answers, then wait for what is open."""
        found = Closed()
        began = time.perf_counter()
        end = began + seconds
        for connection in [*self._open.values()]:
            self._ask(connection)
        asking, open_ = True, len(self._open)
        while open_:
            events = self._poll.poll(5.0)
            if not events:
                raise TimeoutError(f"no answer to {open_} requests within 5 s")
            for fd, event in events:
                if self._take(self._open[fd], event, found):
                    if asking:
                        self._ask(self._open[fd] if fd in self._open else self._connect())
                    else:
                        open_ -= 1
            if asking and (time.perf_counter() >= end or len(found.latencies) >= most):
                asking = False
                open_ = sum(connection.asked >= 0 for connection in self._open.values())
        found.seconds = time.perf_counter() - began
        return found

    def _take(self, connection: Connection, event: int, found: Closed) -> bool:
        """True if what was asked is over."""
        if event & select.EPOLLOUT:
            if connection.send(connection.waiting):
                self._poll.modify(connection.fd, select.EPOLLIN)
            return False
        try:
            answer = connection.receive()
        except OSError:
            found.lost += 1
            self._drop(connection)
            return True
        if answer is None:
            return False
        asked, connection.asked = connection.asked, -1
        if answer.status == 200:
            found.latencies.append(time.perf_counter() - connection.began)
            self._keep(asked, answer.body, found)
        else:
            found.refused[answer.status] = found.refused.get(answer.status, 0) + 1
        if answer.closes:
            self._drop(connection)
        return True

    def _keep(self, asked: int, body: bytes, found: Closed) -> None:
        if len(found.latencies) % self._every == 0 and len(found.bodies) < _MOST_KEPT:
            found.bodies.append((asked, body))

    def _drop(self, connection: Connection) -> None:
        del self._open[connection.fd]
        connection.close()

    def close(self) -> None:
        """Close all connections."""
        for connection in self._open.values():
            connection.close()
        self._poll.close()
