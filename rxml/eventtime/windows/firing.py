"""Firing: what each open window has told so far, and its next pane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.aggregates.states import grown, plain, put, restored, taken
from rxml.eventtime.windows.panes import Panes, together
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Aggregate, State
    from rxml.eventtime.windows.emission import Accumulation
    from rxml.eventtime.windows.pool import Pool


class Windows:
    """Open windows: row i is the window whose state is in slot i of the pool."""

    __slots__ = ("codes", "ends", "fires", "fresh", "starts", "times")

    def __init__(self) -> None:
        self.codes: NDArray[np.intp] = np.zeros(0, np.intp)
        self.starts: NDArray[np.int64] = np.zeros(0, np.int64)
        self.ends: NDArray[np.int64] = np.zeros(0, np.int64)
        self.times: NDArray[np.int64] = np.zeros(0, np.int64)
        self.fires: NDArray[np.int64] = np.zeros(0, np.int64)
        self.fresh: NDArray[np.int64] = np.zeros(0, np.int64)

    def open(self, slots: NDArray[np.intp], codes: Any, starts: Any, ends: Any, times: Any) -> None:
        """Windows in these slots have told nothing yet."""
        for name, values in zip(self.__slots__, (codes, ends, 0, 0, starts, times), strict=True):
            array = _longer(getattr(self, name), int(slots.max(initial=-1)) + 1)
            array[slots] = values
            setattr(self, name, array)

    def snapshot(self) -> Any:
        """As plain values."""
        return [getattr(self, name).copy() for name in self.__slots__]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        for name, array in zip(self.__slots__, state, strict=True):
            setattr(self, name, np.array(array))


def _longer(array: NDArray[Any], length: int) -> NDArray[Any]:
    more = length - len(array)
    if more <= 0:
        return array
    return np.concatenate([array, np.zeros(max(more, len(array)), array.dtype)])


class Firing:
    """Makes the panes of windows that may tell several times.

    Args:
        pool: holds the states.
        aggregates: whose states they are.
        accumulation: what a further pane holds.

    Attributes:
        pool: holds the states.
        windows: what is known of those that are open.
    """

    __slots__ = ("_accumulation", "_aggregates", "_told", "pool", "windows")

    def __init__(
        self, pool: Pool, aggregates: Sequence[Aggregate], accumulation: Accumulation
    ) -> None:
        self.pool: Pool = pool
        self._aggregates = list(aggregates)
        self._accumulation: Accumulation = accumulation
        self._told: list[State] = [each.identity(0) for each in self._aggregates]
        self.windows: Windows = Windows()

    def saw(self, slots: NDArray[np.intp]) -> None:
        """An element has come to each of these windows; one may be named several times."""
        np.add.at(self.windows.fresh, slots, 1)

    def worth(self, slots: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of these windows that have something to tell at their end."""
        if self._accumulation != "discarding":
            return slots
        return slots[(self.windows.fresh[slots] > 0) | (self.windows.fires[slots] == 0)]

    def fire(self, slots: NDArray[np.intp], timing: int, *, final: bool = False) -> Panes:
        """The next pane of each of these windows, each named once; in their order."""
        told = self._panes(slots, timing, final=final)
        windows = self.windows
        if self._accumulation == "retracting":
            told = self._behind_retractions(slots, told)
        if self._accumulation == "discarding":
            self.pool.reset(slots)
        windows.fires[slots] += 1
        windows.fresh[slots] = 0
        return told

    def _panes(self, slots: NDArray[np.intp], timing: int, *, final: bool) -> Panes:
        windows, n = self.windows, len(slots)
        ends = windows.ends[slots]
        return Panes(
            windows.codes[slots],
            windows.starts[slots],
            ends,
            np.where(ends == FOREVER, windows.times[slots], ends - 1),
            self.pool.lower(slots),
            windows.fires[slots],
            np.full(n, timing, np.int8),
            np.full(n, final, np.bool_),
            np.zeros(n, np.bool_),
        )

    def _behind_retractions(self, slots: NDArray[np.intp], told: Panes) -> Panes:
        """Each pane behind one that takes back the last."""
        before = self._taken_back(slots, told)
        for each, state in zip(self._told, self.pool.states(slots), strict=True):
            put(each, slots, state)
        rows = np.flatnonzero(self.windows.fires[slots])
        if not len(rows):
            return told
        both = together([before.taken(rows), told])
        order = np.argsort(np.r_[rows, np.arange(len(slots))], kind="stable")
        return both.taken(order)

    def _taken_back(self, slots: NDArray[np.intp], told: Panes) -> Panes:
        most = int(slots.max(initial=-1)) + 1
        pairs = zip(self._aggregates, self._told, strict=True)
        self._told = [grown(each, state, max(most, len(state[0]))) for each, state in pairs]
        values = self.pool.lowered([taken(state, slots) for state in self._told])
        yes = np.ones(len(slots), np.bool_)
        return Panes(
            told.codes, told.starts, told.ends, told.times, values,
            told.index - 1, told.timing, ~yes, yes,
        )  # fmt: skip

    def snapshot(self) -> Any:
        """As plain values."""
        return [self.windows.snapshot(), [plain(state) for state in self._told]]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        windows, told = state
        self.windows.restore(windows)
        pairs = zip(told, self._aggregates, strict=True)
        self._told = [restored(part, each) for part, each in pairs]
