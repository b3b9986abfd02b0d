"""The places that need nothing but this process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from rxml.flow.check import require_count
from rxml.models.scoring.off_loop import off_loop
from rxml.models.scoring.on_loop import LoopWorkers
from rxml.models.scoring.threads import ThreadLimits, ThreadWorkers
from rxml.models.scoring.warm import warmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.models.model import Model
    from rxml.models.scoring.place import Workers

HOLD: Final = 0.002
"""Seconds that a model may hold the loop, for which it may run there."""


class OnLoop:
    """See `on_loop`."""

    async def open(self, model: Model, ready: Callable[[], None]) -> Workers:
        """See `Place.open`."""
        del ready
        await off_loop(partial(warmed, model), "warming up a model")
        return LoopWorkers(model)


class Threads:
    """See `threads`."""

    def __init__(self, limits: ThreadLimits) -> None:
        self._limits = limits

    async def open(self, model: Model, ready: Callable[[], None]) -> Workers:
        """See `Place.open`."""
        await off_loop(partial(warmed, model), "warming up a model")
        return ThreadWorkers(model, self._limits, ready)


class Auto:
    """See `auto`."""

    def __init__(self, limits: ThreadLimits) -> None:
        self._limits = limits

    async def open(self, model: Model, ready: Callable[[], None]) -> Workers:
        """See `Place.open`."""
        seconds = await off_loop(partial(warmed, model), "warming up a model")
        if seconds is not None and seconds <= HOLD:
            return LoopWorkers(model)
        return ThreadWorkers(model, self._limits, ready)


def on_loop() -> OnLoop:
    """The model runs on the event loop: for those that take microseconds. Nothing else happens meanwhile."""
    return OnLoop()


def threads(
    least: int = 1, most: int | None = None, *, target: float = 0.01, timeout: float = 30.0
) -> Threads:
    """The model runs in threads: for those that release the GIL, or take long enough that the loop must go on.

    Args:
        least: threads that work whatever the load.
        most: threads that work while rows wait for longer than `target`; as many as `least` unless told otherwise. With more
            than one, the model is called by several at once.
        target: seconds.
        timeout: seconds after which a batch counts as hung: its thread is given up and replaced, eight times at most, and
            its rows are scored again.

    Raises:
        ValueError: a number out of its range.
    """
    most = least if most is None else most
    require_count("threads(least)", least, 1)
    require_count("threads(most)", most, least)
    return Threads(ThreadLimits(least, most, target, timeout))


def auto() -> Auto:
    """The loop if a row takes the model no more than 2 ms when it is warm, else a thread."""
    return Auto(ThreadLimits(1, 1, 0.01, 30.0))
