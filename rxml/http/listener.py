"""Listener: takes connections from the port, a few a turn, and none while there are too many for the loop."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import select
import socket
import ssl
from contextlib import suppress
from time import thread_time
from typing import TYPE_CHECKING, Any, Final

from rxml.flow.scope import Scope
from rxml.http.backlog import Backlog
from rxml.http.rotation import unread
from rxml.http.stale import PATIENCE, turn_away, waited
from rxml.http.valve import WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.http.valve import Valve

logger: Final = logging.getLogger("rxml.http")

_TURN: Final = 16
"""Connections taken in one turn of the loop: so many heads may come with them at once."""

_LOOKS: Final = 8
"""Requests between two looks at the clock."""

_SPENT: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE: Final = 1.0
"""Seconds after which it is tried again when there was no descriptor or memory for a connection."""


class Listener:
    """Has the sockets of a server.

    Args:
        door: makes the protocol of a connection.
        valve: how many may be open.
        open_: how many are, of those that cost anything.
        tls: of `connect_accepted_socket`.
        refused: called for each that is refused: it has waited too long at the port, or as many are on their way in
            already as may be open.
    """

    def __init__(
        self,
        door: Callable[[], asyncio.Protocol],
        valve: Valve,
        open_: Callable[[], int],
        tls: dict[str, Any],
        refused: Callable[[], None],
    ) -> None:
        self._door = door
        self._valve = valve
        self._open = open_
        self._tls = tls
        self._refused = refused
        self._loop = asyncio.get_running_loop()
        self._scope = Scope()
        self._sockets: list[socket.socket] = []
        self._waiting: asyncio.TimerHandle | None = None
        self._first: float | None = None
        self._last = self._worked = 0.0
        self._unread = unread(self._loop)
        self._read = 0
        self._reading = 0.0
        self._requests = 0
        self._leaving = 0
        self._coming = 0
        self._backlog = Backlog(valve.most, PATIENCE)
        self._waits = 0

    async def bind(self, host: str, port: int, *, shared: bool) -> int:
        """Listen; returns the port.

        Args:
            host: address.
            port: 0 for any free one.
            shared: other processes listen there, too.

        Raises:
            OSError: that cannot be had.
        """
        server = await self._loop.create_server(
            self._door, host, port, reuse_port=shared or None, start_serving=False
        )
        self._sockets = [socket.socket(fileno=os.dup(each.fileno())) for each in server.sockets]
        server.close()
        for each in self._sockets:
            each.settimeout(0.0)
        self._keep_waiting()
        self._resume()
        bound: int = self._sockets[0].getsockname()[1]
        return bound

    def works(self) -> None:
        """A request has come: how long it takes to read all that came with it counts, by what this thread has done itself.

        What others of the machine take from it is no reason to take fewer: it would answer no sooner. That clock takes a
        microsecond, so that it is read at each eighth request; fewer in a turn take no time of note.
        """
        if self._first is None:
            self._first = self._last = thread_time()
            self._read = 0
            self._loop.call_soon(self._turned)
            return
        self._read += 1
        if not self._read % _LOOKS:
            self._last = thread_time()

    def _turned(self) -> None:
        first, self._first = self._first, None
        self._worked = self._loop.time()
        if first is None:
            return
        looked = self._read - self._read % _LOOKS
        self._reading += (self._last - first) * self._read / looked if looked else 0.0
        self._requests += 1 + self._read
        open_ = self._open()
        if self._unread() and self._requests < open_:
            return  # the others are read in the turns to come
        seconds, self._reading, self._requests = self._reading, 0.0, 0
        if self._valve.read(seconds, self._worked, open_):
            self._keep_waiting()
            self.look()

    def _keep_waiting(self) -> None:
        """Have the kernel keep as many waiting as is right by now."""
        size = self._backlog.size(narrowed=self._valve.narrowed)
        if size != self._waits:
            self._waits = size
            for each in self._sockets:
                each.listen(size)

    def leaves(self) -> bool:
        """Whether the connection that is answered now ends with that, since there are too many; it counts as leaving then."""
        if not self._valve.narrowed or self._open() - self._leaving <= self._valve.limit:
            return False
        self._leaving += 1
        return True

    def left(self) -> None:
        """A connection has ended."""
        if self._leaving:
            self._leaving -= 1
        self.look()

    def look(self) -> None:
        """There may be room: take others, if they may come."""
        if self._waiting is not None and not self._full:
            self._waiting.cancel()
            self._resume()

    @property
    def _full(self) -> bool:
        """Beyond the limit that is set, connections are taken and told so; beyond that of the valve, they wait."""
        return self._valve.narrowed and self._open() + self._coming >= self._valve.limit

    def _resume(self) -> None:
        self._waiting = None
        for each in self._sockets:
            self._loop.add_reader(each, self._take, each)

    def _pause(self, seconds: float) -> None:
        for each in self._sockets:
            self._loop.remove_reader(each)
        if self._waiting is None:
            self._waiting = self._loop.call_later(seconds, self._again)

    def _again(self) -> None:
        self._waiting = None
        if (now := self._loop.time()) - self._worked > WINDOW:
            self._valve.rested(now)
            self._keep_waiting()
        if self._full:
            self._keep_out()
        else:
            self._resume()

    def _keep_out(self) -> None:
        self._backlog.kept_out(self._loop.time())
        self._keep_waiting()
        self._pause(WINDOW)

    def _take(self, listening: socket.socket) -> None:
        for _ in range(_TURN):
            if self._full:
                return self._keep_out()
            try:
                connection, _ = listening.accept()
            except (InterruptedError, ConnectionAbortedError):
                return None
            except BlockingIOError:  # nobody waits any more
                self._backlog.empty()
                return self._keep_waiting()
            except OSError as error:
                if error.errno not in _SPENT:
                    raise
                logger.warning("no connection can be taken: %s; next try in %g s", error, _PAUSE)
                return self._pause(_PAUSE)
            self._see_to(connection)
        if not _has_some(listening):  # or the next who waits would have waited since this one came
            self._backlog.empty()
            self._keep_waiting()
        return None

    def _see_to(self, connection: socket.socket) -> None:
        stale = self._backlog.late and waited(connection) > PATIENCE
        # Each may take its time over the handshake of TLS.
        if stale or self._coming >= self._valve.most:
            self._turn_away(connection)
        else:
            self._come(connection)

    def _come(self, connection: socket.socket) -> None:
        self._coming += 1
        self._scope.start(self._connect(connection), name="take a connection")

    def _turn_away(self, connection: socket.socket) -> None:
        self._refused()
        connection.settimeout(0.0)
        turn_away(connection, secure="ssl" in self._tls)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(0.0)
            await self._loop.connect_accepted_socket(self._door, connection, **self._tls)
        except (OSError, ssl.SSLError, TimeoutError):
            connection.close()
        finally:
            self._coming -= 1

    def close(self) -> None:
        """Take no more; who waits at the port is taken and told."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        for each in self._sockets:
            self._loop.remove_reader(each)
            with suppress(OSError):
                while True:
                    connection, _ = each.accept()
                    self._come(connection)
            each.close()
        self._sockets = []

    async def aclose(self) -> None:
        """Nothing is left of it."""
        self.close()
        await self._scope.aclose()


def _has_some(listening: socket.socket) -> bool:
    """Whether somebody waits there."""
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    return bool(poll.poll(0))
