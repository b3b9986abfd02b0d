"""Turns: work that is always ready lets the rest of the server have its turn."""

from __future__ import annotations

import asyncio
from typing import Final

HOLD: Final = 0.005
"""Seconds for which the loop is held at a time, by all that take turns together."""


class Turns:
    """One for all connections of a server, so that many busy ones hold the loop no longer than one does."""

    __slots__ = ("_marked", "_until")

    def __init__(self) -> None:
        self._until = 0.0
        self._marked = False

    async def pause(self) -> None:
        """Go on at once, or after the others if the loop has been held for long enough.

        Called after each step of work whose waits need not have suspended: bytes and messages that had come already.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._until:
            return
        if not self._marked:
            self._marked = True
            loop.call_soon(self._begin)  # runs before whoever pauses in this turn goes on
        await asyncio.sleep(0)

    def over(self, now: float) -> bool:
        """Whether `pause` would let others go first, at a moment of the loop's clock."""
        return now >= self._until

    def _begin(self) -> None:
        self._marked = False
        self._until = asyncio.get_running_loop().time() + HOLD
