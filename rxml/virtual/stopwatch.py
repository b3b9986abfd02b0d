"""Stopwatches: for how long the loop is held by what runs on it, in real seconds."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import resource as _resource
except ImportError:  # Windows
    _usage: Callable[[], Any] | None = None
else:
    _this_thread = getattr(_resource, "RUSAGE_THREAD", None)  # Linux has it
    _usage = None if _this_thread is None else partial(_resource.getrusage, _this_thread)

HELD_SECONDS: Final = 0.01
"""Twice what a stage may hold the loop for: a busy machine is no fault of a stage."""


class Stopwatch:
    """Measures each turn of a loop: from one look at its selector to the next.

    Attributes:
        longest: seconds of the longest turn.
    """

    def __init__(self) -> None:
        self.longest: float = 0.0
        self._began = time.perf_counter()

    def start(self) -> None:
        """A turn begins."""
        self._began = time.perf_counter()

    def stop(self) -> None:
        """The turn is over."""
        self.longest = max(self.longest, time.perf_counter() - self._began)


class HoldingWatch(Stopwatch):
    """Counts the turns that held the loop for too long, by working or by sleeping.

    A turn in which the machine gave the processor to somebody else is none: it took real time, but no more processor
    time, and the thread did not give the processor up by itself.

    Attributes:
        held: seconds of each of these turns.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held: list[float] = []
        self._used, self._waits = time.thread_time(), _waits()

    @override
    def start(self) -> None:
        self._used, self._waits = time.thread_time(), _waits()
        super().start()

    @override
    def stop(self) -> None:
        seconds = time.perf_counter() - self._began
        if seconds < HELD_SECONDS:
            return
        waits = _waits()
        slept = waits is None or waits != self._waits
        if slept or time.thread_time() - self._used >= HELD_SECONDS:
            self.held.append(seconds)


def _waits() -> int | None:
    """How often this thread has given the processor up by itself; None where the system does not say."""
    return None if _usage is None else int(_usage().ru_nvcsw)
