"""Ages: who of those that wait has waited long enough, without looking at the others."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SPARE: Final = 64


class Ages:
    """A heap of times. Whoever waits no more stays in it until there are more of these than of others.

    Args:
        waits: whether a name waits since that time.
    """

    def __init__(self, waits: Callable[[Any, int], bool]) -> None:
        self._waits = waits
        self._heap: list[tuple[int, int, Any]] = []
        self._seen = 0

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, names: Iterable[Any], times: Iterable[int], waiting: int) -> None:
        """These wait from now on, since these times; so many do altogether."""
        for name, time in zip(names, times, strict=True):
            self._seen += 1
            heappush(self._heap, (time, self._seen, name))
        if len(self._heap) > 2 * waiting + _SPARE:
            self._heap = [each for each in self._heap if self._waits(each[2], each[0])]
            heapify(self._heap)

    def due(self, time: int) -> list[Any]:
        """Those that wait since that time or longer, in the order in which they came; they are forgotten."""
        found: dict[Any, int] = {}
        while self._heap and self._heap[0][0] <= time:
            since, nth, name = heappop(self._heap)
            if self._waits(name, since):
                found[name] = nth
        return sorted(found, key=found.__getitem__)
