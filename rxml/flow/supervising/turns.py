"""Turns: tasks that wait for a turn, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Those who are given a turn have it for certain: what they wait for is theirs when they wake.

    Attributes:
        given: turns that were given to tasks which have not woken yet.
    """

    __slots__ = ("_places", "given")

    def __init__(self) -> None:
        self._places: deque[asyncio.Future[None]] = deque()
        self.given: int = 0

    def __len__(self) -> int:
        """Tasks that have no turn yet."""
        return len(self._places)

    async def turn(self) -> None:
        """Wait for one. Who is cancelled has none, even if it was given already."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._places.append(place)
        try:
            await place
        finally:
            if place.done() and not place.cancelled():
                self.given -= 1
            elif place in self._places:
                self._places.remove(place)

    def give(self) -> None:
        """One for the first who waits; none if nobody does."""
        while self._places:
            place = self._places.popleft()
            if not place.done():
                self.given += 1
                place.set_result(None)
                return
