"""Deadlines: many that are seldom reached, for the price of a few timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

T = TypeVar("T")

TICK: Final = 0.005
"""Seconds by which one may be told late, at most: those of one tick share a timer."""


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
        self._ticks: dict[int, set[T]] = {}

    def set(self, item: T, deadline: float) -> int:
        """Have an item told at a moment of the loop's clock; returns what takes it back."""
        tick = int(deadline / TICK) + 1
        items = self._ticks.get(tick)
        if items is None:
            items = self._ticks[tick] = set[T]()
            self._loop.call_at(tick * TICK, self._due, tick)
        items.add(item)
        return tick

    def take_back(self, item: T, tick: int) -> None:
        """It need not be told any more."""
        items = self._ticks.get(tick)
        if items is not None:
            items.discard(item)

    def clear(self) -> None:
        """None need be told."""
        self._ticks.clear()

    def _due(self, tick: int) -> None:
        for item in self._ticks.pop(tick, ()):
            self._reached(item)
