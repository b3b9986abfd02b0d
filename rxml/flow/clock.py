"""Clock: the only reader of time, and the share of the loop that one stage may take."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


HOLD: Final = 0.004
"""Seconds that a stage may hold the loop while other work may be waiting."""

LONG: Final = HOLD / 2
"""Seconds that a turn of one stage should not take."""


FIRST: Final = 8
"""Elements of the first turn of a stage that calls functions: nobody knows yet how slow they are."""


class Clock:
    """Time of one run, in seconds of its event loop.

    Under the virtual loop of `rxml.testing` this is virtual time, and so is all that follows from it.

    Attributes:
        time: seconds since some fixed point; never goes back.
        busy: a clock that goes on while a stage works, in seconds; for measuring turns.
        yielded: when, by that clock, other tasks were last let run.
    """

    __slots__ = ("busy", "time", "yielded")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.time: Callable[[], float] = loop.time
        self.busy: Callable[[], float] = getattr(loop, "cpu_time", time.perf_counter)
        self.yielded: float = self.busy()

    async def sleep(self, seconds: float) -> None:
        """Wait; anything <= 0 only lets other tasks run."""
        await asyncio.sleep(seconds)

    async def sleep_until(self, moment: float) -> None:
        """Wait until the clock shows `moment`."""
        await asyncio.sleep(max(0.0, moment - self.time()))

    @property
    def held(self) -> bool:
        """True if the loop has not been offered to other tasks for `HOLD` seconds."""
        return self.busy() - self.yielded > HOLD

    async def breathe(self) -> None:
        """Let other tasks run once. Called only while no element is in hand (cancel-safety)."""
        await asyncio.sleep(0)
        self.yielded = self.busy()


class Quota:
    """How many elements at a time keep a stage's turn short, learnt from what they took.

    Doubles while a turn takes less than a quarter of `HOLD`, halves when it takes more than half of it.

    Attributes:
        limit: elements that a turn may take.
        rising: whether short turns may still raise it; if not, only long ones need be recorded.
    """

    __slots__ = ("_most", "limit", "rising")

    def __init__(self, most: int, start: int = 64) -> None:
        self.limit: int = min(start, most)
        self.rising: bool = self.limit < most
        self._most = most

    def of(self, n: int) -> int:
        """The demand n, cut to what a turn may take."""
        return min(n, self.limit)

    def record(self, count: int, seconds: float) -> None:
        """Learn from a turn of `count` elements."""
        if not count:
            return
        if seconds > LONG:
            self.limit = max(1, min(self.limit, count) // 2)
        elif count >= self.limit and seconds < HOLD / 4:
            self.limit = min(self._most, self.limit * 2)
        self.rising = self.limit < self._most
