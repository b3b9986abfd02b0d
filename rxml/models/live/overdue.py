"""Overdue: tells of elements that have not been answered in time."""

from __future__ import annotations

import asyncio
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Final

from rxml.flow.workers.turnstile import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.models.live.arm import Sent

_SLACK: Final = 256
"""Elements that are answered already may stand here beside as many as are not."""

_PART: Final = 0.5
"""Of the time until its deadline, what an element waits for a candidate at most: the rest is for who answers instead."""


class Overdue:
    """Elements by when they are due; one timer, while there are any.

    Args:
        tell: is given those that are due; some of them may be answered.
    """

    __slots__ = ("_heap", "_loop", "_number", "_tell", "_timer", "_trim")

    def __init__(self, tell: Callable[[list[Sent]], None]) -> None:
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Sent]] = []
        self._number = count()
        self._timer: asyncio.TimerHandle | None = None
        self._trim = _SLACK

    def put(self, ask: Sent, slow: float) -> None:
        """One more.

        Args:
            ask: it.
            slow: seconds after it came at which it is due, if its deadline does not want it earlier; inf: none.
        """
        due = ask.arrived + min(slow, _PART * (ask.deadline - ask.arrived))
        if due == inf:
            return
        heappush(self._heap, (due, next(self._number), ask))
        if len(self._heap) > self._trim:
            self._heap = [each for each in self._heap if _open(each[2])]
            heapify(self._heap)
            self._trim = 2 * len(self._heap) + _SLACK
        self._arm()

    def _arm(self) -> None:
        if self._heap and (self._timer is None or self._timer.when() > self._heap[0][0]):
            self.close()
            self._timer = self._loop.call_at(self._heap[0][0], self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        due: list[Sent] = []
        while self._heap and (self._heap[0][0] <= now or not _open(self._heap[0][2])):
            due.append(heappop(self._heap)[2])
        if due:
            self._tell(due)
        self._arm()

    def close(self) -> None:
        """Tell of nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _open(ask: Sent) -> bool:
    return ask.progress is RUNNING and ask.fell is None
