"""Turns: in which order a virtual loop runs what is ready at one moment."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable


class VirtualTimer(asyncio.TimerHandle):
    """A timer with a number, so that a heap keeps timers of one moment in the order they were set."""

    __slots__ = ("number",)
    number: int
    _scheduled: bool  # CPython counts cancelled timers by it, to know when to sweep the heap

    def enter(self, number: int) -> None:
        """Say that the timer is about to be put into the heap, as number `number` of all."""
        self.number = number
        self._scheduled = True

    def leave(self) -> None:
        """Say that the timer was taken out of the heap."""
        self._scheduled = False

    @override
    def __lt__(self, other: VirtualTimer) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return (self.when(), self.number) < (other.when(), other.number)


def permute(ready: deque[asyncio.Handle], schedule: Callable[[int], int]) -> None:
    """Reorder what is ready by the choices of `schedule`.

    The steps of tasks go in any order. Other callbacks keep theirs among themselves (asyncio promises so,
    and its transports rely on it): only the first of those left is a candidate. Candidate 0 is always the
    oldest, so that choosing 0 throughout is asyncio's own order.

    Args:
        ready: changed in place; what threads append meanwhile stays behind.
        schedule: given the number of candidates, >= 2, returns the index of the next.

    Raises:
        ValueError: if `schedule` returns what is no index; all that is ready stays so.
    """
    taken = [ready.popleft() for _ in range(len(ready))]
    handles = [handle for handle in taken if not handle.cancelled()]
    steps = [_is_step(handle) for handle in handles]
    others = deque(i for i, step in enumerate(steps) if not step)
    candidates = [i for i, step in enumerate(steps) if step or i == (others[0] if others else -1)]
    order: list[int] = []
    try:
        while candidates:
            order.append(candidates.pop(_choice(schedule, len(candidates))))
            if not steps[order[-1]]:
                others.popleft()
                if others:
                    insort(candidates, others[0])
    finally:
        rest = sorted({*range(len(handles))}.difference(order))
        ready.extendleft(handles[i] for i in reversed(order + rest))


def _choice(schedule: Callable[[int], int], candidates: int) -> int:
    """The index of the next candidate; `schedule` is only asked where there is a choice."""
    if candidates == 1:
        return 0
    chosen = schedule(candidates)
    if not 0 <= chosen < candidates:
        raise ValueError(f"schedule({candidates}) must return 0..{candidates - 1}, got {chosen!r}")
    return chosen


def _is_step(handle: asyncio.Handle) -> bool:
    """True for a turn of a task, False for any other callback."""
    callback: Any = getattr(handle, "_callback", None)
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)
