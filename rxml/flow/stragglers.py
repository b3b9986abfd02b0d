"""Stragglers: tasks that were sent away and take their time to leave; the answer need not wait for them."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from rxml.flow.scope import settled

if TYPE_CHECKING:
    from collections.abc import Iterable


class Stragglers:
    """Owns tasks that were cancelled and have not ended yet. Closing it waits until each has.

    Args:
        most: of them at once; 0: it takes none.
    """

    __slots__ = ("_loop", "_most", "_tasks")

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def host(self) -> None:
        """From now on what the running task, and tasks that it makes, send away is left here."""
        self._loop = asyncio.get_running_loop()
        _HOST.set(self)

    def take(self, tasks: Iterable[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
        """Own as many as there is room for; those that are left over, which somebody is to wait for."""
        over: list[asyncio.Task[Any]] = []
        for task in tasks:
            if len(self._tasks) >= self._most or task.get_loop() is not self._loop:
                over.append(task)
            else:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return over

    async def aclose(self) -> None:
        """Take no more, and wait until all have ended: a second cancellation would interrupt what they do to leave."""
        self._most = 0
        await settled(self._tasks)


_HOST: Final[ContextVar[Stragglers | None]] = ContextVar("rxml.stragglers", default=None)


async def dismissed(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks whose results nobody wants. Those that do not end at once are left to the stage that this is done for.

    They are waited for here if there is no such stage, or no room there. What they raise is nobody's concern.
    """
    going: list[asyncio.Task[Any]] = []
    for task in tasks:
        if not task.done():
            task.cancel()
            going.append(task)
        task.add_done_callback(_seen)
    if going:
        host = _HOST.get()
        await settled(going if host is None else host.take(going))


def _seen(task: asyncio.Task[Any]) -> None:
    """Look at its error, which asyncio would log otherwise."""
    if not task.cancelled():
        task.exception()
