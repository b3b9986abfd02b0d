"""Panes: what windows have to tell at one moment, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.batch.batch import Batch
from rxml.batch.column import Column, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.eventtime.windows.keys import Keys

EARLY: Final = 0
ON_TIME: Final = 1
LATE: Final = 2
Values: TypeAlias = NDArray[Any] | Column
TIMINGS: Final = np.array(["early", "on_time", "late"], object)


@dataclass(frozen=True, slots=True)
class Panes:
    """Results of n windows, in the order in which they are told. All arrays have the shape (n, ...).

    Attributes:
        codes: the keys.
        starts: of the windows, int64 ns UTC.
        ends: the first instant behind each.
        times: the event times of the results.
        values: of each aggregate; arrays, or columns of distributions.
        index: how many panes of the window came before.
        timing: `EARLY`, `ON_TIME` or `LATE`.
        final: no further pane of the window can follow.
        retracted: it takes back the pane before.
    """

    codes: NDArray[np.intp]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    times: NDArray[np.int64]
    values: Sequence[Values]
    index: NDArray[np.int64]
    timing: NDArray[np.int8]
    final: NDArray[np.bool_]
    retracted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.codes)

    def taken(self, rows: NDArray[np.intp]) -> Panes:
        """Some of them, in another order."""
        return Panes(
            self.codes[rows],
            self.starts[rows],
            self.ends[rows],
            self.times[rows],
            [_taken(each, rows) for each in self.values],
            self.index[rows],
            self.timing[rows],
            self.final[rows],
            self.retracted[rows],
        )

    def taken_back(self, timing: NDArray[np.int8]) -> Panes:
        """Rows that take them back, when others of this timing are told."""
        yes = np.ones(len(self), np.bool_)
        return replace(self, timing=timing, final=~yes, retracted=yes)


def closing(
    codes: NDArray[np.intp],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    times: NDArray[np.int64],
    values: Sequence[Values],
) -> Panes:
    """The only panes of windows that have ended."""
    n = len(codes)
    on_time = np.full(n, ON_TIME, np.int8)
    zeros, yes = np.zeros(n, np.int64), np.ones(n, np.bool_)
    return Panes(codes, starts, ends, times, values, zeros, on_time, yes, ~yes)


def together(parts: Sequence[Panes]) -> Panes:
    """One behind the other; at least one."""
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(part.values for part in parts), strict=True)
    values = [_joined(each) for each in columns]
    return Panes(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.times for part in parts]),
        values,
        np.concatenate([part.index for part in parts]),
        np.concatenate([part.timing for part in parts]),
        np.concatenate([part.final for part in parts]),
        np.concatenate([part.retracted for part in parts]),
    )


def _taken(column: Values, rows: NDArray[np.intp]) -> Values:
    return column[rows] if isinstance(column, np.ndarray) else column.take(rows)


def _joined(columns: Sequence[Values]) -> Values:
    arrays = [each for each in columns if isinstance(each, np.ndarray)]
    return np.concatenate(arrays) if len(arrays) == len(columns) else joined("", columns)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns results have.

    Attributes:
        names: of the aggregates.
        spans: whether windows have a start and an end.
        timed: whether results have a time.
        several: whether a window may have several panes, so that results say which they are.
        retracting: whether panes may be taken back.
    """

    names: tuple[str, ...]
    spans: bool
    timed: bool
    several: bool
    retracting: bool

    def batch(self, panes: Panes, keys: Keys) -> Batch:
        """The results as rows."""
        columns: dict[str, Any] = {}
        if keys.name is not None:
            columns[keys.name] = keys.column(panes.codes)
        if self.spans:
            columns |= {"start": panes.starts, "end": panes.ends}
        if self.timed:
            columns["time"] = panes.times
        columns |= zip(self.names, panes.values, strict=False)
        if self.several:
            timing = TIMINGS[panes.timing]
            columns |= {"pane": panes.index, "timing": timing, "final": panes.final}
        if self.retracting:
            columns["retracted"] = panes.retracted
        return Batch(columns)

    def columns(self, key: str | None) -> list[str]:
        """The names that are given to columns, beside those of aggregates."""
        named = [] if key is None else [key]
        named += ["start", "end"] if self.spans else []
        named += ["time"] if self.timed else []
        named += ["pane", "timing", "final"] if self.several else []
        return named + (["retracted"] if self.retracting else [])
