"""The newest facts of a large log, found without reading all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from rxml.facts.picking import newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.batch import Batch
    from rxml.facts.log_statistics import LogStatistics

_FEW: Final = 32_768
"""Facts that a first look is to meet; logs that have no more are read whole."""

_WIDER: Final = 8


@runtime_checkable
class Measured(Protocol):
    """A log that knows from when to when it has facts."""

    def statistics(self) -> LogStatistics:
        """What it holds."""
        ...


class Recent:
    """The n newest facts of a view, newest first, as something to be viewed.

    Looks at the last stretch of event time, and at one eight times as long as long as that has less than n facts: each
    look reads the chunks that it needs, and all together little more than the last one.

    Args:
        log: what the view is of.
        look: reads the view's facts from an event time on; those of None are all.
        bound: event times from it on are of no interest; None: all are.
        n: how many facts are wanted.
    """

    __slots__ = ("_bound", "_log", "_look", "_n")

    def __init__(
        self,
        log: object,
        look: Callable[[int | None], Iterator[Batch]],
        bound: int | None,
        n: int,
    ) -> None:
        self._log = log
        self._look = look
        self._bound = bound
        self._n = n

    def scan(
        self,
        from_offset: int = 0,
        to_offset: int | None = None,
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> Iterator[Batch]:
        """One batch at most; it has all of them, whatever is asked."""
        del from_offset, to_offset, from_time, to_time
        step = newest(self._n)
        for least in self._looks():
            found = next(step(self._look(least)), None)
            if found is not None and (len(found) == self._n or least is None):
                yield found
                return

    def _looks(self) -> Iterator[int | None]:
        """Event times from which to look; None, the last, for all."""
        held = self._log.statistics() if isinstance(self._log, Measured) else None
        if held is not None and held.first_event is not None and held.last_event is not None:
            last = held.last_event if self._bound is None else min(held.last_event, self._bound)
            span = last - held.first_event
            few = max(_FEW, 4 * self._n)
            width = span * few // max(1, held.facts)
            while 0 < width < span and held.facts > few:
                yield last - width
                width *= _WIDER
        yield None
