"""Handing: from a WebSocket to an inbox, for as long as that is wanted and somebody is there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from rxml.http.decode import Intake
    from rxml.http.inbox import Inbox
    from rxml.http.limits import Limits
    from rxml.http.link import Link
    from rxml.http.pool import Pool
    from rxml.http.serving import Serving
    from rxml.http.turns import Turns

T = TypeVar("T")

_BEATS: Final = 2
"""Pings in `heartbeat_seconds`: it takes two of them to find out that a client has left while nothing is read."""


class UnwantedError(Exception):
    """Nothing was asked for in `idle_seconds`."""


class Handing(Generic[T]):
    """What waits for demand here is not read from the socket, so pings go out that nobody need answer: they fail if the
    client is gone.

    Args:
        link: where elements come from.
        serving: limits.
        inbox: where they go.
        intake: what they must be.
        pool: bytes that decoded elements of this path may take.
    """

    def __init__(
        self, link: Link, serving: Serving, inbox: Inbox[T], intake: Intake[T], pool: Pool
    ) -> None:
        self._link = link
        self.limits: Limits = serving.limits
        self.turns: Turns = serving.turns
        self.inbox = inbox
        self.intake = intake
        self._pool = pool

    @asynccontextmanager
    async def decoding(self, data: bytes, *, text: bool) -> AsyncGenerator[None]:
        """Inside, the elements in `data` may be decoded.

        Raises:
            UnwantedError: others were for too long.
        """
        weight = self.intake.weight(data, self.limits, text=text)
        try:
            async with self._pool.hold(weight, self.limits.idle_seconds):
                yield
        except TimeoutError:
            raise self._unwanted() from None

    async def wanted(self) -> None:
        """Wait for demand.

        Raises:
            UnwantedError: for too long.
        """

        async def ready(seconds: float) -> bool:
            try:
                await self.inbox.ready(seconds)
            except TimeoutError:
                return False
            return True

        await self._until(ready)

    async def give(self, elements: Sequence[T]) -> None:
        """Hand elements over as they are wanted.

        Raises:
            UnwantedError: one was not for too long.
        """
        done = 0

        async def given(seconds: float) -> bool:
            nonlocal done
            count = await self.inbox.offer(elements[done:], seconds)
            done += count
            return count > 0

        while done < len(elements):
            await self._until(given)

    async def _until(self, step: Callable[[float], Awaitable[bool]]) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + self.limits.idle_seconds
        beat = self.limits.heartbeat_seconds / _BEATS
        while not await step(max(0.0, min(beat, end - clock()))):
            if clock() >= end:
                raise self._unwanted()
            await self._link.ping()

    def _unwanted(self) -> UnwantedError:
        return UnwantedError(f"nothing was asked for in {self.limits.idle_seconds:g} seconds")
