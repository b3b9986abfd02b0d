"""Mailbox: calls from other threads, made on the loop's own in the order in which they came."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Mailbox:
    """A bounded queue of calls, with one wake-up of the loop for all that wait.

    Args:
        loop: whose thread makes the calls.
        capacity: calls that may wait.
        overflow: called once, on the loop, instead of the call for which there was no room.
        arrive: called on the loop when something has come; must call `take`.
    """

    __slots__ = (
        "_arrive",
        "_calls",
        "_capacity",
        "_loop",
        "_overflow",
        "_thread",
        "_told",
        "closed",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        capacity: int,
        overflow: Callable[[], None],
        arrive: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._capacity = capacity
        self._overflow = overflow
        self._arrive = arrive
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._thread = get_ident()
        self._told = False
        self.closed: bool = False

    def abroad(self) -> bool:
        """True in any thread but the loop's."""
        return get_ident() != self._thread

    def post(self, function: Callable[..., None], *arguments: Any) -> None:
        """Have a call made; once there is no room, or the box is closed, nothing more is taken."""
        waiting = len(self._calls)
        if self.closed or waiting > self._capacity:
            return
        # An append is atomic, and one too many does no harm: no lock is needed.
        if waiting == self._capacity:
            self._calls.append((self._overflow, ()))
        else:
            self._calls.append((function, arguments))
        # Set before it is looked at by whoever comes next, cleared before the calls are made: no wake-up is lost.
        if not self._told:
            self._told = True
            with suppress(RuntimeError):  # the loop is closed: nobody is left to whom it matters
                self._loop.call_soon_threadsafe(self._arrive)

    def take(self) -> None:
        """Make all calls that wait."""
        self._told = False
        while self._calls and not self.closed:
            function, arguments = self._calls.popleft()
            function(*arguments)

    def close(self) -> None:
        """Take no more, and forget what waits."""
        self.closed = True
        self._calls.clear()
