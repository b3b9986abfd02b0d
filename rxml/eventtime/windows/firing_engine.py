"""FiringEngine: windows of fixed spans that may tell several times: a slot for each key and window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from typing_extensions import override

from rxml.eventtime.windows.emission import Update
from rxml.eventtime.windows.engine import Engine, Folding, Rows, in_order
from rxml.eventtime.windows.panes import EARLY, LATE, ON_TIME, Panes, together
from rxml.eventtime.windows.slices import Slices
from rxml.eventtime.windows.undo import undone
from rxml.flow.chunk import CHUNK, FOREVER
from rxml.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from rxml.eventtime.windows.emission import Emission
    from rxml.eventtime.windows.firing import Firing
    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Fold
    from rxml.eventtime.windows.windowing import Sliding


class _Pairs(NamedTuple):
    """Rows, and windows that they go to: a pair for each row and window, in the order of rows.

    Attributes:
        rows: the elements.
        folding: gives what takes some of them in.
        at: which row each pair is of.
        slots: which window.
    """

    rows: Rows
    folding: Folding
    at: NDArray[np.intp]
    slots: NDArray[np.intp]

    def fold(self, some: NDArray[np.intp]) -> Fold:
        """What takes the rows of some pairs in."""
        return self.folding(self.at[some])

    def times(self, some: NDArray[np.intp]) -> NDArray[np.int64]:
        """The event times of the rows of some pairs."""
        return self.rows.times[self.at[some]]


class FiringEngine(Engine):
    """A slice is a window; an element goes to each window that it is in.

    Args:
        keys: of the elements.
        windowing: spans of the windows; None: one of all time.
        firing: makes the panes.
        emission: when they come, beside the window's end.
        lateness: for how long behind a window's end its state is kept, ns.
    """

    def __init__(
        self,
        keys: Keys,
        windowing: Sliding | None,
        firing: Firing,
        emission: Emission,
        lateness: int,
    ) -> None:
        super().__init__(keys, firing.pool)
        self._windowing = windowing
        self._firing = firing
        self._every = emission.n if isinstance(emission, Update) else None
        self._lateness = lateness
        self._slices = Slices(keys, firing.pool)
        self._closed = -FOREVER  # windows that ended by then have told so

    @property
    @override
    def reach(self) -> int:
        return 0 if self._windowing is None else self._size + self._windowing.every

    @property
    def _size(self) -> int:
        return 0 if self._windowing is None else self._windowing.size

    def _last_start(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._windowing is None:
            return np.full(len(times), -FOREVER, np.int64)
        return self._windowing.last_start(times)

    def _ends(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.full(len(starts), FOREVER) if self._windowing is None else starts + self._size

    @override
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        return self._ends(self._last_start(times)) <= self.watermark - self._lateness

    @override
    def outside(self, times: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        if self._windowing is None or self._windowing.every <= self._size:
            return None
        return times - self._last_start(times) >= self._size

    @override
    def add(self, rows: Rows, folding: Folding) -> list[Panes]:
        with self._slices:
            at, slots = self._assigned(rows)
            with undone(self._firing) as undo:
                undo.keep(slots)
                return self._taken(rows, folding, at, slots)

    def _taken(
        self, rows: Rows, folding: Folding, at: NDArray[np.intp], slots: NDArray[np.intp]
    ) -> list[Panes]:
        late = self._firing.windows.ends[slots] <= self._closed
        each = np.ones_like(late) if self._every == 1 else late
        pairs = _Pairs(rows, folding, at, slots)
        told = [
            *self._with_each(pairs, np.flatnonzero(each), np.where(late, LATE, EARLY)),
            *self._in_steps(pairs, np.flatnonzero(~each)),
        ]
        return _sorted(told)

    def _with_each(
        self, pairs: _Pairs, which: NDArray[np.intp], timing: NDArray[np.int64]
    ) -> Generator[tuple[NDArray[np.intp], Panes]]:
        """Take in pairs each of which lets its window tell; places and panes. So many at a time, as states need room."""
        for start in range(0, len(which), CHUNK):
            some = which[start : start + CHUNK]
            fold, times = pairs.fold(some), pairs.times(some)
            panes = self._firing.each(pairs.slots[some], fold.alone(), times, timing[some])
            yield _spread(some, panes), panes

    def _in_steps(
        self, pairs: _Pairs, which: NDArray[np.intp]
    ) -> Generator[tuple[NDArray[np.intp], Panes]]:
        """Take in pairs of which some let their window tell; places and panes."""
        for step, due in self._steps(pairs.slots[which]):
            some, telling = which[step], which[due]
            places = pairs.slots[some]
            pairs.fold(some).into(places)
            self._firing.saw(places)
            np.maximum.at(self._firing.windows.times, places, pairs.times(some))
            if len(telling):
                panes = self._firing.fire(pairs.slots[telling], EARLY)
                yield _spread(telling, panes), panes

    def _steps(
        self, slots: NDArray[np.intp]
    ) -> Generator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Rows that are taken in together, and those among them, each the last of its window, that let this tell."""
        every, none = self._every, np.empty(0, np.intp)
        if every is None or not len(slots):
            yield np.arange(len(slots)), none
            return
        fresh = self._firing.windows.fresh[slots]
        waiting: list[NDArray[np.intp]] = []
        for rank, step in enumerate(rounds(slots), 1):
            due = (fresh[step] + rank) % every == 0
            waiting.append(step)
            if due.any():
                yield _in_order(waiting), step[due]
                waiting = []
        if waiting:
            yield _in_order(waiting), none

    def _assigned(self, rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and slots, a pair for each window that a row is in and that is kept still, in the order of rows."""
        last, numbers = self._last_start(rows.times), np.arange(len(rows.times))
        at: list[NDArray[np.intp]] = []
        slots: list[NDArray[np.intp]] = []
        windowing = self._windowing
        for back in range(1 if windowing is None else windowing.overlap):
            starts = last if windowing is None else last - back * windowing.every
            ends = self._ends(starts)
            inside = (rows.times < ends) & (ends > self.watermark - self._lateness)
            at.append(numbers[inside])
            slots.append(self._opened(starts[inside], rows.codes[inside], rows.times[inside]))
        together_at, together_slots = np.concatenate(at[::-1]), np.concatenate(slots[::-1])
        order = np.argsort(together_at, kind="stable")
        return together_at[order], together_slots[order]

    def _opened(
        self, starts: NDArray[np.int64], codes: NDArray[np.intp], times: NDArray[np.int64]
    ) -> NDArray[np.intp]:
        windows, before = self._firing.windows, len(self.pool)
        slots = self._slices.slots(starts, codes)
        if len(self.pool) > before:
            fresh, first = np.unique(slots, return_index=True)
            known = self._is_open(fresh, codes[first], starts[first])
            new, rows = fresh[~known], first[~known]
            windows.open(new, codes[rows], starts[rows], self._ends(starts[rows]), times[rows])
        return slots

    def _is_open(
        self, slots: NDArray[np.intp], codes: NDArray[np.intp], starts: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        windows = self._firing.windows
        known = slots < len(windows.codes)
        inner = slots[known]
        known[known] = (
            (windows.codes[inner] == codes[known])
            & (windows.starts[inner] == starts[known])
            & (windows.fresh[inner] + windows.fires[inner] > 0)
        )
        return known

    @override
    def close(self, watermark: int) -> list[Panes]:
        told: list[Panes] = []
        for start in self._slices.starts():
            end = FOREVER if self._windowing is None else start + self._size
            if end > watermark:
                break
            if end > self._closed:
                told += self._ended(start)
            if end <= watermark - self._lateness or watermark >= FOREVER:
                self._forget(start)
        self._closed = watermark
        return told

    def _ended(self, start: int) -> list[Panes]:
        one = self._slices[start]
        slots = self._firing.worth(one.slots[in_order(self.keys, one.codes)])
        final = not self._lateness or self.watermark >= FOREVER
        return [self._firing.fire(slots, ON_TIME, final=final)] if len(slots) else []

    def _forget(self, start: int) -> None:
        self._firing.forget(self._slices[start].slots)
        self._slices.drop(start)

    @override
    def tick(self) -> list[Panes]:
        windows = self._firing.windows
        slots = windows.renewed()
        if not len(slots):
            return []
        ranks = self.keys.rank(windows.codes[slots])
        order = np.lexsort((ranks, windows.starts[slots]))
        return [self._firing.fire(slots[order], EARLY)]

    @override
    def snapshot(self) -> Any:
        return [self._slices.snapshot(), self._firing.snapshot(), self._closed]

    @override
    def restore(self, state: Any) -> None:
        slices, firing, self._closed = state
        self._slices.restore(slices)
        self._firing.restore(firing)


def _in_order(steps: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    """The rows of all of them."""
    return steps[0] if len(steps) == 1 else np.sort(np.concatenate(steps))


def _spread(order: NDArray[np.intp], panes: Panes) -> NDArray[np.intp]:
    """The place of each pane: a retraction has that of the pane behind it."""
    if len(panes) == len(order):
        return order
    places = np.empty(len(panes), np.intp)
    places[~panes.retracted] = order
    behind = np.flatnonzero(panes.retracted)
    places[behind] = places[behind + 1]
    return places


def _sorted(told: list[tuple[NDArray[np.intp], Panes]]) -> list[Panes]:
    """The panes in the order of the elements that have brought them about, by the places of these."""
    if not told:
        return []
    order = np.argsort(np.concatenate([places for places, _ in told]), kind="stable")
    return [together([panes for _, panes in told]).taken(order)]
