"""Sessions: those that are open, key by key in order of time, so that an element finds its own among however many."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rxml.eventtime.windows.session_parts import Session

_START = attrgetter("start")


class Sessions:
    """Those of one key do not touch: they are in the order of their starts, and of their ends.

    Args:
        gap: ns.
    """

    __slots__ = ("_gap", "_of")

    def __init__(self, gap: int) -> None:
        self._gap = gap
        self._of: dict[int, list[Session]] = {}

    def __iter__(self) -> Iterator[Session]:
        for sessions in self._of.values():
            yield from sessions

    def touched(self, code: int, low: int, high: int) -> list[Session]:
        """Those of a key that an element from one instant up to another, inclusive, could belong to; in order of time."""
        sessions = self._of.get(code)
        if sessions is None:
            return []
        stop = first = bisect_left(sessions, high + self._gap, key=_START)
        while first and sessions[first - 1].end > low:
            first -= 1
        return sessions[first:stop]

    def add(self, one: Session) -> None:
        """A session that touches none of its key."""
        insort(self._of.setdefault(one.code, []), one, key=_START)

    def remove(self, gone: Iterable[Session]) -> None:
        """These are no more; each is there."""
        by_code: defaultdict[int, list[Session]] = defaultdict(list)
        for one in gone:
            by_code[one.code].append(one)
        for code, some in by_code.items():
            self._remove(code, some)

    def _remove(self, code: int, gone: list[Session]) -> None:
        sessions = self._of[code]
        if len(gone) == len(sessions):
            del self._of[code]
        elif len(gone) == 1:
            del sessions[bisect_left(sessions, gone[0].start, key=_START)]
        else:
            without = set(gone)
            self._of[code] = [each for each in sessions if each not in without]

    def replace(self, gone: Collection[Session], back: Iterable[Session]) -> None:
        """Some are no more, others are back, whether they touched those or not."""
        codes = {one.code for one in gone}
        for one in back:
            codes.add(one.code)
            self._of.setdefault(one.code, []).append(one)
        for code in codes:
            left = [each for each in self._of.pop(code, ()) if each not in gone]
            if left:
                self._of[code] = sorted(left, key=_START)


def joined(spans: list[tuple[int, int]], time: int, gap: int, *, alone: bool) -> bool:
    """Let the spans of a key's sessions, in order, be those behind an element; False if it is late and touches none.

    Args:
        spans: start and end of each.
        time: of the element.
        gap: ns.
        alone: it would be late if it touched none.
    """
    stop = first = bisect_left(spans, (time + gap,))
    while first and spans[first - 1][1] > time:
        first -= 1
    touched = spans[first:stop]
    if alone and not touched:
        return False
    start, end = ([time, *(each[at] for each in touched)] for at in (0, 1))
    spans[first:stop] = [(min(start), max(time + gap, *end))]
    return True
