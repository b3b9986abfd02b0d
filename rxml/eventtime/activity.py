"""Activity: which partitions of a stream have been silent for so long that nobody should wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable


class Activity:
    """Tells partitions that rest, and when all of them do. Times are those of the run's clock, in seconds.

    What counts is time in which the stream was waited for: while a reader takes its time, nobody could have given anything.

    Args:
        after: seconds without an element after which a partition rests; None: never.
    """

    __slots__ = ("_after", "_away", "_idle", "_last", "_left", "_told", "_waited")

    def __init__(self, after: float | None) -> None:
        self._after = after
        self._last: dict[Hashable, float] = {}  # in the time that was waited for
        self._idle = False
        self._told = False
        self._away = 0.0
        self._left: float | None = None
        self._waited: float | None = None

    @property
    def deadline(self) -> float | None:
        """When the next partition rests, if nothing comes and it is waited for; None: never."""
        return None if self._waited is None else self._waited + self._away

    def left(self, now: float) -> None:
        """The stream is not waited for from now on."""
        self._left = now

    def back(self, now: float) -> None:
        """The stream is waited for again."""
        if self._left is not None:
            self._away += now - self._left
            self._left = None

    def saw(self, partitions: Iterable[Hashable], now: float) -> None:
        """Elements of these partitions have come."""
        if self._after is None:
            return
        time = now - self._away
        for partition in partitions:
            self._last.pop(partition, None)  # the order is that of the last elements
            self._last[partition] = time
            self._idle = False
        self._set_deadline(time)

    def rested(self, now: float) -> list[Hashable]:
        """The partitions that rest from now on."""
        after, deadline = self._after, self.deadline
        if after is None or deadline is None or now < deadline:
            return []
        # As the deadline is made, for the sake of the last bit.
        resting = [each for each, last in self._last.items() if last + after + self._away <= now]
        for each in resting:
            del self._last[each]
        self._idle = not self._last
        self._set_deadline(None)
        return resting

    def _set_deadline(self, otherwise: float | None) -> None:
        first = next(iter(self._last.values()), otherwise)
        self._waited = None if first is None or self._after is None else first + self._after

    def news(self) -> dict[str, bool]:
        """Whether the stream as a whole rests, if that is new: a signal for a chunk."""
        if self._idle is self._told:
            return {}
        self._told = self._idle
        return {"idle": self._idle}
