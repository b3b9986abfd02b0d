"""What the virtual loop needs of asyncio's selector loop: a selector that asks it, and its internals."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from types import AsyncGeneratorType
    from typing import Any

    from rxml.virtual.stopwatch import Stopwatch
    from rxml.virtual.turns import VirtualTimer

    Events = list[tuple[selectors.SelectorKey, int]]

    class SelectorLoop(asyncio.SelectorEventLoop):
        """The parts that have no public name; the same from CPython 3.11 to 3.14."""

        _ready: deque[asyncio.Handle]
        _scheduled: list[VirtualTimer]
        _clock_resolution: float
        _default_executor: ThreadPoolExecutor | None
        _asyncgens: set[AsyncGeneratorType[Any, Any]]
        _selector: selectors.BaseSelector

        def _check_closed(self) -> None: ...
        def _check_default_executor(self) -> None: ...
        def _process_events(self, event_list: Events) -> None: ...
        def _asyncgen_finalizer_hook(self, agen: AsyncGeneratorType[Any, Any]) -> None: ...
else:
    SelectorLoop = asyncio.SelectorEventLoop


class PollingSelector(selectors.DefaultSelector):
    """A selector that leaves to its owner whether and how long it waits.

    Args:
        poll: called with the seconds that the loop would wait (None: for ever) and with a function that
            waits so many real seconds; returns the events.
        stopwatch: measures what is between two polls.
    """

    def __init__(
        self,
        poll: Callable[[float | None, Callable[[float], Events]], Events],
        stopwatch: Stopwatch,
    ) -> None:
        super().__init__()
        self._poll = poll
        self._stopwatch = stopwatch

    @override
    def select(self, timeout: float | None = None) -> Events:
        self._stopwatch.stop()
        try:
            return self._poll(timeout, super().select)
        finally:
            self._stopwatch.start()
