"""The last values of each key, and the frame of transforms that look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.features.checks import floats, whole
from rxml.features.table import Table
from rxml.features.transform import ColumnTransform, Found, Rows
from rxml.features.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    _Floats: TypeAlias = NDArray[np.float64]
    _Parts: TypeAlias = Callable[[_Floats, _Floats], tuple[_Floats, ...]]

_BLOCK: Final = 1 << 18  # values of windows that are in memory at a time: 2 MiB


class HistoryTransform(ColumnTransform):
    """A `ColumnTransform` that finds the last values of the row's key: NaN stands where there were fewer.

    Args:
        column: the name of a column of numbers.
        parts: as in `ColumnTransform`.
        options: as in `ColumnTransform`.
        window: how many values are remembered of each key: its memory is 8 bytes for each.
        gaps: whether a NaN is a value to remember; if not, NaN and infinities are passed over.
        keys: how many slots to begin with.
    """

    window: int
    gaps: bool

    def __init__(
        self,
        column: str,
        parts: Sequence[str],
        options: Mapping[str, Any],
        *,
        window: int,
        gaps: bool = False,
        keys: int = 1,
    ) -> None:
        self.window, self.gaps = whole("window", window), gaps
        super().__init__(column, parts, {**options, "window": window}, keys=keys)
        self._table = Table(keys, (self.window,), last=np.float64(np.nan))

    @override
    def grow(self, keys: int) -> None:
        super().grow(keys)
        self._table.grow(keys)

    @override
    def _save(self) -> dict[str, Any]:
        return self._table.snapshot()

    @override
    def _load(self, state: Mapping[str, Any], keys: int) -> None:
        self._table.restore(state, keys)

    @override
    def _values(self, x: NDArray[Any]) -> NDArray[Any]:
        return floats(self.column, super()._values(x))

    @override
    def _forget(self, slots: NDArray[np.intp]) -> None:
        self._table.clear(slots)

    @override
    def _held(self, rows: Rows) -> Found:
        return self._table["last"].ravel(), rows.slots * self.window

    @override
    def _advance(self, rows: Rows) -> Found:
        """All values of a slot in one line, those remembered first; and where in it what each row finds begins."""
        learned = np.ones(len(rows.values), bool) if self.gaps else np.isfinite(rows.values)
        turns, window = Turns(rows.slots, learned), np.arange(self.window)
        heads = turns.starts + np.arange(len(turns.starts)) * self.window
        line = np.empty(len(turns.rows) + len(heads) * self.window)
        old = heads[:, None] + window
        new = np.ones(len(line), bool)
        new[old] = False
        line[old], line[new] = self._table["last"][turns.slots], rows.values[turns.rows]
        self._table["last"][turns.slots] = line[old + turns.lengths[:, None]]
        return line, heads[turns.group] + turns.rank

    def windows(self, found: Found) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """What rows find, a block of rows at a time: (rows, window), the latest value last."""
        line, starts = found
        rows = max(_BLOCK // self.window, 1)
        for first in range(0, len(starts), rows):
            block = slice(first, first + rows)
            yield block, line[starts[block, None] + np.arange(self.window)]

    def by_block(self, rows: Rows, found: Found, of: _Parts) -> tuple[NDArray[np.float64], ...]:
        """The parts, from `of(windows, values)`, a block of rows at a time."""
        parts = tuple(np.empty(len(rows.values)) for _ in self.parts)
        for block, windows in self.windows(found):
            for part, made in zip(parts, of(windows, rows.values[block]), strict=True):
                part[block] = made
        return parts


def quantile(windows: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """A quantile of each row's values that are not NaN, which come first and in order (linear, Hyndman-Fan type 7)."""
    last = np.maximum((~np.isnan(windows)).sum(axis=1) - 1, 0)
    at = last * q
    low = np.floor(at).astype(np.intp)
    rows = np.arange(len(windows))
    left, right = windows[rows, low], windows[rows, np.minimum(low + 1, last)]
    part = at - low
    with np.errstate(all="ignore"):  # not by their difference, which could overflow
        between = left * (1.0 - part) + right * part
    at_q: NDArray[np.float64] = np.where(left == right, left, between)
    return at_q
