"""Deadlines: many that are seldom reached, for the price of a few timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

T = TypeVar("T")

TICK: Final = 0.005
"""Seconds by which one may be told late, at most: those of one tick share a timer."""

_KEPT: Final = 1024
"""Ticks that may be kept though nobody is left in them: far deadlines would gather until they are reached."""


class Deadlines(Generic[T]):
    """Tells whose time has come.

    Args:
        loop: whose clock and timers.
        reached: called with each whose deadline has passed, if it was not taken back.
    """

    __slots__ = ("_loop", "_reached", "_ticks")

    def __init__(self, loop: asyncio.AbstractEventLoop, reached: Callable[[T], object]) -> None:
        self._loop = loop
        self._reached = reached
        self._ticks: dict[int, tuple[set[T], asyncio.TimerHandle]] = {}

    def set(self, item: T, deadline: float) -> int:
        """Have an item told at a moment of the loop's clock; returns what takes it back."""
        tick = int(deadline / TICK) + 1
        found = self._ticks.get(tick)
        if found is None:
            timer = self._loop.call_at(tick * TICK, self._due, tick)
            found = self._ticks[tick] = set[T](), timer
        found[0].add(item)
        return tick

    def take_back(self, item: T, tick: int) -> None:
        """It need not be told any more."""
        found = self._ticks.get(tick)
        if found is None:
            return
        items, timer = found
        items.discard(item)
        if not items and len(self._ticks) > _KEPT:
            timer.cancel()
            del self._ticks[tick]

    def clear(self) -> None:
        """None need be told."""
        for _, timer in self._ticks.values():
            timer.cancel()
        self._ticks.clear()

    def _due(self, tick: int) -> None:
        for item in self._ticks.pop(tick)[0]:
            self._reached(item)
