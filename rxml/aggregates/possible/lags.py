"""Lags: how far behind the newest event time elements come, and so how much of a window has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats

_PER_OCTAVE: Final = 4
_BINS: Final = 64 * _PER_OCTAVE
_NONE: Final = -(2**63)
_EDGES: Final = np.concatenate([[0.0], 2.0 ** (np.arange(_BINS) / _PER_OCTAVE)])
"""Of the lags, ns: bin k is from edge k - 1 to edge k; the first holds those that came as the newest."""


class Lags:
    """A histogram of lags, of a size that does not grow; two are merged by adding up counts.

    The share of a window that has come, if events are as likely at any time in it: the mean over its instants of the probability
    that an element of that time has come by now, which is that its lag is no more than what event time has gone on since.

    Attributes:
        front: the newest event time, ns UTC.
        counts: of the bins, int64.
    """

    front: int
    counts: NDArray[np.int64]

    def __init__(self) -> None:
        self.front = _NONE
        self.counts = np.zeros(_BINS + 1, np.int64)

    def saw(self, times: NDArray[np.int64]) -> None:
        """Elements have come, in this order.

        Args:
            times: event times, shape (n,), ns UTC.
        """
        before = np.maximum.accumulate(np.r_[max(self.front, int(times[0])), times])
        lags = np.maximum(before[:-1] - times, 0)
        place = np.ceil(np.log2(np.maximum(lags, 1)) * _PER_OCTAVE).astype(np.intp) + 1
        bins = np.where(lags > 0, np.minimum(place, _BINS), 0)
        self.counts += np.bincount(bins, minlength=_BINS + 1)
        self.front = int(before[-1])

    def share(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Floats:
        """Which share of what there will be in windows has come, (n,), within [0, 1].

        Args:
            starts: of the windows, (n,), ns UTC.
            ends: the first instants behind them.
        """
        heights = np.cumsum(self.counts) / max(int(self.counts.sum()), 1)
        until, since = (
            np.maximum((self.front - each).astype(np.float64), 0.0) for each in (starts, ends)
        )
        came = _area(until, heights) - _area(since, heights)
        return np.clip(came / (ends - starts), 0.0, 1.0)

    def snapshot(self) -> Any:
        """As plain values."""
        return [self.front, self.counts.copy()]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        self.front, counts = state
        self.counts = np.array(counts, np.int64)


def _area(x: Floats, heights: Floats) -> Floats:
    """The integral from 0 to x of the share of lags that are up to each value; in a bin it grows evenly."""
    widths = np.diff(_EDGES)
    before = np.concatenate([[0.0], np.cumsum(widths * (heights[:-1] + heights[1:]) / 2)])
    place = np.clip(np.searchsorted(_EDGES, x, side="right") - 1, 0, len(widths) - 1)
    away = x - _EDGES[place]
    slope = (heights[place + 1] - heights[place]) / widths[place]
    area: Floats = before[place] + heights[place] * away + slope * away**2 / 2
    return area
