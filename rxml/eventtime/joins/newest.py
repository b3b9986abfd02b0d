"""Newest: for each element of the left the newest row of the right by then, of the same key; all keys at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.eventtime.joins.codes import Codes
from rxml.eventtime.watermarks import LONG_AGO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.eventtime.joins.side import Taken

    Rows = NDArray[np.intp]
    Times = NDArray[np.int64]

_SMALL: Final = 1 << 16
_NONE: Final = np.empty(0, np.intp)


class Newest:
    """Rows of the right are numbered by whoever keeps them; here are their times and keys.

    What may still be asked for is kept: of the rows up to the horizon the newest of each key, and all after it. `base` is
    the former, one number for each key; the others are sorted by time, those of one time as they came.

    Args:
        tolerance: nanoseconds that a row may be older than an element; None: any.

    Attributes:
        tracking: whether `gone` is to know of each row that nobody will ask for any more.
    """

    def __init__(self, tolerance: int | None) -> None:
        self._tolerance = tolerance
        self.codes: Codes = Codes()
        self.base: Rows = _NONE
        self._base_times: Times = np.empty(0, np.int64)
        self._absorbed = LONG_AGO
        self.rows: Rows = _NONE
        self._times: Times = np.empty(0, np.int64)
        self._codes: Rows = _NONE
        self._gone: list[Rows] = []
        self.tracking: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, told: Taken, rows: Rows) -> None:
        """Take rows in, in any order of time."""
        times, keys = told.times, told.keys
        codes, shift = self.codes.add(keys, len(times))
        if shift:
            self._shift(shift)
        self._widen()
        if len(times) and told.least < self._absorbed:
            times, codes, rows = self._newer(times, codes, rows)
        if len(self.rows):
            times = np.concatenate([self._times, times])
            codes = np.concatenate([self._codes, codes])
            rows = np.concatenate([self.rows, rows])
        if len(times) > 1 and (times[1:] < times[:-1]).any():
            order = np.argsort(times, kind="stable")
            times, codes, rows = times[order], codes[order], rows[order]
        self._times, self._codes, self.rows = times, codes, rows

    def _newer(self, times: Times, codes: Rows, rows: Rows) -> tuple[Times, Rows, Rows]:
        """The rows that are not before the newest of their key up to the horizon: nobody will ask for the others."""
        newer = times >= self._base_times[codes]
        if self.tracking:
            self._gone.append(rows[~newer])
        return times[newer], codes[newer], rows[newer]

    def gone(self) -> Rows:
        """The rows that nobody will ask for, since this was called before."""
        if not self._gone:
            return _NONE
        gone, self._gone = np.concatenate(self._gone), []
        return gone

    def _shift(self, by: int) -> None:
        self._codes = self._codes + by
        self.base = np.concatenate([np.full(by, -1, np.intp), self.base])
        self._base_times = np.concatenate([np.full(by, LONG_AGO, np.int64), self._base_times])

    def _widen(self) -> None:
        """Room for all keys, and behind them a place for those that are not known."""
        missing = self.codes.count + 1 - len(self.base)
        if missing > 0:
            room = max(missing, len(self.base) // 2)
            self.base = np.concatenate([self.base, np.full(room, -1, np.intp)])
            self._base_times = np.concatenate([self._base_times, np.full(room, LONG_AGO, np.int64)])

    def find(self, asking: Taken) -> Rows:
        """The row for each element, -1 where there is none."""
        times, keys = asking.times, asking.keys
        if not self.codes.count:
            return np.full(len(times), -1, np.intp)
        codes = self.codes.find(keys, len(times))
        unknown: NDArray[np.bool_] = codes < 0
        if unknown.any():
            codes = np.where(unknown, self.codes.count, codes)
        near = int(np.searchsorted(self._times, asking.most, side="right"))
        checked = self._tolerance is not None or self._absorbed > asking.least
        if near:
            rows, found = self._merged(times, codes, near, checked=checked)
        else:
            rows = self.base.take(codes)
            found = self._base_times.take(codes) if checked else times
        if checked:
            rows[self._wrong(times, found)] = -1
        return rows

    def _wrong(self, times: Times, found: Times) -> NDArray[np.bool_]:
        """Where the time of the row is not that of what may be found: it is later than the element, or too old."""
        later = found > times
        if self._tolerance is None:
            return later
        oldest = np.maximum(times, LONG_AGO + self._tolerance) - self._tolerance
        return later | (found < oldest)

    def _merged(self, times: Times, codes: Rows, near: int, *, checked: bool) -> tuple[Rows, Times]:
        """By one pass through rows and elements, key by key in the order of time; a row is before elements of its time."""
        order, grouped = _by_key(
            np.concatenate([self._times[:near], times]),
            np.concatenate([self._codes[:near], codes]),
            self.codes.count,
        )
        is_row = order < near
        places = np.flatnonzero(~is_row)  # a mask would be slower as an index
        before = places - np.arange(
            1, len(places) + 1
        )  # the number of the last row before each element
        at = np.flatnonzero(is_row).take(before, mode="wrap")
        hit = (grouped.take(at) == grouped.take(places)) & (before >= 0)
        to, source = order.take(places) - near, order.take(at)
        rows = self._put(self.base.take(codes), to, hit, self.rows.take(source, mode="clip"))
        if not checked:
            return rows, times
        found = self._base_times.take(codes)
        return rows, self._put(found, to, hit, self._times.take(source, mode="clip"))

    @staticmethod
    def _put(array: Any, to: Rows, where: NDArray[np.bool_], values: Any) -> Any:
        """The array, with values at these places where the mask says so."""
        array[to] = np.where(where, values, array.take(to))
        return array

    def absorb(self, horizon: int) -> None:
        """No element from before the horizon will be asked for: of the rows up to it, the newest of each key will do."""
        count = int(np.searchsorted(self._times, horizon, side="right"))
        if not count:
            return
        times, codes, rows = self._times[:count], self._codes[:count], self.rows[:count]
        if times[0] < self._absorbed:
            times, codes, rows = self._newer(times, codes, rows)
        before = self.base[codes] if self.tracking else _NONE
        self.base[codes] = rows  # the last of each key stays
        if self.tracking:
            stays = self.base[codes]
            self._gone += [rows[stays != rows], before[(before >= 0) & (before != stays)]]
        self._base_times[codes] = times
        if len(times):
            self._absorbed = max(self._absorbed, int(times[-1]))
        self._times, self._codes = self._times[count:], self._codes[count:]
        self.rows = self.rows[count:]

    def forget(self, horizon: int, most: int) -> int:
        """Give up rows that are too old for any element from the horizon on, and of more keys than `most` the oldest.

        Returns:
            how many keys were given up although their row might have been asked for.
        """
        if self._tolerance is not None and horizon > LONG_AGO + self._tolerance:
            self.base[self._base_times < horizon - self._tolerance] = -1
        kept = np.flatnonzero(self.base >= 0)
        beyond = len(kept) - most
        if beyond > 0:
            order = np.argsort(self._base_times[kept], kind="stable")
            self.base[kept[order[:beyond]]] = -1
        return max(0, beyond)

    def renumber(self, size: int) -> Rows:
        """The rows that are kept, in order: from now on they are 0, 1, 2 and so on; keys without one are forgotten.

        Args:
            size: rows so far.
        """
        self._gone = []
        used = self.base >= 0
        kept = np.zeros(size, np.bool_)
        kept[self.base[used]] = True
        kept[self.rows] = True
        keep = np.flatnonzero(kept)
        number = np.cumsum(kept) - 1
        self.base[used] = number[self.base[used]]
        self.rows = number[self.rows]
        if self.codes.spelt_out:
            self._recode(used)
        return keep

    def listed(self) -> tuple[Times, list[Any]]:
        """Times and keys of the rows, in their order; they must just have been renumbered."""
        used = np.flatnonzero(self.base >= 0)
        rows = np.concatenate([self.base[used], self.rows])
        times = np.concatenate([self._base_times[used], self._times])
        codes = np.concatenate([used, self._codes])
        order, keys = np.argsort(rows), self.codes.key_of()
        return times[order], [keys[code] for code in codes[order].tolist()]

    def _recode(self, used: NDArray[np.bool_]) -> None:
        used = used.copy()
        used[self._codes] = True
        known = np.flatnonzero(used)
        if len(known) == len(self.codes):
            return
        self.codes = self.codes.kept(known)
        self._codes = np.searchsorted(known, self._codes)
        self.base, self._base_times = self.base[known], self._base_times[known]
        self._widen()


def _by_key(times: Times, codes: Rows, count: int) -> tuple[Rows, NDArray[Any]]:
    """The order by key, within that by time, within that as given; and the keys in that order."""
    order = np.argsort(times, kind="stable")
    small = codes.astype(np.uint16) if count < _SMALL else codes  # which numpy sorts in linear time
    small = small[order]
    grouping = np.argsort(small, kind="stable")
    return order[grouping], small[grouping]
