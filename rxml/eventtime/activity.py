"""Activity: which partitions of a stream have been silent for so long that nobody should wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable


class Activity:
    """Tells partitions that rest, and when all of them do. Times are those of the run's clock, in seconds.

    Args:
        after: seconds without an element after which a partition rests; None: never.
    """

    __slots__ = ("_after", "_idle", "_last", "_told", "deadline")

    def __init__(self, after: float | None) -> None:
        self._after = after
        self._last: dict[Hashable, float] = {}
        self._idle = False
        self._told = False
        self.deadline: float | None = None

    def saw(self, partitions: Iterable[Hashable], now: float) -> None:
        """Elements of these partitions have come."""
        if self._after is None:
            return
        for partition in partitions:
            self._last.pop(partition, None)  # the order is that of the last elements
            self._last[partition] = now
            self._idle = False
        self._set_deadline(now)

    def rested(self, now: float) -> list[Hashable]:
        """The partitions that rest from now on."""
        after = self._after
        if after is None or self.deadline is None or now < self.deadline:
            return []
        resting = [each for each, last in self._last.items() if last + after <= now]
        for each in resting:
            del self._last[each]
        self._idle = not self._last
        self._set_deadline(None)
        return resting

    def _set_deadline(self, otherwise: float | None) -> None:
        first = next(iter(self._last.values()), otherwise)
        self.deadline = None if first is None or self._after is None else first + self._after

    def news(self) -> dict[str, bool]:
        """Whether the stream as a whole rests, if that is new: a signal for a chunk."""
        if self._idle is self._told:
            return {}
        self._told = self._idle
        return {"idle": self._idle}
