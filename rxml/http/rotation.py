"""Rotation: of many connections that have something to read, a few are read in a turn of the loop, and the others in the next.

asyncio reads all that are ready before anything is answered. With a thousand of them, what one needs has left the caches of the
processor when its answer is written: each costs a sixth more processor time than with 64. The kernel keeps those that are ready in
a row, and puts those that it has told of at its end: each has its turn, however often another asks.
"""

from __future__ import annotations

import asyncio
import math
import os
import select
import selectors
import sys
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from selectors import SelectorKey

MOST: Final = 32
"""That are read in one turn: with more of them answers cost more, with fewer the turns do."""

if sys.platform == "linux":

    class Rotation(selectors.EpollSelector):
        """Tells of `MOST` that are ready at a time.

        Attributes:
            more: others may be ready that it has not told of.
        """

        def __init__(self) -> None:
            super().__init__()
            self._poll = select.epoll.fromfd(os.dup(self.fileno()))
            self._keys: dict[int, SelectorKey] = {}
            self.more: bool = False

        @override
        def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
            key = super().register(fileobj, events, data)
            self._keys[key.fd] = key
            return key

        @override
        def unregister(self, fileobj: Any) -> SelectorKey:
            key = super().unregister(fileobj)
            self._keys.pop(key.fd, None)
            return key

        @override
        def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
            key = super().modify(fileobj, events, data)
            self._keys[key.fd] = key
            return key

        @override
        def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
            try:
                found = self._poll.poll(_rounded(timeout), MOST)
            except InterruptedError:
                return []
            self.more = len(found) == MOST
            keys = self._keys
            return [
                (key, _meant(event) & key.events)
                for fd, event in found
                if (key := keys.get(fd)) is not None
            ]

        @override
        def close(self) -> None:
            self._poll.close()
            super().close()

    class RotatingLoop(asyncio.SelectorEventLoop):
        """asyncio's, with a rotation."""

        def __init__(self) -> None:
            self.rotation: Rotation = Rotation()
            super().__init__(self.rotation)


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop for a server: a rotating one where that can be had, unless another sort was asked for by a policy."""
    made = asyncio.new_event_loop()
    if sys.platform != "linux" or type(made) is not asyncio.SelectorEventLoop:
        return made
    made.close()
    return RotatingLoop()


def unread(loop: asyncio.AbstractEventLoop) -> Callable[[], bool]:
    """Tells whether more may have come than has been read in the present turn of this loop."""
    if sys.platform != "linux" or not isinstance(loop, RotatingLoop):
        return _none
    rotation = loop.rotation
    return lambda: rotation.more


def _none() -> bool:
    return False


def _rounded(timeout: float | None) -> float:
    """Up to a millisecond, so that a timer is not looked for before it is due; -1: whenever."""
    if timeout is None:
        return -1
    return 0 if timeout <= 0 else math.ceil(timeout * 1e3) * 1e-3


def _meant(event: int) -> int:
    """What an event of epoll is to a selector: errors and ends are for whoever reads or writes."""
    meant = 0
    if event & ~select.EPOLLIN:
        meant |= selectors.EVENT_WRITE
    if event & ~select.EPOLLOUT:
        meant |= selectors.EVENT_READ
    return meant
